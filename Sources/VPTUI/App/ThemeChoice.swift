import VPEngine
import VPTUICore

/// The available themes, and the one to start with.
struct ThemeChoice {
    let first: Theme
    /// The theme follows the terminal's background.
    let isAutomatic: Bool
    private let all: [Theme]

    init(named name: String?, _ file: DashboardFile, environment: [String: String])
        throws(DashboardFileError)
    {
        let known = TerminalBackground.isLight(environment: environment)
        let name = name ?? file.theme ?? "auto"
        self.first = try Theme.named(name, in: file.themes, isLight: known ?? false)
        // The terminal is not asked if the environment already tells.
        self.isAutomatic = name == "auto" && known == nil
        var all = Theme.builtIn
        for theme in file.themes.keys.sorted() {
            all.append(try Theme.named(theme, in: file.themes, isLight: known ?? false))
        }
        self.all = all
    }

    func next(after theme: Theme) -> Theme {
        let index = self.all.firstIndex { $0.name == theme.name } ?? -1
        return self.all[(index + 1) % self.all.count]
    }
}
