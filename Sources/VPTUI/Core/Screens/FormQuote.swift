import Foundation
import VPEngine

/// The offer that the launch form would rent, and its effect on the account that pays: the most important
/// line first, always the same number of lines.
enum FormQuote {
    static let height = 7

    static func lines(_ form: LaunchForm, _ state: State) -> [[Span]] {
        var lines: [[Span]]
        switch form.quote {
        case .due where form.problem != nil: lines = []
        case .due, .asking: lines = [[Span("Asking for prices…", .muted)]]
        case .failed(let error):
            let words = ErrorWords(error)
            lines = [[Span("⚠ \(words.title)", .bad)], [Span(words.detail ?? words.advice, .muted)]]
        case .known(let offers, let job, let failures):
            if let offer = offers.first {
                lines = [
                    Self.head(offer), Self.choice(offers, form), Self.account(offer, state),
                    Self.limits(offer, form, state), Self.lease(offer, form, state),
                    Self.image(form.text(.image), on: offer, state),
                    Self.jobPrice(offer, job),
                ]
            } else {
                lines = Self.nothing(form)
            }
            if let failure = failures.first {
                lines.insert([Span("⚠ \(ErrorWords.brief(failure))", .bad)], at: min(2, lines.count))
            }
        }
        while lines.count < Self.height { lines.append([]) }
        return Array(lines.prefix(Self.height))
    }

    private static func nothing(_ form: LaunchForm) -> [[Span]] {
        let bounds = form.unseenBounds
        var lines = [
            [Span("Nothing that fits is for rent now.", .warning)],
            [Span("Ask for another GPU, or leave the price open.", .muted)],
        ]
        if !bounds.isEmpty { lines.append([Span("The query in Offers asks for \(bounds) as well.", .muted)]) }
        return lines
    }

    private static func head(_ offer: Offer) -> [Span] {
        let platform = StatusWords.platform(offer.platform)
        return [
            Span("\(platform.text) ", platform.role),
            Span(InstancesScreen.gpu(offer.gpuName, offer.gpuCount), .accent, .bold),
            Span("  \(Format.memory(offer.gpuMemoryBytes, of: offer.gpuName))  "),
            Span(Format.hourly(offer.price), .money, .bold),
            Span("  \(Format.dollars(offer.price.dollarsPerDay)) a day", .money),
            Span(offer.location.map { "  \($0)" } ?? "", .muted),
        ]
    }

    private static func choice(_ offers: [Offer], _ form: LaunchForm) -> [Span] {
        guard form.offer == nil else {
            return [Span("only this offer; if it is taken, nothing is rented", .muted)]
        }
        let bounds = form.unseenBounds
        let fitting = bounds.isEmpty ? "" : " with \(bounds)"
        var line = [
            Span("the cheapest of \(offers.count)\(fitting); if it is taken, the next is rented", .muted)
        ]
        if form.hasLostOffer { line.insert(Span("no longer the chosen one: ", .warning), at: 0) }
        return line
    }

    /// Returns the credit of the account that pays; another platform's credit does not help here.
    static func account(_ offer: Offer, _ state: State) -> [Span] {
        let name = offer.platform.displayName
        guard let balance = state.money.balances.first(where: { $0.platform == offer.platform }) else {
            return Self.line("account", [Span("\(name); its balance is not known", .warning)])
        }
        let rate =
            state.instances.rows.filter { $0.platform == offer.platform }
            .reduce(0) { $0 + $1.price.dollarsPerHour }
        let hourly = offer.price.dollarsPerHour + rate
        var spans = [
            Span("\(name) has "), Span(Format.dollars(balance.dollars), balance.dollars < 1 ? .bad : .money),
        ]
        if let hours = MoneyReport.hours(balance, at: hourly) {
            let rest = rate > 0 ? ", with what runs there" : ""
            spans.append(
                Span(" for \(Self.hours(hours))\(rest)", hours < 1 ? .bad : hours < 12 ? .warning : .muted))
        }
        return Self.line("account", spans)
    }

    private static func hours(_ hours: Double) -> String {
        hours < 1 ? "\(Int(saturating: hours * 60)) min" : "\(Format.fixed(hours.rounded(.down), 0)) h"
    }

