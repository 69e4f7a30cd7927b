import Testing
import VPEngine
import VPTUICore

/// Why a platform shows no offer is said where its rows would stand.
@Suite struct AbsentPlatformTests {
    private static func state(
        _ values: [Offer], dearer: [Platform: Int] = [:], limit: Double? = 0.4,
        failures: [PlatformAnswers<Offer>.Failure] = []
    ) -> State {
        var state = Samples.empty()
        _ = state.begin()
        state.market.query.maximumPrice = limit.map { HourlyPrice(dollarsPerHour: $0) }
        return Self.answered(state, values, dearer, failures)
    }

    private static func answered(
        _ state: State, _ values: [Offer], _ dearer: [Platform: Int],
        _ failures: [PlatformAnswers<Offer>.Failure] = []
    ) -> State {
        var state = state
        var answers = PlatformAnswers(values: values, failures: failures, fetchedAt: Samples.now)
        answers.dearer = dearer
        _ = update(&state, .answered(.offersLoaded(.success(answers), generation: state.market.generation)))
        return state
    }

    private static let vast = Samples.offers
    private static let pods = Samples.offers.prefix(1).map { offer in
        var pod = offer
        pod.id = OfferID(platform: .runpod, rawValue: "NVIDIA GeForce RTX 4090")
        return pod
    }

    @Test(arguments: [(200, 50), (120, 40), (80, 24)]) func theReasonStandsAboveTheRows(
        _ width: Int, _ height: Int
    ) {
        var state = Self.state(Self.vast, dearer: [.runpod: 12])
        _ = update(&state, .resized(Size(width: width, height: height)))
        state.focus = .offers
        let text = screenText(view(state))
        #expect(text.contains("RunPod: 12, all dearer than $0.40"), "\(text)")
        // It is no trouble.
        #expect(!text.contains("⚠ RunPod: 12"))
    }

    @Test(arguments: [
        (0.355, 12, "RunPod: 12, all dearer than $0.355"), (3, 1, "RunPod: 1, dearer than $3.00"),
        (0.6, 1234, "RunPod: 1 234, all dearer than $0.60"),
    ]) func theLimitIsAsItWasTyped(_ limit: Double, _ count: Int, _ words: String) {
        #expect(
            screenText(view(Self.state(Self.vast, dearer: [.runpod: count], limit: limit))).contains(words))
    }

    /// With something rented the market is one line.
    @Test func theFoldedLineSaysItToo() {
        var state = Self.state(Self.vast, dearer: [.runpod: 12])
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        _ = update(&state, .resized(Size(width: 200, height: 50)))
        #expect(screenText(view(state)).contains("RunPod: 12, all dearer than $0.40"))
        state = Self.answered(state, [], [.vast: 64, .runpod: 12])
        #expect(screenText(view(state)).contains("2 Offers · vast.ai: 64, all dearer than $0.40"))
    }

    /// "RunPod: …" would say that something is wrong there.
    @Test func aReasonWithoutRoomIsLeftOutWhole() {
        var state = Self.state(Self.vast, dearer: [.runpod: 12])
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        var shown: Set<Bool> = []
        for width in 60...200 {
            _ = update(&state, .resized(Size(width: width, height: 40)))
            let text = screenText(view(state))
            let isWhole = text.contains("RunPod: 12, all dearer than $0.40")
            #expect(isWhole == text.contains("RunPod: 12"), "\(width): \(text)")
            #expect(!text.contains("RunPod: …") && text.contains("2 Offers · cheapest "), "\(width): \(text)")
            shown.insert(isWhole)
        }
        #expect(shown.count == 2)
    }

    @Test func eachPlatformHasItsOwnReason() {
        let none = screenText(view(Self.state([], dearer: [.vast: 64, .runpod: 12])))
        #expect(none.contains("vast.ai: 64, all dearer than $0.40"))
        #expect(none.contains("RunPod: 12, all dearer than $0.40"))
        // Without dearer offers, no price would help.
        #expect(screenText(view(Self.state([]))).contains("No offer fits the query."))
        // A platform that fails is a trouble, and one with rows needs no reason.
        let failure = PlatformAnswers<Offer>.Failure(
            platform: .runpod, error: EngineError(.platformFailed, .init("searching", platform: .runpod)))
        let before = Self.state(Self.vast, dearer: [.runpod: 12])
        let failed = screenText(view(Self.answered(before, Self.vast, [:], [failure])))
        #expect(failed.contains("⚠ ") && !failed.contains("dearer"))
        let both = screenText(view(Self.state(Self.vast + Self.pods)))
        #expect(!both.contains("dearer"))
    }

    /// A refresh does not count dearer offers of vast.ai again, whose searches are limited.
    @Test func theReasonLastsAsLongAsTheQuery() {
        var state = Self.state(Self.pods, dearer: [.vast: 64])
        state = Self.answered(state, Self.pods, [:])
        #expect(screenText(view(state)).contains("vast.ai: 64, all dearer"))
        let came = Self.answered(state, Self.vast + Self.pods, [:])
        #expect(!screenText(view(came)).contains("dearer"))
        press(&state, .character("2"), .character("e"), .control("u"))
        _ = type(&state, "<0.5")
        press(&state, .enter)
        #expect(!screenText(view(state)).contains("dearer"))
    }

    @Test func aReaderOfLinesHearsIt() {
        var state = Self.state(Self.vast, dearer: [.runpod: 12])
        let (_, output) = state.plainLine("offers", at: Samples.now)
        #expect(output.last == "RunPod: 12, all dearer than $0.40")
    }
}
