import Foundation
import Testing
import VPEngine
import VPTUICore

/// Every screen, overlay and state as text, at every size of `ScreenTests.sizes`.
struct ScreenCase: CustomTestStringConvertible, Sendable {
    var name: String
    /// What happens on an overview, which has its size already.
    var happens: @Sendable (inout State) -> Void
    var testDescription: String { self.name }

    init(_ name: String, _ happens: @escaping @Sendable (inout State) -> Void) {
        self.name = name
        self.happens = happens
    }

    static let all: [ScreenCase] = Self.lists + Self.dialogs + Self.boxes + Self.mains

    private static func networkDown(_ platform: Platform = .vast) -> EngineError {
        EngineError(
            .networkDown, EngineError.Activity("listing instances", platform: platform),
            detail: "connection refused")
    }

    private static let lists = [
        ScreenCase("overview") { _ in },
        ScreenCase("fleet") { state in
            let size = state.size
            state = Samples.fleet()
            _ = update(&state, .resized(size))
        },
        ScreenCase("fleet-waiting") { state in
            let size = state.size
            state = Samples.overview()
            _ = update(
                &state, .answered(.instancesLoaded(Samples.answers([Samples.trainer, Samples.loader]))))
            _ = update(&state, .resized(size))
        },
        ScreenCase("lease-prompt") { state in
            press(&state, .character("e"))
            _ = type(&state, "4")
            press(&state, .enter)
        },
        ScreenCase("empty") { state in
            state = Self.fresh(state)
            _ = state.begin()
            _ = update(&state, .answered(.instancesLoaded(Samples.answers([]))))
            _ = update(
                &state,
                .answered(.offersLoaded(.success(Samples.answers([])), generation: state.market.generation)))
        },
        ScreenCase("loading") { state in
            state = Self.fresh(state)
            _ = state.begin()
        },
        ScreenCase("no-key") { $0 = Self.fresh($0, platforms: []) },
        ScreenCase("error-banner") { state in
            Self.fail(&state, [.vast], keeping: [Samples.loader])
        },
        ScreenCase("offline") { state in
            Self.fail(&state, [.vast, .runpod], keeping: [])
            _ = update(
                &state,
                .answered(.offersLoaded(.failure(Self.networkDown()), generation: state.market.generation)))
            _ = update(&state, .tick(Samples.now.addingTimeInterval(4000)))
        },
        ScreenCase("offers-filtered") { state in
            press(&state, .character("2"), .character("o"), .character("/"))
            _ = type(&state, "rtx !3060")
        },
        ScreenCase("nothing-matches") { state in
            state.instances.apply(.filter("left from last week"))
        },
        ScreenCase("marked") { press(&$0, .character("g"), .character("v"), .character("G")) },
        ScreenCase("actions") { state in
            let id = ActionID(Samples.session)
            let moving = TransferProgress(
                bytes: 640_000_000, totalBytes: 1_000_000_000, files: 12, totalFiles: 40,
                bytesPerSecond: 45_300_000)
            for event: EngineEvent in [
                .queued(id, .sync(Samples.trainer.id)), .started(id),
                .progress(id, ActionProgress(.uploading, detail: "data/train.bin", transfer: moving)),
            ] { _ = update(&state, .engine(event, at: Samples.now)) }
            press(&state, .character("j"), .character("j"), .character("D"), .tab, .character("y"))
        },
        ScreenCase("hostile") { state in
            var hostile = Samples.trainer
            hostile.name =
                "evil\u{1B}[2J\u{202E}gnp.\r\n name 家族👨‍👩‍👧❤️ " + String(repeating: "long", count: 40)
            hostile.gpuName = "RTX 4090 Ti Super Extreme Edition"
            _ = update(&state, .answered(.instancesLoaded(Samples.answers([hostile]))))
        },
        // Two columns a letter, in every place that shows text of others.
        ScreenCase("wide") { state in
            var wide = Samples.trainer
            wide.name = String(repeating: "訓練", count: 20)
            wide.location = "東京都千代田区"
            wide.statusMessage = "イメージを読み込んでいます"
            _ = update(&state, .answered(.instancesLoaded(Samples.answers([wide]))))
            var job = Samples.job("train-7", .running)
            job.command = .shell("python 学習.py --データ " + String(repeating: "漢字👍🏽", count: 12))
            _ = update(&state, .answered(.jobsLoaded(.success([job]))))
            Samples.openLog(&state, String(repeating: "損失が減りました👨‍👩‍👧 e\u{301}❤️ ", count: 30) + "\n")
        },
        ScreenCase("readonly") { state in
            state.settings.isReadOnly = true
            press(&state, .character("S"))
        },
    ]

