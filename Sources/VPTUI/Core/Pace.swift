import Foundation
import VPEngine

/// The intervals at which the dashboard wakes and asks the platforms. Each wake-up costs energy, and a
/// dashboard that is open all day must not empty the battery.
extension State {
    /// The interval if no change is expected, in seconds.
    static let quietInstancesInterval: TimeInterval = 15
    /// A list of offers is megabytes and hundreds of wake-ups, so it is loaded rarely for an absent user.
    static let quietOffersInterval: TimeInterval = 300
    /// The age of a load sample up to which its instance counts as answering, in seconds.
    private static let answeringAge: TimeInterval = 30
    /// While nothing is rented, or every running instance answers by ssh,
    /// only another program can change that.
    private static let knownInstancesInterval: TimeInterval = 120
    private static let emptyBalancesInterval: TimeInterval = 300
    private static let balancesInterval: TimeInterval = 60
    private static let quietBalancesInterval: TimeInterval = 120
    private static let jobsInterval: TimeInterval = 60
    private static let endedJobsInterval: TimeInterval = 300
    private static let instancesInterval: TimeInterval = 5
    static let offersInterval: TimeInterval = 60
    /// The time after a key during which the user is assumed to be watching, in seconds.
    private static let attention: TimeInterval = 10
    /// The same for offers, which change slowly; each search counts against the few of the day.
    private static let attentionForOffers: TimeInterval = 120

    /// The time without a key after which the dashboard counts as left alone, in seconds.
    private static let attentionAtAll: TimeInterval = 20

    /// The longest time between two ticks, in seconds. A loop that is awake for another reason may tick after
    /// `shortestTickInterval`, and so saves a wake-up.
    public var tickInterval: TimeInterval {
        // A load sample wakes the loop before that.
        if self.isLeftAlone { return Double(self.fleetLoadInterval) + 1 }
        return self.isQuiet ? 6 : 1
    }
    public static let shortestTickInterval: TimeInterval = 1

    /// The seconds between two load samples of an instance that is shown in full.
    /// Another interval costs a new ssh session for each instance.
    var loadInterval: Int { self.isLeftAlone ? 5 : 2 }
    /// The same for an instance that is shown as a row and a graph.
    var fleetLoadInterval: Int { self.isLeftAlone ? 10 : 5 }

    /// `true` if in addition nobody has touched a key for so long that nobody may be there.
    public var isLeftAlone: Bool {
        let lastAttended = max(self.typedAt, self.begunAt)
        return self.isQuiet && self.now.timeIntervalSince(lastAttended) >= Self.attentionAtAll
    }

    var currentInstancesInterval: TimeInterval {
        guard self.isQuiet else { return Self.instancesInterval }
        return self.unattendedInstancesInterval
    }

    /// The interval while nobody is there, in seconds; rows on screen are stale after twice as long.
    var unattendedInstancesInterval: TimeInterval {
        self.hasNothingRented || self.isEveryInstanceAnswering
            ? Self.knownInstancesInterval : Self.quietInstancesInterval
    }

    private var isEveryInstanceAnswering: Bool {
        // A platform that does not answer may have instances that are not listed.
        guard self.instances.failures.isEmpty else { return false }
        return self.instances.rows.allSatisfy { instance in
            guard instance.status == .running else { return instance.status == .stopped }
            let track = self.telemetry.track(instance.id)
            guard track?.failure == nil, let date = track?.date else { return false }
            return self.now.timeIntervalSince(date) < Self.answeringAge
        }
    }

    var currentBalancesInterval: TimeInterval {
        if self.isQuiet, self.hasNothingRented { return Self.emptyBalancesInterval }
        return self.isLeftAlone ? Self.quietBalancesInterval : Self.balancesInterval
    }

    /// The loop reports changes of the history, so that only jobs whose end nobody here records need a look.
    var currentJobsInterval: TimeInterval {
        self.jobs.rows.allSatisfy(\.state.isOver) ? Self.endedJobsInterval : Self.jobsInterval
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
