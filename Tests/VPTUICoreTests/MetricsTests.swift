import Foundation
import Testing
import VPEngine
import VPTUICore

@Suite struct MetricsTests {
    @Test func figuresThatRoundUpHaveOneDigitBeforeThePoint() {
        var state = Samples.overview()
        Samples.openLog(&state, "loss=0.5\nloss=0.00009996\n")
        press(&state, .character("4"), .character("m"))
        let text = screenText(view(state))
        #expect(text.contains("1.0e-4") && !text.contains("10.0e-5"))
    }

    @Test func aLossThatIsNoNumberIsSaid() {
        var state = Samples.overview()
        Samples.openLog(&state, "step 1/9 loss=0.5\nstep 2/9 loss=nan\nstep 3/9 loss=nan\n")
        press(&state, .character("4"), .character("m"))
        let text = screenText(view(state))
        #expect(
            text.contains("now not a number") && text.contains("loss is not a number since step 2"), "\(text)"
        )
    }

    @Test func outputIsReadOnceItIsThere() {
        var state = Samples.overview()
        Samples.openLog(&state, "step 1/9 loss=0.5\n")
        let job = JobID("train-7")
        let more = Array("step 2/9 loss=0.25\n".utf8)
        let first = update(&state, .engine(.jobOutput(job, offset: 18, bytes: more), at: Samples.now))
        #expect(first.contains(.log(.readMetrics(job))))
        // One reading at a time; what comes meanwhile waits for it.
        let second = update(&state, .engine(.jobOutput(job, offset: 18 + 19, bytes: more), at: Samples.now))
        #expect(!second.contains(.log(.readMetrics(job))))
    }

    @Test func telemetryMakesCurves() {
        var state = Samples.overview()
        var date = Samples.now
        for step in 0..<200 {
            var sample = TelemetrySample(
                gpus: [
                    .init(
                        utilization: 0, usedBytes: 1 << 30, totalBytes: 24 << 30, temperature: 40, power: 30)
                ],
                busyTicks: Int64(step * 50), totalTicks: Int64(step * 200), load: 1.5,
                usedMemoryBytes: 1 << 30, totalMemoryBytes: 4 << 30)
            sample.receivedBytes = Int64(step) * 2_000_000
            date = Samples.now.addingTimeInterval(Double(step) * 2)
            _ = update(&state, .telemetry(Samples.trainer.id, sample, at: date))
        }
        let track = state.telemetry.track(Samples.trainer.id)
        #expect(track?.gpu.count == 120)
        #expect(track?.cpu.last == 0.25)
        #expect(track?.received.last == 1_000_000)
        // Whether it is paid for in vain is the engine's to say: one answer for `vp status` and the screen.
        #expect(state.alarms.isEmpty)
    }

    @Test func onlyWhatIsOnScreenIsSampled() {
        var state = Samples.overview()
        // The log of a running job.
        #expect(state.log.job == JobID("train-7"))
        var effects = press(&state, .enter)
        effects += update(&state, .tick(Samples.now.addingTimeInterval(2)))
        press(&state, .character("2"))
        effects = update(&state, .tick(Samples.now.addingTimeInterval(3)))
        #expect(effects.contains(.order(.watch([:]))) || state.lastList == .offers)
        press(&state, .character("1"), .character("j"))
        let passing = update(&state, .tick(Samples.now.addingTimeInterval(3.1)))
        #expect(
            !passing.contains {
                if case .order(.watch(let intervals)) = $0 {
                    intervals[Samples.loader.id] != nil
                } else {
                    false
                }
            })
    }
}

@Suite struct ThemeTests {
    @Test func everyRoleAndSurfaceHasAColourInEachTheme() {
        for theme in Theme.builtIn {
            for depth in [Theme.Depth.mono, .eight, .sixteen, .many, .direct] {
                for role in Role.allCases {
                    for surface in Surface.allCases {
                        let paint = theme.with(depth: depth).paint(Style(role, on: surface))
                        if depth == .mono { #expect(paint.foreground == -1 && paint.background == -1) }
                        // What is written in its own background cannot be read.
                        if paint.foreground >= 0 {
                            #expect(
                                paint.foreground != paint.background,
                                "\(theme.name) \(role) \(surface) \(depth)")
                        }
                    }
                }
            }
        }
    }

    @Test func aFileChangesColours() throws {
        let file = ["sea": ["base": "dark", "accent": "#0087ff", "selected": "255 on 18"]]
        let theme = try Theme.named("sea", in: file, isLight: false)
        #expect(theme.paint(Style(.accent)).foreground == 33)
        let selected = theme.paint(Style(.plain, on: .selected))
        #expect(selected.foreground == 255 && selected.background == 18)
        #expect(theme.with(depth: .direct).paint(Style(.accent)).foreground == 0x0087FF)
    }

    @Test(
        arguments: [
            ("nosuch", [:], "theme: “nosuch” does not exist; the themes are auto, dark, light"),
            (
                "x", ["x": ["accent": "blueish"]],
                "themes.x.accent: “blueish” is not a colour; write #rrggbb, 0 to 255, or terminal"
            ),
            ("x", ["x": ["base": "sepia"]], "themes.x.base: dark or light, not “sepia”"),
        ] as [(String, [String: [String: String]], String)])
    func mistakesAreNamed(_ name: String, _ file: [String: [String: String]], _ sentence: String) {
        #expect(throws: DashboardFileError(sentence)) { try Theme.named(name, in: file, isLight: false) }
    }

