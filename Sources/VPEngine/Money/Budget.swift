import Foundation

/// What may be spent. Refuses what would be too much, and watches what is being spent.
struct Budget {
    let context: EngineContext

    /// A rental that a limit ends before this many seconds is not worth its boot.
    private static let shortest = 900.0

    /// Throws `.limitRefused` where renting at `price` is against one of the user's limits, else returns the
    /// lease, cut to what `maximumCost` buys.
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
            // So that it holds when nobody is there to watch.
            lease.maximumSeconds = min(lease.maximumSeconds ?? .infinity, seconds)
            lease.seconds = min(lease.seconds ?? .infinity, seconds)
        }
        return lease
    }

    /// Throws `.limitRefused` where an hour at `price`, beside what runs already,
    /// is more than the day has left.
    func admit(_ price: HourlyPrice) throws(EngineError) {
        guard let (limit, origin) = self.context.configuration.dayLimit else { return }
        let now = self.context.now()
        let midnight = UTCDay.midnight(now)
        let book = try CostBook(self.context, since: midnight)
        let spent = book.total(from: midnight, to: now).dollars
        let hourly = book.dollarsPerHour + price.dollarsPerHour
        guard spent + hourly > limit else { return }
        throw Self.refusal(
            "\(Figures.dollars(spent)) are spent today and the next hour would cost "
                + "\(Figures.dollars(hourly)), of \(Figures.dollars(limit)) a day (\(origin))")
    }

    static func refusal(_ words: String) -> EngineError {
        EngineError(.limitRefused, .init("keeping to the budget"), detail: words)
    }

    private static func hourly(_ price: HourlyPrice) -> String {
        Figures.dollars(price.dollarsPerHour, 3) + "/h"
    }

    /// How long a run may take that may cost `dollars`, in whole seconds, upwards;
    /// nil for as long as it likes.
    static func seconds(_ dollars: Double?, at price: HourlyPrice) -> Int? {
        guard let dollars, price.dollarsPerHour > 0 else { return nil }
        return Int(saturating: min(1e9, (dollars / price.dollarsPerHour * 3600).rounded(.up)))
    }

    /// Follows `job` by `body`, and ends it by `end` where the day's limit is reached meanwhile.
    /// To the run's own limit the instance keeps by itself, so that it holds when nobody follows.
    func keeping(
        _ job: Job, _ report: @escaping @Sendable (EngineEvent) -> Void,
        endingBy end: @escaping @Sendable () async -> Void,
        _ body: () async throws(EngineError) -> Job
    ) async throws(EngineError) -> Job {
        let watching = Task {
            guard let words = await self.watch(job, warn: { report(.alarm($0)) }) else { return }
            // Before it is ended, because whoever sees the end first writes down why.
            _ = try? self.context.store.change(job.id) { $0.record?.limitReached = words }
            await end()
        }
        defer { watching.cancel() }
        return try await body()
    }

    /// Watches what `job` costs until it is cancelled. Warns at four fifths of a limit,
    /// and says so when that of the day is reached.
    private func watch(_ job: Job, warn: @Sendable (Alarm) -> Void) async -> String? {
        let maximumCost = job.record?.maximumCost
        let price = HourlyPrice(dollarsPerHour: job.record?.hardware?.dollarsPerHour ?? 0)
        let daily = self.context.configuration.dayLimit
        guard maximumCost != nil || daily != nil, price.dollarsPerHour > 0 else { return nil }
        let start = job.startedAt ?? self.context.now()
        var warned: Set<String> = []
        while !Task.isCancelled {
            let now = self.context.now()
            // Seconds to the next moment at which something is to be said or done.
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
                    warn(
                        Alarm(
                            .budget, job.instance,
                            "\(Figures.dollars(spent, 4)) of the \(Figures.dollars(limit, 4)) "
                                + "\(name) are spent"))
                }
                let threshold = spent >= limit * 0.8 ? limit : limit * 0.8
                if spent < limit { next = min(next, (threshold - spent) / rate * 3600) }
            }
            guard (try? await Task.sleep(for: .seconds(max(0.05, next)))) != nil else { return nil }
        }
        return nil
    }

    private static let ofTheRun = "of this run (--max-cost)"
    private static func ofTheDay(_ origin: String) -> String { "of the day (\(origin))" }

    /// What is said of a run whose own limit is reached.
    static func words(ofTheRun limit: Double?) -> String {
        limit.map { self.words($0, self.ofTheRun) } ?? "the limit \(self.ofTheRun) is reached"
    }

    private static func words(_ limit: Double, _ name: String) -> String {
        "the \(Figures.dollars(limit, 4)) \(name) are spent"
    }
}

extension Job {
    /// The limit that ended it.
    public var limitRefusal: EngineError? { self.record?.limitReached.map(Budget.refusal) }
}

extension CostBook {
    /// What goes on being charged now.
    package var dollarsPerHour: Double {
        self.spans.filter { !$0.isOver }.sumOfDollars { $0.price.dollarsPerHour }
    }
}
