import Foundation
import Testing
import VPEngine
import VPTUICore

@Suite struct ScreenTests {
    static let sizes = [(80, 24), (120, 40), (200, 50), (61, 15)]

    @Test(arguments: sizes) func overview(_ width: Int, _ height: Int) {
        expectScreen(Samples.overview(), "overview", width: width, height: height)
    }

    @Test(arguments: sizes) func emptyLists(_ width: Int, _ height: Int) {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .instancesLoaded(Samples.answers([])))
        _ = update(&state, .offersLoaded(.success(Samples.answers([])), generation: state.offerGeneration))
        expectScreen(state, "empty", width: width, height: height)
    }

    @Test func withoutAnyKey() {
        expectScreen(Samples.empty([]), "no-key", width: 80, height: 24)
    }

    @Test(arguments: sizes) func destroyDialog(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        press(&state, .character("D"))
        let results = UnsafeResults(
            files: 12, bytes: 3_400_000_000,
            examples: ["checkpoints/epoch3.pt", "runs/events.out", "metrics.json"])
        _ = update(&state, .unsafeResultsLoaded(Samples.trainer.id, .success(results)))
        press(&state, .tab)
        expectScreen(state, "destroy", width: width, height: height)
    }

    @Test func createDialog() {
        var state = Samples.overview()
        press(&state, .character("2"), .enter)
        expectScreen(state, "create", width: 80, height: 24)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func help(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        press(&state, .character("?"))
        expectScreen(state, "help", width: width, height: height)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func offersFiltered(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        press(&state, .character("2"), .character("o"), .character("/"))
        _ = type(&state, "rtx !3060")
        expectScreen(state, "offers-filtered", width: width, height: height)
    }

    @Test(arguments: [(80, 24), (120, 40), (61, 15)]) func log(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        press(&state, .character("4"), .character("/"))
        _ = type(&state, "loss")
        press(&state, .enter)
        expectScreen(state, "log", width: width, height: height)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func errorBanner(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        let error = EngineError(
            .networkDown, EngineError.Activity("listing instances", platform: .vast),
            detail: "connection refused")
        _ = update(
            &state,
            .instancesLoaded(
                PlatformAnswers(
                    values: [Samples.loader], failures: [.init(platform: .vast, error: error)],
                    fetchedAt: Samples.now)))
        _ = update(&state, .tick(Samples.now.addingTimeInterval(90)))
        expectScreen(state, "error-banner", width: width, height: height)
    }

    @Test func errorDialog() {
        var state = Samples.overview()
        let error = EngineError(
            .downloadFailed, EngineError.Activity("downloading", platform: .vast, subject: "31415"),
            detail: "rsync: connection unexpectedly closed (1 234 bytes received so far) [receiver]")
        _ = update(&state, .failed(error, at: Samples.now))
        expectScreen(state, "error-dialog", width: 80, height: 24)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func actionsInProgress(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        let id = ActionID(Samples.session)
        let moving = TransferProgress(
            bytes: 640_000_000, totalBytes: 1_000_000_000, files: 12, totalFiles: 40,
            bytesPerSecond: 45_300_000)
        for event: EngineEvent in [
            .queued(id, .sync(Samples.trainer.id)), .started(id),
            .progress(id, ActionProgress(.uploading, detail: "data/train.bin", transfer: moving)),
        ] { _ = update(&state, .engine(event, at: Samples.now)) }
        press(&state, .character("j"), .character("j"), .character("D"), .tab, .character("y"))
        expectScreen(state, "actions", width: width, height: height)
    }

    @Test func runPrompt() {
        var state = Samples.overview()
        press(&state, .character("r"))
        _ = type(&state, "python tra")
        expectScreen(state, "run-prompt", width: 80, height: 24)
    }

    @Test func detailsOfAnInstance() {
        var state = Samples.overview()
        press(&state, .enter)
        expectScreen(state, "details", width: 120, height: 40)
    }

    @Test func tooSmall() {
        expectScreen(Samples.overview(), "too-small", width: 59, height: 14)
    }

    @Test func onlyASCII() {
        var state = Samples.overview()
        state.settings.isASCII = true
        let text = screenText(view(state))
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
        expectScreen(state, "ascii", width: 80, height: 24)
    }

    @Test func namesThatAreHostileOrLong() {
        var state = Samples.overview()
        var hostile = Samples.trainer
        hostile.name = "evil\u{1B}[2J\u{202E}gnp.\r\n name 家族👨‍👩‍👧❤️ " + String(repeating: "long", count: 40)
        hostile.gpuName = "RTX 4090 Ti Super Extreme Edition"
        _ = update(&state, .instancesLoaded(Samples.answers([hostile])))
        let text = screenText(view(state))
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E || $0.value == 0x0D })
        expectScreen(state, "hostile", width: 120, height: 40)
    }

    @Test(arguments: [(80, 24), (120, 40), (61, 15)]) func launchForm(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        press(&state, .character("c"))
        _ = update(
            &state, .quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 1))
        _ = type(&state, "h1")
        press(&state, .control("u"))
        _ = type(&state, "rtx 4")
        expectScreen(state, "form", width: width, height: height)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func palette(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        press(&state, .character(":"))
        _ = update(&state, .verbsLoaded(VerbTable(dump: Data(PaletteTests.dump.utf8))))
        _ = type(&state, "lo")
        press(&state, .down)
        expectScreen(state, "palette", width: width, height: height)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func historyOfCallsAndCommands(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        let id = ActionID(Samples.session)
        _ = update(
            &state,
            .called(
                APICallRecord(
                    platform: .vast, method: "GET", path: "/api/v1/instances/", status: 200,
                    startedAt: Samples.now, duration: 0.142)))
        _ = update(
            &state,
            .called(
                APICallRecord(
                    platform: .runpod, method: "GET", path: "/v2/pods", status: nil, failure: .networkDown,
                    startedAt: Samples.now, duration: 10.2)))
        _ = update(&state, .engine(.queued(id, .sync(Samples.trainer.id)), at: Samples.now))
        press(&state, .character("@"), .down)
        expectScreen(state, "history", width: width, height: height)
    }

    @Test func listOfActions() {
        var state = Samples.overview()
        let id = ActionID(Samples.session)
        _ = update(&state, .engine(.queued(id, .sync(Samples.trainer.id)), at: Samples.now))
        _ = update(&state, .engine(.started(id), at: Samples.now))
        press(&state, .character("a"))
        expectScreen(state, "action-list", width: 100, height: 30)
        press(&state, .character("X"))
        #expect(screenText(view(state)).contains("Cancel the sync"))
    }

    @Test(arguments: [(80, 24), (120, 40), (200, 50)]) func metrics(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        let text = (0..<400).map { step in
            let loss = (250 / (1 + Double(step) / 40) + 5 * sin(Double(step))).rounded() / 100
            return "step \(step)/1000 [00:41<00:23, 15.5it/s]  loss \(loss)  lr \(3.0e-4)\n"
        }.joined()
        Samples.openLog(&state, text)
        press(&state, .character("4"), .character("m"))
        expectScreen(state, "metrics", width: width, height: height)
    }

    @Test func metricsInBlocksAndASCII() {
        for plotting in [Settings.Plotting.blocks, .ascii] {
            var state = Samples.overview()
            state.settings.plotting = plotting
            state.settings.isASCII = plotting == .ascii
            Samples.openLog(&state, (0..<90).map { "loss=\(abs($0 - 45))\n" }.joined())
            press(&state, .character("4"), .character("m"))
            expectScreen(state, "metrics-\(plotting)", width: 80, height: 24)
        }
    }

    @Test(arguments: [(80, 24), (120, 40)]) func detailsWithLoad(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        Samples.load(&state)
        press(&state, .enter)
        if width < 100 { press(&state, .character("4")) }
        expectScreen(state, "load", width: width, height: height)
    }

    @Test func logWithLoad() {
        var state = Samples.overview()
        Samples.load(&state)
        expectScreen(state, "log-load", width: 160, height: 40)
    }

    @Test(arguments: [(80, 24), (120, 40)]) func files(_ width: Int, _ height: Int) {
        var state = Samples.overview()
        #expect(press(&state, .character("F")).contains(.compareWorkspace(Samples.trainer.id)))
        let report = WorkspaceReport(
            uploads: [.init(path: "train.py", bytes: 4_200)], deletions: ["old.py"],
            conflicts: [.init(path: "config.yaml", bytes: 300)],
            files: [
                .init(path: "checkpoints/epoch3.pt", bytes: 3_400_000_000, safety: .onlyThere),
                .init(path: "data/train.bin", bytes: 900_000_000, safety: .safe),
                .init(path: "日本語/メモ.txt", bytes: 12, safety: .conflict),
                .init(path: "train.py", bytes: 4_100, safety: .newerHere),
            ])
        _ = update(&state, .workspaceCompared(Samples.trainer.id, .success(report)))
        expectScreen(state, "files", width: width, height: height)
    }

    @Test func markedRowsAndWhatHappensToThem() {
        var state = Samples.overview()
        press(&state, .character("g"), .character("v"), .character("G"))
        expectScreen(state, "marked", width: 120, height: 40)
        press(&state, .character("D"))
        _ = update(
            &state,
            .unsafeResultsLoaded(
                Samples.trainer.id, .success(UnsafeResults(files: 3, bytes: 9_000_000, examples: ["a"]))))
        expectScreen(state, "destroy-marked", width: 120, height: 40)
    }

    @Test func answersOfVPInABox() {
        var state = Samples.overview()
        _ = update(
            &state,
            .lineEnded(
                "cost", output: ["vast.ai   $1.20", "RunPod    $0.40", "日本   wide"], exitStatus: 0,
                seconds: 1,
                at: Samples.now))
        expectScreen(state, "answer", width: 80, height: 24)
    }
}
