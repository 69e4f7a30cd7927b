import Foundation
import GRDB

/// An end that was requested here and that the platform has not been asked for yet. It is stored in the
/// instance's row, so that the next program can continue from there.
package struct EndOrder: Codable, Hashable, Sendable {
    package enum Stage: String, Codable, Hashable, Sendable {
        /// Results are being downloaded first, by `holder` while that process lives.
        case pursued
        /// The end waits until no job runs there any more.
        case afterJobs
        /// The end was refused, and waits for the user.
        case waiting
    }

    package var stage: Stage
    package var discardsResults = false
    /// The obstacle to the end, in one line.
    package var words: String?
    /// The process that handles it; see `ProcessIdentity.text`.
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

    /// True if a living process handles it.
    package var isHeld: Bool {
        self.holder.flatMap(ProcessIdentity.init(text:))?.isAlive ?? false
    }
}

extension Store {
    /// `readyAt` is when an instance was first seen to be up; rows of earlier versions that no process was
    /// bringing up any more count as ready.
    static let endsSchema = """
        ALTER TABLE ledger ADD COLUMN readyAt REAL;
        ALTER TABLE ledger ADD COLUMN ending TEXT;
        UPDATE ledger SET readyAt = createdAt WHERE creator IS NULL;
        """

    /// Records the order in the row `name`; nil withdraws it.
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

    /// Makes this process the one that handles `order`, unless another living one does.
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

    /// Records that the instance of `name` was seen to be up.
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
