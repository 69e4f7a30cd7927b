import Foundation
import Glibc

/// The latest calls of this user's programs to one account's endpoints: the platforms count by account and
/// know nothing of programs.
///
/// The book is a value that is told the time; `SharedPace` keeps it on disk. Times are seconds since this
/// machine was started.
struct PaceBook: Codable, Hashable, Sendable {
    /// The boot id of the machine, whose start the times count from.
    private(set) var boot = ""
    /// Starts of the latest calls under each name, oldest first.
    private(set) var starts: [String: [Double]] = [:]
    private(set) var closedUntil: [String: Double] = [:]

    /// A time longer than any closure that a platform asks for.
    static let longestClosure = 86_400.0

    /// Records a call under `limit`, or returns when one may be made.
    mutating func claim(_ limit: RateLimit, scale: Double, at now: Double) -> Double? {
        if let closed = self.closedUntil[limit.name], closed > now { return closed }
        self.closedUntil[limit.name] = nil
        let starts = self.starts[limit.name] ?? []
        if starts.count >= limit.calls {
            let turn = starts[starts.count - limit.calls] + limit.period.seconds * scale
            if turn > now { return turn }
        }
        self.starts[limit.name] = (starts + [now]).suffix(limit.calls)
        return nil
    }

    mutating func close(_ limit: RateLimit, until time: Double) {
        self.closedUntil[limit.name] = max(self.closedUntil[limit.name] ?? 0, time)
    }

    /// Returns the book without impossible times: those of another start of the machine, or of the future.
    func checked(boot: String, at now: Double) -> PaceBook {
        var book = PaceBook()
        book.boot = boot
        guard self.boot == boot else { return book }
        book.starts = self.starts.mapValues { times in times.filter { (0...now).contains($0) }.suffix(1000) }
        book.closedUntil = self.closedUntil.filter { (0...now + Self.longestClosure).contains($0.value) }
        return book
    }
}

/// The pace of one account, kept for all programs of this user.
///
/// If the file cannot be read or written, each program goes by its own calls: a request must not depend on a
/// disk.
package struct SharedPace: Sendable {
    private let path: String

    /// - Parameters:
    ///   - folder: the folder that it is kept in.
    ///   - account: the account whose calls are counted; a digest of it is part of the file's name.
    package init(folder: String, account: String) {
        self.path = "\(folder)/pace-\(StableDigest.hex(account))"
    }

    /// Records a call under `limit`, or returns when one may be made.
    func claim(_ limit: RateLimit, scale: Double, at now: Duration) -> Duration? {
        self.change(at: now) { $0.claim(limit, scale: scale, at: now.seconds) }.map { .seconds($0) }
    }

    /// Returns the time until which no call under `limit` may be made.
    func closedUntil(_ limit: RateLimit, at now: Duration) -> Duration? {
        self.change(at: now) { $0.closedUntil[limit.name] }.map { .seconds($0) }
    }

    func close(_ limit: RateLimit, until time: Duration, at now: Duration) {
        self.change(at: now) { $0.close(limit, until: time.seconds) }
    }

    private func change<Result>(at now: Duration, _ body: (inout PaceBook) -> Result?) -> Result? {
        try? PrivateFolder.make((self.path as NSString).deletingLastPathComponent)
        guard
            let lock = try? FileLock(
                path: self.path + ".lock", .init("counting requests"), blockingFor: .seconds(2))
        else { return nil }
        defer { withExtendedLifetime(lock) {} }
        var stored = PaceBook()
        if let data = FileManager.default.contents(atPath: self.path + ".json"), data.count < 1 << 20 {
            stored = (try? JSONDecoder().decode(PaceBook.self, from: data)) ?? stored
        }
        var book = stored.checked(boot: Self.boot, at: now.seconds)
        let result = body(&book)
        if book != stored, let data = try? JSONEncoder().encode(book) {
            try? PrivateFolder.write([UInt8](data), to: self.path + ".json")
        }
        return result
    }

    private static let boot: String = {
        let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}
