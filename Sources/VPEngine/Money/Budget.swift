import Foundation

/// The user's spending limits. Refuses rentals that would exceed them, and watches running costs.
struct Budget {
    let context: EngineContext

    /// A rental that a limit ends within this many seconds is not worth its boot.
    private static let shortest = 900.0

    /// Returns the lease, cut to the time that `maximumCost` buys. Throws `.limitRefused` if renting at
    /// `price` exceeds one of the user's limits.
    func admit(
        _ price: HourlyPrice, maximumCost: Double?, lease: LeaseTerms
    ) throws(EngineError) -> LeaseTerms {
        try self.admit(price)
        var lease = lease
        if let maximumCost, price.dollarsPerHour > 0 {
            let seconds = maximumCost / price.dollarsPerHour * 3600
            if seconds < Self.shortest {
                let cap = self.context.configuration.limits.maximumCost
                let origin = cap.flatMap { $0.value <= maximumCost ? "max_cost in \($0.file)," : nil }
                throw Self.refusal(
                    "\(origin ?? "--max-cost") \(Figures.dollars(maximumCost, 4)) buys \(TimeSpan.rough(seconds)) "
                        + "at \(Self.hourly(price))")
            }
            // The lease is cut so that the limit holds even if nobody is there to watch.
            lease.maximumSeconds = min(lease.maximumSeconds ?? .infinity, seconds)
            lease.seconds = min(lease.seconds ?? .infinity, seconds)
        }
        return lease
    }

    /// Throws `.limitRefused` if an hour at `price`, in addition to running instances, costs more than the
    /// day's limit leaves.
    func admit(_ price: HourlyPrice) throws(EngineError) {
        guard let (limit, origin) = self.context.configuration.dayLimit else { return }
        let now = self.context.now()
        let midnight = UTCDay.midnight(now)
        let book = try CostBook(self.context, since: midnight)
        let spent = book.total(from: midnight, to: now).dollars
        let hourly = book.dollarsPerHour + price.dollarsPerHour
        guard spent + hourly > limit else { return }
        throw Self.refusal(
            "\(Figures.dollars(spent)) is spent today, and the next hour would cost "
                + "\(Figures.dollars(hourly)); the limit is \(Figures.dollars(limit)) a day (\(origin))")
    }

    static func refusal(_ words: String) -> EngineError {
        EngineError(.limitRefused, .init("keeping to the budget"), detail: words)
    }

    private static func hourly(_ price: HourlyPrice) -> String {
        Figures.dollars(price.dollarsPerHour, 3) + "/h"
    }

    /// The maximum duration of a run that may cost `dollars`, in whole seconds, rounded up; nil if it is
    /// unlimited.
    static func seconds(_ dollars: Double?, at price: HourlyPrice) -> Int? {
        guard let dollars, price.dollarsPerHour > 0 else { return nil }
        return Int(saturating: min(1e9, (dollars / price.dollarsPerHour * 3600).rounded(.up)))
    }

    /// Follows `job` with `body`, and ends it with `end` if the day's limit is reached meanwhile. The
    /// instance enforces the run's own limit itself, so that it holds even if nobody follows.
    func keeping(
        _ job: Job, _ report: @escaping @Sendable (EngineEvent) -> Void,
        endingBy end: @escaping @Sendable () async -> Void,
        _ body: () async throws(EngineError) -> Job
    ) async throws(EngineError) -> Job {
        let watching = Task {
            guard let words = await self.watch(job, warn: { report(.alarm($0)) }) else { return }
            // The reason is saved before the end, because the first process that sees the end records it.
            _ = try? self.context.store.change(job.id) { $0.record?.limitReached = words }
            await end()
        }
        defer { watching.cancel() }
        return try await body()
    }

    /// Watches the cost of `job` until it is cancelled. Warns at four fifths of a limit, and returns words
    /// once the day's limit is reached.
    private func watch(_ job: Job, warn: @Sendable (Alarm) -> Void) async -> String? {
        let maximumCost = job.record?.maximumCost
        let price = HourlyPrice(dollarsPerHour: job.record?.hardware?.dollarsPerHour ?? 0)
        let daily = self.context.configuration.dayLimit
        guard maximumCost != nil || daily != nil, price.dollarsPerHour > 0 else { return nil }
        let start = job.startedAt ?? self.context.now()
        var warned: Set<String> = []
        while !Task.isCancelled {
            let now = self.context.now()
            // Seconds until the next moment at which a warning or an end may be due.
            var next = 600.0
            var limits: [(name: String, spent: Double, limit: Double, rate: Double)] = []
            if let maximumCost {
                limits.append(
                    (
                        Self.ofTheRun, price.cost(of: now.timeIntervalSince(start)), maximumCost,
                        price.dollarsPerHour
                    ))
            }
            let midnight = UTCDay.midnight(now)
            if let daily, let book = try? CostBook(self.context, since: midnight) {
                limits.append(
                    (
                        Self.ofTheDay(daily.origin), book.total(from: midnight, to: now).dollars,
                        daily.dollars,
                        max(price.dollarsPerHour, book.dollarsPerHour)
                    ))
            }
            for (name, spent, limit, rate) in limits {
                if spent >= limit, name != Self.ofTheRun { return Self.words(limit, name) }
                if spent >= limit * 0.8, warned.insert(name).inserted {
                    let places = Self.places(limit)
                    warn(
                        Alarm(
                            .budget, job.instance,
                            "\(Figures.dollars(spent, places)) of the limit of \(Figures.dollars(limit, places)) "
                                + "\(name) is spent"))
                }
                let threshold = spent >= limit * 0.8 ? limit : limit * 0.8
                if spent < limit { next = min(next, (threshold - spent) / rate * 3600) }
            }
            guard (try? await Task.sleep(for: .seconds(max(0.05, next)))) != nil else { return nil }
        }
        return nil
    }

    private static let ofTheRun = "for this run (--max-cost)"
    private static func ofTheDay(_ origin: String) -> String { "for today (\(origin))" }

    /// The number of decimals that tell a limit from nothing.
    private static func places(_ limit: Double) -> Int { limit < 0.1 ? 4 : 2 }

    /// The message for a run that has reached its own limit.
    static func words(ofTheRun limit: Double?) -> String {
        limit.map { self.words($0, self.ofTheRun) } ?? "the limit \(self.ofTheRun) is reached"
    }

    private static func words(_ limit: Double, _ name: String) -> String {
        "the limit of \(Figures.dollars(limit, Self.places(limit))) \(name) is reached"
    }
}

extension Job {
    /// The error for the limit or the condition of `--stop-on` that ended it.
    public var limitRefusal: EngineError? {
        guard let words = self.record?.limitReached else { return nil }
        guard words.hasPrefix(StopRules.option + " ") else { return Budget.refusal(words) }
        return EngineError(.stopRuleMet, .init("watching the training"), detail: words)
    }
}

extension CostBook {
    /// The total hourly price of everything that still costs money.
    package var dollarsPerHour: Double {
        self.spans.filter { !$0.isOver }.sumOfDollars { $0.price.dollarsPerHour }
    }
}
