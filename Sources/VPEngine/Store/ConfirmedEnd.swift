import Foundation
import GRDB

/// An end that somebody has confirmed and that is due in a few seconds. It is recorded in the history before
/// the countdown begins: if the program that counts dies, the next one continues.
public struct ConfirmedEnd: Hashable, Sendable {
    /// The instance to end; each instance has one such end at most.
    public var instance: InstanceID
    /// When it is carried out, unless it is withdrawn before.
    public var dueAt: Date
    /// The arguments with which `vp` is called to carry it out.
    public var words: [String]
    /// The folder in which `vp` is called.
    public var directory: String

    /// An end that is not recorded yet; see `Engine.confirm(_:)`.
    public init(instance: InstanceID, dueAt: Date, words: [String], directory: String) {
        self.instance = instance
        self.dueAt = dueAt
        self.words = words
        self.directory = directory
    }
}

/// The confirmed ends, one a row. A row has a holder, the process that handles it; it is removed when the end
/// has been carried out, refused for a lasting reason, or withdrawn.
extension Store {
    static let confirmedEndsSchema = """
        CREATE TABLE confirmedEnd (
            platform TEXT NOT NULL,
            instance TEXT NOT NULL,
            dueAt REAL NOT NULL,
            words TEXT NOT NULL,
            directory TEXT NOT NULL,
            holder TEXT,
            hasBegun INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (platform, instance)
        );
        """

    private static let place = "platform = ? AND instance = ?"

    package func confirm(_ ends: [ConfirmedEnd], heldBy holder: ProcessIdentity?) throws(EngineError) {
        try self.write("recording confirmed ends") { database in
            for end in ends {
                try database.execute(
                    sql: """
                        INSERT OR REPLACE INTO confirmedEnd (platform, instance, dueAt, words, directory, holder)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        end.instance.platform.rawValue, end.instance.rawValue,
                        end.dueAt.timeIntervalSince1970,
                        String(decoding: try JSONEncoder().encode(end.words), as: UTF8.self), end.directory,
                        holder?.text,
                    ])
            }
        }
    }

    package func confirmedEnds() throws(EngineError) -> [(end: ConfirmedEnd, holder: ProcessIdentity?)] {
        try self.read("reading confirmed ends") { database in
            try Row.fetchAll(database, sql: "SELECT * FROM confirmedEnd ORDER BY dueAt").compactMap { row in
                guard let platform = Platform(rawValue: row["platform"]),
                    let words = try? JSONDecoder().decode(
                        [String].self, from: Data((row["words"] as String).utf8))
                else { return nil }
                let holder: String? = row["holder"]
                return (
                    ConfirmedEnd(
                        instance: InstanceID(platform: platform, rawValue: row["instance"]),
                        dueAt: Date(timeIntervalSince1970: row["dueAt"]), words: words,
                        directory: row["directory"]),
                    holder.flatMap(ProcessIdentity.init(text:))
                )
            }
        }
    }

    package func confirmedEnd(
        of id: InstanceID
    ) throws(EngineError) -> (end: ConfirmedEnd, holder: ProcessIdentity?)? {
        try self.confirmedEnds().first { $0.end.instance == id }
    }

    /// Removes the row if `holder` has it, or if no holder is named. Returns false if there was none.
    @discardableResult
    package func forgetConfirmedEnd(
        of id: InstanceID, heldBy holder: ProcessIdentity? = nil
    ) throws(EngineError) -> Bool {
        try self.changeConfirmedEnd(
            "DELETE FROM confirmedEnd", [], id, holder.map { ("AND holder = ?", [$0.text]) })
    }

    /// Gives a row to another process. Returns false if `old` no longer has it.
    @discardableResult
    package func passConfirmedEnd(
        of id: InstanceID, from old: ProcessIdentity?, to new: ProcessIdentity?
    ) throws(EngineError) -> Bool {
        try self.changeConfirmedEnd(
            "UPDATE confirmedEnd SET holder = ?", [new?.text], id, ("AND holder IS ?", [old?.text]))
    }

    /// Takes the row back from the process that waits for its time. Returns false if that time has come, or
    /// the row is gone.
    package func reclaimConfirmedEnd(of id: InstanceID) throws(EngineError) -> Bool {
        try self.changeConfirmedEnd(
            "UPDATE confirmedEnd SET holder = ?", [ProcessIdentity.current.text], id, ("AND hasBegun = 0", [])
        )
    }

    /// Records that this process, which has the row, now carries it out. Returns false if another process has
    /// it.
    package func beginConfirmedEnd(of id: InstanceID) throws(EngineError) -> Bool {
        try self.changeConfirmedEnd(
            "UPDATE confirmedEnd SET hasBegun = 1", [], id,
            ("AND holder = ?", [ProcessIdentity.current.text]))
    }

    /// Leaves the row to whichever program comes next, from `date` on.
    package func postponeConfirmedEnd(of id: InstanceID, to date: Date) throws(EngineError) {
        try self.changeConfirmedEnd(
            "UPDATE confirmedEnd SET holder = NULL, hasBegun = 0, dueAt = ?", [date.timeIntervalSince1970],
            id,
            ("AND holder = ?", [ProcessIdentity.current.text]))
    }

    @discardableResult
    private func changeConfirmedEnd(
        _ change: String, _ values: [(any DatabaseValueConvertible & Sendable)?], _ id: InstanceID,
        _ condition: (sql: String, values: [String?])?
    ) throws(EngineError) -> Bool {
        try self.write("recording confirmed ends") { database in
            var arguments = StatementArguments(values.map { $0 as (any DatabaseValueConvertible)? })
            arguments += [id.platform.rawValue, id.rawValue]
            arguments += StatementArguments(condition?.values ?? [])
            try database.execute(
                sql: "\(change) WHERE \(Self.place) \(condition?.sql ?? "")", arguments: arguments)
            return database.changesCount > 0
        }
    }
}
