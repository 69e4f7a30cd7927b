import Foundation
import GRDB

/// An end that somebody has asked for and the platform was not asked for yet.
/// It stands in the instance's row, so that whoever looks next can go on from there.
package struct EndOrder: Codable, Hashable, Sendable {
    package enum Stage: String, Codable, Hashable, Sendable {
        /// Its results are being brought, by `holder` while that lives.
        case pursued
        /// It comes when no job runs there any more.
        case afterJobs
        /// It was refused, and waits for the user.
        case waiting
    }

    package var stage: Stage
    package var discardsResults = false
    /// What stands in its way, in one line.
    package var words: String?
    /// The process that sees to it; see `ProcessIdentity.text`.
    package var holder: String?
    package var at: Date

    package init(
        _ stage: Stage, discardsResults: Bool = false, words: String? = nil, holder: String? = nil, at: Date
    ) {
        self.stage = stage
        self.discardsResults = discardsResults
        self.words = words
        self.holder = holder
        self.at = at
    }

    /// Whether a process that lives sees to it.
    package var isHeld: Bool {
        self.holder.flatMap(ProcessIdentity.init(text:))?.isAlive ?? false
    }
}

extension Store {
    /// `readyAt` is when an instance was first seen to be up;
    /// rows of earlier versions that nobody was bringing up any more are taken for such.
    static let endsSchema = """
        ALTER TABLE ledger ADD COLUMN readyAt REAL;
        ALTER TABLE ledger ADD COLUMN ending TEXT;
        UPDATE ledger SET readyAt = createdAt WHERE creator IS NULL;
        """

    /// Notes what has been asked for in the row `name`; nil takes it back.
    package func setOrder(_ order: EndOrder?, of name: String) throws(EngineError) {
        try self.write("recording an order") { database in
            let document = try order.map { order in
                String(decoding: try Self.orderEncoder.encode(order), as: UTF8.self)
            }
            try database.execute(
                sql: "UPDATE ledger SET ending = ? WHERE name = ? AND state != 'gone'",
                arguments: [document, name])
        }
    }

    /// Makes this process the one that sees to `order`, unless another that lives is at it.
    package func hold(_ order: EndOrder, of name: String) throws(EngineError) -> Bool {
        var held = order
        held.holder = ProcessIdentity.current.text
        let document = held
        return try self.write("recording an order") { database in
            let current = try String.fetchOne(
                database, sql: "SELECT ending FROM ledger WHERE name = ?", arguments: [name]
            ).flatMap(Self.decodeOrder)
            if let current, current.isHeld, current.holder != document.holder { return false }
            try database.execute(
                sql: "UPDATE ledger SET ending = ? WHERE name = ? AND state != 'gone'",
                arguments: [String(decoding: try Self.orderEncoder.encode(document), as: UTF8.self), name])
            return true
        }
    }

    /// Notes that the instance of `name` was seen to be up.
    package func noteReady(_ name: String, at now: Date) throws(EngineError) {
        try self.write("recording a rental") { database in
            try database.execute(
                sql: "UPDATE ledger SET readyAt = coalesce(readyAt, ?) WHERE name = ?",
                arguments: [now.timeIntervalSince1970, name])
        }
    }

    static func decodeOrder(_ document: String) -> EndOrder? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return try? decoder.decode(EndOrder.self, from: Data(document.utf8))
    }

    private static var orderEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        return encoder
    }
}
