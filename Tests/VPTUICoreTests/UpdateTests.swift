import Foundation
import Testing
import VPEngine
import VPTUICore

/// Messages in; the exact state and effects out.
@Suite struct UpdateTests {
    @Test func beginAsksEverythingOnce() {
        var state = Samples.empty()
        let query = state.market.query
        #expect(
            state.begin() == [
                .ask(.loadCachedOffers), .ask(.loadInstances), .ask(.loadBalances), .ask(.loadJobs),
                .ask(.pollOffers(query, generation: 1, maximumAge: 59)),
            ])
        #expect(update(&state, .tick(Samples.now.addingTimeInterval(60))) == [])
    }

    @Test func withoutAKeyNobodyIsAsked() {
        var state = Samples.empty([])
        #expect(state.begin() == [.ask(.loadCachedOffers), .ask(.loadJobs)])
    }

    /// A cache that is too large for the first frame comes after it, and after today's answer not at all.
    @Test func aLargeCacheFillsTheListALittleLater() {
        let cached = Samples.answers(
            Array(Samples.offers.prefix(3)), at: Samples.now.addingTimeInterval(-900))
        var state = Samples.empty()
        let generation =
            state.begin().count { $0 == .ask(.loadCachedOffers) } == 1 ? state.market.generation : -1
        _ = update(&state, .answered(.cachedOffersLoaded(nil)))
        #expect(state.offers.fetchedAt == nil)
        _ = update(&state, .answered(.cachedOffersLoaded(cached)))
        #expect(state.offers.rows == cached.values && state.offers.fetchedAt == cached.fetchedAt)
        _ = update(
            &state,
            .answered(.offersLoaded(.success(Samples.answers(Samples.offers)), generation: generation)))
        _ = update(&state, .answered(.cachedOffersLoaded(cached)))
        #expect(state.offers.rows == Samples.offers)

        var next = Samples.empty()
        next.showCached(instances: nil, offers: cached, balances: nil, jobs: [])
        #expect(!next.begin().contains(.ask(.loadCachedOffers)))
    }

    @Test func anErrorKeepsTheRows() {
        var state = Samples.overview()
        let before = state.instances.rows.map(\.id)
        let error = EngineError(.networkDown, EngineError.Activity("listing instances", platform: .vast))
        _ = update(
            &state,
            .answered(
                .instancesLoaded(
                    PlatformAnswers(
                        values: [],
                        failures: [
                            .init(platform: .vast, error: error), .init(platform: .runpod, error: error),
                        ],
                        fetchedAt: Samples.now.addingTimeInterval(60)))))
        #expect(Set(state.instances.rows.map(\.id)) == Set(before))
        #expect(state.instances.fetchedAt == Samples.now)
    }

    @Test func selectionFollowsTheIdThroughRefreshSortAndFilter() {
        var state = Samples.overview()
        #expect(state.instances.selection == Samples.trainer.id)
        var newer = Samples.loader
        newer.id.rawValue = "new"
        newer.createdAt = Samples.now
        _ = update(
            &state,
            .answered(
                .instancesLoaded(Samples.answers([newer, Samples.parked, Samples.trainer, Samples.loader]))))
        #expect(state.instances.selection == Samples.trainer.id)
        press(&state, .character("o"), .character("O"))
        #expect(state.instances.selection == Samples.trainer.id)
        press(&state, .character("/"))
        _ = type(&state, "train")
        press(&state, .enter)
        #expect(state.instances.shown.map(\.id) == [Samples.trainer.id])
        press(&state, .escape)
        #expect(state.instances.shownCount == 4)
        #expect(state.instances.selection == Samples.trainer.id)
    }

    @Test func aGoneInstanceLeavesItsNeighbourSelected() {
        var state = Samples.overview()
        _ = update(&state, .engine(.instanceGone(Samples.trainer.id), at: Samples.now))
        #expect(state.instances.selection == Samples.parked.id)
        // An answer that was under way when it ended does not bring it back.
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer, Samples.parked]))))
        #expect(state.instances.rows.map(\.id) == [Samples.parked.id])
    }

    @Test func onlyTheNewestOfferQueryIsShown() {
        var state = Samples.overview()
        press(&state, .character("2"), .character("e"))
        press(&state, .control("u"))
        _ = type(&state, "3090 x2 <0.5")
        let effects = press(&state, .enter)
        var query = OfferQuery(gpu: "3090", gpuCount: 2)
        query.maximumPrice = HourlyPrice(dollarsPerHour: 0.5)
        #expect(effects == [.ask(.loadOffers(query, generation: 2))])
        _ = update(&state, .answered(.offersLoaded(.success(Samples.answers([])), generation: 1)))
        #expect(state.offers.rows.count == Samples.offers.count)
        _ = update(&state, .answered(.offersLoaded(.success(Samples.answers([])), generation: 2)))
        #expect(state.offers.rows.isEmpty)
    }

    @Test func syncComparesFirstAndStartsOnTheSelectedInstance() throws {
        var state = Samples.overview()
        #expect(press(&state, .character("S")) == [.ask(.checkConflicts([Samples.trainer.id]))])
        let effects = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
        let record = try #require(state.actions.first)
        #expect(effects == [.order(.start(.sync(Samples.trainer.id), record.id))])
        #expect(record.phase == .queued)
    }

    @Test func syncShowsItsPlanWhereBothSidesChangedAFile() {
        var state = Samples.overview()
        #expect(update(&state, .answered(.conflictsChecked([Samples.trainer.id], ["train.py"]))) == [])
        #expect(screenText(view(state)).contains("train.py"))
        #expect(state.actions.isEmpty)
        #expect(press(&state, .tab, .enter).count == 1)
        #expect(state.actions.first?.action == .sync(Samples.trainer.id))
    }

    @Test func anInstanceThatDoesNotRunIsNotSynced() {
        var state = Samples.overview()
        press(&state, .character("j"))
        #expect(press(&state, .character("S")) == [])
        #expect(state.toasts.last?.text == "27182 is stopped: cannot sync; x starts it")
    }

    @Test func readOnlyRefusesWhatChangesSomething() {
        for command in Command.allCases where command.changesSomething {
            var state = Samples.overview()
            state.settings.isReadOnly = true
            for pane in Pane.allCases {
                for binding in state.keyMap.bindings where binding.command == command {
                    guard KeyMap.contexts(of: pane).contains(binding.context) else { continue }
                    press(&state, .character(Character(String(pane.rawValue))))
                    for key in binding.keys { #expect(press(&state, key) == [], "\(command)") }
                    #expect(state.overlay == nil)
                }
            }
        }
    }

    @Test func runStartsTheCommandAndOpensItsLog() throws {
        var state = Samples.overview()
        press(&state, .character("r"))
        _ = type(&state, "make all")
        let effects = press(&state, .enter)
        let id = try #require(state.actions.last?.id)
        #expect(
            effects == [.order(.start(.run(Samples.trainer.id, RunRequest(command: .shell("make all"))), id))]
        )
        _ = update(&state, .engine(.started(id), at: Samples.now))
        var job = Samples.job("make-1", .running)
        job.command = .shell("make all")
        job.createdAt = Samples.now
        // Another job of the instance is not it, and the list may show it before the run tells of it.
        #expect(update(&state, .engine(.jobChanged(Samples.job("old-1", .running)), at: Samples.now)) == [])
        _ = update(&state, .answered(.jobsLoaded(.success([job] + state.jobs.rows))))
        #expect(
            update(&state, .engine(.jobChanged(job), at: Samples.now)).contains(
                .log(.readLog(LogReadRequest(job.id, .end)))))
        #expect(state.log.job == job.id)
        #expect(state.commandHistory.first == "make all")
        #expect(state.focus == .instances)
    }

    @Test func runOffersEarlierCommands() {
        var state = Samples.overview()
        press(&state, .character("r"), .up)
        guard case .prompt(let prompt) = state.overlay else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.field.text == "python train.py --epochs 10")
    }

    @Test func cancelStopsTheJobAfterAsking() throws {
        var state = Samples.overview()
        press(&state, .character("3"), .character("g"))
        #expect(press(&state, .character("X")) == [])
        let effects = press(&state, .tab, .enter)
        let id = try #require(state.actions.last?.id)
        #expect(
            effects == [
                .order(.start(.cancel(JobID("train-7"), on: Samples.trainer.id, CancelRequest()), id))
            ])
    }

    @Test func theLogOfAnEarlierSessionsJobIsFollowed() throws {
        var state = Samples.overview()
        state.log = LogState()
        let effects = press(&state, .character("3"), .enter)
        let action = try #require(state.actions.last)
        #expect(
            effects.withoutWatch == [
                .log(.readMetrics(JobID("train-7"))), .log(.readTimes(JobID("train-7"))),
                .order(.start(.attach(JobID("train-7"), on: Samples.trainer.id), action.id)),
                .log(.readLog(LogReadRequest(JobID("train-7"), .end))),
            ])
        // Looking on is nothing that a quit would cut off.
        #expect(press(&state, .character("q")) == [.terminal(.quit)])
    }

    @Test func aRefusedDestroyLetsTheFollowingGoOn() throws {
        var state = Samples.overview()
        state.log = LogState()
        press(&state, .character("3"), .enter)
        let following = try #require(state.actions.last)
        let destroy = ActionID()
        let action = EngineAction.destroy(Samples.trainer.id, DestroyRequest())
        _ = update(&state, .engine(.queued(destroy, action), at: state.now))
        _ = update(&state, .engine(.finished(following.id, .cancelled), at: state.now))
        let refused = EngineError(.localDiskFull, .init("downloading"))
        let effects = update(&state, .engine(.finished(destroy, .failed(refused)), at: state.now))
        let again = try #require(state.actions.last)
        #expect(again.job == JobID("train-7"))
        #expect(effects.contains(.order(.start(.attach(JobID("train-7"), on: Samples.trainer.id), again.id))))
    }

    @Test func quitAsksOnlyWhileSomethingGoesOn() {
        var state = Samples.overview()
        #expect(press(&state, .character("q")) == [.terminal(.quit)])
        _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
        #expect(press(&state, .character("q")) == [])
        // The key that asked does not confirm.
        #expect(press(&state, .character("q")) == [])
        #expect(press(&state, .character("y")) == [.terminal(.quit)])
    }

    @Test func escapeNeverQuits() {
        var state = Samples.overview()
        for _ in 0..<6 { #expect(press(&state, .escape) == []) }
    }

    @Test func suspendWorksAlsoInADialog() {
        var state = Samples.overview()
        press(&state, .character("D"))
        #expect(press(&state, .control("z")) == [.terminal(.suspend)])
    }

    @Test func pastedTextIsNeverTakenForKeys() {
        var state = Samples.overview()
        #expect(update(&state, .pasted("D\tyyy", at: Samples.now)) == [])
        #expect(state.overlay == nil)
        press(&state, .character("r"))
        _ = update(&state, .pasted("echo one\necho two", at: Samples.now))
        guard case .prompt(let prompt) = state.overlay else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.field.text == "echo one echo two")
    }

    @Test func aFailureSaysWhatNext() {
        var state = Samples.overview()
        _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
        let id = state.actions[0].id
        let error = EngineError(
            .uploadFailed, EngineError.Activity("syncing", platform: .vast, subject: "31415"),
            detail: "rsync: broken pipe")
        _ = update(&state, .engine(.finished(id, .failed(error)), at: Samples.now))
        #expect(state.overlay == .dialog(Dialog(.error(ErrorWords(error)), openedAt: Samples.now)))
    }

    @Test func anErrorWaitsWhileTheUserTypes() {
        var state = Samples.overview()
        _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
        press(&state, .character("r"))
        let error = EngineError(.timedOut, EngineError.Activity("syncing"))
        _ = update(&state, .engine(.finished(state.actions[0].id, .failed(error)), at: Samples.now))
        guard case .prompt = state.overlay else {
            Issue.record("the prompt lost the keys")
            return
        }
        press(&state, .escape)
        #expect(state.overlay == .dialog(Dialog(.error(ErrorWords(error)), openedAt: state.now)))
    }

    @Test func everyErrorHasWords() {
        for code in EngineError.Code.allCases {
            let words = ErrorWords(EngineError(code, EngineError.Activity("testing", subject: "31415")))
            #expect(!words.title.isEmpty && words.advice.hasSuffix("."), "\(code)")
        }
    }

    @Test func shellRunsWhatTheEngineSays() {
        var state = Samples.overview()
        #expect(press(&state, .character("s")) == [.ask(.prepareShell(Samples.trainer.id))])
        let argv = ["ssh", "-F", "x", "host"]
        #expect(
            update(&state, .answered(.shellReady(Samples.trainer.id, argv: argv))) == [
                .terminal(.openShell(Samples.trainer.id, argv: argv))
            ])
    }

    @Test func copyTakesTheSelectedId() {
        var state = Samples.overview()
        #expect(press(&state, .character("y")) == [.terminal(.copy("31415"))])
    }
}