    private static func limits(_ offer: Offer, _ form: LaunchForm, _ state: State) -> [Span] {
        var parts: [[Span]] = []
        if let cost = Self.maximumCost(form, state) {
            let rate = offer.price.dollarsPerHour
            let age = rate > 0 ? " buys \(TimeSpan.brief(cost / rate * 3600))" : ""
            parts.append([Span("\(Format.dollars(cost))\(age)", .money)])
        }
        let query = (try? form.query()) ?? OfferQuery()
        if let limit = state.priceLimit(query) {
            let origin = limit.price == query.maximumPrice ? "" : ", \(limit.origin)"
            parts.append([Span("at most \(Format.hourly(limit.price))\(origin)")])
        }
        let report = state.moneyReport
        if let day = report.dollarsPerDay {
            let left = max(0, day - report.spentToday)
            parts.append([
                Span("today has "), Span(Format.dollars(left), left <= 0 ? .bad : .money),
                Span(" of \(Format.dollars(day)) left"),
            ])
        }
        guard !parts.isEmpty else {
            return Self.line("limits", [Span("none: only the lease ends it", .warning)])
        }
        return Self.line("limits", Array(parts.joined(separator: [Span(" · ", .muted)])))
    }

    /// Returns the time at which the lease ends, and the most that the rental costs by then.
    private static func lease(_ offer: Offer, _ form: LaunchForm, _ state: State) -> [Span] {
        guard let terms = try? form.request().lease ?? form.terms else { return [] }
        return Self.lease(terms, maximumCost: Self.maximumCost(form, state), offer.price)
    }

    /// Returns the highest cost of the rental in dollars: the typed one, or the lower cap.
    private static func maximumCost(_ form: LaunchForm, _ state: State) -> Double? {
        let request = CreateRequest(maximumCost: (try? form.maximumCost()) ?? nil)
        return state.tightened(request).maximumCost
    }

    /// Returns when an instance of this price ends by itself, and what it has cost by then at most.
    static func lease(_ terms: LeaseTerms, maximumCost: Double?, _ price: HourlyPrice) -> [Span] {
        guard let seconds = terms.seconds else {
            return Self.line("lease", [Span("none: it costs until you destroy it", .bad)])
        }
        let ending = terms.ending == .destroy ? "destroyed" : "stopped"
        // The engine cuts the lease to what the limit of cost buys.
        let rate = price.dollarsPerHour
        let bought = rate > 0 ? maximumCost.map { $0 / rate * 3600 } : nil
        let hard = [bought, terms.maximumSeconds].compactMap(\.self).min()
        func cost(_ seconds: Double) -> Span { Span(Format.dollars(price.cost(of: seconds)), .money) }
        if let hard, hard <= seconds {
            let end = [Span("\(ending) after \(TimeSpan.brief(hard)) in any case ("), cost(hard), Span(")")]
            return Self.line("lease", end)
        }
        let end = [Span("\(ending) after \(TimeSpan.text(seconds)) unused ("), cost(seconds), Span(")")]
        return Self.line(
            "lease", end + (hard.map { [Span(", after \(TimeSpan.rough($0)) in any case", .muted)] } ?? []))
    }

    /// Returns the image that an offer will run, or the reason why it cannot run there.
    /// An empty `typed` means the image of the settings.
    static func image(_ typed: String, on offer: Offer, _ state: State) -> [Span] {
        let image = typed.isEmpty ? state.settings.defaults.image : typed
        let gpu = offer.gpuName
        guard image != StockImage.auto else {
            guard
                let best = StockImage.best(
                    on: offer.platform, gpu: gpu, driverCUDA: offer.cudaVersion)
            else { return Self.line("image", [Span("⚠ no image that vp knows runs on \(gpu)", .bad)]) }
            return Self.line("image", [Span("✓ ", .good), Span(best)])
        }
        if let problem = ImageFit.problem(image: image, gpu: gpu, driverCUDA: offer.cudaVersion) {
            return Self.line("image", [Span("⚠ \(problem)", .bad)])
        }
        guard ImageCUDA.version(of: image) != nil else {
            return Self.line("image", [Span("its name does not say whether it runs on \(gpu)", .muted)])
        }
        let driver = offer.cudaVersion.map { ", whose driver has CUDA \(Format.fixed($0, 1))" } ?? ""
        return Self.line("image", [Span("✓ ", .good), Span("runs on \(gpu)\(driver)", .plain)])
    }

    private static func jobPrice(_ offer: Offer, _ job: JobEstimate) -> [Span] {
        let hours = job.hours == 1 ? "an hour" : "\(Format.short(job.hours)) h"
        return Self.line(
            "price",
            [
                Span(Format.dollars(offer.dollars(for: job)), .money),
                Span(" for \(hours) with this project's files", .muted),
            ])
    }

    private static func line(_ name: String, _ spans: [Span]) -> [Span] {
        [Span(name + String(repeating: " ", count: max(1, 9 - name.count)), .muted)] + spans
    }
}
