import Foundation

/// What the account can still spend.
public struct Balance: Hashable, Codable, Sendable {
    public var platform: Platform
    public var dollars: Double

    public init(platform: Platform, dollars: Double) {
        self.platform = platform
        self.dollars = dollars
    }
}

/// What a platform says that one instance cost on one day.
public struct Charge: Hashable, Codable, Sendable {
    public var instance: InstanceID
    /// Midnight, UTC.
    public var day: Date
    public var dollars: Double
    /// Until when it has been counted; on a day that is over, the day's end.
    public var countedUntil: Date

    public init(instance: InstanceID, day: Date, dollars: Double, countedUntil: Date) {
        self.instance = instance
        self.day = day
        self.dollars = dollars
        self.countedUntil = countedUntil
    }
}