    private static let dialogs = [
        ScreenCase("destroy") { state in
            press(&state, .character("D"))
            let results = UnsafeResults(
                files: 12, bytes: 3_400_000_000,
                examples: ["checkpoints/epoch3.pt", "runs/events.out", "metrics.json"])
            _ = update(&state, .answered(.unsafeResultsLoaded(Samples.trainer.id, .success(results))))
            press(&state, .tab)
        },
        ScreenCase("destroy-asking") { press(&$0, .character("D")) },
        ScreenCase("destroy-unknown") { state in
            press(&state, .character("D"))
            let error = EngineError(.unreachable, EngineError.Activity("comparing", subject: "31415"))
            _ = update(&state, .answered(.unsafeResultsLoaded(Samples.trainer.id, .failure(error))))
        },
        ScreenCase("destroy-safe") { state in
            press(&state, .character("D"))
            let results = UnsafeResults(files: 0, bytes: 0)
            _ = update(&state, .answered(.unsafeResultsLoaded(Samples.trainer.id, .success(results))))
            press(&state, .tab, .enter)
        },
        ScreenCase("destroy-marked") { state in
            press(&state, .character("g"), .character("v"), .character("G"), .character("D"))
            let results = UnsafeResults(files: 3, bytes: 9_000_000, examples: ["a"])
            _ = update(&state, .answered(.unsafeResultsLoaded(Samples.trainer.id, .success(results))))
        },
        ScreenCase("create") { press(&$0, .character("2"), .enter) },
        ScreenCase("stop") { press(&$0, .character("x")) },
        ScreenCase("start") { press(&$0, .character("j"), .character("x")) },
        ScreenCase("cancel-job") { press(&$0, .character("3"), .character("g"), .character("X")) },
        ScreenCase("cancel-action") { state in
            _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
            press(&state, .character("X"))
        },
        ScreenCase("conflicts") { state in
            let paths = (1...11).map { "configs/experiment-\($0)/設定.yaml" }
            _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], paths)))
        },
        ScreenCase("quit") { state in
            _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
            press(&state, .character("q"))
        },
        ScreenCase("error-dialog") { state in
            let error = EngineError(
                .downloadFailed, EngineError.Activity("downloading", platform: .vast, subject: "31415"),
                detail: "rsync: connection unexpectedly closed (1 234 bytes received so far) [receiver]")
            _ = update(&state, .failed(error, at: Samples.now))
        },
    ]

    private static let boxes = [
        ScreenCase("help") { press(&$0, .character("?")) },
        ScreenCase("help-log") { press(&$0, .character("4"), .character("?"), .pageDown) },
        ScreenCase("form") { state in
            press(&state, .character("c"))
            _ = type(&state, "h1")
            press(&state, .control("u"))
            _ = type(&state, "rtx 4")
            _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
            _ = update(
                &state,
                .answered(
                    .quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 2)))
        },
        ScreenCase("form-limit") { state in
            _ = state.execute(line: "create --max-cost 2 --disk 40")
            _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
            _ = update(
                &state,
                .answered(
                    .quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 2)))
            for _ in 0..<10 { press(&state, .tab) }
        },
        ScreenCase("form-problem") { state in
            press(&state, .character("c"))
            _ = update(
                &state, .answered(.quoted(.failure(Self.networkDown()), job: JobEstimate(), generation: 1)))
            press(&state, .tab, .tab, .tab, .tab)
            _ = type(&state, "much")
            _ = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        },
        ScreenCase("run-prompt") { state in
            press(&state, .character("r"))
            _ = type(&state, "python tra")
        },
        ScreenCase("query-prompt") { state in
            press(&state, .character("2"), .character("e"))
            _ = type(&state, " <cheap")
            press(&state, .enter)
        },
        ScreenCase("port-prompt") { press(&$0, .character("p")) },
        ScreenCase("name-prompt") { press(&$0, .character("N")) },
        ScreenCase("write-prompt") { press(&$0, .character("4"), .character("W")) },
        ScreenCase("time-prompt") { press(&$0, .character("4"), .character("J")) },
        ScreenCase("palette") { state in
            press(&state, .character(":"))
            _ = update(&state, .answered(.verbsLoaded(VerbTable(dump: Data(PaletteTests.dump.utf8)))))
            _ = type(&state, "lo")
            press(&state, .down)
        },
        ScreenCase("history") { state in
            let id = ActionID(Samples.session)
            for call in [
                APICallRecord(
                    platform: .vast, method: "GET", path: "/api/v1/instances/", status: 200,
                    startedAt: Samples.now, duration: 0.142),
                APICallRecord(
                    platform: .runpod, method: "GET", path: "/v2/pods", status: nil, failure: .networkDown,
                    startedAt: Samples.now, duration: 10.2),
            ] { _ = update(&state, .called(call)) }
            _ = update(&state, .engine(.queued(id, .sync(Samples.trainer.id)), at: Samples.now))
            press(&state, .character("@"), .down)
        },
        ScreenCase("action-list") { state in
            let id = ActionID(Samples.session)
            _ = update(&state, .engine(.queued(id, .sync(Samples.trainer.id)), at: Samples.now))
            _ = update(&state, .engine(.started(id), at: Samples.now))
            press(&state, .character("a"))
        },
        ScreenCase("answer") { state in
            let output = ["vast.ai   $1.20", "RunPod    $0.40", "日本   wide"]
            _ = update(
                &state,
                .answered(.lineEnded("cost", output: output, exitStatus: 0, seconds: 1, at: Samples.now)))
        },
        ScreenCase("provider-log") { state in
            let text = "pulling layer 7 of 12\nError: no space left on device"
            _ = update(&state, .answered(.providerLogLoaded(Samples.loader.id, text)))
        },
    ]

    private static let mains = [
        ScreenCase("log") { state in
            press(&state, .character("4"), .character("/"))
            _ = type(&state, "loss")
            press(&state, .enter)
        },
        ScreenCase("log-search-typed") { state in
            press(&state, .character("4"), .character("/"))
            _ = type(&state, "lo")
        },
        ScreenCase("log-kept") { state in
            press(&state, .character("4"), .character("&"))
            _ = type(&state, "epoch")
            answer(&state, press(&state, .enter), MemoryLog(Samples.log))
        },
        ScreenCase("log-paused") { state in
            Samples.openLog(&state, (0..<400).map { "line \($0) of many\n" }.joined())
            press(&state, .character("4"), .pageUp)
            let bytes = Array("one more\nand another\n".utf8)
            let offset = state.log.size
            _ = update(
                &state, .engine(.jobOutput(JobID("train-7"), offset: offset, bytes: bytes), at: Samples.now))
        },
        ScreenCase("log-load") { state in
            Samples.load(&state)
            press(&state, .character("4"))
        },
        ScreenCase("details") { press(&$0, .enter) },
        ScreenCase("details-offer") { press(&$0, .character("2"), .character("i")) },
        ScreenCase("details-job") { press(&$0, .character("3"), .character("g"), .character("i")) },
        ScreenCase("load") { state in
            Samples.load(&state)
            press(&state, .enter)
        },
        ScreenCase("metrics") { state in
            Samples.openLog(&state, Self.training)
            press(&state, .character("4"), .character("m"))
        },
        ScreenCase("metrics-none") { state in
            Samples.openLog(&state, "nothing to plot\n")
            press(&state, .character("4"), .character("m"))
        },
        ScreenCase("metrics-blocks") { Self.plot(&$0, .blocks) },
        ScreenCase("metrics-ascii") { Self.plot(&$0, .ascii) },
        ScreenCase("files") { state in
            press(&state, .character("F"))
            let report = WorkspaceReport(
                uploads: [.init(path: "train.py", bytes: 4_200)], deletions: ["old.py"],
                conflicts: [.init(path: "config.yaml", bytes: 300)],
                files: [
                    .init(path: "checkpoints/epoch3.pt", bytes: 3_400_000_000, safety: .onlyThere),
                    .init(path: "data/train.bin", bytes: 900_000_000, safety: .safe),
                    .init(path: "日本語/メモ.txt", bytes: 12, safety: .conflict),
                    .init(path: "train.py", bytes: 4_100, safety: .newerHere),
                ])
            _ = update(&state, .answered(.workspaceCompared(Samples.trainer.id, .success(report))))
        },
        ScreenCase("files-asking") { press(&$0, .character("F")) },
    ]

    private static let training = (0..<400).map { step in
        let loss = (250 / (1 + Double(step) / 40) + 5 * sin(Double(step))).rounded() / 100
        return "step \(step)/1000 [00:41<00:23, 15.5it/s]  loss \(loss)  lr \(3.0e-4)\n"
    }.joined()

    private static func plot(_ state: inout State, _ plotting: Settings.Plotting) {
        state.settings.plotting = plotting
        state.settings.isASCII = plotting == .ascii
        Samples.openLog(&state, (0..<90).map { "loss=\(abs($0 - 45))\n" }.joined())
        press(&state, .character("4"), .character("m"))
    }

    private static func fresh(_ state: State, platforms: [Platform] = [.vast, .runpod]) -> State {
        var fresh = Samples.empty(platforms)
        _ = update(&fresh, .resized(state.size))
        return fresh
    }

    private static func fail(_ state: inout State, _ platforms: [Platform], keeping rows: [Instance]) {
        let failures = platforms.map {
            PlatformAnswers<Instance>.Failure(platform: $0, error: Self.networkDown($0))
        }
        _ = update(
            &state,
            .answered(
                .instancesLoaded(PlatformAnswers(values: rows, failures: failures, fetchedAt: Samples.now))))
        _ = update(&state, .tick(Samples.now.addingTimeInterval(90)))
    }
}

