import Foundation
import GRDB
import Synchronization

/// The need for a history on disk.
public enum HistoryNeed: Sendable {
    /// Spending money and making results need a history that is kept.
    case kept
    /// Looking at instances and ending them do not: if the history cannot be written, its readable part is
    /// used, and changes to it are forgotten.
    case wanted
}

/// The history of jobs and rented instances on disk: one SQLite file that `vp` and `vp-tui` share.
package final class Store: Sendable {
    private let folder: String
    private let need: HistoryNeed
    private let state: Mutex<(database: DatabaseQueue, problem: EngineError?)>

    /// Opens the history in `stateFolder`, and creates it if there is none.
    package init(stateFolder: String, need: HistoryNeed = .kept) throws(EngineError) {
        self.folder = stateFolder
        self.need = need
        let opened: (DatabaseQueue, EngineError?)
        do throws(EngineError) {
            opened = (try Self.open(stateFolder), nil)
        } catch {
            let problem = HistoryStandIn.problem(error, in: stateFolder)
            guard need == .wanted else { throw problem }
            opened = (try HistoryStandIn.make(of: Self.path(stateFolder), Self.migrator), problem)
        }
        self.state = Mutex(opened)
    }

    /// The reason why nothing is kept; nil while it is.
    package var problem: EngineError? { self.state.withLock(\.problem) }

    private static func path(_ stateFolder: String) -> String { "\(stateFolder)/history.sqlite" }

    private static func open(_ stateFolder: String) throws(EngineError) -> DatabaseQueue {
        try PrivateFolder.make(stateFolder)
        let path = Self.path(stateFolder)
        // Without the lock, one of two programs that both find no file, or an old schema, would fail: SQLite
        // does not wait for another program to change the journal, and GRDB reads the list of migrations
        // before it applies them.
        let lock = try FileLock(
            path: path + ".lock", .init("waiting for another program to open \(path)"),
            blockingFor: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        var configuration = Configuration()
        // This is a queue and not a pool, which inspects the WAL file's attributes: Foundation on Linux takes
        // 5 ms for that. Two programs write here; each statement takes milliseconds, so a short wait resolves
        // every conflict.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // Two programs can write at once in this mode. It is set here because GRDB's own `journalMode`
            // makes and drops a table whenever the WAL file is empty, so that each start of `vp` would wait
            // for the disk.
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            for file in [path, path + "-wal", path + "-shm"] { chmod(file, 0o600) }
            try Self.migrator.migrate(database)
            return database
        } catch {
            throw Self.failure(error, "opening \(path)")
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE ledger (
                        name TEXT PRIMARY KEY NOT NULL,
                        platform TEXT NOT NULL,
                        instance TEXT,
                        state TEXT NOT NULL,
                        gpu TEXT NOT NULL,
                        dollarsPerHour REAL NOT NULL,
                        image TEXT NOT NULL,
                        machine TEXT,
                        workspaceRoot TEXT NOT NULL,
                        remoteRoot TEXT NOT NULL,
                        createdAt REAL NOT NULL,
                        goneAt REAL
                    );
                    CREATE INDEX ledgerByInstance ON ledger (platform, instance);
                    CREATE TABLE job (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        id TEXT UNIQUE NOT NULL,
                        document TEXT NOT NULL
                    );
                    CREATE TABLE badMachine (
                        platform TEXT NOT NULL,
                        machine TEXT NOT NULL,
                        reason TEXT NOT NULL,
                        at REAL NOT NULL,
                        PRIMARY KEY (platform, machine)
                    );
                    """)
        }
        migrator.registerMigration("2 money") { database in
            try database.execute(sql: Self.moneySchema)
        }
        migrator.registerMigration("3 confirmed ends") { database in
            try database.execute(sql: Self.confirmedEndsSchema)
        }
        migrator.registerMigration("4 ends") { database in
            try database.execute(sql: Self.endsSchema)
        }
        migrator.registerMigration("5 end reasons") { database in
            try database.execute(sql: Self.endReasonsSchema)
        }
        return migrator
    }

    // MARK: Machines

    /// Remembers a machine that failed to come up, so that it is not retried for a day.
    package func markBad(machine: String, platform: Platform, reason: String) throws(EngineError) {
        try self.write("remembering a bad machine") { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO badMachine (platform, machine, reason, at) VALUES (?, ?, ?, ?)",
                arguments: [platform.rawValue, machine, reason, Date().timeIntervalSince1970])
        }
    }

    package func badMachines(on platform: Platform, since: Date) throws(EngineError) -> Set<String> {
        try self.read("reading the history") { database in
            try Set(
                String.fetchAll(
                    database, sql: "SELECT machine FROM badMachine WHERE platform = ? AND at > ?",
                    arguments: [platform.rawValue, since.timeIntervalSince1970]))
        }
    }

    func write<Value: Sendable>(
        _ words: String, _ body: @Sendable (Database) throws -> Value
    ) throws(EngineError) -> Value {
        let database = self.state.withLock(\.database)
        do {
            return try database.write(body)
        } catch {
            guard let other = try self.standIn(for: database, after: error) else {
                throw Self.failure(error, words)
            }
            do { return try other.write(body) } catch { throw Self.failure(error, words) }
        }
    }

    func read<Value: Sendable>(
        _ words: String, _ body: @Sendable (Database) throws -> Value
    ) throws(EngineError) -> Value {
        let database = self.state.withLock(\.database)
        do {
            return try database.read(body)
        } catch {
            guard let other = try self.standIn(for: database, after: error) else {
                throw Self.failure(error, words)
            }
            do { return try other.read(body) } catch { throw Self.failure(error, words) }
        }
    }

    /// Returns the history that replaces `database` from now on if that cannot be written, and need not be;
    /// nil if it failed for another reason.
    private func standIn(
        for database: DatabaseQueue, after error: any Error
    ) throws(EngineError) -> DatabaseQueue? {
        guard self.need == .wanted, HistoryStandIn.isCalledFor(by: error) else { return nil }
        let folder = self.folder
        let result: Result<DatabaseQueue?, EngineError> = self.state.withLock { state in
            // Another thread may have had the same error.
            if state.database !== database { return .success(state.database) }
            guard state.problem == nil else { return .success(nil) }
            do throws(EngineError) {
                state.database = try HistoryStandIn.make(of: Self.path(folder), Self.migrator)
                state.problem = HistoryStandIn.problem(
                    Self.failure(error, "keeping the history"), in: folder)
                return .success(state.database)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func failure(_ error: any Error, _ words: String) -> EngineError {
        let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
        return EngineError(
            isFull ? .localDiskFull : .historyUnavailable, .init(words),
            detail: String("\(error)".prefix(300)))
    }
}
