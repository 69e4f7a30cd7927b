/// A pressed key, regardless of the bytes that the terminal sent for it.
public enum Key: Hashable, Sendable {
    case character(Character)
    /// The letter is in lower case: `control("c")`.
    case control(Character)
    /// A character typed with Alt: `alt("d")`.
    case alt(Character)
    case enter, escape, tab, backTab, backspace, delete
    case up, down, left, right, home, end, pageUp, pageDown
    case function(Int)

    /// The key's name in help and documentation.
    public var name: String {
        switch self {
        case .character(" "): "Space"
        case .character(let character): String(character)
        case .control(let letter): "Ctrl-\(letter)"
        case .alt(let character): "Alt-\(character)"
        case .enter: "Enter"
        case .escape: "Esc"
        case .tab: "Tab"
        case .backTab: "Shift-Tab"
        case .backspace: "Backspace"
        case .delete: "Delete"
        case .up: "↑"
        case .down: "↓"
        case .left: "←"
        case .right: "→"
        case .home: "Home"
        case .end: "End"
        case .pageUp: "PgUp"
        case .pageDown: "PgDn"
        case .function(let number): "F\(number)"
        }
    }

    /// The key that help and key files call `name`.
    public init?(name: String) {
        let named: [String: Key] = [
            "space": .character(" "), "enter": .enter, "esc": .escape, "escape": .escape, "tab": .tab,
            "shift-tab": .backTab, "backspace": .backspace, "delete": .delete, "up": .up, "down": .down,
            "left": .left, "right": .right, "↑": .up, "↓": .down, "←": .left, "→": .right, "home": .home,
            "end": .end, "pgup": .pageUp, "pgdn": .pageDown,
        ]
        let lower = name.lowercased()
        if name.count == 1, let character = name.first, named[name] == nil {
            self = .character(character)
        } else if let key = named[lower] {
            self = key
        } else if lower.hasPrefix("ctrl-"), name.count == 6, let letter = lower.last, letter.isASCII,
            letter.isLetter
        {
            self = .control(letter)
        } else if lower.hasPrefix("alt-"), name.count == 5, let character = name.last,
            !Self.introducers.contains(character)
        {
            self = .alt(character)
        } else if lower.hasPrefix("f"), let number = Int(lower.dropFirst()), (1...20).contains(number) {
            self = .function(number)
        } else {
            return nil
        }
    }

    /// With Alt, these characters look like the start of a sequence that a terminal sends by itself.
    private static let introducers = Set("[]OPX^_")

    /// The key does something only if the user has bound it.
    var isSpare: Bool {
        switch self {
        case .alt, .function: true
        default: false
        }
    }
}
