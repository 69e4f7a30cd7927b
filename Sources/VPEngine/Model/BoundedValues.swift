import Foundation

/// A value that is kept in a file or a database, and may have been written by a version that checked nothing.
///
/// Figures are checked against the same ranges when the value is read back and when it is written as when
/// they first arrive.
package protocol BoundedValue {
    /// Returns this value with each figure in its range or unknown; nil if no usable value is left.
    func bounded() -> Self?
}

extension InstanceID {
    /// Accepts an id from a platform, which names folders and files and becomes a word of a shell here.
    ///
    /// Returns nil for any other text. Instance ids from outside enter only through this initializer.
    package init?(_ platform: Platform, fromOutside text: String) {
        let text = text.trimmingSpaces()
        guard Self.isUsable(text) else { return nil }
        self.init(platform: platform, rawValue: text)
    }

    /// Accepts 1 to 64 letters, digits, `.`, `_` and `-`; rejects options (`-x`) and the folders `.` and
    /// `..`.
    private static func isUsable(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.first != "-" && text.first != "."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    var isUsable: Bool { Self.isUsable(self.rawValue) }
}

extension SSHAddress {
    /// Accepts a host, port and user that are safe in an ssh command and its configuration: none looks like
    /// an option or contains a blank.
    package init?(fromOutside host: String, port: Int?, user: String) {
        func isWord(_ text: String, _ others: String) -> Bool {
            !text.isEmpty && text.utf8.count <= 255 && text.first != "-"
                && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || others.contains($0)) }
        }
        guard let port, (1...65_535).contains(port), isWord(host, ".-_:[]"), isWord(user, ".-_") else {
            return nil
        }
        self.init(host: host, port: port, user: user)
    }
}

extension Balance: BoundedValue {
    package func bounded() -> Balance? { NumberRange.dollars.contains(self.dollars) ? self : nil }
}

extension Charge: BoundedValue {
    package func bounded() -> Charge? {
        guard self.instance.isUsable, NumberRange.dollars.contains(self.dollars),
            self.day.withinBounds != nil,
            self.countedUntil.withinBounds != nil
        else { return nil }
        return self
    }
}

extension HourlyPrice {
    /// This price, or 0 if it is out of range.
    var withinBounds: HourlyPrice {
        HourlyPrice(dollarsPerHour: NumberRange.dollarsPerHour.check(self.dollarsPerHour) ?? 0)
    }
}

extension Offer: BoundedValue {
    /// Returns nil if the price, or a part of it, is out of range: the offer would come first in every order
    /// by cost.
    package func bounded() -> Offer? {
        let isPriced =
            NumberRange.dollarsPerHour.contains(self.price.dollarsPerHour)
            && [self.storageDollarsPerGBMonth, self.uploadDollarsPerGB, self.downloadDollarsPerGB].allSatisfy
            {
                $0.map(NumberRange.dollarsPerGB.contains) ?? true
            }
        guard isPriced, NumberRange.gpus.contains(self.gpuCount), self.gpuCount > 0 else { return nil }
        var offer = self
        offer.gpuMemoryBytes = NumberRange.bytes.check(self.gpuMemoryBytes) ?? 0
        offer.cpuCores = NumberRange.cores.check(self.cpuCores)
        offer.memoryBytes = NumberRange.bytes.check(self.memoryBytes)
        offer.diskBytes = NumberRange.bytes.check(self.diskBytes)
        offer.uploadMbps = NumberRange.megabits.check(self.uploadMbps)
        offer.downloadMbps = NumberRange.megabits.check(self.downloadMbps)
        offer.reliability = NumberRange.share.check(self.reliability)
        offer.cudaVersion = NumberRange.version.check(self.cudaVersion)
        return offer
    }
}

extension Instance: BoundedValue {
    package func bounded() -> Instance? {
        guard self.id.isUsable else { return nil }
        var instance = self
        instance.gpuCount = NumberRange.gpus.check(self.gpuCount) ?? 0
        instance.gpuMemoryBytes = NumberRange.bytes.check(self.gpuMemoryBytes)
        instance.diskBytes = NumberRange.bytes.check(self.diskBytes)
        instance.price = self.price.withinBounds
        instance.stoppedPrice = self.stoppedPrice?.withinBounds
        instance.createdAt = self.createdAt?.withinBounds
        instance.addresses = self.addresses.compactMap {
            SSHAddress(fromOutside: $0.host, port: $0.port, user: $0.user)
        }
        instance.lease = self.lease?.bounded()
        return instance
    }
}

