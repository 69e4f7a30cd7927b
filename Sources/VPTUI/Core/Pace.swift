import Foundation
import VPEngine

/// The intervals at which the dashboard wakes and asks the platforms. Each wake-up costs energy, and a
/// dashboard that is open all day must not empty the battery.
extension State {
    /// The interval if no change is expected, in seconds; data on screen is stale after twice as long.
    static let quietInstancesInterval: TimeInterval = 15
    /// A list of offers is megabytes and hundreds of wake-ups, so it is loaded rarely for an absent user.
    static let quietOffersInterval: TimeInterval = 300
    /// While nothing is rented, only another program can change that, and nothing is charged.
    private static let emptyInstancesInterval: TimeInterval = 120
    private static let emptyBalancesInterval: TimeInterval = 300
    private static let balancesInterval: TimeInterval = 60
    private static let instancesInterval: TimeInterval = 5
    static let offersInterval: TimeInterval = 60
    /// The time after a key during which the user is assumed to be watching, in seconds.
    private static let attention: TimeInterval = 10
    /// The same for offers, which change slowly; each search counts against the few of the day.
    private static let attentionForOffers: TimeInterval = 120

    /// Seconds until the next tick.
    public var tickInterval: TimeInterval { self.isQuiet ? 5 : 1 }

    var currentInstancesInterval: TimeInterval {
        guard self.isQuiet else { return Self.instancesInterval }
        return self.hasNothingRented ? Self.emptyInstancesInterval : Self.quietInstancesInterval
    }

    var currentBalancesInterval: TimeInterval {
        self.isQuiet && self.hasNothingRented ? Self.emptyBalancesInterval : Self.balancesInterval
    }

    /// `true` if every platform has answered that nothing is rented.
    var hasNothingRented: Bool {
        self.instances.fetchedAt != nil && self.instances.rows.isEmpty && self.instances.failures.isEmpty
            && self.money.failures.isEmpty
    }

    /// `true` while the user looks at offers: their list is on screen, and keys were pressed lately.
    var isLookingAtOffers: Bool {
        self.now.timeIntervalSince(self.typedAt) < Self.attentionForOffers
            && !self.foldsOffers && Layout(self).lists.contains { $0.0 == .offers }
    }

    /// `true` if nothing on screen counts seconds, nothing is changing state, and no key was pressed lately.
    private var isQuiet: Bool {
        self.toasts.isEmpty && self.actions.isEmpty && self.pendingDestroys.isEmpty && self.overlay == nil
            && self.now.timeIntervalSince(self.typedAt) >= Self.attention
            && self.instances.rows.allSatisfy(\.status.isSettled)
            && self.jobs.rows.allSatisfy(\.state.isOver)
    }
}

extension InstanceStatus {
    /// `true` if the status stays as it is until somebody acts.
    fileprivate var isSettled: Bool {
        switch self {
        case .running, .stopped, .failed, .lost: true
        case .pending, .loading, .stopping, .destroying, .unknown: false
        }
    }
}
