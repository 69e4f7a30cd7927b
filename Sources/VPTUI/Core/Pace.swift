import Foundation
import VPEngine

/// How often the dashboard looks at the clock and asks the platforms. Each time wakes the machine,
/// and one that stands open all day must not be what empties a battery.
extension State {
    /// Between two questions where nothing is expected to change;
    /// what is on screen is stale after twice as long.
    static let quietInstancesInterval: TimeInterval = 15
    /// A list of offers is megabytes, and hundreds of wakeups, for somebody who is not looking.
    static let quietOffersInterval: TimeInterval = 300
    /// Where nothing is rented, only somebody elsewhere can change that, and nothing is charged.
    private static let emptyInstancesInterval: TimeInterval = 120
    private static let emptyBalancesInterval: TimeInterval = 300
    private static let balancesInterval: TimeInterval = 60
    private static let instancesInterval: TimeInterval = 5
    static let offersInterval: TimeInterval = 60
    /// How long somebody who typed is taken to be watching.
    private static let attention: TimeInterval = 10
    /// The same for offers, which move slowly; each search is one of the few that the day has.
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

    /// As far as every platform has said.
    var hasNothingRented: Bool {
        self.instances.fetchedAt != nil && self.instances.rows.isEmpty && self.instances.failures.isEmpty
            && self.money.failures.isEmpty
    }

    /// Offers are asked for while somebody looks at them: their list is on screen, and keys are pressed.
    var isLookingAtOffers: Bool {
        self.now.timeIntervalSince(self.typedAt) < Self.attentionForOffers
            && !self.foldsOffers && Layout(self).lists.contains { $0.0 == .offers }
    }

    /// Nothing on screen counts seconds, nothing is on its way to another state, and nobody has typed lately.
    private var isQuiet: Bool {
        self.toasts.isEmpty && self.actions.isEmpty && self.pendingDestroys.isEmpty && self.overlay == nil
            && self.now.timeIntervalSince(self.typedAt) >= Self.attention
            && self.instances.rows.allSatisfy(\.status.isSettled)
            && self.jobs.rows.allSatisfy(\.state.isOver)
    }
}

extension InstanceStatus {
    /// It stays so until somebody acts.
    fileprivate var isSettled: Bool {
        switch self {
        case .running, .stopped, .failed, .lost: true
        case .pending, .loading, .stopping, .destroying, .unknown: false
        }
    }
}