    @Test func keysAreRemapped() throws {
        let map = try KeyMap.standard.applying([
            "instances": ["destroy": ["K", "F9"]], "everywhere": ["up": ["k", "Up"]],
        ])
        #expect(map.command(for: .character("K"), focus: .instances) == .destroy)
        #expect(map.command(for: .function(9), focus: .instances) == .destroy)
        #expect(map.command(for: .character("D"), focus: .instances) == nil)
    }

    @Test(
        arguments: [
            (["instances": ["destroy": ["S"]]], "keys: S means sync and destroy in Instances"),
            (
                ["here": ["destroy": ["S"]]],
                "keys: “here” is not a pane; the panes are everywhere, lists, instances, offers, jobs, log, metrics"
            ),
            (
                ["jobs": ["destroy": ["S"]]],
                "keys.jobs: “destroy” is not an action; `vp-tui --print-keys` lists them"
            ),
            (
                ["jobs": ["cancel": ["Hyper-x"]]],
                "keys.jobs.cancel: “Hyper-x” is not a key; examples: x, Ctrl-x, F5, Space"
            ),
        ] as [([String: [String: [String]]], String)])
    func keysThatCannotBeAreRefused(_ changes: [String: [String: [String]]], _ sentence: String) {
        #expect(throws: DashboardFileError(sentence)) { try KeyMap.standard.applying(changes) }
    }
}

@Suite struct MouseTests {
    @Test func aClickFocusesAndSelects() {
        var state = Samples.overview()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.parked]))))
        let area = Layout(state).lists[1].1
        let point = Point(x: area.x + 5, y: area.y + 4)
        _ = update(&state, .mouse(MouseEvent(.press, at: point), at: Samples.now))
        #expect(state.focus == .offers && state.offers.selectedIndex == 2)
        _ = update(&state, .mouse(MouseEvent(.press, at: point), at: Samples.now.addingTimeInterval(0.2)))
        guard case .dialog(let dialog) = state.overlay, case .create = dialog.kind else {
            Issue.record("a double click is no Enter")
            return
        }
    }

    @Test func theWheelScrollsWhatIsUnderIt() {
        var state = Samples.overview()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.parked]))))
        let area = Layout(state).lists[1].1
        _ = update(
            &state, .mouse(MouseEvent(.wheelDown, at: Point(x: area.x + 3, y: area.y + 3)), at: Samples.now))
        #expect(state.offers.selectedIndex == 3 && state.focus == .instances)
    }

    @Test func theHintBarCanBePressed() {
        var state = Samples.overview()
        let hint = Layout(state).hint
        let text = screenText(view(state)).split(separator: "\n").first { $0.contains("S sync") } ?? ""
        let column =
            text.range(of: "S sync").map { text.distance(from: text.startIndex, to: $0.lowerBound) } ?? 0
        // The picture has a frame of one column.
        let effects = update(
            &state, .mouse(MouseEvent(.press, at: Point(x: column - 1, y: hint.y)), at: Samples.now))
        #expect(effects == [.ask(.checkConflicts([Samples.trainer.id]))])
    }

    @Test func aClickOnDestroyDoesNotDestroy() {
        var state = Samples.overview()
        press(&state, .character("D"))
        for x in 0..<state.size.width {
            for y in 0..<state.size.height {
                let before = state
                _ = update(
                    &state,
                    .mouse(MouseEvent(.press, at: Point(x: x, y: y)), at: Samples.now.addingTimeInterval(1)))
                #expect(state.pendingDestroys.isEmpty && state.actions.count == before.actions.count)
                if state.overlay == nil { state = before }
            }
        }
    }
}

@Suite struct PlainTests {
    @Test func saysWhatChangesOnce() {
        var reporter = PlainReporter()
        var state = Samples.overview()
        let first = reporter.report(state)
        #expect(first.contains("Instance 31415 train, RTX 4090, $0.354/h: running"))
        #expect(first.contains { $0.hasPrefix("Job train-7: running") })
        #expect(reporter.report(state).isEmpty)
        var ended = Samples.job("train-7", .failed)
        ended.createdAt = Samples.now
        _ = update(&state, .answered(.jobsLoaded(.success([ended]))))
        #expect(reporter.report(state).contains("Job train-7: failed with exit status 1"))
        #expect(!first.joined().unicodeScalars.contains { $0.value == 0x1B })
    }

    @Test func destroysByNumbersAfterAsking() {
        var reporter = PlainReporter()
        var state = Samples.overview()
        _ = reporter.report(state)
        let (effects, _) = state.plainLine("destroy 27182", at: Samples.now)
        #expect(effects == [.ask(.loadUnsafeResults(Samples.parked.id))])
        let asked = reporter.report(state)
        #expect(asked.contains("1. Cancel") && asked.contains("2. Destroy"))
        _ = state.plainLine("2", at: Samples.now.addingTimeInterval(1))
        #expect(state.pendingDestroys.map(\.instance) == [Samples.parked.id])
        _ = state.plainLine("undo", at: Samples.now.addingTimeInterval(2))
        #expect(state.pendingDestroys.isEmpty)
    }

    @Test func runsWhatIsTyped() {
        var state = Samples.overview()
        let (effects, _) = state.plainLine("run make all", at: Samples.now)
        #expect(effects.count == 1)
        #expect(PlainReporter.overview(state).contains { $0.contains("31415 train") })
    }
}
