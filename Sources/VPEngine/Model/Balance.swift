import Foundation

/// The money that an account can still spend.
public struct Balance: Hashable, Codable, Sendable {
    /// The platform that holds the account.
    public var platform: Platform
    /// The balance; negative if the account is in debt.
    public var dollars: Double

    /// The balance of the account on `platform`.
    public init(platform: Platform, dollars: Double) {
        self.platform = platform
        self.dollars = dollars
    }
}

/// The cost of one instance on one day, as its platform reports it.
public struct Charge: Hashable, Codable, Sendable {
    /// The instance that was charged for; it may no longer exist.
    public var instance: InstanceID
    /// The day's first moment: midnight, UTC.
    public var day: Date
    /// The charges of that day up to `countedUntil`.
    public var dollars: Double
    /// The moment up to which charges are counted; on a day that is over, the day's end.
    public var countedUntil: Date

    /// A charge for one UTC day. `day` is its first moment.
    public init(instance: InstanceID, day: Date, dollars: Double, countedUntil: Date) {
        self.instance = instance
        self.day = day
        self.dollars = dollars
        self.countedUntil = countedUntil
    }
}
