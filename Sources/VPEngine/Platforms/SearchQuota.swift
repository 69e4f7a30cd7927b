import Foundation
import Synchronization

/// The searches of one account, counted for all programs of this user.
///
/// If the file cannot be read or written, it counts for this program alone: a search for offers must not
/// depend on a disk.
package final class SearchQuota: Sendable {
    private let path: String?
    private let now: @Sendable () -> Date
    private let memory = Mutex(SearchBook())

    /// - Parameters:
    ///   - folder: the folder of the count; nil keeps it in memory.
    ///   - account: the account whose searches are counted; a digest of it is part of the file's name.
    package init(folder: String?, account: String, now: @escaping @Sendable () -> Date = { Date() }) {
        self.path = folder.map { "\($0)/searches-\(StableDigest.hex(account))" }
        self.now = now
    }

    /// Counts one search, or throws `.searchQuotaSpent` if it must not be made.
    func admit(_ purpose: SearchPurpose, _ activity: EngineError.Activity) throws(EngineError) {
        if let refusal = self.change({ $0.admit(purpose, at: $1) }) {
            throw Self.error(refusal, activity)
        }
    }

    /// True if a list on screen may be refreshed now.
    package func mayWatch() -> Bool {
        self.change { $0.refusal(of: .watching, at: $1) } == nil
    }

    /// Records that the platform has called the quota spent, and returns the error for it.
    func close(
        until reset: Double?, serverNow: Double?, _ activity: EngineError.Activity
    ) -> EngineError {
        let until = self.change { book, now in
            book.close(until: reset, serverNow: serverNow, at: now)
            return book.report(at: now).closedUntil ?? now
        }
        return Self.error(.init(reason: .spent, until: until), activity)
    }

    /// Returns the number of searches of today, UTC, and until when none may be made.
    package func report() -> (count: Int, closedUntil: Date?) {
        let report = self.change { $0.report(at: $1) }
        return (report.count, report.closedUntil.map(Date.init(timeIntervalSince1970:)))
    }

    private static func error(
        _ refusal: SearchBook.Refusal, _ activity: EngineError.Activity
    ) -> EngineError {
        let time = self.time(Date(timeIntervalSince1970: refusal.until))
        let detail =
            switch refusal.reason {
            case .spent: "the searches of the day are used up; the next one is possible at \(time)"
            case .reserved: "the last searches of the day are reserved for renting; more follow at \(time)"
            case .watched: "the list is next refreshed at \(time)"
            }
        return EngineError(.searchQuotaSpent, activity, detail: detail)
    }

    /// Formats a time as `2026-11-30 00:00 UTC`.
    package static func time(_ date: Date) -> String {
        let text = date.formatted(
            .iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
        return String(text.prefix(16)) + " UTC"
    }

    /// Changes the book on disk while no other program does; a mere look writes it as well if it changed.
    private func change<Result>(_ body: (inout SearchBook, Double) -> Result) -> Result {
        let now = self.now().timeIntervalSince1970
        return self.memory.withLock { book in
            let lock = self.path.flatMap { path -> FileLock? in
                try? PrivateFolder.make((path as NSString).deletingLastPathComponent)
                return try? FileLock(
                    path: path + ".lock", .init("counting searches"), blockingFor: .seconds(2))
            }
            defer { withExtendedLifetime(lock) {} }
            if let path = self.path, let data = FileManager.default.contents(atPath: path + ".json"),
                data.count < 10_000, let stored = try? JSONDecoder().decode(SearchBook.self, from: data)
            {
                book = stored
            }
            let before = book
            let result = body(&book, now)
            if book != before, let path = self.path, let data = try? JSONEncoder().encode(book) {
                try? PrivateFolder.write([UInt8](data), to: path + ".json")
            }
            return result
        }
    }
}
