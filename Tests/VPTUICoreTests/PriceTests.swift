import Foundation
import Testing
import VPEngine
import VPTUICore

/// Whatever costs something says what, before it is confirmed.
@Suite struct PriceTests {
    private static func text(_ state: State) -> String { screenText(view(state)) }

    @Test func stoppingSaysWhatADayOfTheDiskCosts() {
        var state = Samples.fleet()
        press(&state, .character("x"))
        // 40 GB at the 0.15 dollars a GB and month that the offers there have.
        #expect(Self.text(state).contains("its disk of 40 GB still costs about $0.20 a day"))
        press(&state, .escape)
        state.instances.select(Samples.pod.id)
        press(&state, .character("x"))
        // A volume of RunPod costs twice its 0.10 while the pod is stopped.
        #expect(Self.text(state).contains("its disk of 40 GB still costs about $0.27 a day"))
    }

    @Test func withoutAnyPriceNothingIsMadeUp() {
        var state = Samples.fleet()
        _ = update(
            &state,
            .answered(.offersLoaded(.success(Samples.answers([])), generation: state.market.generation)))
        press(&state, .character("x"))
        #expect(Self.text(state).contains("still costs money"))
    }

    @Test func startingSaysWhatAnHourCosts() {
        var state = Samples.fleet()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.parked]))))
        var job = Samples.job("old-1", .succeeded, on: Samples.parked.id)
        job.record = JobRecord()
        var running = Samples.parked
        running.price = HourlyPrice(dollarsPerHour: 0.182)
        job.record?.hardware = .init(running)
        state.instances.select(Samples.parked.id)
        press(&state, .character("x"))
        #expect(Self.text(state).contains("its full price from now on; stopped, it costs $0.12 a day"))
        _ = update(&state, .answered(.jobsLoaded(.success([job]))))
        #expect(Self.text(state).contains("$0.182/h from now on; stopped, it costs $0.12 a day"))
        #expect(Self.text(state).contains("vast.ai has $14.10"))
    }

    @Test func rentingNamesTheAccountTheLeaseAndTheDay() {
        var state = Samples.overview()
        _ = update(
            &state, .answered(.moneyLoaded(.success(Samples.report([], spentToday: 4.2, dollarsPerDay: 5)))))
        press(&state, .character("2"), .enter)
        let text = Self.text(state)
        // Beside the 0.359 an hour of what is there already.
        #expect(text.contains("vast.ai has $14.10 for 32 h, with what runs there"), "\(text)")
        #expect(text.contains("destroyed after 12h unused ($0.89), after 3 d in any case"), "\(text)")
        #expect(text.contains("$4.20 of $5.00 is spent"), "\(text)")
    }

    private static func form(_ image: String, _ offer: Offer) -> String {
        var state = Samples.overview()
        state.settings.defaults.image = image
        _ = update(&state, .resized(Size(width: 120, height: 40)))
        _ = state.execute(line: "create")
        _ = update(
            &state,
            .answered(.quoted(.success(Samples.answers([offer])), job: JobEstimate(), generation: 1)))
        return Self.text(state)
    }

    @Test func theFormSaysWhetherTheImageRunsThere() {
        let old = Self.form(
            "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", Samples.offer(1, "RTX 4090", 0.3))
        #expect(old.contains("✓ runs on RTX 4090, whose driver has CUDA 12.4"), "\(old)")
        let blackwell = Self.form(
            "pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime", Samples.offer(1, "RTX 5090", 0.3))
        #expect(blackwell.contains("image    ⚠ "), "\(blackwell)")
        let own = Self.form("me/mine:1", Samples.offer(1, "RTX 4090", 0.3))
        #expect(own.contains("its name does not say whether it runs on RTX 4090"), "\(own)")
        let auto = Self.form("auto", Samples.offer(1, "RTX 4090", 0.3))
        #expect(auto.contains("image    ✓ pytorch/pytorch:"), "\(auto)")
    }

    @Test func theFormChargesTheAccountOfThePlatform() {
        let text = Self.form("auto", Samples.offer(1, "RTX 4090", 0.3))
        #expect(text.contains("account  vast.ai has $14.10 for 21 h, with what runs there"), "\(text)")
        #expect(text.contains("limits   none: only the lease ends it"), "\(text)")
        #expect(
            text.contains("lease    destroyed after 12h unused ($3.60), after 3 d in any case"), "\(text)")
    }

    @Test func theLeaseHasAKey() {
        var state = Samples.overview()
        press(&state, .character("e"))
        _ = type(&state, "4")
        press(&state, .enter)
        #expect(Self.text(state).contains("“4” has no unit: type 4s, 4m, 4h or 4d"))
        _ = type(&state, "h")
        press(&state, .enter)
        #expect(Self.text(state).contains("$1.42 at most"))
        #expect(
            press(&state, .character("y")).contains(.order(.setLease(Samples.trainer.id, seconds: 14_400))))
    }

    @Test func theLeaseOfWhatDoesNotRunIsNotAskedFor() {
        var state = Samples.overview()
        state.instances.select(Samples.parked.id)
        press(&state, .character("e"))
        #expect(state.overlay == nil && state.toasts.last?.text.contains("27182 is stopped") == true)
        state.settings.isReadOnly = true
        state.instances.select(Samples.trainer.id)
        press(&state, .character("e"))
        #expect(state.overlay == nil)
    }

    @Test func theLimitsHaveAKey() {
        var state = Samples.overview()
        #expect(press(&state, .character("$")).contains(.ask(.runLine(["limits"]))))
        state.settings.isReadOnly = true
        #expect(press(&state, .character("$")).contains(.ask(.runLine(["limits"]))))
    }

    @Test func toastsCoverNothing() {
        var state = Samples.fleet()
        for size in [(80, 24), (200, 50)] {
            _ = update(&state, .resized(Size(width: size.0, height: size.1)))
            press(&state, .character("y"))
            let layout = Layout(state)
            #expect(layout.toasts.height == 1)
            let row = String(view(state).row(layout.toasts.y).filter { $0.width > 0 }.map(\.text))
            #expect(row.contains("Copied 31415"))
            let areas =
                layout.lists.map(\.1)
                + [layout.fleet, layout.main, layout.strip, layout.hint].compactMap(\.self)
            #expect(areas.allSatisfy { !$0.intersects(layout.toasts) })
            state.toasts = []
        }
    }
}
