import Foundation
import GRDB

/// The facts about one rented instance from this machine's point of view.
///
/// A row is written before the platform is asked to rent, and counts as open until the platform has confirmed
/// that the instance is gone.
package struct LedgerEntry: Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable {
        /// The instance is about to be rented, or the answer was lost: an instance of this name may exist.
        case intended
        case rented
        case destroying
        case gone
    }

    /// The reason why a row is closed.
    package enum EndReason: String, Codable, Hashable, Sendable, CaseIterable {
        /// The instance was ended from here.
        case destroyed
        /// The instance has ended itself, as it was told to.
        case lease
        /// The instance is gone, and nobody here has ended it.
        case lost
        /// The rental never became an instance.
        case neverAppeared

        package var words: String {
            switch self {
            case .destroyed: "destroyed"
            case .lease: "its lease ran out"
            case .lost: "the platform no longer has it"
            case .neverAppeared: "it never appeared"
            }
        }
    }

    /// The name, unique in the account.
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
    /// When the state was last written; an end in progress is written repeatedly.
    package var updatedAt: Date
    /// The process that brings the instance up; nil once that is done.
    package var creator: ProcessIdentity?
    package var lease: Lease?
    /// When the instance was first seen to be up; nil if it never was.
    package var readyAt: Date?
    /// An end that was requested here and that the platform has not been asked for yet.
    package var order: EndOrder?
    /// The reason; nil while it is open, and for a rental that the platform refused.
    package var endReason: EndReason?

    package init(
        name: String, platform: Platform, instance: InstanceID?, state: State, gpuName: String,
        dollarsPerHour: Double, image: String, machineID: String?, workspaceRoot: String, remoteRoot: String,
        createdAt: Date, creator: ProcessIdentity? = .current, lease: Lease? = nil
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
        self.updatedAt = createdAt
        self.creator = creator
        self.lease = lease
    }

    /// True if the process that began to rent it died before it was ready.
    package var isUnfinished: Bool {
        self.state == .intended || self.state == .rented ? self.creator.map { !$0.isAlive } ?? false : false
    }
}

/// The instances this machine has rented, whatever the platforms say.
extension Store {
    package func insert(_ entry: LedgerEntry) throws(EngineError) {
        try self.write("recording a rental") { database in
            // An earlier rental of the same name that is gone is renamed.
            for table in ["ledgerStep", "ledger"] {
                let rows = "SELECT rowid FROM ledger WHERE name = ?1 AND state = 'gone'"
                try database.execute(
                    sql:
                        "UPDATE \(table) SET name = name || ' #' || (\(rows)) WHERE name = ?1 AND (\(rows)) > 0",
                    arguments: [entry.name])
            }
            try database.execute(
                sql: """
                    INSERT INTO ledger (name, platform, instance, state, gpu, dollarsPerHour, image, machine,
                        workspaceRoot, remoteRoot, createdAt, updatedAt, creator, lease)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    entry.name, entry.platform.rawValue, entry.instance?.rawValue, entry.state.rawValue,
                    entry.gpuName, NumberRange.dollarsPerHour.clamp(entry.dollarsPerHour), entry.image,
                    entry.machineID, entry.workspaceRoot,
                    entry.remoteRoot, entry.createdAt.timeIntervalSince1970,
                    entry.updatedAt.timeIntervalSince1970, entry.creator?.text,
                    try entry.lease.map(Self.encodeLease),
                ])
            try Self.noteStep(database, entry.name, entry.state.rawValue, entry.createdAt)
        }
    }

    /// Writes the next state of a row. A row that is gone stays gone: a late program must not bring it back.
    package func update(
        _ name: String, state: LedgerEntry.State, instance: InstanceID? = nil, at now: Date = Date(),
        because reason: LedgerEntry.EndReason? = nil
    ) throws(EngineError) {
        try self.write("recording a rental") { database in
            let old = try String.fetchOne(
                database, sql: "SELECT state FROM ledger WHERE name = ?", arguments: [name])
            guard let old, old != LedgerEntry.State.gone.rawValue else { return }
            try database.execute(
                sql: """
                    UPDATE ledger SET state = ?1, instance = coalesce(?2, instance), updatedAt = ?3,
                        goneAt = CASE WHEN ?1 = 'gone' THEN ?3 ELSE goneAt END, endReason = ?4
                    WHERE name = ?5
                    """,
                arguments: [
                    state.rawValue, instance?.rawValue, now.timeIntervalSince1970, reason?.rawValue, name,
                ])
            if old != state.rawValue || instance != nil {
                let words = reason.map { "\(state.rawValue): \($0.words)" } ?? state.rawValue
                try Self.noteStep(database, name, words, now)
            }
        }
    }

    /// Reopens a closed row, because the platform shows its instance again.
    package func reopen(_ name: String, as state: LedgerEntry.State, at now: Date) throws(EngineError) {
        try self.write("recording a rental") { database in
            try database.execute(
                sql: """
                    UPDATE ledger SET state = ?, goneAt = NULL, endReason = NULL, updatedAt = ?
                    WHERE name = ? AND state = 'gone'
                    """,
                arguments: [state.rawValue, now.timeIntervalSince1970, name])
            if database.changesCount > 0 {
                try Self.noteStep(database, name, "\(state.rawValue): it is there again", now)
            }
        }
    }

    /// Records that `name` is up, and that its creation is finished.
    package func finishCreation(of name: String) throws(EngineError) {
        try self.setCreator(nil, of: name)
    }

    /// Makes this process the one that brings `name` up.
    package func takeOverCreation(of name: String) throws(EngineError) {
        try self.setCreator(.current, of: name)
    }

    private func setCreator(_ creator: ProcessIdentity?, of name: String) throws(EngineError) {
        try self.write("recording a rental") { database in
            try database.execute(
                sql: "UPDATE ledger SET creator = ? WHERE name = ?", arguments: [creator?.text, name])
        }
    }

    package func setLease(_ lease: Lease?, of name: String) throws(EngineError) {
        try self.write("recording a lease") { database in
            try database.execute(
                sql: "UPDATE ledger SET lease = ? WHERE name = ?",
                arguments: [try lease.map(Self.encodeLease), name])
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

    /// Returns the rentals that the platform has not confirmed as gone.
    package func openLedgerEntries() throws(EngineError) -> [LedgerEntry] {
        try self.read("reading the history") { database in
            try Row.fetchAll(database, sql: "SELECT * FROM ledger WHERE state != 'gone' ORDER BY createdAt")
                .compactMap(Self.entry)
        }
    }

    /// Returns every rental since `date`, and open ones of any age.
    package func ledgerEntries(since date: Date) throws(EngineError) -> [LedgerEntry] {
        try self.read("reading the history") { database in
            try Row.fetchAll(
                database,
                sql:
                    "SELECT * FROM ledger WHERE state != 'gone' OR goneAt IS NULL OR goneAt >= ? ORDER BY createdAt",
                arguments: [date.timeIntervalSince1970]
            ).compactMap(Self.entry)
        }
    }

    /// Returns the instances that nobody here has ended, and that were found gone since `date`.
    package func recentlyLost(since date: Date) throws(EngineError) -> [InstanceID] {
        try self.read("reading the history") { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT platform, instance FROM ledger
                    WHERE state = 'gone' AND endReason = ? AND goneAt >= ? AND instance IS NOT NULL
                    """,
                arguments: [LedgerEntry.EndReason.lost.rawValue, date.timeIntervalSince1970]
            ).compactMap { row in
                row.text("platform").flatMap(Platform.init(rawValue:)).flatMap { platform in
                    row.instance("instance", on: platform)
                }
            }
        }
    }

