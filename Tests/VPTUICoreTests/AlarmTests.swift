import Foundation
import Testing
import VPEngine
import VPTUICore

/// The engine's alarms on the screen: seen, told and acted on.
@Suite struct AlarmTests {
    private static func state(_ kinds: Alarm.Kind..., size: Size = Size(width: 120, height: 40)) -> State {
        var state = Samples.overview()
        _ = update(&state, .resized(size))
        Self.report(&state, kinds)
        return state
    }

    private static func report(_ state: inout State, _ kinds: Alarm.Kind...) { Self.report(&state, kinds) }

    /// Answers until nothing that came meanwhile asks again.
    private static func report(_ state: inout State, _ kinds: [Alarm.Kind]) {
        let answer = Message.answered(.moneyLoaded(.success(Samples.report(kinds, dollarsPerDay: 5))))
        for _ in 0..<3 where update(&state, answer).contains(.ask(.loadMoney)) {}
    }

    @Test(arguments: Alarm.Kind.allCases, [(80, 24), (120, 40)])
    func isSeen(kind: Alarm.Kind, size: (Int, Int)) {
        var state = Self.state(kind)
        press(&state, .character("!"))
        expectScreen(state, "alarm-\(kind.rawValue)", width: size.0, height: size.1)
    }

    /// The worst in the top line with the number of the others, all in the list, toasts that count them.
    @Test(arguments: [(80, 24), (120, 40), (61, 15)]) func allAtOnce(width: Int, height: Int) {
        let size = Size(width: width, height: height)
        var state = Self.state(size: size)
        _ = update(&state, .answered(.moneyLoaded(.success(Samples.report(Alarm.Kind.allCases)))))
        expectScreen(state, "alarms-told", width: width, height: height)
        press(&state, .character("!"), .character("j"), .character("j"))
        expectScreen(state, "alarms-listed", width: width, height: height)
    }

    @Test func noAlarmIsSaid() {
        var state = Self.state()
        press(&state, .character("!"))
        expectScreen(state, "alarms-none", width: 80, height: 24)
    }

    @Test(arguments: Alarm.Kind.allCases) func isInTheTopLineAndTold(kind: Alarm.Kind) {
        let state = Self.state(kind, size: Size(width: 200, height: 50))
        let words = Samples.alarm(kind).words
        let top = screenText(view(state)).split(separator: "\n")[1]
        #expect(top.contains("⚠ \(words.prefix(24))"), "\(top)")
        #expect(state.toasts.contains { $0.text.contains(words) })
        #expect(screenText(view(state)).contains("! alarms"))
    }

    // MARK: One action each

    private static func entered(_ kind: Alarm.Kind, _ change: (inout State) -> Void = { _ in }) -> (
        State, [Effect]
    ) {
        var state = Self.state(kind)
        change(&state)
        let effects = press(&state, .character("!"), .enter).withoutWatch.filter { $0 != .ask(.loadMoney) }
        return (state, effects)
    }

    private static func dialog(_ state: State) -> Dialog.Kind? {
        if case .dialog(let dialog) = state.overlay { dialog.kind } else { nil }
    }

    @Test(arguments: [
        (Alarm.Kind.waiting, Samples.trainer.id), (.unknownInstance, Samples.loader.id),
        (.parked, Samples.parked.id),
    ]) func enterAsksToDestroy(kind: Alarm.Kind, id: InstanceID) {
        let (state, effects) = Self.entered(kind)
        #expect(Self.dialog(state) == .destroy([id], [id: .asking]))
        #expect(effects == [.ask(.loadUnsafeResults(id))])
        #expect(state.instances.selection == id)
    }

