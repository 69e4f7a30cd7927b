import VPScripts

/// Compares files by what is in them, where size and time cannot decide.
///
/// The same script runs here and on the instance, so that both sides are read in the same way.
enum ContentDigest {
    /// Prints one line for each path, in order; `lost` where it cannot be read.
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

    /// The same for the first bytes of each file.
    static func script(_ beginnings: [(path: SyncPath, size: Int64)], root: String) -> [UInt8] {
        beginnings.reduce(into: ScriptFile.digest.bytes(["root": root])) { script, file in
            script += ScriptFile.call("beginning", Array(String(file.size).utf8), file.path.shellWord)
        }
    }

    /// What `sha256sum` printed of its input; nil where it printed none.
    static func ofInput(_ output: [UInt8]) -> String? {
        let digest = output.prefix(64)
        return digest.count == 64 ? String(decoding: digest, as: UTF8.self) : nil
    }

    /// Digests by path; those of unreadable files are left out.
    /// nil where the output is not what was asked for.
    static func parse(_ output: [UInt8], of paths: [SyncPath]) -> [SyncPath: [UInt8]]? {
        let lines = output.split(separator: UInt8(ascii: "\n"))
        guard lines.count == paths.count else { return nil }
        var digests: [SyncPath: [UInt8]] = [:]
        for (line, path) in zip(lines, paths) where !line.elementsEqual("lost".utf8) {
            // A backslash in front says that the name behind is escaped.
            let digest = (line.first == UInt8(ascii: "\\") ? line.dropFirst() : line).prefix(64)
            guard digest.count == 64 else { return nil }
            digests[path] = Array(digest)
        }
        return digests
    }
}
