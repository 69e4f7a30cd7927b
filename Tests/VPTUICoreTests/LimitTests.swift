import Foundation
import Testing
import VPEngine
import VPTUICore

/// What may be spent, as it is typed into the dashboard; the engine keeps to it.
@Suite struct LimitTests {
    private func request(_ action: EngineAction?) -> RunRequest? {
        if case .run(_, let request) = action { request } else { nil }
    }

    @Test func theFormLimitsTheRentalAndTheCommandAfterIt() throws {
        var state = Samples.overview()
        _ = state.execute(line: "create-instance --max-cost 1.5 --lease 4h")
        _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
        _ = update(
            &state,
            .answered(.quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 2)))
        // $1.5 at the $0.354/h of the cheapest.
        #expect(screenText(view(state)).contains("$1.50 buys 4h14m"))
        #expect(screenText(view(state)).contains("destroyed after 4h unused ($1.42), after 4 h in any case"))
        for _ in 0..<10 { press(&state, .tab) }
        _ = type(&state, "make")
        _ = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        let record = try #require(state.actions.last)
        guard case .create(let create) = record.action else {
            Issue.record("no create")
            return
        }
        #expect(create.maximumCost == 1.5)
        _ = update(&state, .engine(.queued(record.id, record.action), at: state.now))
        guard case .terminal(.copy(let line))? = press(&state, .character("@"), .character("y")).first else {
            Issue.record("nothing is copied")
            return
        }
        #expect(line.hasSuffix("--lease 4h --max-cost 1.5"))
        press(&state, .escape)
        _ = update(&state, .engine(.started(record.id), at: state.now))
        _ = update(
            &state, .engine(.finished(record.id, .succeeded(.created(Samples.trainer))), at: state.now))
        let run = try #require(self.request(state.actions.last?.action))
        #expect(run == RunRequest(command: .shell("make"), maximumCost: 1.5))
    }

    /// The engine keeps to the settings' limit where the form is silent, so the form says it.
    @Test func anEmptyFieldShowsTheLimitOfTheSettings() {
        var state = Samples.overview()
        state.settings.defaults.maximumPrice = HourlyPrice(dollarsPerHour: 0.6)
        _ = state.execute(line: "create-instance")
        #expect(screenText(view(state)).contains("0.6, as the settings say"))
    }

    /// One limit for both ways to rent what a query with a limit of its own has found.
    @Test func theLimitOfTheQueryHoldsHoweverOneRents() throws {
        var state = Samples.overview()
        state.settings.defaults.maximumPrice = HourlyPrice(dollarsPerHour: 0.3)
        press(&state, .character("2"), .character("e"), .control("u"))
        _ = type(&state, "4090 <3")
        press(&state, .enter)
        func limit(_ action: EngineAction?) -> Double? {
            guard case .create(let request)? = action else { return nil }
            return request.query.maximumPrice?.dollarsPerHour
        }
        var byDialog = state
        press(&byDialog, .enter)
        #expect(screenText(view(byDialog)).contains("limit    $3.00/h, as the query says"))
        press(&byDialog, .character("y"))
        #expect(limit(byDialog.actions.last?.action) == 3)
        press(&state, .character("c"))
        _ = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        #expect(limit(state.actions.last?.action) == 3)
        // Where the query has none, the settings' holds.
        var plain = Samples.overview()
        plain.settings.defaults.maximumPrice = HourlyPrice(dollarsPerHour: 0.6)
        press(&plain, .character("2"), .enter)
        #expect(screenText(view(plain)).contains("as the settings say"))
    }

    @Test(arguments: ["0", "-1", "much", "$"])
    func aLimitThatIsNoAmountIsNamed(_ text: String) {
        var state = Samples.overview()
        _ = state.execute(line: "create-instance --max-cost=\(text)")
        _ = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        #expect(screenText(view(state)).contains("cost: a number from"))
        #expect(state.actions.isEmpty)
    }

    @Test(arguments: [
        ("--max-cost 2 python train.py 'a b'", "python train.py 'a b'", 2.0 as Double?),
        ("--max-cost $0.5 -- make all", "make all", 0.5), ("make --max-cost 2", "make --max-cost 2", nil),
    ])
    func aLimitStandsBeforeTheCommand(_ typed: String, _ command: String, _ limit: Double?) {
        var state = Samples.overview()
        press(&state, .character("r"))
        _ = type(&state, typed)
        press(&state, .enter)
        #expect(
            self.request(state.actions.last?.action)
                == RunRequest(command: .shell(command), maximumCost: limit))
        #expect(state.commandHistory.first == command)
    }

    @Test func thePaletteTakesItAsVPDoes() {
        var state = Samples.overview()
        _ = state.execute(line: "run --max-cost 2 -- python train.py")
        #expect(
            self.request(state.actions.last?.action)
                == RunRequest(command: .shell("python train.py"), maximumCost: 2))
        // Other options are left to `vp`.
        #expect(
            state.execute(line: "run --max-cost 2 --detach make")
                == [.ask(.runLine(["run", "--max-cost", "2", "--detach", "make"]))])
    }

    @Test(arguments: ["--max-cost", "--max-cost 2", "--max-cost much make"])
    func aLimitWithoutAmountOrCommandIsAskedForAgain(_ typed: String) {
        var state = Samples.overview()
        press(&state, .character("r"))
        _ = type(&state, typed)
        #expect(press(&state, .enter) == [])
        guard case .prompt(let prompt) = state.overlay else {
            Issue.record("the prompt is gone")
            return
        }
        #expect(prompt.problem != nil && prompt.field.text == typed)
    }

    /// A job that its limit ended, and what was said before.
    @Test func theReasonIsShown() throws {
        var state = Samples.overview()
        press(&state, .character("r"))
        _ = type(&state, "--max-cost 2 make")
        press(&state, .enter)
        let id = try #require(state.actions.last?.id)
        _ = update(&state, .engine(.started(id), at: state.now))
        let words = "$1.60 of the limit of $2.00 for this run (--max-cost) is spent"
        _ = update(&state, .engine(.alarm(Alarm(.budget, Samples.trainer.id, words)), at: state.now))
        #expect(state.toasts.last?.text.contains("for this run (--max-cost) is spent") == true)
        var job = Samples.job("make-1", .cancelled)
        var record = job.record ?? JobRecord()
        record.limitReached = "the limit of $2.00 for this run (--max-cost) is reached"
        job.record = record
        let summary = RunSummary(job: job)
        _ = update(&state, .engine(.finished(id, .succeeded(.ran(summary))), at: state.now))
        #expect(screenText(view(state)).contains("the limit of $2.00 for this run (--max-cost) is reached"))
    }
}
