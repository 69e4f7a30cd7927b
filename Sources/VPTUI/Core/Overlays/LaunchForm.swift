import Foundation
import VPEngine

/// The form for renting: each requirement is a field, and the price is shown below.
public struct LaunchForm: Equatable, Sendable {
    public enum Field: String, CaseIterable, Hashable, Sendable {
        case gpu, count, platform, price, cost, disk, image, lease, name, spot, command
        /// Takes no text: Enter on it rents.
        case rent

        /// The field is a choice between a few words, changed by Space and the arrows.
        var isChoice: Bool { self == .platform || self == .spot || self == .rent }
    }

    public enum Quote: Equatable, Sendable {
        /// Requested at the next tick, so that typing a word sends one request.
        case due
        case asking
        /// The offers in the order in which they would be tried; `job` is the basis of the prices for a job.
        case known([Offer], job: JobEstimate, failures: [SourceFailure])
        case failed(EngineError)
    }

    public struct Problem: Error, Equatable, Sendable {
        public var field: Field
        public var sentence: String
    }

    public internal(set) var texts: [Field: TextField]
    public internal(set) var focused = Field.gpu
    /// nil to ask all platforms.
    public internal(set) var platform: Platform?
    public internal(set) var isSpot = false
    /// The chosen offer, until a field that describes it changes.
    public internal(set) var offer: Offer?
    /// An offer was chosen, and a field that describes it has been changed since.
    private(set) var hasLostOffer = false
    public internal(set) var quote = Quote.asking
    /// The number of the price request; the answer to an older one is about something else.
    var generation = 0
    public internal(set) var problem: Problem?
    /// Bounds for which the form has no field.
    private let base: OfferQuery
    /// The lease if the form specifies none.
    let terms: LeaseTerms
    public var openedAt: Date

    public init(query: OfferQuery, offer: Offer?, settings: Settings, openedAt: Date) {
        self.base = query
        self.offer = offer
        self.openedAt = openedAt
        self.platform = offer?.platform ?? settings.defaults.platform
        self.isSpot = offer?.isInterruptible ?? query.isInterruptible
        // The price limit of the offer list also applies to an offer chosen from it.
        let isSettled = offer != nil && query.maximumPrice == settings.defaults.maximumPrice
        let price = isSettled ? nil : query.maximumPrice.map { Format.short($0.dollarsPerHour) }
        self.texts = [
            .gpu: TextField(offer?.gpuName ?? query.gpu ?? ""),
            .count: TextField(String(offer?.gpuCount ?? query.gpuCount)),
            .price: TextField(price ?? ""), .cost: TextField(),
            .disk: TextField(Format.short(Double(query.diskBytes) / 1e9)),
            .image: TextField(settings.defaults.image), .lease: TextField(),
            .name: TextField(), .command: TextField(),
        ]
        self.terms = settings.leaseTerms
    }

    /// The bounds that come from the query of the offers and have no field here: `>24G rel>0.98`.
    var unseenBounds: String {
        var query = self.base
        (query.gpu, query.gpuCount, query.maximumPrice) = (nil, 1, nil)
        (query.diskBytes, query.isInterruptible) = (OfferQuery().diskBytes, false)
        // The image has a field, and needs this version by its name.
        if query.minimumCUDA == ImageCUDA.version(of: self.text(.image)) { query.minimumCUDA = nil }
        return OfferQueryText.text(query)
    }

    public func text(_ field: Field) -> String {
        (self.texts[field]?.text ?? "").trimmingCharacters(in: .whitespaces)
    }

    mutating func set(_ field: Field, _ text: String) {
        self.texts[field] = TextField(text)
    }

    /// Handles a change of the focused field.
    mutating func edited() {
        self.problem = nil
        switch self.focused {
        case .gpu, .count, .platform, .price, .spot: self.wantsAnotherOffer()
        case .disk: if self.offer == nil { self.wantsAnotherOffer() }
        case .cost, .image, .lease, .name, .command, .rent: break
        }
    }

