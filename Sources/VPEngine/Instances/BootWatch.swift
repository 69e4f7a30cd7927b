/// Decides how long a boot is waited for: a value that is fed with sightings, and says when to give up.
///
/// Each stage has a limit as a whole. While the image loads there is a second, shorter limit for the time
/// without any change: a machine that was placed and never begins costs as much as one that works.
struct BootWatch {
    /// The platform's report at one look; two equal sightings mean that nothing has happened.
    struct Sighting: Hashable {
        var status: InstanceStatus
        /// The platform's status message.
        var words: String?
    }

    private(set) var stage: ActionStage
    /// The latest reason why the stage is not over.
    var words: String?
    private let limit: Double
    private let silence: BootDeadlines.Silence?
    private let startedAt: Double
    /// The time of the last visible change, moved on by periods in which the platform gave no answer.
    private var changedAt: Double
    private var lookedAt: Double
    private var last: Sighting?

    /// - Parameters:
    ///   - silence: how long nothing may change; nil in a stage that has no sign of progress but its end.
    ///   - now: seconds since any fixed moment, here and below.
    init(
        _ stage: ActionStage, limit: Double, silence: BootDeadlines.Silence? = nil, words: String? = nil,
        at now: Double
    ) {
        self.stage = stage
        self.limit = limit
        self.silence = silence
        self.words = words
        self.startedAt = now
        self.changedAt = now
        self.lookedAt = now
    }

    mutating func saw(_ sighting: Sighting, at now: Double) {
        if sighting != self.last { self.changedAt = now }
        self.last = sighting
        self.lookedAt = now
    }

    /// Records that the platform gave no answer; this must not count against the machine.
    mutating func sawNothing(at now: Double) {
        self.changedAt += max(0, now - self.lookedAt)
        self.lookedAt = now
    }

    /// The reason to give the machine up, or nil to keep waiting.
    func reasonToGiveUp(at now: Double) -> String? {
        if now - self.startedAt >= self.limit {
            let words = self.words ?? self.last?.words ?? "nothing happened"
            return "\(words); given up after \(Int(saturating: self.limit.rounded())) s"
        }
        guard let silence = self.silence, let last = self.last else { return nil }
        let patience = last.status == .pending ? silence.placed : silence.loading
        guard now - self.changedAt >= patience else { return nil }
        let words = self.words ?? last.words ?? last.status.rawValue
        return "\(words); given up, since nothing has changed for \(Int(saturating: patience.rounded())) s"
    }
}
