import Foundation
import Testing
import VPEngine
import VPTUICore

/// The caps of `limits.yaml` are on the screen before something is confirmed, not in the error afterwards.
@Suite struct CapTests {
    private static let file = "/home/me/.config/variousplug/limits.yaml"

    /// Offers, under caps: a price of 0.25 dollars an hour, 1 dollar a rental.
    private func state(_ offers: [Offer], _ change: (inout Limits) -> Void = { _ in }) -> State {
        var state = Samples.empty()
        state.settings.defaults.maximumPrice = HourlyPrice(dollarsPerHour: 0.6)
        _ = update(&state, .resized(Size(width: 160, height: 50)))
        _ = state.begin()
        var limits = Limits()
        limits.maximumPrice = .init(value: 0.25, file: Self.file)
        limits.maximumCost = .init(value: 1, file: Self.file)
        change(&limits)
        _ = update(&state, .answered(.moneyLoaded(.success(Samples.report([])), limits: limits)))
        _ = update(
            &state,
            .answered(.offersLoaded(.success(Samples.answers(offers)), generation: state.market.generation)))
        press(&state, .character("2"))
        return state
    }

    @Test func anOfferBeyondACapIsMarkedAndNotAskedAbout() {
        for (offer, change, words) in [
            (Samples.offer(1, "RTX 4090", 0.3), { _ in }, "max_price in \(Self.file) is $0.250/h"),
            (
                Samples.offer(1, "RTX 4090", 0.2),
                { $0.platforms = [.init(value: [.runpod], file: Self.file)] },
                "vast.ai is not among platforms"
            ),
            (
                Samples.offer(1, "RTX 4090", 0.2), { $0.gpus = [.init(value: ["A100"], file: Self.file)] },
                "RTX 4090 is not among gpus (A100)"
            ),
        ] as [(Offer, (inout Limits) -> Void, String)] {
            var state = self.state([offer], change)
            let list = screenText(view(state))
            #expect(list.contains("RTX 4090 not allowed"), "\(list)")
            #expect(!list.contains("Enter rents it, after asking"), "\(list)")
            #expect(!list.contains("Enter rent "), "\(list)")
            press(&state, .enter)
            #expect(state.overlay == nil)
            #expect(screenText(view(state)).contains("Not rented: "))
            #expect(state.toasts.contains { $0.text.contains(words) }, "\(state.toasts)")
        }
    }

    @Test func theQuestionNamesTheCapAndWhatItBuys() {
        var state = self.state([Samples.offer(1, "RTX 4090", 0.2)])
        #expect(!screenText(view(state)).contains("not allowed"))
        #expect(screenText(view(state)).contains("Enter rent "))
        press(&state, .enter)
        let text = screenText(view(state))
        #expect(text.contains("limit    $0.250/h, as limits.yaml says"), "\(text)")
        #expect(text.contains("destroyed after 5h00m in any case ($1.00)"), "\(text)")
    }

    @Test func theFormNamesTheCaps() {
        let offer = Samples.offer(1, "RTX 4090", 0.2)
        var state = self.state([offer])
        _ = state.execute(line: "create")
        _ = update(
            &state,
            .answered(.quoted(.success(Samples.answers([offer])), job: JobEstimate(), generation: 1)))
        let text = screenText(view(state))
        #expect(text.contains("0.25, as limits.yaml says"), "\(text)")
        #expect(text.contains("1, as limits.yaml says"), "\(text)")
        #expect(text.contains("limits   $1.00 buys 5h00m · at most $0.250/h, as limits.yaml says"), "\(text)")
    }
}
