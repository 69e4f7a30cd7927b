/// The meaning of a piece of text. Views name roles; only `Theme` knows colours.
public enum Role: UInt8, CaseIterable, Hashable, Sendable {
    case plain, muted, border, borderFocused, title, titleFocused, accent, good, warning, bad, money, key
    case vast, runpod, barFilled, barEmpty
    // Colours that a job's output requested.
    case black, red, green, yellow, blue, magenta, cyan, white
    case brightBlack, brightRed, brightGreen, brightYellow, brightBlue, brightMagenta, brightCyan, brightWhite

    /// The role of one of the sixteen classic colours.
    static func ansi(_ index: Int) -> Role {
        Role(rawValue: Role.black.rawValue + UInt8(max(0, min(15, index)))) ?? .plain
    }
}

/// The surface behind the text.
public enum Surface: UInt8, CaseIterable, Hashable, Sendable {
    case base
    /// The burn line and the hint bar.
    case bar
    /// The selected row of the focused pane.
    case selected
    /// The selected row of a pane without focus.
    case selectedElsewhere
    case match
    case dialog
    case button
    case buttonFocused
    case buttonDanger
}

public struct TextAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let bold = TextAttributes(rawValue: 1)
    public static let dim = TextAttributes(rawValue: 2)
    public static let underline = TextAttributes(rawValue: 4)
    public static let reverse = TextAttributes(rawValue: 8)
    public static let italic = TextAttributes(rawValue: 16)
}

public struct Style: Hashable, Sendable {
    public var role: Role
    public var surface: Surface
    public var attributes: TextAttributes

    public init(_ role: Role = .plain, on surface: Surface = .base, _ attributes: TextAttributes = []) {
        self.role = role
        self.surface = surface
        self.attributes = attributes
    }

    public static let plain = Style()

    /// The style in words, for goldens: `bad@selected bold`.
    public var words: String {
        var words = "\(self.role)"
        if self.surface != .base { words += "@\(self.surface)" }
        let names: [(TextAttributes, String)] = [
            (.bold, "bold"), (.dim, "dim"), (.underline, "underline"), (.reverse, "reverse"),
            (.italic, "italic"),
        ]
        for (attribute, name) in names where self.attributes.contains(attribute) { words += " " + name }
        return words
    }

    func on(_ surface: Surface) -> Style { Style(self.role, on: surface, self.attributes) }

    func adding(_ attributes: TextAttributes) -> Style {
        Style(self.role, on: self.surface, self.attributes.union(attributes))
    }
}