    /// The requirements no longer describe the chosen offer, so any known or pending price is void.
    mutating func wantsAnotherOffer() {
        if self.offer != nil { self.hasLostOffer = true }
        self.offer = nil
        self.quote = .due
    }

    /// Returns the query that the fields describe.
    public func query() throws(Problem) -> OfferQuery {
        var query = self.base
        query.gpu = self.text(.gpu).isEmpty ? nil : self.text(.gpu)
        query.gpuCount = Int(try self.number(.count, in: 1...64))
        query.diskBytes = Int64(try self.number(.disk, in: 1...100_000) * 1e9)
        query.maximumPrice =
            self.text(.price).isEmpty
            ? nil : HourlyPrice(dollarsPerHour: try self.number(.price, in: 0.001...10_000))
        query.isInterruptible = self.isSpot
        return query
    }

    public func request() throws(Problem) -> CreateRequest {
        let image = self.text(.image)
        if !image.isEmpty, image != StockImage.auto, let problem = ImageName.problem(image) {
            throw Problem(field: .image, sentence: "image: \(problem)")
        }
        return CreateRequest(
            offer: self.offer?.id, query: try self.query(), platform: self.offer?.platform ?? self.platform,
            image: self.text(.image).isEmpty ? nil : self.text(.image),
            name: self.text(.name).isEmpty ? nil : self.text(.name), lease: try self.lease(),
            maximumCost: try self.maximumCost())
    }

    /// The most dollars that the rental may cost in total; nil for no limit.
    public func maximumCost() throws(Problem) -> Double? {
        self.text(.cost).isEmpty ? nil : try self.number(.cost, in: 0.001...1_000_000)
    }

    /// Parses `4h`, `2d` or `none`; returns nil for the configured lease.
    private func lease() throws(Problem) -> LeaseTerms? {
        let text = self.text(.lease).lowercased()
        guard !text.isEmpty else { return nil }
        var terms = self.terms
        guard text != "none" else {
            terms.seconds = nil
            return terms
        }
        do {
            terms.seconds = try TimeSpan.seconds(text)
        } catch {
            throw Problem(field: .lease, sentence: "lease: \(error.sentence), or none")
        }
        return terms
    }

    private func number(_ field: Field, in range: ClosedRange<Double>) throws(Problem) -> Double {
        let text = self.text(field).drop { $0 == "$" }
        guard let value = Double(text), range.contains(value) else {
            throw Problem(
                field: field,
                sentence: "\(field.rawValue): a number from \(Format.short(range.lowerBound)) to "
                    + Format.short(range.upperBound))
        }
        return value
    }

    /// Completions for the focused field, best first.
    func completions(_ state: State) -> [String] {
        let typed = self.text(self.focused)
        let all: [String] =
            switch self.focused {
            case .gpu: Self.unique(state.offers.rows.map(\.gpuName)) + GPUName.table.map(\.name)
            case .image:
                Self.unique([state.settings.defaults.image] + state.instances.rows.compactMap(\.image))
                    + [
                        StockImage.auto, "pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime",
                        "nvidia/cuda:12.8.1-devel-ubuntu22.04", "ubuntu:22.04",
                    ]
            case .command: state.commandHistory
            case .disk: ["20", "40", "80", "160", "320"]
            case .count: ["1", "2", "4", "8"]
            case .lease: ["2h", "12h", "1d", "3d", "none"]
            case .platform, .price, .cost, .name, .spot, .rent: []
            }
        let known = Self.unique(all)
        guard !typed.isEmpty else { return Array(known.prefix(8)) }
        // `RTX 4090` is whole: the arrow must not turn it into an `RTX 4090D`.
        guard !known.contains(typed) else { return [] }
        let scored = known.enumerated().compactMap { place, text in
            FuzzyMatch.score(typed, in: text).map { (score: $0, place: place, text: text) }
        }
        let best = scored.sorted { ($1.score, $0.place) < ($0.score, $1.place) }.map(\.text)
        return best.prefix(8).filter { $0 != typed }
    }

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }
}
