import Foundation

/// The themes that come with the dashboard, and what a file makes of them.
extension Theme {
    public static let builtIn = [Theme.dark, Theme.light]

    public static let dark = Theme(
        name: "dark", isLight: false, depth: .many,
        roles: [
            .plain: .terminal, .muted: .index(244), .border: .index(239), .borderFocused: .index(80),
            .title: .index(250), .titleFocused: .index(80), .accent: .index(80), .good: .index(114),
            .warning: .index(221), .bad: .index(203), .money: .index(151), .key: .index(216),
            .vast: .index(111), .runpod: .index(176), .barFilled: .index(80), .barEmpty: .index(238),
            // Black on a dark background would be a line one cannot read.
            .black: .index(244), .brightBlack: .index(244), .red: .index(167), .green: .index(107),
            .yellow: .index(179), .blue: .index(74), .magenta: .index(139), .cyan: .index(73),
            .white: .index(252), .brightRed: .index(203), .brightGreen: .index(114),
            .brightYellow: .index(221), .brightBlue: .index(111), .brightMagenta: .index(176),
            .brightCyan: .index(80), .brightWhite: .index(255),
        ],
        surfaces: [
            .base: SurfaceLook(.terminal), .bar: SurfaceLook(.index(236)), .dialog: SurfaceLook(.index(235)),
            .selected: SurfaceLook(.index(24), plain: .index(255), muted: .index(250)),
            .selectedElsewhere: SurfaceLook(.index(237)),
            .match: SurfaceLook(.index(221), foreground: .index(16)),
            .button: SurfaceLook(.index(239), foreground: .index(252)),
            .buttonFocused: SurfaceLook(.index(80), foreground: .index(16), .bold),
            .buttonDanger: SurfaceLook(.index(160), foreground: .index(231), .bold),
        ])

    public static let light = Theme(
        name: "light", isLight: true, depth: .many,
        roles: [
            .plain: .terminal, .muted: .index(243), .border: .index(250), .borderFocused: .index(31),
            .title: .index(239), .titleFocused: .index(25), .accent: .index(25), .good: .index(28),
            .warning: .index(130), .bad: .index(160), .money: .index(22), .key: .index(125),
            .vast: .index(26), .runpod: .index(90), .barFilled: .index(31), .barEmpty: .index(252),
            .black: .index(235), .brightBlack: .index(243), .red: .index(124), .green: .index(28),
            .yellow: .index(94), .blue: .index(25), .magenta: .index(90), .cyan: .index(30),
            // White on a light background would be a line one cannot read.
            .white: .index(240), .brightRed: .index(160), .brightGreen: .index(28),
            .brightYellow: .index(130), .brightBlue: .index(26), .brightMagenta: .index(127),
            .brightCyan: .index(31), .brightWhite: .index(236),
        ],
        surfaces: [
            .base: SurfaceLook(.terminal), .bar: SurfaceLook(.index(254), plain: .index(236)),
            .dialog: SurfaceLook(.index(255), plain: .index(235)),
            .selected: SurfaceLook(.index(153), plain: .index(16), muted: .index(239)),
            .selectedElsewhere: SurfaceLook(.index(253)),
            .match: SurfaceLook(.index(220), foreground: .index(16)),
            .button: SurfaceLook(.index(250), foreground: .index(236)),
            .buttonFocused: SurfaceLook(.index(31), foreground: .index(231), .bold),
            .buttonDanger: SurfaceLook(.index(160), foreground: .index(231), .bold),
        ])

    /// This theme with the colours that a file gives: a role's, or a surface's as `foreground on background`.
    public func applying(_ colors: [String: String], name: String) throws(DashboardFileError) -> Theme {
        var theme = self
        theme.name = name
        for (key, text) in colors.sorted(by: { $0.key < $1.key }) where key != "base" {
            if let role = Role.allCases.first(where: { "\($0)" == key }) {
                theme.roles[role] = try Self.color(text, "themes.\(name).\(key)")
            } else if let surface = Surface.allCases.first(where: { "\($0)" == key }) {
                let parts = text.components(separatedBy: " on ")
                let path = "themes.\(name).\(key)"
                let background = try Self.color(parts[parts.count - 1], path)
                let foreground: ThemeColor? = parts.count > 1 ? try Self.color(parts[0], path) : nil
                theme.surfaces[surface] = SurfaceLook(
                    background, foreground: foreground, theme.surfaces[surface]?.attributes ?? [])
            } else {
                let names = (Role.allCases.map { "\($0)" } + Surface.allCases.map { "\($0)" })
                    .joined(separator: ", ")
                throw DashboardFileError("themes.\(name): there is no “\(key)”; there are \(names)")
            }
        }
        return theme
    }

    private static func color(_ text: String, _ path: String) throws(DashboardFileError) -> ThemeColor {
        guard let color = ThemeColor(text.trimmingCharacters(in: .whitespaces)) else {
            throw DashboardFileError("\(path): “\(text)” is no colour; #rrggbb, 0 to 255, or terminal")
        }
        return color
    }

    /// The theme called `name` among the built-in ones and those of a file. `auto` is the one for the
    /// terminal's background.
    public static func named(_ name: String, in file: [String: [String: String]], isLight: Bool)
        throws(DashboardFileError) -> Theme
    {
        if name == "auto" { return isLight ? .light : .dark }
        if let colors = file[name] {
            let base = colors["base"] ?? (isLight ? "light" : "dark")
            guard let theme = Self.builtIn.first(where: { $0.name == base }) else {
                throw DashboardFileError("themes.\(name).base: dark or light, not “\(base)”")
            }
            return try theme.applying(colors, name: name)
        }
        if let theme = Self.builtIn.first(where: { $0.name == name }) { return theme }
        let names = (["auto"] + Self.builtIn.map(\.name) + file.keys.sorted()).joined(separator: ", ")
        throw DashboardFileError("theme: there is no “\(name)”; there are \(names)")
    }
}
