import Foundation
import GRDB

/// What is kept on disk about jobs and rented instances: one SQLite file that `vp` and `vp-tui` share.
package final class Store: Sendable {
    private let database: DatabaseQueue

    /// Opens the history in `stateFolder`, and makes it where there is none.
    package init(stateFolder: String) throws(EngineError) {
        try PrivateFolder.make(stateFolder)
        let path = "\(stateFolder)/history.sqlite"
        // Of two programs that both find nothing, or an old schema, one would fail: SQLite does not wait for another to
        // change the journal, and GRDB reads what is to be done before it does it.
        let lock = try FileLock(
            path: path + ".lock", .init("waiting for another program to open \(path)"),
            blockingFor: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        var configuration = Configuration()
        // A queue and not a pool, which inspects the WAL file's attributes: Foundation on Linux takes 5 ms for that.
        // Two programs write here; each statement takes milliseconds, so a short wait settles every meeting.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // Two programs can write at once. Asked for here, because GRDB's own `journalMode` makes and drops a
            // table whenever the WAL file is empty, so that each start of `vp` would wait for the disk.
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        do {
            self.database = try DatabaseQueue(path: path, configuration: configuration)
            for file in [path, path + "-wal", path + "-shm"] { chmod(file, 0o600) }
            try Self.migrator.migrate(self.database)
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

    /// Remembers a machine that failed to come up, so that it is not tried again for a day.
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
        do { return try self.database.write(body) } catch { throw Self.failure(error, words) }
    }

    func read<Value: Sendable>(
        _ words: String, _ body: @Sendable (Database) throws -> Value
    ) throws(EngineError) -> Value {
        do { return try self.database.read(body) } catch { throw Self.failure(error, words) }
    }

    private static func failure(_ error: any Error, _ words: String) -> EngineError {
        let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
        return EngineError(
            isFull ? .localDiskFull : .historyUnavailable, .init(words),
            detail: String("\(error)".prefix(300)))
    }
}
