/// Roles and surfaces to the colours and attributes that a terminal gets.
public struct Theme: Hashable, Sendable {
    /// How many colours the terminal has.
    public enum Depth: Hashable, Sendable { case mono, eight, sixteen, many }

    /// What to draw with: palette indices, -1 being the terminal's own.
    public struct Paint: Hashable, Sendable {
        public var foreground: Int
        public var background: Int
        public var attributes: TextAttributes
    }

    public var depth: Depth

    public init(depth: Depth) {
        self.depth = depth
    }

    public func paint(_ style: Style) -> Paint {
        switch self.depth {
        case .mono: self.monochrome(style)
        case .eight, .sixteen: self.few(style)
        case .many: self.many(style)
        }
    }

    /// Meaning by attribute alone, for `NO_COLOR` and terminals without colour.
    private func monochrome(_ style: Style) -> Paint {
        var attributes = style.attributes
        switch style.surface {
        case .base, .dialog, .button: break
        case .bar: attributes.insert(.reverse)
        case .selected, .buttonFocused, .buttonDanger: attributes.insert(.reverse)
        case .selectedElsewhere: attributes.insert(.underline)
        case .match: attributes.formUnion([.reverse, .underline])
        }
        switch style.role {
        case .borderFocused, .titleFocused, .accent, .key, .bad, .warning: attributes.insert(.bold)
        case .muted, .barEmpty: attributes.insert(.dim)
        default: break
        }
        return Paint(foreground: -1, background: -1, attributes: attributes)
    }

    private func few(_ style: Style) -> Paint {
        var attributes = style.attributes
        let bright = self.depth == .sixteen ? 8 : 0
        var foreground: Int
        switch style.role {
        case .plain, .title, .white: foreground = -1
        case .muted, .border, .barEmpty, .black, .brightBlack:
            foreground = self.depth == .sixteen ? 8 : -1
            if self.depth == .eight, style.role != .border { attributes.insert(.dim) }
        case .borderFocused, .titleFocused, .accent, .barFilled, .cyan: foreground = 6
        case .good, .green: foreground = 2
        case .warning, .yellow, .key: foreground = 3
        case .bad, .red: foreground = 1
        case .money: foreground = 2
        case .vast: foreground = 4
        case .runpod, .magenta: foreground = 5
        case .blue: foreground = 4
        case .brightRed: foreground = 1 + bright
        case .brightGreen: foreground = 2 + bright
        case .brightYellow: foreground = 3 + bright
        case .brightBlue: foreground = 4 + bright
        case .brightMagenta: foreground = 5 + bright
        case .brightCyan: foreground = 6 + bright
        case .brightWhite: foreground = 7 + bright
        }
        var background = -1
        switch style.surface {
        case .base, .dialog: break
        case .bar: attributes.insert(.reverse)
        case .selected, .buttonFocused:
            background = 4
            foreground = 7
            attributes.insert(.bold)
        case .selectedElsewhere: attributes.insert(.underline)
        case .match: (foreground, background) = (0, 3)
        case .button: attributes.insert(.reverse)
        case .buttonDanger: (foreground, background) = (7, 1)
        }
        // A reversed bar would turn each role's colour into a background.
        if style.surface == .bar || style.surface == .button { foreground = -1 }
        return Paint(foreground: foreground, background: background, attributes: attributes)
    }

    private func many(_ style: Style) -> Paint {
        var foreground: Int
        switch style.role {
        case .plain: foreground = -1
        case .muted: foreground = 244
        case .border: foreground = 239
        case .borderFocused, .titleFocused, .accent: foreground = 80
        case .title: foreground = 250
        case .good: foreground = 114
        case .warning: foreground = 221
        case .bad: foreground = 203
        case .money: foreground = 151
        case .key: foreground = 216
        case .vast: foreground = 111
        case .runpod: foreground = 176
        case .barFilled: foreground = 80
        case .barEmpty: foreground = 238
        // Black on a dark background would be a line one cannot read.
        case .black, .brightBlack: foreground = 244
        case .red: foreground = 167
        case .green: foreground = 107
        case .yellow: foreground = 179
        case .blue: foreground = 74
        case .magenta: foreground = 139
        case .cyan: foreground = 73
        case .white: foreground = 252
        case .brightRed: foreground = 203
        case .brightGreen: foreground = 114
        case .brightYellow: foreground = 221
        case .brightBlue: foreground = 111
        case .brightMagenta: foreground = 176
        case .brightCyan: foreground = 80
        case .brightWhite: foreground = 255
        }
        var background = -1
        var attributes = style.attributes
        switch style.surface {
        case .base: break
        case .bar: background = 236
        case .dialog: background = 235
        case .selected:
            background = 24
            if style.role == .plain || style.role == .muted { foreground = style.role == .plain ? 255 : 250 }
        case .selectedElsewhere: background = 237
        case .match: (foreground, background) = (16, 221)
        case .button: (foreground, background) = (252, 239)
        case .buttonFocused:
            (foreground, background) = (16, 80)
            attributes.insert(.bold)
        case .buttonDanger:
            (foreground, background) = (231, 160)
            attributes.insert(.bold)
        }
        return Paint(foreground: foreground, background: background, attributes: attributes)
    }
}
