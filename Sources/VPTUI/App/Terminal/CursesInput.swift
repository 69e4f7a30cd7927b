import CNcurses
import VPTUICore

/// What curses reads, as keys and pasted text.
struct CursesInput {
    enum Event {
        case key(Key)
        case pasted(String)
        case mouse(MouseEvent)
        /// The terminal said what its background is.
        case background(isLight: Bool)
    }

    // Above every code that curses hands out itself.
    private static let pasteBegins: Int32 = 0o2001
    private static let pasteEnds: Int32 = 0o2002
    private static let answerBegins: Int32 = 0o2003
    /// A terminal that never ends its paste must not make this grow for ever.
    private static let pasteLimit = 1 << 16

    private var paste: String?
    /// The terminal's answer to a question of ours, as far as it has come.
    private var answer: String?

    static func defineKeys() {
        _ = vp_define_key("\u{1B}[200~", Self.pasteBegins)
        _ = vp_define_key("\u{1B}[201~", Self.pasteEnds)
        _ = vp_define_key("\u{1B}]11;", Self.answerBegins)
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
        if let answer = self.answer {
            self.take(scalar, for: answer, &events)
            return
        }
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

    /// `rgb:1010/1414/1818`, until BEL or ESC backslash.
    private mutating func take(_ scalar: Unicode.Scalar, for answer: String, _ events: inout [Event]) {
        if scalar == "\u{7}" || scalar == "\\" || answer.utf8.count > 64 {
            self.answer = nil
            if let isLight = TerminalBackground.isLight(answer) {
                events.append(.background(isLight: isLight))
            }
        } else if scalar != "\u{1B}" {
            self.answer = answer + String(scalar)
        }
    }

    private mutating func code(_ code: Int32, _ events: inout [Event]) {
        switch code {
        case Self.answerBegins: self.answer = ""
        case KEY_MOUSE:
            var x: Int32 = 0
            var y: Int32 = 0
            let kind: MouseEvent.Kind
            switch vp_next_mouse(&x, &y) {
            case 1: kind = .press
            case 4: kind = .wheelUp
            case 5: kind = .wheelDown
            default: return
            }
            events.append(.mouse(MouseEvent(kind, at: Point(x: Int(x), y: Int(y)))))
        case Self.pasteBegins: self.paste = ""
        case Self.pasteEnds:
            if let paste = self.paste { events.append(.pasted(paste)) }
            self.paste = nil
        default:
            // Function keys have consecutive codes.
            let function = Int(code) - Int(KEY_F0)
            let key = (1...12).contains(function) ? Key.function(function) : Self.keys[code]
            guard self.paste == nil, self.answer == nil, let key else { return }
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
