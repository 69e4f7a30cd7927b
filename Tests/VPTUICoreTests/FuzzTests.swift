import Foundation
import Testing
import VPEngine
import VPTUICore

/// Random keys, clicks, sizes, answers and events, in an order that a number fixes: no trap,
/// and what must hold holds. `VP_FUZZ_STEPS=1000000` walks further, `VP_FUZZ_SEED` elsewhere.
@Suite struct FuzzTests {
    struct Generator {
        var seed: UInt64

        mutating func next(_ bound: Int) -> Int {
            self.seed = self.seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((self.seed >> 33) % UInt64(bound))
        }

        mutating func pick<Value>(_ values: [Value]) -> Value { values[self.next(values.count)] }
    }

    private static let keys: [Key] =
        "qwertyuiopasdfghjklzxcvbnmQWERTYUIOPASDFGHJKLZXCVBNM1234/?+_:@&[]~! é日👍".map { .character($0) }
        + [.enter, .escape, .tab, .backTab, .up, .down, .left, .right, .home, .end, .pageUp, .pageDown]
        + [.backspace, .delete, .function(5)] + "duwrlsnpaek".map { .control($0) }
    private static let error = EngineError(
        .unreachable, EngineError.Activity("connecting", platform: .vast, subject: "31415"),
        detail: "no route")

    private static let summary = SyncSummary(
        direction: .down, transferredFiles: 3, conflicts: ["a/b"], missing: ["c: no permission"])

    /// Something that the world does. `log` is the file behind the pane.
    private func event(_ random: inout Generator, _ state: State, _ log: inout MemoryLog, _ time: Date)
        -> [Message]
    {
        let all = [Samples.trainer, Samples.loader, Samples.parked]
        let job = JobID("train-7")
        switch random.next(23) {
        case 0: return [.resized(Size(width: random.next(240), height: random.next(80)))]
        case 1, 2: return [.tick(time)]
        case 3:
            let failing = PlatformAnswers<Instance>.Failure(platform: .vast, error: Self.error)
            let failures = random.next(3) == 0 ? [failing] : []
            let values = Array(all.prefix(random.next(4)))
            return [
                .answered(
                    .instancesLoaded(PlatformAnswers(values: values, failures: failures, fetchedAt: time)))
            ]
        case 4:
            let offers = Array(Samples.offers.prefix(random.next(10)))
            return [
                .answered(
                    .offersLoaded(
                        .success(Samples.answers(offers, at: time)), generation: state.market.generation))
            ]
        case 5:
            let states = Job.State.allCases
            return [
                .answered(
                    .jobsLoaded(
                        .success(
                            ["train-7", "train-6", "eval-2"].map { Samples.job($0, random.pick(states)) })))
            ]
        case 6, 7, 8:
            let bytes = (0..<random.next(200)).map { _ -> UInt8 in
                random.next(4) == 0
                    ? random.pick([0x1B, 0x5B, 0x9B, 0xC2, 0x0A, 0x0D, 0x6D]) : UInt8(random.next(256))
            }
            // It is read whole for its figures and for each search: a larger one is the subject of LogTests.
            if log.bytes.count > 30_000 { log.bytes.removeAll() }
            let offset = log.size()
            log.bytes += bytes
            // Now and then a part is not told, and has to be read.
            if random.next(5) == 0 { return [] }
            return [.engine(.jobOutput(job, offset: offset, bytes: bytes), at: time)]
        case 9:
            guard !state.actions.isEmpty else { return [] }
            return [.engine(.started(random.pick(state.actions).id), at: time)]
        case 10:
            // Nothing is under way for ever: as many end as are begun.
            let results: [ActionResult] = [
                .created(all[0]), .downloaded(Self.summary), .stopped(all[2], unsafe: Self.error),
                .destroyed(
                    DestroyReceipt(
                        instance: all[1].id, name: nil, download: Self.summary, dollars: 1, duration: nil)),
                .ran(RunSummary(job: Samples.job("train-6", .failed), upload: Self.summary)),
            ]
            return state.actions.filter(\.isActive).map { record in
                let outcome: ActionOutcome =
                    switch random.next(4) {
                    case 0: .cancelled
                    case 1: .failed(Self.error)
                    default: .succeeded(random.pick(results))
                    }
                return .engine(.finished(record.id, outcome), at: time)
            }
        case 11: return [.engine(.instanceGone(random.pick(all).id), at: time)]
        case 12: return [.engine(.instanceChanged(random.pick(all)), at: time)]
        case 13:
            let sample = TelemetrySample(
                gpus: [.init(utilization: Double(random.next(100)) / 100)],
                busyTicks: Int64(random.next(1000)),
                totalTicks: Int64(random.next(2000)))
            return [.telemetry(random.pick(all).id, sample, at: time)]
        case 14:
            return [.pasted("日本 \u{1B}[2J\n" + String(repeating: "x", count: random.next(300)), at: time)]
        case 15:
            let point = Point(x: random.next(250), y: random.next(80))
            return [.mouse(MouseEvent(random.pick([.press, .wheelUp, .wheelDown]), at: point), at: time)]
        case 16: return [.failed(Self.error, at: time)]
        case 17:
            return [
                .answered(
                    .unsafeResultsLoaded(random.pick(all).id, .success(UnsafeResults(files: 1, bytes: 9))))
            ]
        case 18:
            return [
                .answered(
                    .quoted(
                        .success(Samples.answers(Samples.offers)), job: JobEstimate(),
                        generation: random.next(4)))
            ]
        case 19: return [.answered(.verbsLoaded(VerbTable(dump: Data(PaletteTests.dump.utf8))))]
        case 20:
            let lines = (0..<random.next(100)).map { "line \($0) 日本" }
            return [.answered(.lineEnded("doctor", output: lines, exitStatus: 1, seconds: 1, at: time))]
        case 21:
            let kinds = Alarm.Kind.allCases.filter { _ in random.next(3) == 0 }
            return [.answered(.moneyLoaded(.success(Samples.report(kinds))))]
        default:
            return [.answered(.conflictsChecked([random.pick(all).id], random.next(2) == 0 ? [] : ["a/b"]))]
        }
    }

