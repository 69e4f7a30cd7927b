/// Values for the configuration file that we write for ssh: each line is one setting, so a line feed or a
/// quote in a value would begin another one, for example `ProxyCommand`, which ssh runs on this machine.
///
/// Nothing is escaped: ssh's own rules for quotes, `%` tokens and `${VARIABLES}` differ by keyword and
/// version. A value that would need them is refused.
enum SSHConfigurationValue {
    /// Returns a path between quotes. Throws `.badConfiguration`.
    static func path(_ text: String, for keyword: String) throws(EngineError) -> String {
        let problem: String? =
            if text.isEmpty {
                "is empty"
            } else if !text.hasPrefix("/") {
                "is not an absolute path"
            } else if text.unicodeScalars.contains(where: Self.isControl) {
                "contains a line feed or another control character"
            } else if let character = text.first(where: { "\"'\\%$`".contains($0) }) {
                "contains a \(character), which has a special meaning for ssh"
            } else {
                nil
            }
        if let problem { throw Self.refusal(.badConfiguration, "\(keyword) \(Self.shown(text)) \(problem)") }
        return "\"\(text)\""
    }

    /// Returns a host's name or address. Throws `.badResponse`, since it comes from a platform.
    static func host(_ text: String) throws(EngineError) -> String {
        let isName = text.utf8.allSatisfy { Self.isAlphanumeric($0) || "._:-".utf8.contains($0) }
        guard isName, !text.isEmpty, text.utf8.count <= 255, !text.hasPrefix("-") else {
            throw Self.refusal(.badResponse, "the platform gave an invalid host: \(Self.shown(text))")
        }
        return text
    }

    /// Returns the user to log in as. Throws `.badResponse`.
    static func user(_ text: String) throws(EngineError) -> String {
        let isName = text.utf8.allSatisfy { Self.isAlphanumeric($0) || "._-".utf8.contains($0) }
        guard isName, !text.isEmpty, text.utf8.count <= 255, !text.hasPrefix("-") else {
            throw Self.refusal(.badResponse, "the platform gave an invalid user: \(Self.shown(text))")
        }
        return text
    }

    /// Returns the number as text. Throws `.badResponse`.
    static func port(_ number: Int) throws(EngineError) -> String {
        guard (1...65_535).contains(number) else {
            throw Self.refusal(.badResponse, "the platform gave an invalid port: \(number)")
        }
        return String(number)
    }

    private static func refusal(_ code: EngineError.Code, _ detail: String) -> EngineError {
        EngineError(code, .init("writing ssh's configuration"), detail: detail)
    }

    /// True for control characters, and for the separators that some programs take for the end of a line.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Returns one line of at most sixty characters.
    private static func shown(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(60).map { Self.isControl($0) ? "?" : Character($0) }
        return "“\(String(scalars))”"
    }
}
