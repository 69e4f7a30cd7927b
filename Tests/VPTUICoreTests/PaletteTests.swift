import Foundation
import Testing
import VPEngine
import VPTUICore

@Suite struct PaletteTests {
    static let dump = """
        {"command":{"commandName":"vp","subcommands":[
        {"commandName":"run","abstract":"Sync, run, sync.","arguments":[
        {"kind":"option","abstract":"The instance.","preferredName":{"kind":"long","name":"instance-id"}}]},
        {"commandName":"ls","abstract":"List instances.","aliases":["list-instances"],"arguments":[]},
        {"commandName":"logs","abstract":"A job's log.","arguments":[]},
        {"commandName":"doctor","abstract":"Check everything.","arguments":[
        {"kind":"flag","abstract":"As JSON.","names":[{"kind":"long","name":"json"}]},
        {"kind":"positional","abstract":"x"}]},
        {"commandName":"help","abstract":"Help."}]},"serializationVersion":0}
        """

    private func open() -> State {
        var state = Samples.overview()
        #expect(press(&state, .character(":")) == [.ask(.loadVerbs)])
        _ = update(&state, .answered(.verbsLoaded(VerbTable(dump: Data(Self.dump.utf8)))))
        return state
    }

    @Test func verbsAndOptionsAreThoseOfTheProgram() {
        let table = VerbTable(dump: Data(Self.dump.utf8))
        #expect(table.verbs.map(\.name) == ["run", "ls", "list-instances", "logs", "doctor"])
        #expect(table.verb("run")?.options.map(\.name) == ["--instance-id"])
        #expect(table.verb("doctor")?.options.map(\.takesValue) == [false])
        #expect(VerbTable(dump: Data("no".utf8)).verbs.isEmpty)
    }

    @Test func fuzzyFindsTheBestFirst() {
        var palette = Palette()
        palette.field = TextField("dctr")
        let state = self.open()
        #expect(palette.candidates(state).first?.text == "doctor")
        palette.field = TextField("srtcol")
        #expect(palette.candidates(state).first?.text == "sort-column")
        palette.field = TextField("doctor --j")
        #expect(palette.candidates(state).first?.text == "doctor --json")
        palette.field = TextField("logs train")
        #expect(palette.candidates(state).map(\.text).contains("logs train-7"))
    }

    @Test func whatTheDashboardCanDoIsDoneHere() throws {
        var state = self.open()
        _ = type(&state, "run make all")
        let effects = press(&state, .enter)
        let id = try #require(state.actions.last?.id)
        #expect(
            effects == [.order(.start(.run(Samples.trainer.id, RunRequest(command: .shell("make all"))), id))]
        )
        _ = state.execute(line: "run python3 train.py --epochs 3")
        guard case .run(_, let request) = state.actions.last?.action else {
            Issue.record("a command's own options are not vp's")
            return
        }
        #expect(request.command == .shell("python3 train.py --epochs 3"))
        #expect(
            state.execute(line: "run -i 31415 -- make") == [
                .ask(.runLine(["run", "-i", "31415", "--", "make"]))
            ])
        _ = state.execute(line: "offers 3090 <0.5")
        #expect(state.market.query.gpu == "3090" && state.focus == .offers)
        _ = state.execute(line: "destroy-instance 27182")
        guard case .dialog(let dialog) = state.overlay else {
            Issue.record("no dialog")
            return
        }
        #expect(dialog.instances == [Samples.parked.id])
        #expect(state.paletteHistory.first == "destroy-instance 27182")
    }

    @Test func aCommandOfAListGoesThere() {
        var state = self.open()
        press(&state, .escape, .character("3"))
        _ = state.execute(line: "edit-query")
        #expect(state.focus == .offers)
        guard case .prompt(let prompt) = state.overlay else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.kind == .offerQuery)
    }

    @Test func createTakesItsOptionsIntoTheForm() {
        var state = self.open()
        let effects = state.execute(line: "create-instance --gpu-type 'RTX 3090' --disk=80 --platform runpod")
        #expect(effects.contains { if case .ask(.quote) = $0 { true } else { false } })
        guard case .form(let form) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(form.text(.gpu) == "RTX 3090" && form.text(.disk) == "80" && form.platform == .runpod)
    }

    @Test func everythingElseIsGivenToTheProgram() {
        var state = self.open()
        _ = type(&state, "doctor --json")
        #expect(press(&state, .enter) == [.ask(.runLine(["doctor", "--json"]))])
        _ = update(
            &state,
            .answered(
                .lineEnded("doctor --json", output: ["{}"], exitStatus: 0, seconds: 0.1, at: Samples.now)))
        #expect(screenText(view(state)).contains("vp doctor --json"))
        press(&state, .escape, .character("@"))
        #expect(screenText(view(state)).contains("vp doctor --json"))
        #expect(press(&state, .character("y")) == [.terminal(.copy("vp doctor --json"))])
    }

    /// `vp` would run an unknown word on an instance, also before it has listed its verbs.
    @Test func anUnknownWordIsNeverGivenToTheProgram() {
        var early = Samples.overview()
        #expect(early.verbs.verbs.isEmpty)
        var loaded = self.open()
        for line in ["frobnicate", "lss --json", "make -j4", "nvidia-smi"] {
            #expect(early.execute(line: line) == [], "\(line)")
            #expect(loaded.execute(line: line) == [], "\(line)")
        }
        #expect(early.execute(line: "doctor") == [.ask(.runLine(["doctor"]))])
        #expect(
            early.execute(line: "destroy 31415 --discard-results")
                == [.ask(.runLine(["destroy-instance", "31415", "--discard-results"]))])
    }

    @Test func nothingThatChangesSomethingWhereOneOnlyLooks() {
        var state = self.open()
        state.settings.isReadOnly = true
        for line in ["run make", "destroy 31415", "create", "sync", "frobnicate", "rename 31415 x"] {
            #expect(state.execute(line: line) == [], "\(line)")
            #expect(state.overlay == nil && state.actions.isEmpty)
        }
        #expect(state.execute(line: "doctor") == [.ask(.runLine(["doctor"]))])
    }

    @Test func linesAreKept() {
        var state = self.open()
        _ = state.execute(line: "ls")
        _ = state.execute(line: "jobs")
        press(&state, .character(":"), .up, .up)
        guard case .palette(let palette) = state.overlay else {
            Issue.record("no palette")
            return
        }
        #expect(palette.field.text == "ls")
    }
}