    private func check(_ state: State, _ step: Int) {
        func list<Row>(_ list: ListState<Row>, _ name: String) {
            #expect((list.selection == nil) == (list.shownCount == 0), "\(name) at \(step)")
            #expect(list.selectedIndex.map { $0 < list.shownCount } ?? true, "\(name) at \(step)")
            #expect(list.marks.allSatisfy { list.row($0) != nil }, "\(name) at \(step)")
        }
        list(state.instances, "instances")
        list(state.offers, "offers")
        list(state.jobs, "jobs")
        let layout = Layout(state)
        if !layout.isTooSmall {
            let areas =
                layout.lists.map(\.1) + [layout.burn, layout.strip, layout.hint]
                + (layout.main.map { [$0] } ?? [])
            #expect(areas.allSatisfy { Rect(state.size).contains($0) }, "at \(step)")
            // What has the focus is on screen.
            let isShown =
                state.focus == .main ? layout.main != nil : layout.lists.contains { $0.0 == state.focus }
            #expect(isShown, "\(state.focus) \(state.zoom) \(state.size) at \(step)")
        }
        #expect(state.log.buffer.count <= LogBuffer.maximumLines + 1, "at \(step)")
        if case .dialog(let dialog) = state.overlay {
            #expect(dialog.instances.allSatisfy { state.instances.row($0) != nil }, "at \(step)")
        }
    }

    @Test func nothingBreaks() {
        let environment = ProcessInfo.processInfo.environment
        let steps = environment["VP_FUZZ_STEPS"].flatMap { Int($0) } ?? 12_000
        var random = Generator(seed: environment["VP_FUZZ_SEED"].flatMap { UInt64($0) } ?? 42)
        var log = MemoryLog(Samples.log)
        var state = Samples.overview()
        var time = Samples.now
        for step in 0..<steps {
            time = time.addingTimeInterval(Double(random.next(400)) / 1000)
            let messages =
                random.next(3) == 0
                ? self.event(&random, state, &log, time) : [.key(random.pick(Self.keys), at: time)]
            for message in messages {
                let effects = update(&state, message)
                // Most questions are answered, some never.
                if random.next(8) != 0 { answer(&state, effects, log) }
            }
            self.check(state, step)
            guard step % 16 == 0 else { continue }
            let buffer = view(state)
            #expect(buffer.size == state.size)
            #expect(buffer.cursor.map { buffer.bounds.contains($0) } ?? true, "at \(step)")
            let isPrintable = buffer.cells.allSatisfy { cell in
                cell.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F ~= $0.value) }
            }
            #expect(isPrintable, "at \(step)")
        }
    }
}
