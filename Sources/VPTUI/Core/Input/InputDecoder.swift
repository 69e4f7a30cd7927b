/// Decodes a terminal's input into keys, pastes, clicks and answers.
///
/// Every control sequence is read to its end, whatever its kind and however its bytes arrive; a sequence
/// without a meaning here does nothing. The caller reads the bytes, and calls `timedOut` at `deadline` if no
/// more have arrived. Times are seconds of any clock that only goes forward.
public struct InputDecoder: Sendable {
    public enum Event: Hashable, Sendable {
        case key(Key)
        case pasted(String)
        case mouse(MouseEvent)
        /// The terminal reported its background colour: `rgb:1010/1414/1818`.
        case background(String)
        /// The terminal reported its type (DA1). Answers come in order, so all earlier questions
        /// have been answered.
        case identified
    }

    /// A sequence whose next byte does not arrive within this many seconds is dropped.
    static let silenceLimit = 2.0
    /// The same limit for a paste, which may come over a slow line. The text received by then is delivered.
    static let pasteSilenceLimit = 10.0
    private static let sequenceLimit = 256
    /// After a lone ESC was taken for the key, the rest of its sequence may still arrive within
    /// this many seconds.
    private static let lateLimit = 0.5

    private enum Mode: Hashable {
        case ground
        /// This many ESC in a row.
        case escape(Int)
        /// `ESC (` and similar: ends with the first byte outside blank to slash.
        case intermediates
        case csi, ss3
        /// `ESC [ [ A`: a function key of the Linux console.
        case console
        /// The three bytes after `ESC [ M`.
        case mouse
        /// OSC, DCS, APC, PM or SOS, until ST.
        case string, stringEscape
        case paste
        /// An introducer without its ESC, which was taken for the key a moment ago.
        case late(UInt8)
    }

    private let settings: Settings
    private var mode = Mode.ground
    /// The bytes of the sequence from its ESC on, up to `sequenceLimit`.
    private var sequence: [UInt8] = []
    /// An ESC came before the sequence's own: Alt and a key, or the Esc key and an answer.
    private var isPrefixed = false
    private var paste = BracketedPaste()
    private var character = UTF8Character()
    /// The character being read was typed with Alt.
    private var isAlt = false
    private var lastByteAt = 0.0
    private var escapedAt: Double?

    public init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// The time to call `timedOut`; nil if nothing is half read.
    public var deadline: Double? {
        switch self.mode {
        case .ground: nil
        case .escape, .late: self.lastByteAt + self.settings.escapeWait
        case .intermediates: self.lastByteAt + max(self.settings.escapeWait, 0.25)
        case .csi, .ss3, .console, .mouse, .string, .stringEscape: self.lastByteAt + Self.silenceLimit
        case .paste: self.lastByteAt + Self.pasteSilenceLimit
        }
    }

    /// Returns the events that `bytes`, read at `now`, complete.
    public mutating func feed(_ bytes: some Sequence<UInt8>, at now: Double) -> [Event] {
        var events: [Event] = []
        self.lastByteAt = now
        for byte in bytes { self.take(byte, &events) }
        return events
    }

    /// Returns the events of a half-read sequence that got no more bytes by `deadline`.
    public mutating func timedOut(at now: Double) -> [Event] {
        guard let deadline = self.deadline, now >= deadline else { return [] }
        var events: [Event] = []
        switch self.mode {
        case .escape(let count):
            events = Array(repeating: .key(.escape), count: count)
            self.escapedAt = now
        case .late(let byte): self.emit(Unicode.Scalar(byte), &events)
        case .intermediates:
            if self.sequence.count == 2 { events = [.key(.alt(Character(Unicode.Scalar(self.sequence[1]))))] }
        case .paste: self.endPaste(&events)
        case .ground, .csi, .ss3, .console, .mouse, .string, .stringEscape: break
        }
        self.mode = .ground
        return events
    }

    private mutating func take(_ byte: UInt8, _ events: inout [Event]) {
        switch self.mode {
        case .ground: self.takeText(byte, &events)
        case .escape(let count): self.takeAfterEscape(byte, count, &events)
        case .intermediates:
            self.keep(byte)
            if byte == 0x1B {
                self.beginEscape()
            } else if !(0x20...0x2F).contains(byte) {
                self.mode = .ground
            }
        case .csi: self.takeParameter(byte, &events)
        case .ss3: self.takeSS3(byte, &events)
        case .console:
            self.keep(byte)
            self.mode = .ground
            if byte == 0x1B {
                self.beginEscape()
            } else if (0x41...0x45).contains(byte) {
                self.emitKey(.function(Int(byte) - 0x40), &events)
            }
        case .mouse: self.takeMouse(byte, &events)
        case .string, .stringEscape: self.takeString(byte, &events)
        case .paste: if self.paste.take(byte) { self.endPaste(&events) }
        case .late(let introducer): self.takeLate(byte, introducer, &events)
        }
    }

