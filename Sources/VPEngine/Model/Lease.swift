import Foundation

/// The time for which an instance may run on unless somebody renews it, and the guardian that then ends it.
public struct Lease: Hashable, Codable, Sendable {
    /// The guardian that ends the instance when the lease runs out.
    public enum Guardian: String, Codable, Hashable, Sendable {
        /// A watchdog on the instance, which also works while this machine is off.
        case instance
        /// Only `vp` and `vp-tui`, while one of them runs: the weaker guardian, for an instance that cannot
        /// end itself.
        case local
        /// Nobody. This has to be requested.
        case none
    }

    /// The action at the end of a lease.
    public enum Ending: String, Codable, Hashable, Sendable, CaseIterable {
        /// The GPU is released; the disk stays and is still billed.
        case stop
        /// The instance and its disk are gone, and nothing is billed any more.
        case destroy
    }

    /// The terms that were agreed on.
    public var terms: LeaseTerms
    /// The guardian that watches over it now.
    public var guardian: Guardian
    /// The end, as last reported by the instance, which renews it by itself while a job runs. Nil for no end.
    public var endsAt: Date?
    /// The latest end: no renewal goes beyond it.
    public var capEndsAt: Date?
    /// The reason why the guardian is weaker than it should be, in words.
    public var weakness: String?
    /// When the instance was last heard of.
    public var heardAt: Date?
    /// The use of the instance, as last reported by its watchdog; nil if it never reported.
    public var use: InstanceUse?
    /// How long no GPU had worked when the instance last reported, in seconds; nil if it did not report that.
    public var gpuRestSeconds: Double?
    /// When the instance was first seen stopped, with its disk still billed; nil while it is not.
    public var parkedAt: Date?

    /// A lease whose instance has not been heard from yet, unless given.
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
            weakness: terms.seconds == nil ? nil : Self.notUpYet)
    }

    /// The weakness of a lease until the first attempt to start the instance's watchdog.
    package static let notUpYet = "the instance is not up yet"
    /// The weakness of a new lease until the instance's watchdog has it.
    package static let notToldYet = "its watchdog has not got the new lease yet"
}

extension Lease {
    /// True if the lease may have run out by `date`, by this machine's clock.
    ///
    /// The instance counts whole seconds of its own clock: the remaining time that it reports is too long by
    /// up to a second, its end comes up to a second early, and until then the two clocks may have drifted
    /// apart by a thousandth.
    package func mayHaveRunOut(by date: Date) -> Bool {
        guard let end = [self.endsAt, self.capEndsAt].compactMap(\.self).min() else { return false }
        return end.addingTimeInterval(-self.uncertainty(of: end)) <= date
    }

    /// The same for the limit that no job renews.
    package func mayHaveReachedItsCap(by date: Date) -> Bool {
        self.capEndsAt.map { $0.addingTimeInterval(-self.uncertainty(of: $0)) <= date } ?? false
    }

    /// Returns the uncertainty of `end`, in seconds.
    private func uncertainty(of end: Date) -> Double {
        2 + max(0, self.heardAt.map { end.timeIntervalSince($0) } ?? 0) / 1000
    }
}

/// How long no GPU of an instance has worked.
public struct GPURest: Hashable, Sendable {
    /// The seconds without work up to `seenAt`.
    public var seconds: Double
    /// When the instance reported it, by this machine's clock.
    public var seenAt: Date

    /// A rest of `seconds`, reported at `seenAt`.
    public init(seconds: Double, seenAt: Date) {
        self.seconds = seconds
        self.seenAt = seenAt
    }
}

extension Lease {
    /// What the instance last reported about its GPUs.
    public var gpuRest: GPURest? {
        guard let seconds = self.gpuRestSeconds, let date = self.heardAt else { return nil }
        return GPURest(seconds: seconds, seenAt: date)
    }
}

/// The terms of a lease.
public struct LeaseTerms: Hashable, Codable, Sendable {
    /// Seconds that a renewal adds; nil for a lease without end.
    public var seconds: Double?
    /// Seconds that the lease may last in all; nil for no limit.
    public var maximumSeconds: Double?
    /// The action when the lease runs out.
    public var ending: Lease.Ending
    /// True turns a destroy into a stop if there are results that are not known to be here.
    public var keepsUnsafeResults: Bool
    /// Ends the lease early after so many seconds without use of the instance.
    public var idleSeconds: Double?
    /// The action after `idleSeconds` without use.
    public var idleEnding: Lease.Ending

    /// The default length of a lease, in seconds.
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

/// The use of an instance, as its watchdog sees it.
public enum InstanceUse: Hashable, Codable, Sendable {
    /// The instance is in use: the GPU works, a log grows, or the processor is busy.
    case active
    /// The instance has been idle for so many seconds: GPU at rest, log silent, processor low.
    case idle(Double)
    /// The GPU cannot be observed, which counts as active.
    case unknown
}