@Suite struct ScreenTests {
    static let sizes = [(80, 24), (120, 40), (200, 50), (61, 15)]

    @Test(arguments: ScreenCase.all, sizes) func isDrawn(_ test: ScreenCase, _ size: (Int, Int)) {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: size.0, height: size.1)))
        test.happens(&state)
        let text = screenText(view(state))
        // Whatever names and logs hold.
        #expect(!text.unicodeScalars.contains { [0x1B, 0x202E, 0x0D].contains($0.value) })
        if state.settings.isASCII { #expect(text.utf8.allSatisfy { $0 < 0x80 }) }
        expectScreen(state, test.name, width: size.0, height: size.1)
    }

    @Test(arguments: sizes) func onlyASCII(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        state.settings.isASCII = true
        _ = update(&state, .resized(Size(width: width, height: height)))
        #expect(screenText(view(state)).utf8.allSatisfy { $0 < 0x80 })
        expectScreen(state, "ascii", width: width, height: height)
    }

    @Test func tooSmall() {
        expectScreen(Samples.overview(), "too-small", width: 59, height: 14)
    }

    @Test func theListOfActionsCancels() {
        var state = Samples.overview()
        let id = ActionID(Samples.session)
        _ = update(&state, .engine(.queued(id, .sync(Samples.trainer.id)), at: Samples.now))
        _ = update(&state, .engine(.started(id), at: Samples.now))
        press(&state, .character("a"), .character("X"))
        #expect(screenText(view(state)).contains("Cancel the sync"))
    }
}