    private mutating func keep(_ byte: UInt8) {
        if self.sequence.count < Self.sequenceLimit { self.sequence.append(byte) }
    }

    private mutating func beginEscape() {
        self.mode = .escape(1)
        self.sequence = [0x1B]
        self.isPrefixed = false
    }

    // MARK: Text

    private mutating func takeText(_ byte: UInt8, _ events: inout [Event]) {
        if byte >= 0x80, !self.settings.highBytes.isEmpty {
            if let scalar = self.settings.highBytes[Int(byte) - 0x80] { self.emit(scalar, &events) }
            self.isAlt = false
            return
        }
        switch self.character.take(byte) {
        case .more: return
        case .scalar(let scalar): self.emit(scalar, &events)
        case .invalid: self.isAlt = false
        // The bytes before were not a character; this byte may start something.
        case .invalidBefore:
            self.isAlt = false
            self.takeText(byte, &events)
        case .ascii:
            let isLate = self.escapedAt.map { self.lastByteAt - $0 < Self.lateLimit } ?? false
            self.escapedAt = nil
            if byte == 0x1B {
                self.beginEscape()
            } else if isLate, Self.lateIntroducers.contains(byte) {
                self.mode = .late(byte)
            } else {
                self.control(byte, &events)
            }
        }
    }

    private func control(_ byte: UInt8, _ events: inout [Event]) {
        switch byte {
        case _ where byte == self.settings.backspace || byte == 0x7F: events.append(.key(.backspace))
        case 0x09: events.append(.key(.tab))
        case 0x0A, 0x0D: events.append(.key(.enter))
        case 0x01...0x1A: events.append(.key(.control(Character(Unicode.Scalar(byte + 0x60)))))
        case 0x20...0x7E: events.append(.key(.character(Character(Unicode.Scalar(byte)))))
        default: break
        }
    }

    private mutating func emit(_ scalar: Unicode.Scalar, _ events: inout [Event]) {
        let isAlt = self.isAlt
        self.isAlt = false
        self.escapedAt = nil
        // Terminals that send eight-bit control characters encode them in UTF-8.
        let introducers: [UInt32: UInt8] = [
            0x8F: 0x4F, 0x90: 0x50, 0x98: 0x58, 0x9B: 0x5B, 0x9D: 0x5D, 0x9E: 0x5E, 0x9F: 0x5F,
        ]
        if let introducer = introducers[scalar.value] {
            self.sequence = [0x1B, introducer]
            self.isPrefixed = isAlt
            self.begin(introducer)
        } else if scalar.value >= 0x20, !(0x7F...0x9F).contains(scalar.value) {
            events.append(.key(isAlt ? .alt(Character(scalar)) : .character(Character(scalar))))
        }
    }

    private func emitKey(_ key: Key, _ events: inout [Event]) {
        if !self.isPrefixed { events.append(.key(key)) }
    }

    // MARK: Sequences

    private mutating func takeAfterEscape(_ byte: UInt8, _ count: Int, _ events: inout [Event]) {
        if byte == 0x1B {
            self.mode = .escape(count + 1)
            return
        }
        // The last ESC belongs to the sequence. The one before may be Alt; those before that are the Esc key.
        self.isPrefixed = count > 1
        for _ in 0..<max(0, count - 2) { events.append(.key(.escape)) }
        self.sequence = [0x1B, byte]
        self.mode = .ground
        if self.finishKnown(&events) { return }
        switch byte {
        case 0x5B, 0x4F: self.begin(byte)
        case 0x50, 0x58, 0x5D, 0x5E, 0x5F:
            if self.isPrefixed { events.append(.key(.escape)) }
            self.begin(byte)
        case 0x20...0x2F: self.mode = .intermediates
        case 0x30...0x7E:
            if self.isPrefixed { events.append(.key(.escape)) }
            events.append(.key(.alt(Character(Unicode.Scalar(byte)))))
        case 0x80...:
            self.isAlt = true
            self.takeText(byte, &events)
        // The dashboard does not use Alt with control keys.
        default: break
        }
    }

    private mutating func begin(_ introducer: UInt8) {
        switch introducer {
        case 0x5B: self.mode = .csi
        case 0x4F: self.mode = .ss3
        default: self.mode = .string
        }
    }

    /// The terminal's description takes precedence: it may end a sequence where the standard would not.
    private mutating func finishKnown(_ events: inout [Event], isWhole: Bool = false) -> Bool {
        guard let known = self.settings.keys[self.sequence] else { return false }
        guard let key = known else {
            if !isWhole { self.mode = .ground }
            return !isWhole
        }
        self.mode = .ground
        self.emitKey(key, &events)
        return true
    }

