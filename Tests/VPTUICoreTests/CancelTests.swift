import Foundation
import Testing
import VPEngine
import VPTUICore

/// What is cancelled, and what a quit leaves: the right one, and said as it is.
@Suite struct CancelTests {
    private static func creating() -> (State, ActionID) {
        var state = Samples.overview()
        let id = ActionID()
        _ = update(&state, .engine(.queued(id, .create(CreateRequest())), at: Samples.now))
        _ = update(&state, .engine(.started(id), at: Samples.now))
        return (state, id)
    }

    private static func dialog(_ state: State) -> Dialog.Kind? {
        if case .dialog(let dialog) = state.overlay { dialog.kind } else { nil }
    }

    /// The selected instance is another one than the create makes.
    @Test func aCreateIsCancelledOnlyWhereItIsMeant() {
        var (state, id) = Self.creating()
        #expect(state.instances.selectedRow?.status == .running)
        press(&state, .character("X"))
        #expect(Self.dialog(state) == nil)
        #expect(state.toasts.last?.text.contains("\(Samples.trainer.id)") == true)
        var new = Samples.trainer
        new.id = InstanceID(platform: .runpod, rawValue: "new")
        new.status = .loading
        _ = update(&state, .engine(.instanceChanged(new), at: Samples.now))
        state.instances.select(new.id)
        press(&state, .character("X"))
        #expect(Self.dialog(state) == .cancelAction(id))
        #expect(screenText(view(state)).contains("it is destroyed again"))
    }

    /// Of a run whose job does not exist yet, nothing is left.
    @Test func aQuitSaysWhatDoesNotContinue() {
        var (state, _) = Self.creating()
        let (running, waiting) = (ActionID(), ActionID())
        for (id, command) in [(running, "train.py"), (waiting, "eval.py --all")] {
            let run = EngineAction.run(Samples.trainer.id, RunRequest(command: .shell(command)))
            _ = update(&state, .engine(.queued(id, run), at: Samples.now))
        }
        _ = update(&state, .engine(.started(running), at: Samples.now))
        var job = Samples.job("train-9", .running)
        job.createdAt = Samples.now
        _ = update(&state, .engine(.jobChanged(job), at: Samples.now))
        press(&state, .character("q"))
        let text = screenText(view(state))
        #expect(text.contains("continues there; download its results later"), "\(text)")
        // Two that wait are told apart.
        #expect(text.contains("31415 train: eval.py --all  is not started"), "\(text)")
        #expect(!text.contains("train.py  is") && text.contains("what it has rented stays"), "\(text)")
    }

    /// RunPod's offers have names of several words.
    @Test func aCopiedRentalCanBePasted() {
        var state = Samples.overview()
        var pod = Samples.offers[0]
        pod.id = OfferID(platform: .runpod, rawValue: "NVIDIA RTX A4000")
        _ = update(
            &state,
            .answered(
                .offersLoaded(.success(Samples.answers([pod])), generation: state.market.generation)))
        state.focus = .offers
        let copied = press(&state, .character("Y")).compactMap { effect in
            if case .terminal(.copy(let text)) = effect { text } else { nil }
        }
        #expect(copied.first?.contains("--offer 'NVIDIA RTX A4000' ") == true, "\(copied)")
    }
}
