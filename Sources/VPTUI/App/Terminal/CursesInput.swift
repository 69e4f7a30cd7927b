import CNcurses
import VPTUICore

/// What curses reads, as keys and pasted text.
struct CursesInput {
    enum Event {
        case key(Key)
        case pasted(String)
    }

    // Above every code that curses hands out itself.
    private static let pasteBegins: Int32 = 0o2001
    private static let pasteEnds: Int32 = 0o2002
    /// A terminal that never ends its paste must not make this grow for ever.
    private static let pasteLimit = 1 << 16

    private var paste: String?

    static func defineKeys() {
        _ = vp_define_key("\u{1B}[200~", Self.pasteBegins)
        _ = vp_define_key("\u{1B}[201~", Self.pasteEnds)
        // Descriptions differ from what terminals send in these; both forms are taken.
        _ = vp_define_key("\u{1B}[H", KEY_HOME)
        _ = vp_define_key("\u{1B}[F", KEY_END)
        _ = vp_define_key("\u{1B}[1~", KEY_HOME)
        _ = vp_define_key("\u{1B}[4~", KEY_END)
        _ = vp_define_key("\u{1B}[A", KEY_UP)
        _ = vp_define_key("\u{1B}[B", KEY_DOWN)
        _ = vp_define_key("\u{1B}[C", KEY_RIGHT)
        _ = vp_define_key("\u{1B}[D", KEY_LEFT)
        _ = vp_define_key("\u{1B}[Z", KEY_BTAB)
    }

    /// Everything that has been typed, without waiting.
    mutating func read() -> [Event] {
        var events: [Event] = []
        var value: UInt32 = 0
        while true {
            switch vp_next_key(&value) {
            case 1: self.character(value, &events)
            case 2: self.code(Int32(bitPattern: value), &events)
            default: return events
            }
        }
    }

    private mutating func character(_ value: UInt32, _ events: inout [Event]) {
        guard let scalar = Unicode.Scalar(value) else { return }
        if self.paste != nil {
            if self.paste!.utf8.count < Self.pasteLimit { self.paste!.unicodeScalars.append(scalar) }
            return
        }
        let key: Key
        switch value {
        case 9: key = .tab
        case 10, 13: key = .enter
        case 27: key = .escape
        case 127: key = .backspace
        case 1...26: key = .control(Character(Unicode.Scalar(UInt8(value) + 0x60)))
        case 0..<32: return
        default: key = .character(Character(scalar))
        }
        events.append(.key(key))
    }

    private mutating func code(_ code: Int32, _ events: inout [Event]) {
        switch code {
        case Self.pasteBegins: self.paste = ""
        case Self.pasteEnds:
            if let paste = self.paste { events.append(.pasted(paste)) }
            self.paste = nil
        default:
            guard self.paste == nil, let key = Self.keys[code] else { return }
            events.append(.key(key))
        }
    }

    private static let keys: [Int32: Key] = [
        KEY_UP: .up, KEY_DOWN: .down, KEY_LEFT: .left, KEY_RIGHT: .right, KEY_HOME: .home, KEY_END: .end,
        KEY_PPAGE: .pageUp, KEY_NPAGE: .pageDown, KEY_BACKSPACE: .backspace, KEY_DC: .delete,
        KEY_ENTER: .enter,
        KEY_BTAB: .backTab,
    ]
}
