import VPScripts

/// Compares files by content where size and time cannot decide.
///
/// The same script runs on this computer and on the instance, so that both sides are read in the same way.
enum ContentDigest {
    /// Returns a script that prints one line for each path, in order; `lost` for a file that cannot be read.
    static func script(_ paths: [SyncPath], root: String) -> [UInt8] {
        var script = ScriptFile.digest.bytes(["root": root])
        var batch: [UInt8] = []
        func flush() {
            if !batch.isEmpty { script += Array("many".utf8) + batch + [UInt8(ascii: "\n")] }
            batch = []
        }
        for path in paths {
            let word = Array(" ".utf8) + path.shellWord
            // sha256sum prints the name as well, and a line feed in it would look like another line.
            if path.bytes.contains(UInt8(ascii: "\n")) {
                flush()
                script += Array("one".utf8) + word + [UInt8(ascii: "\n")]
                continue
            }
            batch += word
            if batch.count > 60_000 { flush() }
        }
        flush()
        return script
    }

    /// Returns a script that prints the digest of the first `size` bytes of each file.
    static func script(_ beginnings: [(path: SyncPath, size: Int64)], root: String) -> [UInt8] {
        beginnings.reduce(into: ScriptFile.digest.bytes(["root": root])) { script, file in
            script += ScriptFile.call("beginning", Array(String(file.size).utf8), file.path.shellWord)
        }
    }

    /// The digest that `sha256sum` printed for its standard input, or nil if it printed none.
    static func ofInput(_ output: [UInt8]) -> String? {
        let digest = output.prefix(64)
        return digest.count == 64 ? String(decoding: digest, as: UTF8.self) : nil
    }

    /// Parses digests by path and omits unreadable files. Returns nil if the output does not match the
    /// request.
    static func parse(_ output: [UInt8], of paths: [SyncPath]) -> [SyncPath: [UInt8]]? {
        let lines = output.split(separator: UInt8(ascii: "\n"))
        guard lines.count == paths.count else { return nil }
        var digests: [SyncPath: [UInt8]] = [:]
        for (line, path) in zip(lines, paths) where !line.elementsEqual("lost".utf8) {
            // A leading backslash means that the name after the digest is escaped.
            let digest = (line.first == UInt8(ascii: "\\") ? line.dropFirst() : line).prefix(64)
            guard digest.count == 64 else { return nil }
            digests[path] = Array(digest)
        }
        return digests
    }
}
