import Foundation
import Synchronization
import VPScripts

/// An archive that is being written to the state folder. It gets its name only when it is complete and on
/// disk.
final class HeldArchive: Sendable {
    private struct State {
        var bytes: Int64 = 0
        var isOver = false
        var failure: EngineError?
        var complaints: [UInt8] = []
        var whenOver: (@Sendable () -> Void)?
        var isFinished = false
    }

    private let folder: String
    private let name: String
    private let activity: EngineError.Activity
    private let limit: Int64
    private let temporary: String
    private let descriptor: Int32
    private let state = Mutex(State())

    init(in folder: String, name: String, _ activity: EngineError.Activity, limit: Int64) throws(EngineError)
    {
        self.folder = folder
        self.name = name
        self.activity = activity
        self.limit = limit
        self.temporary = "\(folder)/.\(name).\(UInt64.random(in: 0...UInt64.max)).part"
        self.descriptor = open(self.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw PrivateFolder.failure(activity) }
    }

    /// Returns a script that prints one archive of `paths` below `root`. The script fails if tar fails, so
    /// that no archive lacks a file that could not be read.
    static func script(_ paths: [SyncPath], root: String) -> [UInt8] {
        let words = paths.map(\.shellWord)
        let script = ScriptFile.archive.bytes(["root": root])
        if words.reduce(0, { $0 + $1.count + 1 }) < 60_000 {
            return script + ScriptFile.call("archive", words)
        }
        // GNU tar reads the names from its standard input.
        return script + Array("{\n".utf8) + words.flatMap { ScriptFile.call("names", [$0]) }
            + Array("} | archive_named\n".utf8)
    }

    var bytes: Int64 { self.state.withLock { $0.bytes } }
    var isOver: Bool { self.state.withLock { $0.isOver } }
    var failure: EngineError? { self.state.withLock { $0.failure } }

    /// The last line of tar's error output.
    var complaint: String? {
        String(decoding: self.state.withLock { $0.complaints }, as: UTF8.self)
            .split(whereSeparator: \.isNewline).last.map { String($0.prefix(300)) }
    }

    /// Calls `action` when the archive accepts no more bytes.
    func whenOver(_ action: @escaping @Sendable () -> Void) {
        let isOver = self.state.withLock { state in
            state.whenOver = action
            return state.isOver || state.failure != nil
        }
        if isOver { action() }
    }

    func append(_ bytes: [UInt8]) {
        let action = self.state.withLock { state -> (@Sendable () -> Void)? in
            guard !state.isOver, state.failure == nil else { return nil }
            state.bytes += Int64(bytes.count)
            state.isOver = state.bytes > self.limit
            if !state.isOver, !StandardStreams.write(bytes, to: self.descriptor) {
                state.failure = PrivateFolder.failure(self.activity)
            }
            return state.isOver || state.failure != nil ? state.whenOver : nil
        }
        action?()
    }

    func complain(_ bytes: [UInt8]) {
        self.state.withLock { state in
            if state.complaints.count < 100_000 { state.complaints += bytes }
        }
    }

    /// Gives the archive a name that no other file has, and returns its path.
    func finish() throws(EngineError) -> String {
        guard fsync(self.descriptor) == 0 else { throw PrivateFolder.failure(self.activity) }
        for number in 1...10_000 {
            let path = "\(self.folder)/\(self.name)\(number == 1 ? "" : "-\(number)").tar"
            // This rename also works on a file system without hard links.
            let problem = self.temporary.withCString { source in
                path.withCString {
                    RenameManner.withoutReplacing.rename(AT_FDCWD, source, AT_FDCWD, $0)
                }
            }
            guard let problem else {
                self.state.withLock { $0.isFinished = true }
                return path
            }
            errno = problem
            guard problem == EEXIST else { break }
        }
        throw PrivateFolder.failure(self.activity)
    }

    /// Removes the temporary file of an unfinished archive.
    func discard() {
        if !self.state.withLock({ $0.isFinished }) { unlink(self.temporary) }
    }

    deinit { close(self.descriptor) }
}
