import Foundation
import Glibc

/// The folder for ssh's sockets and configuration files: it has a short path and belongs to this user alone.
///
/// The usual place is in `/tmp`, where anybody can create a folder of any name first. A place that is not
/// ours is skipped, so that nobody can block `vp` that way, or read and control the traffic through the
/// sockets.
struct SocketFolder {
    /// The usual places, in the order in which they are tried.
    let preferred: [String]
    /// The folder in which a new one is made if none of them can be used.
    let base: String
    /// The folder of the note that names that new folder.
    let stateFolder: String

    init(environment: [String: String], stateFolder: String, base: String = "/tmp") {
        let runtime = environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") ? "\($0)/vp" : nil }
        self.preferred = ["\(base)/vp-\(getuid())"] + [runtime].compactMap(\.self)
        self.base = base
        self.stateFolder = stateFolder
    }

    private var note: String { "\(self.stateFolder)/socket-folder" }

    /// Returns the folder to use, and a warning for the user about it. Makes a new folder only if every usual
    /// place is taken.
    func choose() -> (path: String, warning: String?) {
        if let path = self.preferred.first(where: Self.isUsable) { return (path, nil) }
        // An earlier start may have made a folder: programs that run side by side share their connections.
        if let remembered = self.remembered() { return (remembered, nil) }
        if let fresh = self.makeFresh() {
            return (
                fresh,
                "\(self.preferred[0]) belongs to another user or is open to others; ssh's sockets are in "
                    + "\(fresh) instead."
            )
        }
        // The path is probably too long for a socket: every command then logs in by itself.
        return (
            "\(self.stateFolder)/ssh",
            "ssh connections are not shared: \(self.base) has no folder for their sockets that only you can use."
        )
    }

    /// True for a folder that is ours alone, and for a missing one that can be created.
    static func isUsable(_ path: String) -> Bool {
        // rsync splits its ssh command at blanks and quotes.
        let isPlain = path.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "/._-".utf8.contains(byte)
        }
        guard isPlain else { return false }
        var information = stat()
        guard lstat(path, &information) == 0 else {
            return errno == ENOENT && access((path as NSString).deletingLastPathComponent, W_OK | X_OK) == 0
        }
        // A link is never accepted. A folder that others could write to may already contain a socket of
        // theirs; a folder that others can only list does no harm, and `PrivateFolder` closes it.
        return information.st_mode & S_IFMT == S_IFDIR && information.st_uid == geteuid()
            && information.st_mode & 0o022 == 0
    }

    private func remembered() -> String? {
        guard let data = FileManager.default.contents(atPath: self.note) else { return nil }
        let path = String(decoding: data.prefix(1024), as: UTF8.self)
        var information = stat()
        guard path.hasPrefix("\(self.base)/vp-\(getuid())-"), Self.isUsable(path),
            lstat(path, &information) == 0
        else { return nil }
        return path
    }

    private func makeFresh() -> String? {
        var template = Array("\(self.base)/vp-\(getuid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(EngineError) {
            try PrivateFolder.make(self.stateFolder)
            try PrivateFolder.write(Array(path.utf8), to: self.note)
        } catch {
            // Without the note there would be another folder at every start.
            rmdir(path)
            return nil
        }
        return path
    }
}
