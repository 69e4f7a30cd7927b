import Foundation

/// The reason for a search of offers.
public enum SearchPurpose: String, CaseIterable, Hashable, Sendable {
    /// A list on screen is refreshed.
    case watching
    /// Somebody asked for offers with a command or a key.
    case asked
    /// An instance is about to be rented.
    case renting
}

/// The searches of one day, and how many are left: vast.ai has a daily quota of unpublished size, and nothing
/// can be rented once it is spent.
///
/// The book is a value that is told events and the time; `SearchQuota` keeps it on disk.
struct SearchBook: Codable, Hashable, Sendable {
    /// The reason why a search is not made, and when it would be, in seconds since 1970.
    struct Refusal: Hashable, Sendable {
        enum Reason: Hashable, Sendable {
            /// The platform has said that the quota is spent.
            case spent
            /// The rest of the quota is kept for renting.
            case reserved
            /// Lists on screen have used their share.
            case watched
        }

        var reason: Reason
        var until: Double
    }

    /// Refreshes of lists on screen: so many at once, and the others spread over the day. Together they make
    /// sixty in a day.
    static let watchingAtOnce = 20.0
    static let watchingPerDay = 40.0
    private static let day = 86_400.0
    /// The platform counts by the day; two more hours allow for its clock.
    private static let longestClosure = 93_600.0
    /// A quota that another program has used as well seems smaller than it is.
    private static let smallestLimit = 30

    /// The day that is counted, in days since 1970, UTC.
    private var date = 0
    private(set) var count = 0
    private var tokens = SearchBook.watchingAtOnce
    private var tokensAt = 0.0
    private var closedAt: Double?
    private var closedUntil: Double?
    /// The number of searches that a day was seen to allow.
    private(set) var knownLimit: Int?

    init() {}

    /// Counts a search for `purpose`, or returns why it is refused.
    mutating func admit(_ purpose: SearchPurpose, at now: Double) -> Refusal? {
        if let refusal = self.refusal(of: purpose, at: now) { return refusal }
        self.count += 1
        if purpose == .watching { self.tokens -= 1 }
        return nil
    }

    /// The same, without counting.
    mutating func refusal(of purpose: SearchPurpose, at now: Double) -> Refusal? {
        self.turn(to: now)
        if let until = self.closedUntil { return Refusal(reason: .spent, until: until) }
        guard purpose != .renting else { return nil }
        if let limit = self.knownLimit, self.count >= limit - Self.reserve(of: limit) {
            return Refusal(reason: .reserved, until: Self.midnight(after: now))
        }
        guard purpose == .watching, self.tokens < 1 else { return nil }
        let wait = (1 - self.tokens) * Self.day / Self.watchingPerDay
        return Refusal(reason: .watched, until: now + wait)
    }

    /// Records a refusal by the platform: no program of this user asks again before `reset`.
    ///
    /// - Parameters:
    ///   - reset: the time given by the platform, in seconds since 1970 by its own clock.
    ///   - serverNow: the time on its clock; ours may be wrong.
    mutating func close(until reset: Double?, serverNow: Double?, at now: Double) {
        self.turn(to: now)
        let theirs = serverNow ?? now
        var remaining = Self.midnight(after: theirs) - theirs
        if let reset, reset.isFinite, reset > 0 { remaining = reset - theirs }
        remaining = min(max(remaining, 60), Self.longestClosure)
        self.closedAt = now
        self.closedUntil = now + remaining
        self.knownLimit = max(Self.smallestLimit, self.count)
    }

    /// Returns the number of searches of the day, and until when none may be made.
    mutating func report(at now: Double) -> (count: Int, closedUntil: Double?) {
        self.turn(to: now)
        return (self.count, self.closedUntil)
    }

    /// Returns a tenth of the limit, and at least five.
    private static func reserve(of limit: Int) -> Int { max(5, limit / 10) }

    private static func midnight(after time: Double) -> Double {
        ((time / Self.day).rounded(.down) + 1) * Self.day
    }

    private mutating func turn(to now: Double) {
        let today = Int(saturating: (now / Self.day).rounded(.down))
        // A clock that was set back does not begin a new day.
        if today > self.date { self.count = 0 }
        self.date = today
        let passed = max(0, now - self.tokensAt)
        self.tokens = min(Self.watchingAtOnce, self.tokens + passed * Self.watchingPerDay / Self.day)
        self.tokensAt = now
        if let closedAt = self.closedAt, let until = self.closedUntil {
            if now < closedAt {
                // The clock was set back: the closure keeps its length, counted from now on.
                self.closedUntil = now + min(max(0, until - closedAt), Self.longestClosure)
                self.closedAt = now
            } else if now >= until || until - now > Self.longestClosure {
                self.closedAt = nil
                self.closedUntil = nil
            }
        }
    }

    // MARK: On disk

    private enum CodingKeys: String, CodingKey {
        case date, count, tokens, tokensAt, closedAt, closedUntil, knownLimit
    }

    /// Reads a file that may have been damaged; a figure that is out of range is ignored.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func seconds(_ key: CodingKeys) -> Double? {
            (try? container.decode(Double.self, forKey: key)).flatMap { (0...1e11).contains($0) ? $0 : nil }
        }
        func number(_ key: CodingKeys) -> Int? {
            (try? container.decode(Int.self, forKey: key)).flatMap { (0...1_000_000).contains($0) ? $0 : nil }
        }
        self.date = number(.date) ?? 0
        self.count = number(.count) ?? 0
        self.tokens = min(seconds(.tokens) ?? Self.watchingAtOnce, Self.watchingAtOnce)
        self.tokensAt = seconds(.tokensAt) ?? 0
        self.closedAt = seconds(.closedAt)
        self.closedUntil = seconds(.closedUntil)
        self.knownLimit = number(.knownLimit)
    }
}
