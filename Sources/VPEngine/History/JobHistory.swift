import Foundation
import GRDB

/// What is known of one rented instance from this machine's point of view.
///
/// A row is written before the platform is asked to rent, and counts as open until the platform has confirmed
/// that the instance is gone.
package struct LedgerEntry: Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable {
        /// About to be rented, or the answer was lost: an instance of this name may exist.
        case intended
        case rented
        case destroying
        case gone
    }

    /// Unique in the account.
    package var name: String
    package var platform: Platform
    package var instance: InstanceID?
    package var state: State
    package var gpuName: String
    package var dollarsPerHour: Double
    package var image: String
    package var machineID: String?
    package var workspaceRoot: String
    package var remoteRoot: String
    package var createdAt: Date

    package init(
        name: String, platform: Platform, instance: InstanceID?, state: State, gpuName: String,
        dollarsPerHour: Double, image: String, machineID: String?, workspaceRoot: String, remoteRoot: String,
        createdAt: Date
    ) {
        self.name = name
        self.platform = platform
        self.instance = instance
        self.state = state
        self.gpuName = gpuName
        self.dollarsPerHour = dollarsPerHour
        self.image = image
        self.machineID = machineID
        self.workspaceRoot = workspaceRoot
        self.remoteRoot = remoteRoot
        self.createdAt = createdAt
    }
}

