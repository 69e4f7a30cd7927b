import Foundation
import VPEngine

enum OffersScreen {
    static func pane(_ state: State, area: Rect) -> ListPane<Offer> {
        let list = state.offers
        let image = state.settings.defaults.image
        return ListPane(
            pane: .offers, area: area, list: list,
            table: TableView(columns: Self.columns, isFocused: state.focus == .offers),
            subtitle: Self.subtitle(state), banner: state.banner(of: .offers),
            emptyLines: Self.emptyLines(state),
            isStale: { state.isStale($0.platform, list.fetchedAt, State.quietOffersInterval) },
            spans: { Self.spans($0, image: image) })
    }

    private static let columns = [
        Column(title: "", minimum: 4, maximum: 4, priority: 4),
        Column(title: "gpu", minimum: 8, maximum: 22, grows: true),
        Column(title: "mem", minimum: 4, maximum: 4, isRightAligned: true, priority: 2),
        Column(title: "$/h", minimum: 6, maximum: 7, isRightAligned: true),
        Column(title: "rel", minimum: 4, maximum: 5, isRightAligned: true, priority: 3),
        Column(title: "where", minimum: 13, maximum: 18, priority: 1),
        Column(title: "down", minimum: 5, maximum: 6, isRightAligned: true, priority: 5),
        Column(title: "cuda", minimum: 4, maximum: 4, isRightAligned: true, priority: 6),
        Column(title: "id", minimum: 6, maximum: 12, isRightAligned: true, priority: 7),
    ]

    /// Whether the project's image can run there. Of an offer that has none of ours either, nobody can make use.
    private static func isUnfit(_ offer: Offer, image: String) -> Bool {
        guard image != StockImage.auto else {
            return StockImage.best(
                on: offer.id.platform, gpu: offer.gpuName, driverCUDA: offer.cudaVersion) == nil
        }
        return ImageFit.problem(image: image, gpu: offer.gpuName, driverCUDA: offer.cudaVersion) != nil
    }

    private static func spans(_ offer: Offer, image: String) -> [[Span]] {
        let isUnfit = Self.isUnfit(offer, image: image)
        let platform = StatusWords.platform(offer.platform)
        let reliability = offer.reliability ?? 0
        let tone: Role = reliability >= 0.99 ? .good : reliability >= 0.95 ? .plain : .warning
        return [
            [Span(platform.text, platform.role)],
            [
                Span(InstancesScreen.gpu(offer.gpuName, offer.gpuCount), isUnfit ? .muted : .plain),
                Span(isUnfit ? " not for image" : "", .warning),
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

    /// `.998`, and `1.00` for one that has never been down.
    private static func reliability(_ value: Double) -> String {
        let text = Format.fixed(value, 3)
        return text.hasPrefix("0") ? String(text.dropFirst()) : "1.00"
    }

    /// Some hosts name no region, only the country.
    private static func place(_ location: String?) -> String {
        let parts = (location ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let text = parts.filter { !$0.isEmpty }.joined(separator: ", ")
        return text.isEmpty ? "–" : text
    }

    private static func speed(_ mbps: Double) -> String {
        mbps >= 1000 ? Format.fixed(mbps / 1000, 1) + "Gb" : Format.fixed(mbps, 0) + "Mb"
    }

    private static func subtitle(_ state: State) -> String {
        var text = state.market.queryText.isEmpty ? "any GPU" : state.market.queryText
        if !state.offers.rows.isEmpty { text += " · \(state.offers.rows.count)" }
        return text
    }

    private static func emptyLines(_ state: State) -> [String] {
        guard !state.settings.platforms.isEmpty else { return [""] }
        if state.market.error != nil { return ["No offers.", "e edits the query, Ctrl-r asks again."] }
        if state.offers.fetchedAt == nil { return ["Asking for offers…"] }
        return ["No offer fits the query.", "e edits it: fewer words find more."]
    }
}
