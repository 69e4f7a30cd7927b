import Foundation
import Synchronization
import VPEngine

enum OffersScreen {
    static func pane(_ state: State, area: Rect) -> ListPane<Offer> {
        let list = state.offers
        return ListPane(
            pane: .offers, area: area, list: list,
            table: TableView(columns: Self.columns, isFocused: state.focus == .offers),
            subtitle: Self.subtitle(state), banner: state.banner(of: .offers),
            emptyLines: Self.emptyLines(state),
            // Rows beside an error are those of an earlier query.
            isStale: {
                state.market.error != nil
                    || state.isStale($0.platform, list.fetchedAt, State.quietOffersInterval)
            }, spans: { Self.spans($0, Self.problem($0, state)) })
    }

    private static let columns = [
        Column(title: "", minimum: 4, maximum: 4, isWhole: true),
        Column(title: "gpu", minimum: 8, maximum: 22, order: "gpu", grows: true),
        Column(title: "vram", minimum: 4, maximum: 4, isRightAligned: true, order: "memory", priority: 2),
        Column(title: "$/h", minimum: 6, maximum: 7, isRightAligned: true, order: "price"),
        Column(title: "rel", minimum: 6, maximum: 6, isRightAligned: true, order: "reliability", priority: 3),
        Column(title: "where", minimum: 13, maximum: 18, order: "location", priority: 4),
        Column(title: "down", minimum: 8, maximum: 8, isRightAligned: true, order: "download", priority: 5),
        Column(title: "cuda", minimum: 4, maximum: 4, isRightAligned: true, priority: 6),
        Column(title: "id", minimum: 6, maximum: 30, isRightAligned: true, isWhole: true),
    ]

    /// The properties that decide whether an image can run on an offer.
    private struct Fit: Hashable {
        var platform: Platform
        var gpu: String
        var driver: Double?
        var image: String
    }

    /// Cached, because reading the names of GPU and image took half of each frame; there are
    /// few different ones.
    private static let unfit = Mutex<[Fit: Bool]>([:])

    /// `true` if the project's image cannot run on the offer.
    private static func isUnfit(_ offer: Offer, image: String) -> Bool {
        let fit = Fit(
            platform: offer.id.platform, gpu: offer.gpuName, driver: offer.cudaVersion, image: image)
        if let known = Self.unfit.withLock({ $0[fit] }) { return known }
        let isUnfit =
            image == StockImage.auto
            ? StockImage.best(on: fit.platform, gpu: fit.gpu, driverCUDA: fit.driver) == nil
            : ImageFit.problem(image: image, gpu: fit.gpu, driverCUDA: fit.driver) != nil
        Self.unfit.withLock { known in
            // Names come from outside, so their number is limited.
            if known.count >= 4096 { known.removeAll() }
            known[fit] = isUnfit
        }
        return isUnfit
    }

    /// Returns why the offer cannot be rented as things are, in the fewest words; nil if it can.
    private static func problem(_ offer: Offer, _ state: State) -> String? {
        if state.money.limits.objection(to: offer) != nil { return "not allowed" }
        return Self.isUnfit(offer, image: state.settings.defaults.image) ? "not for image" : nil
    }

    private static func spans(_ offer: Offer, _ problem: String?) -> [[Span]] {
        let platform = StatusWords.platform(offer.platform)
        let reliability = offer.reliability ?? 0
        let tone: Role = reliability >= 0.99 ? .good : reliability >= 0.95 ? .plain : .warning
        return [
            [Span(platform.text, platform.role)],
            [
                Span(InstancesScreen.gpu(offer.gpuName, offer.gpuCount), problem == nil ? .plain : .muted),
                Span(problem.map { " \($0)" } ?? "", .warning),
                Span(offer.isInterruptible ? " spot" : "", .warning),
            ],
            [Span(Format.memory(offer.gpuMemoryBytes, of: offer.gpuName))],
            [Span(Format.fixed(offer.price.dollarsPerHour, 3), .money)],
            [
                Span(
                    offer.reliability.map { Self.reliability($0) } ?? "–",
                    offer.reliability == nil ? .muted : tone)
            ],
            [Span(Self.place(offer.location), .muted)],
            [Span(offer.downloadMbps.map { Self.speed($0) } ?? "–", .muted)],
            [Span(offer.cudaVersion.map { Format.fixed($0, 1) } ?? "–", .muted)],
            [Span(offer.id.rawValue, .muted)],
        ]
    }

    /// Formats a reliability as `95.5 %`. Only a machine that has never been down gets 100 %.
    private static func reliability(_ value: Double) -> String {
        value >= 1 ? "100 %" : Format.fixed(min(99.9, value * 100), 1) + " %"
    }

    /// Some hosts name no region, only the country.
    private static func place(_ location: String?) -> String {
        let parts = (location ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let text = parts.filter { !$0.isEmpty }.joined(separator: ", ")
        return text.isEmpty ? "–" : text
    }

    private static func speed(_ mbps: Double) -> String {
        mbps >= 1000 ? Format.fixed(mbps / 1000, 1) + " Gb/s" : Format.fixed(mbps, 0) + " Mb/s"
    }

    /// Returns the subtitle of the single line that is left while something is rented: the cheapest offer,
    /// and the age of the list.
    private static func foldedSubtitle(_ state: State) -> String {
        // A filter is a search as well: the line is about what the list would show.
        let rows = state.offers.shown(from: 0, count: state.offers.shownCount)
        guard let cheapest = rows.min(by: { $0.price.dollarsPerHour < $1.price.dollarsPerHour }) else {
            let reasons = state.reasonsForNoOffers
            guard state.offers.fetchedAt != nil else { return "" }
            return "· " + (reasons.isEmpty ? "none fits the query" : reasons.joined(separator: " · "))
        }
        let gpu = InstancesScreen.gpu(cheapest.gpuName, cheapest.gpuCount)
        var text = "· cheapest \(gpu) $\(Format.fixed(cheapest.price.dollarsPerHour, 3))"
        if state.isStale(cheapest.platform, state.offers.fetchedAt, State.quietOffersInterval),
            let date = state.offers.fetchedAt
        {
            text += " · as of \(Format.timeOfDay(date, offset: state.settings.secondsFromGMT))"
        }
        let isFiltered = rows.count < state.offers.rows.count
        text += " · \(Format.count(rows.count))"
        if isFiltered { text += " of \(Format.count(state.offers.rows.count))" }
        for reason in state.reasonsForNoOffers { text += " · \(reason)" }
        return text
    }

    private static func subtitle(_ state: State) -> String {
        if state.foldsOffers { return Self.foldedSubtitle(state) }
        var text = state.market.queryText.isEmpty ? "any GPU" : state.market.queryText
        if !state.offers.rows.isEmpty {
            text += " · \(state.offers.rows.count)" + (state.market.error == nil ? "" : " from before")
        }
        return text
    }

    private static func emptyLines(_ state: State) -> [String] {
        guard !state.settings.platforms.isEmpty else { return [""] }
        if state.market.error != nil { return ["No offers.", "e edits the query, Ctrl-r asks again."] }
        if state.offers.fetchedAt == nil { return ["Asking for offers…"] }
        let reasons = state.reasonsForNoOffers
        return (reasons.isEmpty ? ["No offer fits the query."] : reasons)
            + ["e edits \(reasons.isEmpty ? "it" : "the query"): fewer words find more."]
    }
}
