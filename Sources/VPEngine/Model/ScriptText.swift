import VPScripts

extension ScriptFile {
    /// Returns the script, preceded by `values` as assignments and by `arguments` as its `$1` and so on.
    /// Values enter a script in no other way.
    package func text(
        _ values: KeyValuePairs<String, String>, arguments: [String]? = nil
    ) -> String {
        let words = arguments.map { "set -- \($0.map(ShellQuoting.quoted).joined(separator: " "))\n" } ?? ""
        return Self.assignments(values) + words + self.text
    }

    /// The same for words that are not UTF-8, as `SyncPath.shellWord` gives them.
    package func bytes(_ values: KeyValuePairs<String, String>, words: [[UInt8]]? = nil) -> [UInt8] {
        let blank = [UInt8(ascii: " ")]
        var bytes = Array(Self.assignments(values).utf8)
        if let words { bytes += Array("set --".utf8) + words.flatMap { blank + $0 } + [UInt8(ascii: "\n")] }
        return bytes + self.text.utf8
    }

    /// Returns lines of `name=value`.
    package static func assignments(_ values: KeyValuePairs<String, String>) -> String {
        values.map { "\($0.key)=\(ShellQuoting.quoted($0.value))\n" }.joined()
    }

    /// Returns a call of one of the script's functions, to be put at its end.
    package static func call(_ function: String, _ words: [UInt8]...) -> [UInt8] {
        self.call(function, words)
    }

    /// The same for words in an array.
    package static func call(_ function: String, _ words: [[UInt8]]) -> [UInt8] {
        var line = Array(function.utf8)
        for word in words {
            line.append(UInt8(ascii: " "))
            line += word
        }
        return line + [UInt8(ascii: "\n")]
    }
}