    private mutating func takeParameter(_ byte: UInt8, _ events: inout [Event]) {
        switch byte {
        case 0x1B: self.beginEscape()
        case 0x20...0x3F:
            self.keep(byte)
            _ = self.finishKnown(&events)
        case 0x5B where self.sequence.count == 2:
            self.keep(byte)
            self.mode = .console
        case 0x40...0x7E:
            self.keep(byte)
            self.mode = .ground
            if self.sequence.count >= Self.sequenceLimit { return }
            if self.finishKnown(&events, isWhole: true) { return }
            if byte == 0x4D, self.sequence.count == 3 {
                self.mode = .mouse
            } else {
                self.perform(ControlSequence(self.sequence.dropFirst(2)), &events)
            }
        case 0x7F: break
        // No terminal sends this byte within a sequence, so the sequence is dropped; the user can
        // press the key again.
        default: self.mode = .ground
        }
    }

    private mutating func perform(_ control: ControlSequence, _ events: inout [Event]) {
        // No Alt key looks like this, so the ESC before it was the Esc key.
        if self.isPrefixed, control.isAnswer || control.isPasteBegin { events.append(.key(.escape)) }
        if control.isPasteBegin {
            self.mode = .paste
            self.paste = BracketedPaste()
        } else if control.isDeviceAttributes {
            events.append(.identified)
        } else if let mouse = control.mouse {
            if self.settings.takesMouse { events.append(.mouse(mouse)) }
        } else if let key = control.key {
            self.emitKey(key, &events)
        }
    }

    private mutating func takeSS3(_ byte: UInt8, _ events: inout [Event]) {
        switch byte {
        case 0x1B: self.beginEscape()
        // Some terminals put modifiers here.
        case 0x30...0x3B: self.keep(byte)
        default:
            self.keep(byte)
            self.mode = .ground
            if self.finishKnown(&events, isWhole: true) { return }
            if self.sequence.count == 3, let key = ControlSequence.ss3Keys[byte] {
                self.emitKey(key, &events)
            }
        }
    }

    private mutating func takeMouse(_ byte: UInt8, _ events: inout [Event]) {
        guard byte >= 0x20 else {
            self.mode = .ground
            if byte == 0x1B { self.beginEscape() }
            return
        }
        self.keep(byte)
        guard self.sequence.count == 6 else { return }
        self.mode = .ground
        let values = self.sequence.suffix(3).map { Int($0) - 32 }
        if self.settings.takesMouse,
            let mouse = ControlSequence.mouse(button: values[0], column: values[1], row: values[2])
        {
            events.append(.mouse(mouse))
        }
    }

    private mutating func takeString(_ byte: UInt8, _ events: inout [Event]) {
        let isEscaped = self.mode == .stringEscape
        switch byte {
        case 0x5C where isEscaped: self.endString(&events)
        // BEL ends only operating system commands; in other strings it is text.
        case 0x07 where !isEscaped && self.sequence[1] == 0x5D: self.endString(&events)
        case 0x18, 0x1A: self.mode = .ground
        case 0x1B: self.mode = .stringEscape
        default:
            if isEscaped {
                // ESC ends a string even if something other than ST follows.
                self.beginEscape()
                self.takeAfterEscape(byte, 1, &events)
            } else {
                self.keep(byte)
            }
        }
    }

    private mutating func endString(_ events: inout [Event]) {
        self.mode = .ground
        guard self.sequence.count < Self.sequenceLimit else { return }
        let body = self.sequence.dropFirst(2)
        let background = Array("11;".utf8)
        if self.sequence[1] == 0x5D, body.starts(with: background) {
            events.append(.background(String(decoding: body.dropFirst(background.count), as: UTF8.self)))
        }
    }

    private mutating func endPaste(_ events: inout [Event]) {
        self.mode = .ground
        events.append(.pasted(self.paste.text))
        self.paste = BracketedPaste()
    }

    // MARK: Late rests

    private static let lateIntroducers = Set("[O]P_".utf8)

    private mutating func takeLate(_ byte: UInt8, _ introducer: UInt8, _ events: inout [Event]) {
        self.mode = .ground
        guard Self.continues(introducer, byte) else {
            self.emit(Unicode.Scalar(introducer), &events)
            self.take(byte, &events)
            return
        }
        self.sequence = [0x1B, introducer]
        self.isPrefixed = false
        self.begin(introducer)
        self.take(byte, &events)
    }

    /// `true` if `byte` follows `introducer` in sequences of terminals, but hardly ever in quick typing.
    private static func continues(_ introducer: UInt8, _ byte: UInt8) -> Bool {
        switch introducer {
        case 0x5B: (0x30...0x3F).contains(byte) || (0x41...0x5B).contains(byte)
        case 0x4F: "ABCDFHMPQRS".utf8.contains(byte)
        case 0x5D: (0x30...0x39).contains(byte)
        case 0x50: (0x30...0x39).contains(byte) || ">!$+".utf8.contains(byte)
        default: byte == 0x47
        }
    }
}
