import Foundation

/// The costs of instances, from the prices seen and the platforms' charges. Pure.
///
/// A charge replaces the prices seen for the time that it covers; those decide how it is spread over that
/// time. Periods are cut at midnight UTC, as platforms do.
public struct CostBook: Sendable {
    package var spans: [MeterSpan]
    package var charges: [Charge]
    package var now: Date

    package init(spans: [MeterSpan], charges: [Charge], now: Date) {
        self.spans = spans
        self.charges = charges
        self.now = now
    }

    /// The subjects by which costs can be grouped.
    public enum Grouping: String, CaseIterable, Sendable {
        /// UTC days, such as `2026-11-24`.
        case day
        /// GPU models.
        case gpu
        /// Projects that instances were rented for; instances that were not rented from here form one group.
        case project
        /// Jobs; the time in which an instance ran none forms one group.
        case job
    }

    /// One line of an account of costs.
    public struct Line: Hashable, Sendable {
        /// The subject of the line, in words: a day, a GPU, a project or a job's id.
        public var key: String
        /// The whole cost, whether or not the platform has charged it yet.
        public var dollars: Double
        /// The part that a platform has charged; the rest is computed from the prices seen.
        public var chargedDollars: Double

        /// Creates a line; by default, the platform has charged nothing of it yet.
        public init(key: String, dollars: Double, chargedDollars: Double = 0) {
            self.key = key
            self.dollars = dollars
            self.chargedDollars = chargedDollars
        }
    }

    package var instances: [InstanceID] {
        var seen: Set<InstanceID> = []
        return (self.spans.map(\.instance) + self.charges.map(\.instance)).filter { seen.insert($0).inserted }
    }

    /// The cost of `instance` from `start` to `end`.
    package func cost(of instance: InstanceID, from start: Date, to end: Date) -> Line {
        let end = min(end, self.now)
        var line = Line(key: instance.rawValue, dollars: 0)
        guard start < end else { return line }
        let spans = self.spans.filter { $0.instance == instance }
        let charges = self.charges.filter { $0.instance == instance }
        var day = UTCDay.midnight(start)
        while day < end {
            let next = day.addingTimeInterval(UTCDay.seconds)
            let from = max(start, day)
            let to = min(end, next)
            if let charge = charges.first(where: { $0.day == day }) {
                let border = min(max(from, charge.countedUntil), to)
                let charged = Self.share(of: charge, from: from, to: border, spans, self.now)
                line.chargedDollars += charged
                line.dollars += charged + Self.seen(spans, from: border, to: to, self.now)
            } else {
                line.dollars += Self.seen(spans, from: from, to: to, self.now)
            }
            day = next
        }
        return line
    }

    private static func share(
        of charge: Charge, from start: Date, to end: Date, _ spans: [MeterSpan], _ now: Date
    ) -> Double {
        guard start < end else { return 0 }
        let whole = Self.seen(spans, from: charge.day, to: charge.countedUntil, now)
        if whole > 0 { return charge.dollars * Self.seen(spans, from: start, to: end, now) / whole }
        let length = charge.countedUntil.timeIntervalSince(charge.day)
        return length > 0 ? charge.dollars * end.timeIntervalSince(start) / length : 0
    }

    private static func seen(_ spans: [MeterSpan], from start: Date, to end: Date, _ now: Date) -> Double {
        spans.reduce(0) { sum, span in
            let until = span.isOver ? span.seenAt : now
            let length = min(end, until).timeIntervalSince(max(start, span.startedAt))
            return length > 0 ? sum + span.price.cost(of: length) : sum
        }
    }

    /// The costs from `start` to `end`, grouped; the highest first, days in order.
    package func lines(
        by grouping: Grouping, from start: Date, to end: Date, jobs: [Job] = []
    ) -> [Line] {
        var sums: [String: Line] = [:]
        func add(_ line: Line, to key: String) {
            sums[key, default: Line(key: key, dollars: 0)].dollars += line.dollars
            sums[key, default: Line(key: key, dollars: 0)].chargedDollars += line.chargedDollars
        }
        for instance in self.instances {
            let span = self.spans.last { $0.instance == instance }
            switch grouping {
            case .day:
                var day = UTCDay.midnight(start)
                while day < end {
                    let next = day.addingTimeInterval(UTCDay.seconds)
                    let line = self.cost(of: instance, from: max(day, start), to: min(next, end))
                    if line.dollars != 0 { add(line, to: Self.dayName(day)) }
                    day = next
                }
            case .gpu:
                add(self.cost(of: instance, from: start, to: end), to: span?.gpuName ?? "unknown")
            case .project:
                add(self.cost(of: instance, from: start, to: end), to: span?.project ?? "(not rented here)")
            case .job:
                var rest = self.cost(of: instance, from: start, to: end)
                for job in jobs where job.instance == instance {
                    guard let from = job.startedAt else { continue }
                    let line = self.cost(
                        of: instance, from: max(from, start), to: min(job.endedAt ?? self.now, end))
                    add(line, to: job.id.rawValue)
                    rest.dollars -= line.dollars
                    rest.chargedDollars -= line.chargedDollars
                }
                // Concurrent jobs share an instance, and each is shown in full.
                rest.dollars = max(0, rest.dollars)
                rest.chargedDollars = max(0, rest.chargedDollars)
                add(rest, to: "(no job)")
            }
        }
        let lines = sums.values.filter { $0.dollars > 0.000_001 }
        return grouping == .day
            ? lines.sorted { $0.key < $1.key }
            : lines.sorted { ($1.dollars, $0.key) < ($0.dollars, $1.key) }
    }

    package func total(from start: Date, to end: Date) -> Line {
        self.instances.reduce(into: Line(key: "total", dollars: 0)) { total, instance in
            let line = self.cost(of: instance, from: start, to: end)
            total.dollars += line.dollars
            total.chargedDollars += line.chargedDollars
        }
    }

    /// The day as `2026-11-24`.
    package static func dayName(_ day: Date) -> String {
        day.formatted(Date.ISO8601FormatStyle().year().month().day())
    }
}

extension CostBook {
    /// Loads the known costs since `start`.
    package init(_ context: EngineContext, since start: Date) throws(EngineError) {
        self.init(
            spans: try context.store.meterSpans(since: start),
            charges: try context.store.charges(since: start),
            now: context.now())
    }

    /// The cost of `instance` so far, in dollars; nil if it was never seen.
    package static func dollars(of instance: InstanceID, _ context: EngineContext) throws(EngineError)
        -> Double?
    {
        let book = try CostBook(context, since: .distantPast)
        guard let first = book.spans.filter({ $0.instance == instance }).map(\.startedAt).min() else {
            return nil
        }
        return book.cost(of: instance, from: first, to: context.now()).dollars
    }
}
