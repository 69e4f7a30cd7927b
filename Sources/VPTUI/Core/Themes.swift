import Foundation

/// The built-in themes, and themes from a file.
extension Theme {
    public static let builtIn = [Theme.dark, Theme.light]

    /// Every role is readable on every surface: `ContrastTests` computes it.
    public static let dark = Theme(
        name: "dark", isLight: false, depth: .many,
        roles: [
            .plain: .terminal, .muted: .index(247), .border: .index(244), .borderFocused: .index(80),
            .title: .index(250), .titleFocused: .index(80), .accent: .index(80), .good: .index(114),
            .warning: .index(221), .bad: .index(204), .money: .index(151), .key: .index(216),
            .vast: .index(111), .runpod: .index(176), .barFilled: .index(80), .barEmpty: .index(244),
            // Black text would be unreadable on a dark background.
            .black: .index(247), .brightBlack: .index(247), .red: .index(203), .green: .index(107),
            .yellow: .index(179), .blue: .index(74), .magenta: .index(140), .cyan: .index(73),
            .white: .index(252), .brightRed: .index(210), .brightGreen: .index(114),
            .brightYellow: .index(221), .brightBlue: .index(111), .brightMagenta: .index(176),
            .brightCyan: .index(80), .brightWhite: .index(255),
        ],
        surfaces: [
            .base: SurfaceLook(.terminal), .bar: SurfaceLook(.index(235), plain: .index(252)),
            .dialog: SurfaceLook(.index(234), plain: .index(252)),
            .selected: SurfaceLook(.index(236), plain: .index(255)),
            .selectedElsewhere: SurfaceLook(.index(234), plain: .index(252)),
            .match: SurfaceLook(.index(221), foreground: .index(16)),
            .button: SurfaceLook(.index(239), foreground: .index(254)),
            .buttonFocused: SurfaceLook(.index(80), foreground: .index(16), .bold),
            .buttonDanger: SurfaceLook(.index(160), foreground: .index(231), .bold),
        ])

    public static let light = Theme(
        name: "light", isLight: true, depth: .many,
        roles: [
            .plain: .terminal, .muted: .index(240), .border: .index(243), .borderFocused: .index(31),
            .title: .index(239), .titleFocused: .index(25), .accent: .index(25), .good: .index(22),
            .warning: .index(94), .bad: .index(124), .money: .index(22), .key: .index(89),
            .vast: .index(25), .runpod: .index(90), .barFilled: .index(31), .barEmpty: .index(243),
            .black: .index(235), .brightBlack: .index(240), .red: .index(124), .green: .index(22),
            .yellow: .index(94), .blue: .index(25), .magenta: .index(90), .cyan: .index(23),
            // White text would be unreadable on a light background.
            .white: .index(240), .brightRed: .index(160), .brightGreen: .index(22),
            .brightYellow: .index(94), .brightBlue: .index(26), .brightMagenta: .index(127),
            .brightCyan: .index(24), .brightWhite: .index(236),
        ],
        surfaces: [
            .base: SurfaceLook(.terminal), .bar: SurfaceLook(.index(254), plain: .index(236)),
            .dialog: SurfaceLook(.index(255), plain: .index(235)),
            .selected: SurfaceLook(.index(254), plain: .index(16)),
            .selectedElsewhere: SurfaceLook(.index(255), plain: .index(236)),
            .match: SurfaceLook(.index(220), foreground: .index(16)),
            .button: SurfaceLook(.index(250), foreground: .index(236)),
            .buttonFocused: SurfaceLook(.index(25), foreground: .index(231), .bold),
            .buttonDanger: SurfaceLook(.index(160), foreground: .index(231), .bold),
        ])

    /// Returns this theme with the colours from a file: a role's, or a surface's as
    /// `foreground on background`.
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
                throw DashboardFileError(
                    "themes.\(name): “\(key)” is not a colour of the theme; the colours are \(names)")
            }
        }
        return theme
    }

    private static func color(_ text: String, _ path: String) throws(DashboardFileError) -> ThemeColor {
        guard let color = ThemeColor(text.trimmingCharacters(in: .whitespaces)) else {
            throw DashboardFileError(
                "\(path): “\(text)” is not a colour; write #rrggbb, 0 to 255, or terminal")
        }
        return color
    }

    /// Returns the theme called `name` from the built-in ones and those of a file. `auto` is the one for the
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
        throw DashboardFileError("theme: “\(name)” does not exist; the themes are \(names)")
    }
}