/// What is kept on disk about jobs and rented instances: one SQLite file that `vp` and `vp-tui` share.
package final class JobHistory: Sendable {
    private let database: DatabaseQueue

    /// Opens the history in `stateFolder`, and makes it where there is none.
    package init(stateFolder: String) throws(EngineError) {
        try PrivateFolder.make(stateFolder)
        let path = "\(stateFolder)/history.sqlite"
        var configuration = Configuration()
        // A queue in WAL mode: two programs can write at once, and opening costs a few file calls. A pool also
        // inspects the WAL file's attributes, which takes Foundation on Linux 5 ms, of the 15 that vp has.
        configuration.journalMode = .wal
        // Two programs write here; each statement takes milliseconds, so a short wait settles every meeting.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
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
        return migrator
    }

    // MARK: Ledger

    /// A rental of the same name that is gone makes room for this one.
    package func insert(_ entry: LedgerEntry) throws(EngineError) {
        try self.write("recording a rental") { database in
            try database.execute(
                sql: "UPDATE ledger SET name = name || ' #' || rowid WHERE name = ? AND state = 'gone'",
                arguments: [entry.name])
            try database.execute(
                sql: """
                    INSERT INTO ledger (name, platform, instance, state, gpu, dollarsPerHour, image, machine,
                        workspaceRoot, remoteRoot, createdAt)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    entry.name, entry.platform.rawValue, entry.instance?.rawValue, entry.state.rawValue,
                    entry.gpuName, entry.dollarsPerHour, entry.image, entry.machineID, entry.workspaceRoot,
                    entry.remoteRoot, entry.createdAt.timeIntervalSince1970,
                ])
        }
    }

    package func update(
        _ name: String, state: LedgerEntry.State, instance: InstanceID? = nil
    ) throws(EngineError) {
        try self.write("recording a rental") { database in
            try database.execute(
                sql: """
                    UPDATE ledger SET state = ?, instance = coalesce(?, instance),
                        goneAt = CASE WHEN ? = 'gone' THEN ? ELSE goneAt END
                    WHERE name = ?
                    """,
                arguments: [
                    state.rawValue, instance?.rawValue, state.rawValue, Date().timeIntervalSince1970, name,
                ])
        }
    }

    package func ledgerEntry(for instance: InstanceID) throws(EngineError) -> LedgerEntry? {
        try self.read("reading the history") { database in
            try Row.fetchOne(
                database,
                sql:
                    "SELECT * FROM ledger WHERE platform = ? AND instance = ? ORDER BY createdAt DESC LIMIT 1",
                arguments: [instance.platform.rawValue, instance.rawValue]
            ).flatMap(Self.entry)
        }
    }

    /// Settles rentals whose answer was lost, by whole lists of `platforms`: an instance that has turned up
    /// under the name is theirs; where none has for a quarter of an hour, there is none.
    package func settle(_ instances: [Instance], of platforms: Set<Platform>) throws(EngineError) {
        for entry in try self.openLedgerEntries()
        where entry.instance == nil && platforms.contains(entry.platform) {
            let found = instances.first { $0.name == entry.name && $0.id.platform == entry.platform }
            if let found {
                try self.update(entry.name, state: .rented, instance: found.id)
            } else if entry.createdAt < Date(timeIntervalSinceNow: -900) {
                try self.update(entry.name, state: .gone)
            }
        }
    }

    /// Rentals that the platform has not confirmed as gone.
    package func openLedgerEntries() throws(EngineError) -> [LedgerEntry] {
        try self.read("reading the history") { database in
            try Row.fetchAll(database, sql: "SELECT * FROM ledger WHERE state != 'gone' ORDER BY createdAt")
                .compactMap(Self.entry)
        }
    }

    private static func entry(_ row: Row) -> LedgerEntry? {
        guard let platform = Platform(rawValue: row["platform"]),
            let state = LedgerEntry.State(rawValue: row["state"])
        else { return nil }
        let instance: String? = row["instance"]
        return LedgerEntry(
            name: row["name"], platform: platform,
            instance: instance.map { InstanceID(platform: platform, rawValue: $0) }, state: state,
            gpuName: row["gpu"], dollarsPerHour: row["dollarsPerHour"], image: row["image"],
            machineID: row["machine"], workspaceRoot: row["workspaceRoot"], remoteRoot: row["remoteRoot"],
            createdAt: Date(timeIntervalSince1970: row["createdAt"]))
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

    // MARK: Jobs

    /// Gives the next job of `workspaceName` its id, `name-N` with N counting all jobs of this user, and keeps it.
    package func insertJob(
        workspaceName: String, make: @Sendable (JobID) -> Job
    ) throws(EngineError) -> Job {
        try self.write("recording a job") { database in
            try database.execute(
                sql: "INSERT INTO job (id, document) VALUES (?, '')", arguments: [UUID().uuidString])
            let number = database.lastInsertedRowID
            let job = make(JobID("\(workspaceName)-\(number)"))
            try database.execute(
                sql: "UPDATE job SET id = ?, document = ? WHERE number = ?",
                arguments: [job.id.rawValue, try Self.encode(job), number])
            return job
        }
    }

    package func update(_ job: Job) throws(EngineError) {
        try self.write("recording a job") { database in
            try database.execute(
                sql: "UPDATE job SET document = ? WHERE id = ?",
                arguments: [try Self.encode(job), job.id.rawValue])
        }
    }

    /// Newest first.
    package func jobs(limit: Int) throws(EngineError) -> [Job] {
        try self.read("reading the history") { database in
            try String.fetchAll(
                database, sql: "SELECT document FROM job ORDER BY number DESC LIMIT ?", arguments: [limit]
            ).compactMap(Self.decode)
        }
    }

    package func job(_ id: JobID) throws(EngineError) -> Job? {
        try self.read("reading the history") { database in
            try String.fetchOne(
                database, sql: "SELECT document FROM job WHERE id = ?", arguments: [id.rawValue]
            ).flatMap(Self.decode)
        }
    }

    private static func encode(_ job: Job) throws -> String {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        return String(decoding: try encoder.encode(job), as: UTF8.self)
    }

    private static func decode(_ document: String) -> Job? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return try? decoder.decode(Job.self, from: Data(document.utf8))
    }

    // MARK: Access

    private func write<Value: Sendable>(
        _ words: String, _ body: @Sendable (Database) throws -> Value
    ) throws(EngineError) -> Value {
        do { return try self.database.write(body) } catch { throw Self.failure(error, words) }
    }

    private func read<Value: Sendable>(
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