@Suite struct FormTests {
    private func open() -> State {
        var state = Samples.overview()
        let effects = press(&state, .character("c"))
        #expect(effects.count == 1)
        guard case .ask(.quote(let request, generation: 1)) = effects.first else {
            Issue.record("no price is asked for")
            return state
        }
        #expect(request.query.gpu == state.market.query.gpu && request.offer == nil)
        _ = update(
            &state,
            .answered(
                .quoted(
                    .success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 1)))
        return state
    }

    @Test func asksForThePriceOfWhatIsTyped() {
        var state = self.open()
        _ = type(&state, "h100")
        let effects = update(&state, .tick(Samples.now.addingTimeInterval(1)))
        #expect(
            effects.contains { effect in
                if case .ask(.quote(let request, generation: 2)) = effect {
                    request.query.gpu == "h100"
                } else {
                    false
                }
            })
        // Answers to older questions are dropped.
        _ = update(
            &state, .answered(.quoted(.success(Samples.answers([])), job: JobEstimate(), generation: 1)))
        guard case .form(let form) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(form.quote == .asking)
    }

    private func form(_ state: State) throws -> LaunchForm {
        guard case .form(let form) = state.overlay else { throw NoForm() }
        return form
    }

    private struct NoForm: Error {}

    private static let refused = EngineError(
        .limitRefused, .init("renting an instance"),
        detail: "the cheapest offer costs $0.698/h and the limit is $0.600/h")

    @Test func aPriceOfSomethingElseIsNeverShown() throws {
        var state = self.open()
        press(&state, .tab, .tab, .character(" "))
        #expect(try self.form(state).quote == .due)
        // Nor is one that was on its way when the field changed.
        _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
        press(&state, .character(" "))
        _ = update(
            &state,
            .answered(.quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 2)))
        #expect(try self.form(state).quote == .due)
    }

    @Test func whatALimitRefusesIsNotAskedForAndTheFormStays() throws {
        var state = self.open()
        press(&state, .tab, .tab, .character(" "))
        _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
        _ = update(&state, .answered(.quoted(.failure(Self.refused), job: JobEstimate(), generation: 2)))
        #expect(update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2))).isEmpty)
        let form = try self.form(state)
        #expect(form.focused == .price && form.problem?.sentence == Self.refused.detail)
    }

    @Test func whatIsPastedIsWhatIsWanted() throws {
        var state = self.open()
        _ = update(&state, .pasted("H100", at: Samples.now))
        let form = try self.form(state)
        #expect(form.quote == .due && form.text(.gpu).contains("H100"))
    }

    @Test func completesAndRents() throws {
        var state = self.open()
        _ = type(&state, "l40s")
        press(&state, .tab, .backTab)
        _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
        _ = update(
            &state,
            .answered(
                .quoted(.success(Samples.answers([Samples.offers[7]])), job: JobEstimate(), generation: 2))
        )
        for _ in 0..<10 { press(&state, .tab) }
        _ = type(&state, "make")
        let effects = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        let record = try #require(state.actions.last)
        guard case .create(let request) = record.action else {
            Issue.record("no create")
            return
        }
        #expect(effects == [.order(.start(record.action, record.id))])
        #expect(request.query.gpu == "l40s" && request.offer == nil)
        // The command runs once the instance is there.
        _ = update(&state, .engine(.started(record.id), at: state.now))
        let after = update(
            &state, .engine(.finished(record.id, .succeeded(.created(Samples.trainer))), at: state.now))
        #expect(
            after.contains { effect in
                if case .order(.start(.run(Samples.trainer.id, RunRequest(command: .shell("make"))), _)) =
                    effect
                {
                    true
                } else {
                    false
                }
            })
    }

    @Test func aFieldThatIsNoNumberIsNamed() {
        var state = self.open()
        press(&state, .tab, .control("u"))
        _ = type(&state, "many")
        #expect(update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2))) == [])
        #expect(screenText(view(state)).contains("count: a number from 1 to 64"))
        #expect(state.actions.isEmpty)
    }

    @Test func keysBeforeItCouldBeReadRentNothing() {
        var state = self.open()
        #expect(update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(0.2))) == [])
        #expect(state.actions.isEmpty)
    }

    @Test func anOfferIsPinnedUntilItIsChanged() throws {
        var state = Samples.overview()
        press(&state, .character("2"), .character("c"))
        guard case .form(let form) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(try form.request().offer == state.offers.selection)
        press(&state, .tab, .character("2"))
        guard case .form(let changed) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(changed.offer == nil)
    }
}
