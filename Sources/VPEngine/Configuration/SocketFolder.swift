import Foundation
import Glibc

/// Where ssh's sockets and its configuration files lie:
/// a folder with a short path that belongs to this user alone.
///
/// The usual place is in `/tmp`, where anybody can make a folder of any name first.
/// So that nobody can block `vp` with that, or read and steer what goes through the sockets, a place that is
/// not ours is passed over.
struct SocketFolder {
    /// Tried in this order.
    let preferred: [String]
    /// Where a fresh folder is made if none of them can be used.
    let base: String
    /// Holds the note of which folder that was.
    let stateFolder: String

    init(environment: [String: String], stateFolder: String, base: String = "/tmp") {
        let runtime = environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") ? "\($0)/vp" : nil }
        self.preferred = ["\(base)/vp-\(getuid())"] + [runtime].compactMap(\.self)
        self.base = base
        self.stateFolder = stateFolder
    }

    private var note: String { "\(self.stateFolder)/socket-folder" }

    /// The folder to use, and what the user should know about it.
    /// Makes one only where every usual place is taken.
    func choose() -> (path: String, warning: String?) {
        if let path = self.preferred.first(where: Self.isUsable) { return (path, nil) }
        // The fresh one of an earlier start: programs that run side by side share their connections.
        if let remembered = self.remembered() { return (remembered, nil) }
        if let fresh = self.makeFresh() {
            return (
                fresh,
                "\(self.preferred[0]) belongs to another user or is open to others; ssh's sockets are in "
                    + "\(fresh) instead."
            )
        }
        // Too long a path for a socket, most likely: every command then logs in by itself.
        return (
            "\(self.stateFolder)/ssh",
            "ssh's connections are not shared: there is no folder for their sockets in \(self.base) that is yours alone."
        )
    }

    /// True for a folder that is ours alone, and for one that is not there yet in a place where it can be
    /// made.
    static func isUsable(_ path: String) -> Bool {
        // rsync takes its ssh command apart at blanks and quotes.
        let isPlain = path.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "/._-".utf8.contains(byte)
        }
        guard isPlain else { return false }
        var information = stat()
        guard lstat(path, &information) == 0 else {
            return errno == ENOENT && access((path as NSString).deletingLastPathComponent, W_OK | X_OK) == 0
        }
        // A link is nobody's folder. What others could write into may hold a socket of theirs by now;
        // that others can only list it does no harm, and `PrivateFolder` ends it.
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
            // Unremembered it would be one more folder at every start.
            rmdir(path)
            return nil
        }
        return path
    }
}
