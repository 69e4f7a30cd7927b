import Foundation
import Testing
import VPEngine
import VPTUICore

/// Destroying cannot happen by accident.
@Suite struct DestroyTests {
    let id = Samples.trainer.id

    private func asked() -> State {
        var state = Samples.overview()
        #expect(press(&state, .character("D")) == [.ask(.loadUnsafeResults(self.id))])
        return state
    }

    @Test func destroyAsksFirst() {
        let state = self.asked()
        #expect(
            state.overlay == .dialog(Dialog(.destroy([self.id], [self.id: .asking]), openedAt: Samples.now)))
        #expect(state.actions.isEmpty && state.pendingDestroys.isEmpty)
    }

    @Test(arguments: [
        [Key.enter], [.character("D")], [.character("y")], [.tab, .enter], [.tab, .tab, .enter, .enter],
    ])
    func theseKeysDoNotDestroy(_ keys: [Key]) {
        var state = self.asked()
        for key in keys { #expect(press(&state, key) == []) }
        #expect(state.pendingDestroys.isEmpty)
    }

    @Test func keysOfTheFirst300MillisecondsAreDropped() {
        var state = self.asked()
        for (key, delay) in [(Key.tab, 0.05), (.character("y"), 0.1), (.tab, 0.29), (.character("y"), 0.299)]
        {
            #expect(update(&state, .key(key, at: Samples.now.addingTimeInterval(delay))) == [])
        }
        #expect(
            state.overlay == .dialog(Dialog(.destroy([self.id], [self.id: .asking]), openedAt: Samples.now)))
    }

    /// The job that runs there is named, so that who confirms has allowed its end, too.
    @Test func yOnTheButtonCountsDownAndThenDestroys() throws {
        var state = self.asked()
        let confirmed = press(&state, .tab, .character("y")).withoutWatch
        #expect(state.overlay == nil)
        let pending = try #require(state.pendingDestroys.first)
        // On record before it counts down.
        #expect(confirmed == [.order(.confirmDestroys([pending]))])
        #expect(pending.instance == self.id && pending.request == DestroyRequest(endsJobs: true))
        #expect(
            update(&state, .tick(pending.due.addingTimeInterval(-0.1))).contains { effect in
                if case .order(.start) = effect { true } else { false }
            } == false)
        let effects = update(&state, .tick(pending.due))
        let action = try #require(state.actions.last?.id)
        #expect(effects.first == .order(.start(.destroy(self.id, DestroyRequest(endsJobs: true)), action)))
        #expect(state.pendingDestroys.isEmpty)
    }

    /// Those that have no line of their own are counted.
    @Test(arguments: ["stop", "destroy", "destroy several"]) func everyJobThatEndsWithItIsTold(verb: String) {
        var state = Samples.overview()
        let jobs = (1...5).map { Samples.job("train-\($0)", .running) }
        _ = update(&state, .answered(.jobsLoaded(.success(jobs))))
        if verb == "destroy several" { press(&state, .character("g"), .character("v"), .character("G")) }
        press(&state, .character(verb == "stop" ? "x" : "D"))
        let text = screenText(view(state))
        let named = (1...5).count { text.contains("● train-\($0), running for 3 h, will be ended with it.") }
        #expect(named == (verb == "destroy several" ? 1 : 3), "\(text)")
        #expect(text.contains("● \(5 - named) other jobs will be ended with it."), "\(text)")
        guard verb == "stop" else { return }
        let effects = press(&state, .tab, .character("y"))
        #expect(
            effects.contains {
                if case .order(.start(.stop(self.id, StopRequest(endsJobs: true)), _)) = $0 {
                    true
                } else {
                    false
                }
            }, "\(effects)")
    }

    @Test func zTakesItBack() {
        var state = self.asked()
        let asked = press(&state, .tab, .character("y"), .character("z"))
        #expect(state.pendingDestroys.isEmpty)
        #expect(asked.withoutWatch.last == .order(.takeBackDestroys([self.id])))
        let effects = update(&state, .tick(state.now.addingTimeInterval(10)))
        #expect(!effects.contains { if case .order(.start) = $0 { true } else { false } })
    }

    @Test func discardingIsAnotherButton() {
        var state = self.asked()
        press(&state, .tab, .tab, .character("y"))
        #expect(
            state.pendingDestroys.map(\.request) == [DestroyRequest(discardsResults: true, endsJobs: true)])
    }

    @Test func theDialogStaysBoundToItsInstance() {
        var state = self.asked()
        var newer = Samples.loader
        newer.createdAt = Samples.now
        _ = update(
            &state, .answered(.instancesLoaded(Samples.answers([newer, Samples.parked, Samples.trainer]))))
        press(&state, .tab, .character("y"))
        #expect(state.pendingDestroys.map(\.instance) == [self.id])
    }

    @Test func theDialogClosesWhenItsInstanceIsGone() {
        var state = self.asked()
        _ = update(&state, .engine(.instanceGone(self.id), at: Samples.now))
        #expect(state.overlay == nil)
        #expect(state.toasts.last?.text == "31415 is gone; nothing was done")
    }

    @Test func lateFiguresOfAnotherInstanceAreNotShown() {
        var state = self.asked()
        _ = update(
            &state,
            .answered(.unsafeResultsLoaded(Samples.parked.id, .success(UnsafeResults(files: 0, bytes: 0)))))
        #expect(
            state.overlay == .dialog(Dialog(.destroy([self.id], [self.id: .asking]), openedAt: Samples.now)))
    }

    @Test func allMarkedAreAskedAboutTogetherAndTakenBackTogether() {
        var state = Samples.overview()
        press(&state, .character(" "), .down, .character(" "))
        let effects = press(&state, .character("D"))
        #expect(effects.count == 2)
        press(&state, .tab, .character("y"))
        #expect(state.pendingDestroys.count == 2)
        #expect(state.instances.marks.isEmpty)
        press(&state, .character("z"))
        #expect(state.pendingDestroys.isEmpty)
    }

    @Test func ofSeveralOneThatGoesLeavesTheQuestionAboutTheOthers() {
        var state = Samples.overview()
        press(&state, .character("g"), .character("v"), .character("G"), .character("D"))
        #expect(state.instances.marks.count == 3)
        _ = update(&state, .engine(.instanceGone(self.id), at: Samples.now))
        guard case .dialog(let dialog) = state.overlay else {
            Issue.record("the dialog is gone")
            return
        }
        #expect(Set(dialog.instances) == [Samples.loader.id, Samples.parked.id])
    }
}
