import Foundation
import GRDB

/// A history in memory that replaces one that cannot be written: a full disk must not keep anybody from
/// seeing what costs money, and from ending it.
enum HistoryStandIn {
    /// Copies the readable part of the history at `path` into memory; empty if none is readable.
    static func make(
        of path: String, _ migrator: DatabaseMigrator
    ) throws(EngineError) -> DatabaseQueue {
        do {
            let memory = try DatabaseQueue()
            try? self.copy(path, into: memory)
            try migrator.migrate(memory)
            return memory
        } catch {
            throw EngineError(
                .historyUnavailable, .init("reading the history", subject: path), detail: "\(error)")
        }
    }

    /// Copies the files first: SQLite writes files beside a history even if it only reads it.
    private static func copy(_ path: String, into memory: DatabaseQueue) throws {
        for place in ["/dev/shm", NSTemporaryDirectory()] {
            let folder = "\(place)/vp-history-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            do {
                try PrivateFolder.make(folder)
                try FileManager.default.copyItem(atPath: path, toPath: "\(folder)/history")
                if FileManager.default.fileExists(atPath: path + "-wal") {
                    try FileManager.default.copyItem(atPath: path + "-wal", toPath: "\(folder)/history-wal")
                }
                try DatabaseQueue(path: "\(folder)/history").backup(to: memory)
                return
            } catch {
                continue
            }
        }
    }

    /// True if `error` says that nothing can be written.
    static func isCalledFor(by error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        return [.SQLITE_FULL, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN].contains(error.resultCode)
    }

    /// Returns `error` in the system's words, if a file in `folder` fails likewise: SQLite's words say
    /// neither whether the disk is full nor what is read-only.
    static func problem(_ error: EngineError, in folder: String) -> EngineError {
        let probe = "\(folder)/probe-\(getpid())"
        do throws(EngineError) {
            try PrivateFolder.make(folder)
            try PrivateFolder.write([UInt8](repeating: 1, count: 65_536), to: probe)
            unlink(probe)
            return error
        } catch let failure {
            return EngineError(
                failure.code, .init("keeping the history", subject: folder),
                detail: "\(folder): \(failure.detail ?? failure.code.rawValue)")
        }
    }
}
