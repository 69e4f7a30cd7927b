import Foundation
import Testing
import VPEngine
import VPTUICore

/// Every key of every pane does what the key map says, driven from the map itself:
/// a binding that does nothing fails, and a command without an expectation does not compile.
@Suite struct KeyTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var pane: Pane
        var key: Key
        var command: Command
        var testDescription: String { "\(self.key.name) in \(self.pane.title): \(self.command.rawValue)" }
    }

    static let cases = Pane.allCases.flatMap { pane in
        KeyMap.standard.bindings.filter { KeyMap.contexts(of: pane).contains($0.context) }.flatMap {
            binding in
            binding.keys.map { Case(pane: pane, key: $0, command: binding.command) }
        }
    }

    /// Long lists, a running job whose long log is open, and `pane` with the focus.
    private static func full(_ pane: Pane) -> State {
        var state = Samples.overview()
        let others = (0..<40).map { number in
            var instance = Samples.trainer
            instance.id.rawValue = String(50_000 + number)
            instance.createdAt = Samples.now.addingTimeInterval(-90_000 - Double(number))
            return instance
        }
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer] + others))))
        let offers = (0..<60).map { Samples.offer($0, "RTX 4090", 0.3 + Double($0) / 100) }
        _ = update(
            &state,
            .answered(.offersLoaded(.success(Samples.answers(offers)), generation: state.market.generation)))
        let jobs = (0..<40).map { Samples.job("old-\($0)", .succeeded) }
        _ = update(&state, .answered(.jobsLoaded(.success([Samples.job("train-7", .running)] + jobs))))
        Samples.openLog(&state, (0..<400).map { "line \($0) loss 0.\($0)\n" }.joined())
        press(&state, .character(Character(String(pane.rawValue))))
        return state
    }

    /// What a key needs to have something to do.
    private static func prepare(_ state: inout State, _ pane: Pane, for command: Command) {
        let isList = pane != .main
        switch command {
        case .down, .bottom, .halfPageDown, .pageDown: press(&state, .character("g"))
        case .up, .top, .halfPageUp, .pageUp: press(&state, .character("G"))
        case .zoomOut: press(&state, .character("+"))
        case .undo: press(&state, .character("1"), .character("D"), .tab, .character("y"))
        case .unmark: press(&state, .character(" "))
        case .back where isList:
            press(&state, .character("/"))
            _ = type(&state, "x")
            press(&state, .enter)
        case .back, .nextHit, .previousHit:
            press(&state, .character("/"))
            _ = type(&state, "loss")
            answer(&state, press(&state, .enter), MemoryLog("loss\nloss\nloss\n"))
        case .cancel where pane == .instances:
            _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
        case .copyID, .copyLine, .download, .cancel, .openLog, .metrics, .runAgain:
            if isList { press(&state, .character("g")) }
        case .nextJob: press(&state, .character("3"), .character("g"), .down, .enter)
        case .details where pane == .main: press(&state, .character("m"))
        case .scrollLeft: press(&state, .character("w"), .character("l"))
        case .scrollRight: press(&state, .character("w"))
        case .context:
            press(&state, .character("&"))
            _ = type(&state, "loss")
            press(&state, .enter)
        default: break
        }
    }

    @Test(arguments: cases) func does(_ test: Case) {
        var before = Self.full(test.pane)
        Self.prepare(&before, test.pane, for: test.command)
        var after = before
        let effects = press(&after, test.key).withoutWatch
        let isDone = Self.isDone(test.command, test.pane, before, after, effects)
        #expect(isDone, "\(effects)\n\(screenText(view(after)))")
    }

    /// How far down the pane is, in rows.
    private static func place(_ pane: Pane, _ state: State) -> Int {
        switch pane {
        case .instances: state.instances.selectedIndex ?? -1
        case .offers: state.offers.selectedIndex ?? -1
        case .jobs: state.jobs.selectedIndex ?? -1
        case .main: state.log.top.map(\.line) ?? .max
        }
    }

    private static func marks(_ pane: Pane, _ state: State) -> Int {
        switch pane {
        case .instances: state.instances.marks.count
        case .offers: state.offers.marks.count
        case .jobs: state.jobs.marks.count
        case .main: 0
        }
    }

    private static func order(_ pane: Pane, _ state: State) -> [String] {
        switch pane {
        case .instances: ["\(state.instances.orderIndex)", "\(state.instances.isReversed)"]
        case .offers: ["\(state.offers.orderIndex)", "\(state.offers.isReversed)"]
        case .jobs: ["\(state.jobs.orderIndex)", "\(state.jobs.isReversed)"]
        case .main: []
        }
    }

    private static func filter(_ pane: Pane, _ state: State) -> String {
        switch pane {
        case .instances: state.instances.filter
        case .offers: state.offers.filter
        case .jobs: state.jobs.filter
        case .main: ""
        }
    }

    private static func prompt(_ state: State) -> Prompt.Kind? {
        if case .prompt(let prompt) = state.overlay { prompt.kind } else { nil }
    }

    private static func dialog(_ state: State) -> Dialog.Kind? {
        if case .dialog(let dialog) = state.overlay { dialog.kind } else { nil }
    }

    private static func form(_ state: State) -> LaunchForm? {
        if case .form(let form) = state.overlay { form } else { nil }
    }

    private static func isDone(
        _ command: Command, _ pane: Pane, _ before: State, _ after: State, _ effects: [Effect]
    ) -> Bool {
        let trainer = Samples.trainer.id
        let moved =
            Self.place(pane, after) - (Self.place(pane, before) == .max ? 0 : Self.place(pane, before))
        switch command {
        case .nextPane, .previousPane:
            let step = command == .nextPane ? 0 : 2
            return after.focus.rawValue - 1 == (pane.rawValue + step) % Pane.allCases.count
        case .instancesPane: return after.focus == .instances
        case .offersPane: return after.focus == .offers
        case .jobsPane: return after.focus == .jobs
        case .logPane: return after.focus == .main
        case .zoomIn: return after.zoom == (pane == .main ? .main : .lists)
        case .zoomOut: return after.zoom != before.zoom
        case .down: return moved == 1
        case .up: return pane == .main ? !after.log.isFollowing : moved == -1
        case .top: return pane == .main ? after.log.top?.line == 0 : Self.place(pane, after) == 0
        case .bottom:
            return pane == .main
                ? after.log.isFollowing : Self.place(pane, after) == Self.rows(pane, after) - 1
        case .halfPageDown, .pageDown: return moved > 1
        case .halfPageUp, .pageUp: return pane == .main ? !after.log.isFollowing : moved < -1
        case .search: return Self.prompt(after) == (pane == .main ? .search : .filter(pane))
        case .help: return after.overlay == .help(HelpOverlay())
        case .alarms: return after.overlay == .list(ListOverlay(.alarms))
        case .refresh:
            return [.ask(.loadInstances), .ask(.loadBalances), .ask(.loadJobs)].allSatisfy {
                effects.contains($0)
            }
                && after.market.generation == before.market.generation + 1
        case .back: return pane == .main ? after.log.search == nil : Self.filter(pane, after).isEmpty
        case .quit: return effects == [.terminal(.quit)]
        case .suspend: return effects == [.terminal(.suspend)]
        case .undo: return before.pendingDestroys.count == 1 && after.pendingDestroys.isEmpty
        case .palette: return after.overlay == .palette(Palette()) && effects == [.ask(.loadVerbs)]
        case .history: return after.overlay == .list(ListOverlay(.history))
        case .actions: return after.overlay == .list(ListOverlay(.actions))
        case .toggleTheme: return effects == [.terminal(.toggleTheme)]
        case .mark: return Self.marks(pane, after) == 1
        case .markRange:
            var further = after
            press(&further, .character("G"), .character("g"))
            return Self.marks(pane, further) > 0
        case .unmark: return Self.marks(pane, before) == 1 && Self.marks(pane, after) == 0
        case .sortColumn, .reverseSort: return Self.order(pane, after) != Self.order(pane, before)
        case .copyID:
            let ids = [
                before.instances.selection?.rawValue, before.offers.selection?.rawValue,
                before.jobs.selection?.rawValue,
            ]
            return effects == ids[pane.rawValue - 1].map { [.terminal(.copy($0))] }
        case .copyLine:
            let start = ["ssh -p ", "vp create-instance ", "vp -i ", "vp logs -f train-7"][pane.rawValue - 1]
            guard case .terminal(.copy(let line))? = effects.first else { return false }
            return line.hasPrefix(start)
        case .create: return Self.form(after)?.offer == nil && effects.count == 1
        case .sync: return effects == [.ask(.checkConflicts([trainer]))]
        case .run: return Self.prompt(after) == .run([trainer])
        case .download: return after.actions.last?.action == .download(trainer, DownloadRequest())
        case .destroy:
            return Self.dialog(after) == .destroy([trainer], [trainer: .asking])
                && effects == [.ask(.loadUnsafeResults(trainer))]
        case .shell: return effects == [.ask(.prepareShell(trainer))]
        case .stopOrStart: return Self.dialog(after) == .stop([trainer])
        case .openLog: return after.focus == .main && after.mainContent == .log && after.log.job != nil
        case .details: return after.mainContent == .details
        case .forwardPort: return Self.prompt(after) == .forward(trainer)
        case .rename: return Self.prompt(after) == .rename(trainer)
        case .lease: return Self.prompt(after) == .lease(trainer)
        case .limits: return effects == [.ask(.runLine(["limits"]))]
        case .files: return after.mainContent == .files && effects == [.ask(.compareWorkspace(trainer))]
        case .providerLog: return effects == [.ask(.loadProviderLog(trainer))]
        case .rent: return Self.form(after)?.offer?.id == before.offers.selection
        case .rentDirectly:
            guard case .create(let offer, _)? = Self.dialog(after) else { return false }
            return offer.id == before.offers.selection
        case .editQuery: return Self.prompt(after) == .offerQuery
        case .cancel:
            if pane == .instances, case .cancelAction? = Self.dialog(after) { return true }
            return Self.dialog(after) == .cancelJobs([Dialog.JobTarget(JobID("train-7"), on: trainer)])
        case .runAgain:
            guard case .runAgain(let jobs)? = Self.dialog(after) else { return false }
            return jobs == [before.jobs.selectedRow]
        case .follow: return before.log.isFollowing && !after.log.isFollowing
        case .wrap: return after.log.isWrapped != before.log.isWrapped
        case .scrollLeft: return before.log.column == 8 && after.log.column == 0
        case .scrollRight: return after.log.column == 8
        case .nextHit, .previousHit:
            guard case .log(.searchLog(let request))? = effects.first else { return false }
            return request.isForward == (command == .nextHit) && request.from == before.log.search?.hit
        case .keepLines: return Self.prompt(after) == .keepLines
        case .context: return after.log.filter?.context == 2
        case .metrics: return after.mainContent == .metrics
        case .times: return after.log.showsTimes
        case .goToTime: return Self.prompt(after) == .goToTime
        case .writeLog: return Self.prompt(after) == .writeLog(JobID("train-7"))
        case .nextJob, .previousJob: return after.log.job != before.log.job
        // Keys of the metrics pane, which has another content: `CurvePaneTests`.
        case .cursorLeft, .cursorRight, .smoothCurves, .logScale, .changeAxis, .fullRange, .pinJob,
            .overlayJobs, .compareJobs:
            return false
        }
    }

    private static func rows(_ pane: Pane, _ state: State) -> Int {
        switch pane {
        case .instances: state.instances.shownCount
        case .offers: state.offers.shownCount
        case .jobs: state.jobs.shownCount
        case .main: state.log.buffer.count
        }
    }
}