    @Test func enterAsksToStopWhatIsIdle() {
        var (state, _) = Self.entered(.idle)
        #expect(Self.dialog(state) == .stop([Samples.trainer.id]))
        let effects = press(&state, .tab, .character("y"))
        #expect(
            effects.contains {
                if case .order(.start(.stop(Samples.trainer.id, _), _)) = $0 { true } else { false }
            })
    }

    /// RunPod's ten dollars last four hours, vast.ai's fourteen for more than a day.
    @Test func enterStopsWhatEmptiesTheAccount() {
        #expect(Self.dialog(Self.entered(.lowBalance).0) == .stop([Samples.loader.id]))
    }

    @Test(arguments: [Alarm.Kind.leaseEnding, .weakLease, .noLease]) func enterGivesALease(kind: Alarm.Kind) {
        var (state, _) = Self.entered(kind)
        #expect(Self.dialog(state) == .extendLease(Samples.trainer.id, seconds: 43_200))
        #expect(screenText(view(state)).contains("$4.25 at most"))
        #expect(
            press(&state, .character("y")).contains(.order(.setLease(Samples.trainer.id, seconds: 43_200))))
        let lease = Lease(
            terms: LeaseTerms(), guardian: .instance, endsAt: Samples.now.addingTimeInterval(43_200))
        Self.report(&state, kind)
        let effects = update(&state, .answered(.leaseSet(Samples.trainer.id, lease)))
        #expect(state.instances.row(Samples.trainer.id)?.leaseEndsAt == lease.endsAt)
        // The alarm goes with the next report.
        #expect(effects.contains(.ask(.loadMoney)))
    }

    /// Beyond its hard limit the engine would refuse.
    @Test func aLeaseIsNoLongerThanItsLimit() {
        let (state, _) = Self.entered(.leaseEnding) { state in
            var instance = Samples.trainer
            instance.lease = Lease(
                terms: LeaseTerms(), guardian: .instance, endsAt: Samples.now.addingTimeInterval(600),
                capEndsAt: Samples.now.addingTimeInterval(7230))
            _ = update(&state, .answered(.instancesLoaded(Samples.answers([instance]))))
        }
        #expect(Self.dialog(state) == .extendLease(Samples.trainer.id, seconds: 7200))
    }

    @Test func enterBringsWhatLiesBehindALink() {
        let (_, effects) = Self.entered(.behindLink)
        #expect(
            effects.contains {
                if case .order(.start(.download(Samples.trainer.id, _), _)) = $0 { true } else { false }
            })
    }

    @Test func enterOpensTheLogOfATrainingThatGoesWrong() {
        let (state, _) = Self.entered(.training)
        #expect(state.log.job == JobID("train-7") && state.mainContent == .log && state.overlay == nil)
        #expect(state.jobs.selection == JobID("train-7"))
    }

    @Test func enterOrdersAnEndAgain() {
        let (state, effects) = Self.entered(.destroyUnconfirmed)
        #expect(effects == [.order(.takeUpEnds), .ask(.loadInstances)])
        #expect(state.overlay == nil)
    }

    @Test func enterGoesToTheLimitOfCost() {
        let (state, _) = Self.entered(.budget)
        guard case .form(let form) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(form.focused == .cost)
    }

    @Test func enterAsksThePlatformsAgain() {
        #expect(Self.entered(.untrusted).1.contains(.ask(.loadInstances)))
    }

    /// What the platform lists as lost is destroyed; what it lists no more is rented again.
    @Test func aLostInstanceIsReplacedOrDestroyed() {
        guard case .form = Self.entered(.instanceLost).0.overlay else {
            Issue.record("no form")
            return
        }
        let (state, _) = Self.entered(.instanceLost) { state in
            var lost = Samples.trainer
            lost.id = Samples.vast("16180")
            lost.status = .lost
            _ = update(&state, .answered(.instancesLoaded(Samples.answers([lost]))))
        }
        #expect(Self.dialog(state) == .destroy([Samples.vast("16180")], [Samples.vast("16180"): .asking]))
    }

    @Test func readOnlyActsOnNothing() {
        // Asking again and looking at a log change nothing.
        for kind in Alarm.Kind.allCases where kind != .untrusted && kind != .training {
            let (state, effects) = Self.entered(kind) { $0.settings.isReadOnly = true }
            #expect(effects.isEmpty && Self.dialog(state) == nil, "\(kind)")
            #expect(state.toasts.contains { $0.text.contains("Read-only") }, "\(kind)")
        }
    }

    @Test func theLineOfVpIsCopied() {
        var state = Self.state(.leaseEnding)
        #expect(
            press(&state, .character("!"), .character("y")).contains(.terminal(.copy("vp lease 31415 12h"))))
    }

    @Test func aClickOnTheAlarmListsThem() {
        var state = Self.state(.idle)
        let row = view(state).cells.prefix(120).map(\.text)
        let x = row.firstIndex(of: "⚠") ?? 0
        _ = update(&state, .mouse(MouseEvent(.press, at: Point(x: x, y: 0)), at: Samples.now))
        guard case .list(let list) = state.overlay else {
            Issue.record("no list")
            return
        }
        #expect(list.kind == .alarms)
    }

    // MARK: What is told, and when

    /// Enter does what was read, also where worse has come meanwhile.
    @Test func theSelectionStaysOnItsAlarm() {
        var state = Self.state(.idle, .parked)
        press(&state, .character("!"), .character("j"))
        _ = update(
            &state, .answered(.moneyLoaded(.success(Samples.report([.waiting, .budget, .idle, .parked])))))
        press(&state, .enter)
        #expect(Self.dialog(state) == .destroy([Samples.parked.id], [Samples.parked.id: .asking]))
    }

    @Test func anAlarmIsToldOnceAndAgainWhenItComesBack() {
        var state = Self.state(.idle)
        func told() -> Bool { state.toasts.contains { $0.text.contains("idle") } }
        #expect(told())
        _ = update(&state, .tick(Samples.now.addingTimeInterval(60)))
        _ = update(&state, .answered(.moneyLoaded(.success(Samples.report([.idle])))))
        #expect(!told())
        _ = update(&state, .answered(.moneyLoaded(.success(Samples.report([])))))
        _ = update(&state, .answered(.moneyLoaded(.success(Samples.report([.idle])))))
        #expect(told())
    }

    /// What `vp status` has said already is shown, and is no news.
    @Test func whatWasKeptIsShownAndNotTold() {
        var state = Samples.empty()
        state.showCached(
            instances: Samples.answers([Samples.trainer]), offers: nil, balances: nil, jobs: [],
            money: Samples.report([.noLease]))
        #expect(state.toasts.isEmpty)
        #expect(screenText(view(state)).contains("⚠ 31415 has no lease"))
    }

    @Test func anAlarmAboutWhatIsGoneGoes() {
        var state = Self.state(.idle, .lowBalance)
        _ = update(&state, .engine(.instanceGone(Samples.trainer.id), at: Samples.now))
        #expect(state.alarms.map(\.kind) == [.lowBalance])
    }

    /// Every answer about instances, balances and jobs asks the engine again, one question at a time.
    @Test func theReportFollowsEveryAnswer() {
        var state = Samples.empty()
        let ask = Effect.ask(.loadMoney)
        #expect(update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer])))).contains(ask))
        #expect(!update(&state, .answered(.balancesLoaded(Samples.answers([])))).contains(ask))
        #expect(update(&state, .answered(.moneyLoaded(.success(Samples.report([]))))).contains(ask))
        #expect(!update(&state, .answered(.moneyLoaded(.success(Samples.report([]))))).contains(ask))
    }

    /// One formula: the screen's figures are those of `vp status` for the same rows.
    @Test func theFiguresAreTheEngines() {
        let state = Self.state()
        let report = MoneyReport(
            instances: state.instances.rows, balances: state.money.balances, spentToday: 4.2,
            dollarsPerDay: 5,
            alarms: [], asOf: Samples.now)
        #expect(state.moneyReport == report)
    }

    @Test func linesInPlaceOfAScreenNumberThem() {
        var state = Self.state(.idle, .parked)
        var reporter = PlainReporter()
        #expect(reporter.report(state).contains { $0.hasPrefix("Alarm: 31415 has been idle") })
        _ = state.plainLine("alarms", at: Samples.now)
        #expect(reporter.report(state).contains { $0.hasPrefix("2. 27182 has been stopped") })
        _ = state.plainLine("2", at: Samples.now)
        #expect(Self.dialog(state) == .destroy([Samples.parked.id], [Samples.parked.id: .asking]))
    }
}
