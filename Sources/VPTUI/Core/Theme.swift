/// A colour in a theme.
public enum ThemeColor: Hashable, Sendable {
    /// The terminal's own colour.
    case terminal
    /// A number of the xterm palette.
    case index(UInt8)
    case rgb(UInt8, UInt8, UInt8)

    /// Parses `#rrggbb`, a palette number, or `terminal`.
    public init?(_ text: some StringProtocol) {
        if text == "terminal" || text == "default" {
            self = .terminal
        } else if let index = UInt8(text) {
            self = .index(index)
        } else if text.hasPrefix("#"), text.count == 7, let value = UInt32(text.dropFirst(), radix: 16) {
            self = .rgb(UInt8(value >> 16), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
        } else {
            return nil
        }
    }

    /// The steps of the palette's colour cube.
    private static let steps: [Int] = [0, 95, 135, 175, 215, 255]
    private static let classic: [(Int, Int, Int)] = [
        (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
        (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
        (255, 0, 255), (0, 255, 255), (255, 255, 255),
    ]

    /// The red, green and blue components; nil for the terminal's own colour.
    var components: (Int, Int, Int)? {
        switch self {
        case .terminal: nil
        case .rgb(let red, let green, let blue): (Int(red), Int(green), Int(blue))
        case .index(let index):
            switch Int(index) {
            case ..<16: Self.classic[Int(index)]
            case 16..<232:
                (
                    Self.steps[(Int(index) - 16) / 36], Self.steps[(Int(index) - 16) / 6 % 6],
                    Self.steps[(Int(index) - 16) % 6]
                )
            default: (8 + (Int(index) - 232) * 10, 8 + (Int(index) - 232) * 10, 8 + (Int(index) - 232) * 10)
            }
        }
    }

    /// The nearest colour of the palette; -1 for the terminal's own.
    var paletteIndex: Int {
        switch self {
        case .terminal: return -1
        case .index(let index): return Int(index)
        case .rgb(let red, let green, let blue):
            let wanted = (Int(red), Int(green), Int(blue))
            return (16..<256).min { left, right in
                Self.distance(wanted, left) < Self.distance(wanted, right)
            } ?? 16
        }
    }

    private static func distance(_ wanted: (Int, Int, Int), _ index: Int) -> Int {
        let other = ThemeColor.index(UInt8(index)).components ?? (0, 0, 0)
        let (red, green, blue) = (wanted.0 - other.0, wanted.1 - other.1, wanted.2 - other.2)
        return red * red * 2 + green * green * 4 + blue * blue * 3
    }

    /// The number for a terminal with direct colour: 0xRRGGBB. There, the lowest eight numbers stand for the
    /// palette, so they are not used.
    var directValue: Int {
        guard let (red, green, blue) = self.components else { return -1 }
        return max(8, red << 16 | green << 8 | blue)
    }
}

/// Maps roles and surfaces to the colours and attributes that the terminal gets.
public struct Theme: Hashable, Sendable {
    /// The number of colours that the terminal has.
    public enum Depth: Hashable, Sendable { case mono, eight, sixteen, many, direct }

    /// Colours and attributes to draw with; colours are curses numbers, -1 being the terminal's own.
    public struct Paint: Hashable, Sendable {
        public var foreground: Int
        public var background: Int
        public var attributes: TextAttributes
    }

    /// The effect of a surface on the text drawn on it.
    public struct SurfaceLook: Hashable, Sendable {
        public var background: ThemeColor
        /// Replaces every role's colour.
        public var foreground: ThemeColor?
        /// Replaces the colour of plain text, if the background requires it.
        public var plain: ThemeColor?
        public var muted: ThemeColor?
        public var attributes: TextAttributes

        public init(
            _ background: ThemeColor, foreground: ThemeColor? = nil, plain: ThemeColor? = nil,
            muted: ThemeColor? = nil, _ attributes: TextAttributes = []
        ) {
            self.background = background
            self.foreground = foreground
            self.plain = plain
            self.muted = muted
            self.attributes = attributes
        }
    }

    public var name: String
    public var isLight: Bool
    public var depth: Depth
    var roles: [Role: ThemeColor]
    var surfaces: [Surface: SurfaceLook]

    public func paint(_ style: Style) -> Paint {
        switch self.depth {
        case .mono: self.monochrome(style)
        case .eight, .sixteen: self.few(style)
        case .many: self.many(style) { $0.paletteIndex }
        case .direct: self.many(style) { $0.directValue }
        }
    }

    public func with(depth: Depth) -> Theme {
        var theme = self
        theme.depth = depth
        return theme
    }

    private func many(_ style: Style, _ number: (ThemeColor) -> Int) -> Paint {
        let look = self.surfaces[style.surface] ?? SurfaceLook(.terminal)
        var foreground = look.foreground ?? self.roles[style.role] ?? .terminal
        if style.role == .plain, let plain = look.plain { foreground = plain }
        if style.role == .muted, let muted = look.muted { foreground = muted }
        return Paint(
            foreground: number(foreground), background: number(look.background),
            attributes: style.attributes.union(look.attributes))
    }

    /// Expresses meaning by attributes alone, for `NO_COLOR` and terminals without colour.
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
        default: break
        }
        return Paint(foreground: -1, background: -1, attributes: attributes)
    }

    /// With few colours, their look depends on each user's palette: only two are readable on a dark
    /// background in those of xterm, the Linux console and Solarized, and none on a light one. All other
    /// meanings use attributes, which swap or keep the terminal's own pair.
    private func few(_ style: Style) -> Paint {
        var attributes = style.attributes
        var foreground = -1
        var isReversed = false
        switch style.role {
        case .plain, .title, .muted, .border, .barEmpty, .runpod: break
        case .vast:
            if !self.isLight { foreground = 6 }
        case .borderFocused, .titleFocused, .accent, .key, .barFilled:
            attributes.insert(.bold)
            if !self.isLight { foreground = 6 }
        case .good, .money:
            if !self.isLight { foreground = 2 }
        case .warning: attributes.insert(.bold)
        case .bad:
            attributes.insert(.bold)
            isReversed = true
        default: foreground = self.asked(style.role)
        }
        switch style.surface {
        case .base, .dialog: break
        case .selectedElsewhere: attributes.insert(.underline)
        // Text that is reversed by itself stands out on these surfaces by not being reversed.
        case .bar, .selected, .buttonFocused, .button, .buttonDanger, .match:
            isReversed.toggle()
            if style.surface == .buttonDanger || style.surface == .match { attributes.insert(.underline) }
            if style.surface == .buttonFocused { attributes.insert(.bold) }
            // A reversed cell would make the role's colour its background.
            foreground = -1
        }
        if isReversed {
            attributes.insert(.reverse)
            foreground = -1
        }
        return Paint(foreground: foreground, background: -1, attributes: attributes)
    }

    /// Returns a colour that a job's output requests, in the terminal's own palette; a colour that equals the
    /// background becomes plain.
    private func asked(_ role: Role) -> Int {
        let number = Int(role.rawValue) - Int(Role.black.rawValue)
        let isBright = number >= 8
        let colour = number % 8
        guard colour != (self.isLight ? 7 : 0), !(isBright && self.depth == .eight && colour == 0) else {
            return -1
        }
        return colour + (isBright && self.depth == .sixteen ? 8 : 0)
    }
}
