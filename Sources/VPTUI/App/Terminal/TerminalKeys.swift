import CNcurses
import Glibc
import VPTUICore

/// The key sequences in the terminal's description (terminfo).
enum TerminalKeys {
    private static let named: [String: Key] = [
        "kcuu1": .up, "kcud1": .down, "kcub1": .left, "kcuf1": .right, "khome": .home, "kend": .end,
        "kpp": .pageUp, "knp": .pageDown, "kdch1": .delete, "kent": .enter, "kcbt": .backTab,
    ]

    /// Keys that do nothing in the dashboard. Some of their sequences end in ways that no
    /// standard describes (`ESC [ 7 $`).
    private static let unused: [String] =
        ["kich1", "kb2", "kri", "kind", "kfnd", "kslt", "kUP", "kDN"]
        + ["kDC", "kEND", "kHOM", "kIC", "kLFT", "kNXT", "kPRV", "kRIT", "kUP", "kDN"].flatMap { name in
            [name] + (3...8).map { "\(name)\($0)" }
        }

    static func settings(_ environment: [String: String], takesMouse: Bool) -> InputDecoder.Settings {
        var settings = InputDecoder.Settings()
        settings.escapeWait = InputDecoder.Settings.escapeWait(environment)
        settings.takesMouse = takesMouse
        for name in Self.unused { if let bytes = Self.sequence(name) { settings.keys[bytes] = .some(nil) } }
        for number in 1...20 {
            if let bytes = Self.sequence("kf\(number)") { settings.keys[bytes] = .function(number) }
        }
        for (name, key) in Self.named { if let bytes = Self.sequence(name) { settings.keys[bytes] = key } }
        if let backspace = Self.capability("kbs"), backspace == [8] { settings.backspace = 8 }
        settings.highBytes = Self.highBytes()
        return settings
    }

    private static func capability(_ name: String) -> [UInt8]? {
        vp_capability(name).map { pointer in
            Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer))).map { UInt8(bitPattern: $0) }
        }
    }

    private static func sequence(_ name: String) -> [UInt8]? {
        guard let bytes = Self.capability(name), bytes.count > 1, bytes[0] == 0x1B else { return nil }
        return bytes
    }

    /// The characters for the bytes from 0x80 on; empty if the locale's characters can be longer than a byte.
    private static func highBytes() -> [Unicode.Scalar?] {
        let charset = nl_langinfo(Int32(CODESET)).map { String(cString: $0) } ?? ""
        guard charset != "UTF-8" else { return [] }
        let characters = (0x80...0xFF).map { byte -> Unicode.Scalar? in
            let character = btowc(Int32(byte))
            return character == wint_t.max ? nil : Unicode.Scalar(character)
        }
        return characters.contains { $0 != nil } ? characters : []
    }
}
