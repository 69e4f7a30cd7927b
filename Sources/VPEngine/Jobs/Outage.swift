/// The time for which a job's instance has not been reached, and the messages about it: that the connection
/// was lost, that the platform reports a new state, and then each doubling of the time, with its cost.
///
/// A value that is told observations and times; `FollowJob` acts on its answers.
struct Outage: Hashable, Sendable {
    /// The platform's report about the instance meanwhile.
    enum Word: Hashable, Sendable {
        /// The instance runs, at an address.
        case runs
        /// The host does not answer the platform either.
        case offline
        /// The instance runs, but the platform publishes no address.
        case noAddress
        /// The platform refuses this key.
        case keyRefused
        /// The platform could not be asked.
        case none
    }

    /// The first time after which the user is reminded, in seconds.
    static let firstReminder = 300.0
    /// The time to wait for an instance that the platform itself cannot find, in seconds.
    static let patience = 3600.0

    let instance: InstanceID
    let price: HourlyPrice?
    /// A factor on both times.
    let timeScale: Double
    /// The current message; it stays the same until there is news.
    private(set) var words: String?
    private var word = Word.none
    private var reminder: Double
    /// The time since when the platform has not found it either.
    private var awaySince: Double?

    /// - Parameter reason: ssh's reason why the connection broke.
    init(of instance: InstanceID, price: HourlyPrice?, reason: String?, timeScale: Double) {
        self.instance = instance
        self.price = price
        self.timeScale = timeScale
        self.words = reason
        self.reminder = Self.firstReminder * timeScale
    }

    /// - Parameter elapsed: seconds since the connection broke.
    mutating func saw(_ word: Word, after elapsed: Double) {
        let isNew = word != self.word && word != .none
        // A platform that cannot be asked just now does not revoke its last report.
        if word != .none { self.word = word }
        switch self.word {
        case .offline, .noAddress, .keyRefused: self.awaySince = self.awaySince ?? elapsed
        case .runs, .none: self.awaySince = nil
        }
        if isNew, let state = self.state { self.words = state }
        guard elapsed >= self.reminder else { return }
        while elapsed >= self.reminder { self.reminder *= 2 }
        let state = self.state.map { "\($0); " } ?? ""
        self.words =
            "\(state)not reached for \(TimeSpan.rough(elapsed))\(self.cost); `vp destroy-instance \(self.instance)` destroys it"
    }

    /// Returns why the wait is over; nil while it continues.
    func reasonToLeave(after elapsed: Double) -> String? {
        guard let since = self.awaySince, elapsed - since >= Self.patience * self.timeScale,
            let state = self.state
        else { return nil }
        return "\(state), for \(TimeSpan.rough(elapsed - since))\(self.cost); its job may still be running"
    }

    private var state: String? {
        let platform = self.instance.platform.displayName
        return switch self.word {
        case .offline: "\(platform) says that its host is offline"
        case .noAddress: "\(platform) names no address for ssh"
        case .keyRefused: "\(platform) refuses the key, so the state of the instance is unknown"
        case .runs, .none: nil
        }
    }

    private var cost: String {
        self.price.map { "; it costs \(Figures.dollars($0.dollarsPerHour)) an hour if it runs" } ?? ""
    }
}
