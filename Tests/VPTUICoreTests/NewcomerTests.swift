import Foundation
import Testing
import VPEngine
import VPTUICore

/// What somebody hesitated at who knew only the hint bar and `?`.
@Suite struct NewcomerTests {
    private static func text(_ state: State) -> String { screenText(view(state)) }

    private static func rows(_ state: State) -> [String] {
        let buffer = view(state)
        return (0..<buffer.size.height).map { y in
            buffer.row(y).filter { $0.width > 0 }.map { String($0.text) }.joined()
        }
    }

    private static func hints(_ state: State) -> String { Self.rows(state).last ?? "" }

    private static func sized(_ width: Int, _ height: Int, _ state: State = Samples.overview()) -> State {
        var state = state
        _ = update(&state, .resized(Size(width: width, height: height)))
        return state
    }

    // MARK: Renting

    @Test func theFormSaysWhatHappensIfTheOfferIsTaken() {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .character("c"))
        #expect(Self.text(state).contains("only this offer; if it is taken, nothing is rented"))
        press(&state, .escape)
        _ = state.execute(line: "create")
        _ = update(
            &state,
            .answered(.quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 1)))
        #expect(Self.text(state).contains("the cheapest of 9; if it is taken, the next is rented"))
    }

    @Test(arguments: [(200, 50), (120, 40), (80, 24)]) func everyFieldOfTheFormIsShown(
        width: Int, height: Int
    ) {
        var state = Self.sized(width, height)
        press(&state, .character("2"), .character("c"))
        let text = Self.text(state)
        for label in ["GPU", "how many", "max cost $", "lease", "then run", "Rent it"] {
            #expect(text.contains("  \(label)") || text.contains("▸ \(label)"), "\(label)")
        }
    }

    /// With less room, marks tell that there is more.
    @Test func aLowFormSaysThatThereAreMoreFields() {
        var state = Self.sized(61, 15)
        press(&state, .character("2"), .character("c"))
        #expect(Self.rows(state).contains { $0.contains("↓│") })
        #expect(!Self.rows(state).contains { $0.contains("↑│") })
        press(&state, .backTab, .backTab)
        #expect(Self.rows(state).contains { $0.contains("↑│") })
    }

    @Test func theFocusedFieldExplainsItself() {
        var state = Self.sized(80, 24)
        press(&state, .character("2"), .character("c"))
        press(&state, .tab, .tab, .tab)
        #expect(Self.text(state).contains("▸ at most $/h"))
        #expect(Self.text(state).contains("Dearer offers are not rented."))
        press(&state, .tab, .tab, .tab, .tab, .tab, .tab)
        #expect(Self.text(state).contains("← → choose: cheaper, but the platform may reclaim it."))
    }

    @Test func theQuestionNamesTheImageThatWillRun() {
        var state = Self.sized(120, 40)
        state.settings.defaults.image = "auto"
        press(&state, .character("2"), .enter)
        #expect(Self.text(state).contains("image    ✓ pytorch/pytorch:"), "\(Self.text(state))")
    }

    @Test func noDetailOfAnOfferIsCut() {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .character("i"))
        #expect(Self.text(state).contains("c asks for image, disk and command first."))
    }

    // MARK: Finding an offer

    private static func mixed() -> State {
        var state = Self.sized(120, 40)
        var pod = Samples.offer(20, "RTX 4090", 0.698)
        pod.id = OfferID(platform: .runpod, rawValue: "NVIDIA GeForce RTX 4090")
        _ = update(
            &state,
            .answered(
                .offersLoaded(
                    .success(Samples.answers(Samples.offers + [pod])), generation: state.market.generation)))
        return state
    }

    @Test(arguments: [("rp", 1), ("runpod", 1), ("!rp", 9), ("vast", 9), ("platform:rp", 1)])
    func aFilterFindsThePlatformAsTheListNamesIt(filter: String, count: Int) {
        var state = Self.mixed()
        press(&state, .character("2"), .character("/"))
        _ = type(&state, filter)
        #expect(state.offers.shownCount == count)
        // The same goes for instances.
        press(&state, .escape, .character("1"), .character("/"))
        _ = type(&state, "rp")
        #expect(state.instances.shown.map(\.id) == [Samples.loader.id])
    }

    @Test(arguments: ["runpod", "RunPod", "rp"]) func aQueryCanNameAPlatform(word: String) {
        var state = Self.mixed()
        press(&state, .character("2"), .character("e"), .control("u"))
        _ = type(&state, "4090 \(word) <0.8")
        press(&state, .enter)
        #expect(state.market.query.gpu == "4090" && state.market.query.maximumPrice?.dollarsPerHour == 0.8)
        #expect(state.offers.shown.map(\.platform) == [.runpod])
        // A query without one shows all again, as does that of the palette.
        _ = state.execute(line: "offers 4090")
        #expect(state.offers.shownCount == 10 && state.offers.filter.isEmpty)
        _ = state.execute(line: "offers 4090 vast.ai")
        #expect(state.offers.shownCount == 9)
    }

    @Test func aFilterOfOnesOwnSurvivesAQuery() {
        var state = Self.mixed()
        press(&state, .character("2"), .character("/"))
        _ = type(&state, "4090")
        press(&state, .enter, .character("e"), .control("u"))
        _ = type(&state, "<0.8")
        press(&state, .enter)
        #expect(state.offers.filter == "4090")
    }

    @Test func rowsOfAnEarlierQuerySayThatTheyAre() {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .character("e"), .control("u"))
        _ = type(&state, "nonsense")
        press(&state, .enter)
        let error = EngineError(.unknownGPU, EngineError.Activity("searching", subject: "nonsense"))
        _ = update(
            &state, .answered(.offersLoaded(.failure(error), generation: state.market.generation)))
        #expect(Self.text(state).contains("2 Offers nonsense · 9 from before"), "\(Self.text(state))")
    }

    // MARK: Watching

    private static let epochs =
        (1...3).map { "Epoch \($0)/12: 100%|█████| 250/250 [00:01<00:00, 250.0it/s, loss=0.\(9 - $0)]\n" }
        .joined() + "Epoch 4/12:  40%|████      | 100/250 [00:00<00:00, 250.0it/s, loss=0.41]\n"

    /// The part of an epoch beside the time left of all looked like the progress of all.
    @Test(arguments: [(200, 50), (120, 40), (80, 24)]) func progressIsTheSameEverywhere(
        width: Int, height: Int
    ) {
        var state = Self.sized(width, height)
        Samples.openLog(&state, Self.epochs)
        let overall = state.metrics.reading.figures.progress?.overall
        #expect(overall?.done == 850 && overall?.total == 3000)
        press(&state, .character("3"), .character("g"))
        #expect(Self.text(state).contains("28 %"), "\(Self.text(state))")
        press(&state, .character("4"))
        #expect(Self.text(state).contains("28 %  850/3000"), "\(Self.text(state))")
        press(&state, .character("m"))
        #expect(Self.text(state).contains("28 %  850/3000"), "\(Self.text(state))")
        #expect(!Self.text(state).contains("40 %"))
    }

    /// A cell in which not even the loss fits shows the share, not nothing.
    @Test func aNarrowRowStillTellsTheProgress() throws {
        for width in stride(from: 130, through: 100, by: -5) {
            var state = Self.sized(width, 40, Samples.fleet())
            press(&state, .character("3"))
            let rows = Self.rows(state)
            let row = try #require(rows.first { $0.contains("train-8 ") && $0.contains("running") })
            guard rows.contains(where: { $0.contains("cost") && $0.contains("prog") }) else { continue }
            #expect(row.contains("23 %") || row.contains("loss"), "\(width): \(row)")
        }
    }

    @Test func theTitleSaysThatARowShowsProgress() {
        let state = Self.sized(200, 50, Samples.fleet())
        #expect(Self.text(state).contains("cost progress"))
        var idle = Self.sized(200, 50)
        _ = update(&idle, .answered(.jobsLoaded(.success([Samples.job("train-7", .succeeded)]))))
        #expect(Self.text(idle).contains("cost command") && !Self.text(idle).contains("progress"))
    }

    @Test func theLoadAfterAJobIsNotTheJobs() {
        var state = Self.sized(120, 40)
        Samples.load(&state)
        Samples.openLog(&state, "epoch 1/10 loss 0.5\nepoch 2/10 loss 0.4\n")
        press(&state, .character("4"))
        func summary() -> String? { Self.rows(state).last { $0.contains("loss ") && $0.contains("0.4 ") } }
        #expect(summary()?.contains("GPU ") == true, "\(Self.text(state))")
        _ = update(&state, .answered(.jobsLoaded(.success([Samples.job("train-7", .succeeded)]))))
        #expect(summary()?.contains("GPU ") == false, "\(Self.text(state))")
    }

    @Test func anEndIsNotNamedTwice() {
        var job = Samples.job("train-7", .cancelled)
        job.cause = "cancelled"
        var state = Self.sized(200, 50)
        _ = update(&state, .answered(.jobsLoaded(.success([job]))))
        #expect(!Self.text(state).contains("cancelled: cancelled"))
        job.cause = "cancelled before it began"
        _ = update(&state, .answered(.jobsLoaded(.success([job]))))
        #expect(Self.text(state).contains("cancelled before it began"))
    }

    // MARK: Acting

    @Test func theCommandPromptOffersTheProjectsScripts() {
        var state = Self.sized(120, 40, Samples.empty())
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        press(&state, .character("1"))
        let effects = press(&state, .character("r"))
        #expect(effects.contains(.ask(.listFolder(""))))
        let names = ["README.md", "data/", "odd name.py", "run.sh", "train.py"]
        _ = update(&state, .answered(.folderListed(Palette.Listing(folder: "", names: names))))
        #expect(Self.text(state).contains("↑ python3 train.py") && Self.text(state).contains("↑ bash run.sh"))
        #expect(!Self.text(state).contains("odd name"))
        #expect(Self.hints(state).contains("↑ ↓ choose"))
        press(&state, .up, .up, .enter)
        #expect(state.commandHistory.first == "python3 train.py")
        // What has been run comes first from then on.
        #expect(!press(&state, .character("r")).contains(.ask(.listFolder(""))))
    }

    @Test func aPromptWithoutChoicesPromisesNone() {
        var state = Self.sized(120, 40)
        press(&state, .character("N"))
        #expect(Self.hints(state).contains("Enter go") && !Self.hints(state).contains("↑"))
    }

    @Test func theHintBarNamesTheKeyThatConfirms() {
        var state = Self.sized(120, 40)
        press(&state, .character("D"))
        // `y` on Cancel destroys nothing.
        #expect(Self.hints(state).contains("Tab next button") && !Self.hints(state).contains("y confirm"))
        press(&state, .tab)
        #expect(Self.hints(state).contains("y confirm"))
        press(&state, .escape, .character("x"))
        #expect(Self.hints(state).contains("y confirm"))
    }

    @Test func theHintBarSaysWhatStopOrStartWouldDo() {
        var state = Self.sized(200, 50)
        #expect(Self.hints(state).contains("x stop") && !Self.hints(state).contains("x start"))
        state.instances.select(Samples.parked.id)
        #expect(Self.hints(state).contains("x start"))
    }

    @Test(arguments: [Key.character("1"), .character("2"), .character("3"), .character("4")])
    func aWideHintBarLeadsOn(pane: Key) {
        var state = Self.sized(200, 50)
        press(&state, pane)
        for hint in ["Tab next pane", "$ limits", "@ history"] {
            #expect(Self.hints(state).contains(hint), "\(Self.hints(state))")
        }
    }

    @Test func filesCanBeBroughtFromWhereTheyAreListed() {
        var state = Self.sized(120, 40)
        let report = WorkspaceReport(
            uploads: [], deletions: [], conflicts: [],
            files: [.init(path: "outputs/metrics.csv", bytes: 4200, safety: .onlyThere)])
        press(&state, .character("F"))
        _ = update(&state, .answered(.workspaceCompared(Samples.trainer.id, .success(report))))
        press(&state, .character("4"))
        #expect(Self.text(state).contains("⚠ Not downloaded yet: 1 file, 4.2 kB; d downloads them"))
        #expect(Self.hints(state).contains("d download"))
        let effects = press(&state, .character("d"))
        #expect(
            effects.contains {
                if case .order(.start(.download(Samples.trainer.id, _), _)) = $0 { true } else { false }
            })
    }

    @Test func aLongCommandLeavesTheTimeOfItsRun() {
        var state = Self.sized(80, 24)
        let id = ActionID(Samples.session)
        let request = RunRequest(command: .shell("python3 train.py --epochs 200"))
        for event: EngineEvent in [
            .queued(id, .run(Samples.trainer.id, request)), .started(id),
            .progress(id, ActionProgress(.running, detail: "python3 train.py --epochs 200 --rate 0.3 --x")),
        ] { _ = update(&state, .engine(event, at: Samples.now)) }
        #expect(Self.rows(state).contains { $0.contains("▶ run 31415") && $0.contains("00:00:00") })
    }

    @Test func aHalfWideScreenShowsWhatTheCommandsDo() {
        var state = Self.sized(80, 24)
        press(&state, .character(":"))
        #expect(
            Self.text(state).contains("uploads the project's changes to the instance"), "\(Self.text(state))")
    }

    // MARK: Money

    @Test func theDiskOfAHostCostsWhatThatHostAsks() {
        var own = Samples.trainer
        own.stoppedPrice = HourlyPrice(dollarsPerHour: 0.0056)
        var state = Self.sized(120, 40)
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([own]))))
        press(&state, .character("x"))
        // The offers there would say $0.20.
        #expect(Self.text(state).contains("still costs about $0.13 a day"), "\(Self.text(state))")
    }

    @Test func aStoppedInstanceHasNoMadeUpCost() {
        var state = Self.sized(120, 40)
        press(&state, .character("i"))
        #expect(Self.text(state).contains("so far"))
        state.instances.select(Samples.parked.id)
        #expect(Self.text(state).contains("rented") && !Self.text(state).contains("so far"))
        press(&state, .character("D"))
        #expect(
            Self.text(state).contains("Destroy vast.ai 27182") && !Self.text(state).contains("ago · about"))
    }

    @Test func theEndOfALeaseSaysHowFarOffItIs() {
        var leased = Samples.trainer
        leased.lease = Lease(
            terms: LeaseTerms(seconds: 43_200), guardian: .instance,
            endsAt: Samples.now.addingTimeInterval(7200))
        var state = Self.sized(120, 40)
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([leased]))))
        press(&state, .character("i"))
        #expect(Self.text(state).contains("14:04, in 2h00m"), "\(Self.text(state))")
    }

    // MARK: Without a screen

    @Test func quitLeavesAFormOfPlainMode() {
        var state = Samples.overview()
        _ = state.plainLine("create", at: Samples.now)
        #expect(state.plainLine("quit", at: Samples.now).effects == [.terminal(.quit)])
        _ = state.plainLine("destroy 31415", at: Samples.now)
        #expect(state.plainLine("quit", at: Samples.now).effects == [.terminal(.quit)])
        // A command may have that name.
        press(&state, .character("r"))
        #expect(state.plainLine("quit", at: Samples.now).effects != [.terminal(.quit)])
    }
}