extension Lease: BoundedValue {
    package func bounded() -> Lease? {
        var lease = self
        lease.terms = self.terms.bounded
        lease.heardAt = self.heardAt?.withinBounds
        lease.parkedAt = self.parkedAt?.withinBounds
        lease.gpuRestSeconds = NumberRange.seconds.check(self.gpuRestSeconds)
        lease.capEndsAt = self.capEndsAt?.withinBounds
        if case .idle(let seconds)? = self.use, !NumberRange.seconds.contains(seconds) {
            lease.use = .unknown
        }
        if let end = self.endsAt {
            // An end that cannot be read does not mean "no end": it becomes the end that was due when last
            // reported.
            let due = (lease.heardAt ?? Date(timeIntervalSince1970: 0))
                .addingTimeInterval(lease.terms.seconds ?? 0)
            lease.endsAt = end.withinBounds ?? due
        }
        return lease
    }
}

extension LeaseTerms {
    /// Clamps lengths that are out of range to the nearest that are not, since nil would be a lease without
    /// end.
    var bounded: LeaseTerms {
        var terms = self
        terms.seconds = self.seconds.map(NumberRange.seconds.clamp)
        terms.maximumSeconds = self.maximumSeconds.map(NumberRange.seconds.clamp)
        terms.idleSeconds = self.idleSeconds.map(NumberRange.seconds.clamp)
        return terms
    }
}

extension Job.Outcome {
    /// This outcome; nil if no program can end so.
    var bounded: Job.Outcome? {
        switch self {
        case .exited(let code): NumberRange.exitCode.contains(code) ? self : nil
        case .signalled(let signal): NumberRange.signal.contains(signal) ? self : nil
        }
    }
}

extension Job: BoundedValue {
    package func bounded() -> Job? {
        var job = self
        job.outcome = self.outcome?.bounded
        job.createdAt = self.createdAt.withinBounds ?? Date(timeIntervalSince1970: 0)
        job.startedAt = self.startedAt?.withinBounds
        // A job that is over has an end.
        if let end = self.endedAt { job.endedAt = end.withinBounds ?? job.startedAt ?? job.createdAt }
        job.dollars = NumberRange.cost.check(self.dollars)
        job.record = self.record?.bounded
        return job
    }
}

extension JobRecord {
    var bounded: JobRecord {
        var record = self
        record.maximumCost = NumberRange.cost.check(self.maximumCost)
        record.stopOn?.stallSeconds = NumberRange.seconds.check(self.stopOn?.stallSeconds)
        record.worries = self.worries?.prefix(8).map { worry in
            JobRecord.Worry(
                kind: worry.kind.singleLine(limit: 20) ?? "", words: worry.words.singleLine(limit: 200) ?? "")
        }
        record.peakBytes = NumberRange.bytes.check(self.peakBytes)
        record.backgroundCount = self.backgroundCount.map { max(0, min($0, 1_000_000)) }
        record.logBytes = NumberRange.bytes.check(self.logBytes)
        record.errorBytes = NumberRange.bytes.check(self.errorBytes)
        if let hardware = self.hardware {
            record.hardware?.gpuCount = NumberRange.gpus.check(hardware.gpuCount) ?? 0
            record.hardware?.dollarsPerHour = NumberRange.dollarsPerHour.check(hardware.dollarsPerHour) ?? 0
        }
        if let results = self.results {
            record.results?.files = NumberRange.count.clamp(results.files)
            record.results?.bytes = NumberRange.bytes.clamp(results.bytes)
            record.results?.conflicts = NumberRange.count.clamp(results.conflicts)
            record.results?.missing = NumberRange.count.clamp(results.missing)
            record.results?.at = results.at.withinBounds ?? Date(timeIntervalSince1970: 0)
        }
        return record
    }
}

extension UnsafeResults: BoundedValue {
    package func bounded() -> UnsafeResults? {
        UnsafeResults(
            files: NumberRange.count.clamp(self.files), bytes: NumberRange.bytes.clamp(self.bytes),
            examples: self.examples)
    }
}

extension MoneyReport: BoundedValue {
    package func bounded() -> MoneyReport? {
        var report = self
        report.runningDollarsPerHour = NumberRange.cost.clamp(self.runningDollarsPerHour)
        report.parkedDollarsPerDay = NumberRange.cost.clamp(self.parkedDollarsPerDay)
        report.runningCount = NumberRange.count.clamp(self.runningCount)
        report.balanceDollars = NumberRange.dollars.check(self.balanceDollars)
        report.hoursLeft = self.hoursLeft.map(NumberRange.hours.clamp)
        report.spentToday = NumberRange.cost.clamp(self.spentToday)
        report.dollarsPerDay = NumberRange.cost.check(self.dollarsPerDay)
        report.asOf = self.asOf.withinBounds ?? .distantPast
        return report
    }
}
