/// How long a job's instance has not been reached, and what of that is worth a word: that it is lost,
/// that the platform says something else of it, and then each doubling of the time, with what it costs.
///
/// A value that is told what was seen and when; `FollowJob` carries out what it says.
struct Outage: Hashable, Sendable {
    /// What the platform says of the instance meanwhile.
    enum Word: Hashable, Sendable {
        /// It runs, at an address.
        case runs
        /// Its host does not answer the platform either.
        case offline
        /// It runs, and nobody is told where.
        case noAddress
        /// Nothing, to this key.
        case keyRefused
        /// Nothing: it could not be asked.
        case none
    }

    /// The first time after which it is told again, in seconds.
    static let firstReminder = 300.0
    /// How long what the platform itself cannot find is waited for, in seconds.
    static let patience = 3600.0

    let instance: InstanceID
    let price: HourlyPrice?
    /// Factor on both times.
    let timeScale: Double
    /// What is to be said now; the same as before where nothing is new.
    private(set) var words: String?
    private var word = Word.none
    private var reminder: Double
    /// Since when the platform has not found it either.
    private var awaySince: Double?

    /// - Parameter reason: ssh's word for why the connection broke.
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
        // That it cannot be asked just now takes nothing back.
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
            "\(state)not reached for \(TimeSpan.rough(elapsed))\(self.cost); `vp destroy-instance \(self.instance)` ends it"
    }

    /// Why it is waited for no longer; nil while it is.
    func reasonToLeave(after elapsed: Double) -> String? {
        guard let since = self.awaySince, elapsed - since >= Self.patience * self.timeScale,
            let state = self.state
        else { return nil }
        return "\(state), for \(TimeSpan.rough(elapsed - since))\(self.cost); its job may go on there"
    }

    private var state: String? {
        let platform = self.instance.platform.displayName
        return switch self.word {
        case .offline: "\(platform) says that its host is offline"
        case .noAddress: "\(platform) names no address for ssh"
        case .keyRefused: "\(platform) refuses the key, and does not say what has become of it"
        case .runs, .none: nil
        }
    }

    private var cost: String {
        self.price.map { "; it costs \(Figures.dollars($0.dollarsPerHour)) an hour where it runs" } ?? ""
    }
}