    /// Returns the states that a row went through, oldest first.
    package func ledgerSteps(of name: String) throws(EngineError) -> [String] {
        try self.read("reading the history") { database in
            try String.fetchAll(
                database, sql: "SELECT step FROM ledgerStep WHERE name = ? ORDER BY number", arguments: [name]
            )
        }
    }

    /// Records an action on a rental that does not change its state.
    package func note(_ step: String, on name: String, at now: Date) throws(EngineError) {
        try self.write("recording a rental") { database in try Self.noteStep(database, name, step, now) }
    }

    private static func noteStep(
        _ database: Database, _ name: String, _ step: String, _ now: Date
    ) throws {
        try database.execute(
            sql: "INSERT INTO ledgerStep (name, step, at) VALUES (?, ?, ?)",
            arguments: [name, step, now.timeIntervalSince1970])
    }

    private static func encodeLease(_ lease: Lease) throws -> String {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        return String(decoding: try encoder.encode(lease.bounded()), as: UTF8.self)
    }

    private static func decodeLease(_ document: String) -> Lease? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return (try? decoder.decode(Lease.self, from: Data(document.utf8)))?.bounded()
    }

    private static func entry(_ row: Row) -> LedgerEntry? {
        guard let platform = row.text("platform").flatMap(Platform.init(rawValue:)),
            let state = row.text("state").flatMap(LedgerEntry.State.init(rawValue:)),
            let name = row.text("name")
        else { return nil }
        let updatedAt = row.moment("updatedAt")
        var entry = LedgerEntry(
            name: name, platform: platform, instance: row.instance("instance", on: platform), state: state,
            gpuName: row.text("gpu") ?? "unknown GPU",
            dollarsPerHour: row.number("dollarsPerHour", .dollarsPerHour) ?? 0,
            image: row.text("image") ?? "",
            machineID: row.text("machine"), workspaceRoot: row.text("workspaceRoot") ?? "",
            remoteRoot: row.text("remoteRoot") ?? "",
            createdAt: row.moment("createdAt") ?? updatedAt ?? Date(timeIntervalSince1970: 0),
            creator: row.text("creator").flatMap(ProcessIdentity.init(text:)),
            lease: row.text("lease").flatMap(Self.decodeLease))
        if let updatedAt { entry.updatedAt = updatedAt }
        entry.readyAt = row.moment("readyAt")
        entry.order = row.text("ending").flatMap(Self.decodeOrder)
        entry.endReason = row.text("endReason").flatMap(LedgerEntry.EndReason.init(rawValue:))
        return entry
    }
}

extension Store {
    /// Before this version the reasons were sentences among the steps.
    static let endReasonsSchema = """
        ALTER TABLE ledger ADD COLUMN endReason TEXT;
        UPDATE ledger SET endReason = (
            SELECT CASE step
                WHEN 'gone: destroyed' THEN 'destroyed'
                WHEN 'gone: its lease ran out' THEN 'lease'
                WHEN 'gone: the platform no longer has it' THEN 'lost'
                WHEN 'gone: it never appeared' THEN 'neverAppeared'
            END FROM ledgerStep WHERE ledgerStep.name = ledger.name ORDER BY number DESC LIMIT 1
        ) WHERE state = 'gone';
        """
}
