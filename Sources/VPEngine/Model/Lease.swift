import Foundation

/// How long an instance may go on without anybody who wants it, and who ends it then.
public struct Lease: Hashable, Codable, Sendable {
    /// Who ends the instance when the lease runs out.
    public enum Guardian: String, Codable, Hashable, Sendable {
        /// A watchdog on the instance, also when this machine is off.
        case instance
        /// Only `vp` and `vp-tui`, while one of them runs: the weaker guard,
        /// where the instance cannot end itself.
        case local
        /// Nobody. Has to be asked for.
        case none
    }

    /// What happens to the instance at the end.
    public enum Ending: String, Codable, Hashable, Sendable, CaseIterable {
        /// The GPU is released; the disk stays and is still billed.
        case stop
        /// The instance and its disk are gone, and nothing is billed any more.
        case destroy
    }

    /// What was agreed on.
    public var terms: LeaseTerms
    /// Who watches over it now.
    public var guardian: Guardian
    /// As last heard from the instance; it renews by itself while a job runs. Nil for no end.
    public var endsAt: Date?
    /// No renewal goes beyond it.
    public var capEndsAt: Date?
    /// Why the guard is weaker than it should be, in words.
    public var weakness: String?
    /// When the instance was last heard of.
    public var heardAt: Date?
    /// What the watchdog last saw of the instance's use; nil where it never told.
    public var use: InstanceUse?
    /// When the instance was first seen stopped, with its disk still paid for; nil while it is not.
    public var parkedAt: Date?

    /// A lease of whose instance nothing has been heard yet, unless given.
    public init(
        terms: LeaseTerms, guardian: Guardian, endsAt: Date?, capEndsAt: Date? = nil, weakness: String? = nil,
        heardAt: Date? = nil, use: InstanceUse? = nil
    ) {
        self.terms = terms
        self.guardian = guardian
        self.endsAt = endsAt
        self.capEndsAt = capEndsAt
        self.weakness = weakness
        self.heardAt = heardAt
        self.use = use
    }

    /// The lease of an instance that is about to be rented: until its watchdog runs, we guard it from here.
    package init(terms: LeaseTerms, from now: Date) {
        self.init(
            terms: terms, guardian: terms.seconds == nil ? .none : .local,
            endsAt: terms.seconds.map { now.addingTimeInterval($0) },
            capEndsAt: terms.maximumSeconds.map { now.addingTimeInterval($0) },
            weakness: terms.seconds == nil ? nil : "the instance is not up yet")
    }
}

extension Lease {
    /// Whether it may have been over at `date`, by this machine's clock.
    ///
    /// The instance counts in whole seconds of a clock of its own:
    /// what it says of the time that is left is too much by up to a second, its end comes up to a second
    /// early, and until then the two clocks may have drifted apart by a thousandth.
    package func mayHaveRunOut(by date: Date) -> Bool {
        guard let end = [self.endsAt, self.capEndsAt].compactMap(\.self).min() else { return false }
        return end.addingTimeInterval(-self.uncertainty(of: end)) <= date
    }

    /// The same for the limit that no job renews.
    package func mayHaveReachedItsCap(by date: Date) -> Bool {
        self.capEndsAt.map { $0.addingTimeInterval(-self.uncertainty(of: $0)) <= date } ?? false
    }

    /// Seconds.
    private func uncertainty(of end: Date) -> Double {
        2 + max(0, self.heardAt.map { end.timeIntervalSince($0) } ?? 0) / 1000
    }
}

/// What a lease is to be.
public struct LeaseTerms: Hashable, Codable, Sendable {
    /// What a renewal adds; nil for a lease without end.
    public var seconds: Double?
    /// What it may last in all; nil for no limit.
    public var maximumSeconds: Double?
    /// What becomes of the instance when the lease runs out.
    public var ending: Lease.Ending
    /// Whether results that are not known to be here turn a destroy into a stop.
    public var keepsUnsafeResults: Bool
    /// Ends it early when nothing has used the instance for so long.
    public var idleSeconds: Double?
    /// What becomes of the instance after `idleSeconds` without use.
    public var idleEnding: Lease.Ending

    /// What a lease has where nobody said anything, in seconds.
    public static let standardSeconds = 43_200.0

    /// By default twelve hours a renewal, three days in all, then a destroy; being idle does not end it.
    public init(
        seconds: Double? = LeaseTerms.standardSeconds, maximumSeconds: Double? = 259_200,
        ending: Lease.Ending = .destroy,
        keepsUnsafeResults: Bool = true, idleSeconds: Double? = nil, idleEnding: Lease.Ending = .stop
    ) {
        self.seconds = seconds
        self.maximumSeconds = maximumSeconds
        self.ending = ending
        self.keepsUnsafeResults = keepsUnsafeResults
        self.idleSeconds = idleSeconds
        self.idleEnding = idleEnding
    }
}

/// What the watchdog on an instance sees of its use.
public enum InstanceUse: Hashable, Codable, Sendable {
    /// In use: the GPU works, a log grows, or the processor is busy.
    case active
    /// For so many seconds: GPU at rest, log silent, processor low.
    case idle(Double)
    /// The GPU cannot be looked at, which counts as active.
    case unknown
}
