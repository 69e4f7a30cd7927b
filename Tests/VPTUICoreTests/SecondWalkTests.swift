import Foundation
import Testing
import VPEngine
import VPTUICore

/// What a second newcomer hesitated at: one who rented, was limited, quit, came back and mistyped.
@Suite struct SecondWalkTests {
    private static func text(_ state: State) -> String { screenText(view(state)) }

    private static func hints(_ state: State) -> String {
        let buffer = view(state)
        return buffer.row(buffer.size.height - 1).filter { $0.width > 0 }.map { String($0.text) }.joined()
    }

    private static func sized(_ width: Int, _ height: Int) -> State {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: width, height: height)))
        return state
    }

    private static func ended(_ change: (inout Job) -> Void = { _ in }) -> Job {
        var job = Samples.job("train-9", .succeeded)
        job.record = JobRecord()
        job.record?.syncsDown = true
        change(&job)
        return job
    }

    // MARK: Results

    /// A quit follows no job; what it leaves on the instance is told until it is here.
    @Test func resultsThatAreNotHereAreTold() {
        var state = Self.sized(120, 40)
        press(&state, .character("3"))
        _ = update(&state, .engine(.jobChanged(Self.ended()), at: Samples.now))
        state.jobs.select(JobID("train-9"))
        #expect(Self.text(state).contains("⇣ not here"), "\(Self.text(state))")
        press(&state, .character("i"))
        #expect(Self.text(state).contains("not here yet; d downloads them"))
        let brought = Self.ended { job in
            job.record?.results = JobRecord.Results(
                SyncSummary(direction: .down, transferredFiles: 3, transferredBytes: 4200),
                at: Samples.now)
        }
        _ = update(&state, .engine(.jobChanged(brought), at: Samples.now))
        #expect(!Self.text(state).contains("⇣ not here"))
        #expect(Self.text(state).contains("3 files, 4.2 kB, downloaded 12:04"), "\(Self.text(state))")
    }

    /// Of an instance that is gone nothing more can come, and of a run without download nothing should.
    @Test func resultsThatCannotComeAreNotPromised() {
        var state = Self.sized(120, 40)
        var gone = Self.ended()
        gone.instance = Samples.vast("999")
        for job in [gone, Self.ended { $0.record?.syncsDown = false }] {
            _ = update(&state, .engine(.jobChanged(job), at: Samples.now))
            #expect(!Self.text(state).contains("⇣ not here"), "\(job.instance)")
        }
    }

    @Test func aJobThatALimitEndedSaysSo() {
        var state = Self.sized(120, 40)
        let limited = Self.ended { job in
            job.state = .cancelled
            job.record?.limitReached = "the limit of $2.00 for this run (--max-cost) is reached"
            job.cause = job.record?.limitReached
        }
        let id = ActionID()
        for event: EngineEvent in [
            .queued(id, .run(Samples.trainer.id, RunRequest(command: limited.command))), .started(id),
            .finished(id, .succeeded(.ran(RunSummary(job: limited)))),
        ] { _ = update(&state, .engine(event, at: Samples.now)) }
        let text = Self.text(state)
        #expect(text.contains("train-9 was ended") && text.contains("$2.00 for this run"), "\(text)")
        #expect(text.contains("d in Jobs downloads what it had written"), "\(text)")
        #expect(text.contains("○ limit"), "\(text)")
    }

    // MARK: The lease

    @Test func timesOfOtherDaysNameTheDay() {
        var state = Self.sized(120, 40)
        for (hours, words) in [(2.0, "14:04, in"), (20.0, "tomorrow 08:04, in"), (60.0, "Nov 17 00:04, in")] {
            var instance = Samples.trainer
            instance.lease = Lease(
                terms: LeaseTerms(), guardian: .instance,
                endsAt: Samples.now.addingTimeInterval(hours * 3600),
                capEndsAt: Samples.now.addingTimeInterval(86_400 * 3))
            _ = update(&state, .engine(.instanceChanged(instance), at: Samples.now))
            press(&state, .character("1"), .character("i"))
            #expect(Self.text(state).contains(words), "\(Self.text(state))")
            #expect(Self.text(state).contains("renewed until Nov 17 12:04 at most"))
        }
        press(&state, .character("1"), .character("e"))
        #expect(Self.text(state).contains("until Nov 17 12:04 at most"), "\(Self.text(state))")
    }

    @Test func aLeaseThatWasSetIsInTheHistory() {
        var state = Self.sized(120, 40)
        let lease = Lease(
            terms: LeaseTerms(seconds: 14_400), guardian: .instance,
            endsAt: Samples.now.addingTimeInterval(14_400))
        _ = update(&state, .answered(.leaseSet(Samples.trainer.id, lease)))
        #expect(press(&state, .character("@"), .character("y")) == [.terminal(.copy("vp lease 31415 4h"))])
    }

    // MARK: The form

    @Test func boundsOfTheQueryWithoutAFieldAreShown() {
        func quoted(_ offers: [Offer]) -> String {
            var state = Self.sized(120, 40)
            press(&state, .character("2"), .character("e"), .control("u"))
            _ = type(&state, "4090 >24G rel>0.98")
            press(&state, .enter, .character("1"), .character("c"))
            let answers = Samples.answers(offers)
            _ = update(
                &state, .answered(.quoted(.success(answers), job: JobEstimate(), generation: 1)))
            return Self.text(state)
        }
        #expect(quoted(Samples.offers).contains("the cheapest of 9 with >24G rel>0.98; if it"))
        #expect(quoted([]).contains("The query in Offers asks for >24G rel>0.98 as well."))
    }

    @Test func aCopiedRentalKeepsTheBoundsOfTheQuery() throws {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .character("e"), .control("u"))
        _ = type(&state, "4090 >24G rel>0.98 in:US,CA spot")
        press(&state, .enter, .character("1"), .character("c"))
        _ = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        let record = try #require(state.actions.last)
        _ = update(&state, .engine(.queued(record.id, record.action), at: state.now))
        guard case .terminal(.copy(let line))? = press(&state, .character("@"), .character("y")).first else {
            Issue.record("nothing is copied")
            return
        }
        #expect(
            line.contains("--min-memory 24 --min-reliability 0.98 --region US --region CA --interruptible"),
            "\(line)")
    }

    /// The arrow at the end of a whole name makes no other GPU of it.
    @Test func aWholeNameIsNotCompleted() {
        var state = Self.sized(120, 40)
        press(&state, .character("1"), .character("c"))
        _ = type(&state, "RTX 4090")
        press(&state, .right)
        guard case .form(let form) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(form.text(.gpu) == "RTX 4090")
    }

    // MARK: Keys

    @Test(arguments: [Key.character("x"), .character("@"), .character("!"), .character("q")])
    func aQuestionMarkInABoxPointsToItsKeys(opening: Key) {
        var state = Self.sized(120, 40)
        _ = update(&state, .engine(.queued(ActionID(), .sync(Samples.trainer.id)), at: Samples.now))
        press(&state, opening)
        let overlay = state.overlay
        #expect(overlay != nil)
        press(&state, .character("?"))
        #expect(state.overlay == overlay)
        #expect(state.toasts.last?.text.contains("in the last line") == true)
    }

    /// Where letters are text, it is a letter.
    @Test func aQuestionMarkInTextIsText() {
        var state = Self.sized(120, 40)
        press(&state, .character("r"), .character("?"))
        guard case .prompt(let prompt) = state.overlay else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.field.text == "?")
    }

    @Test func aMistypedCommandNamesTheNearest() {
        for (typed, meant) in [("destory", "destroy"), ("sycn", "sync"), ("dowload", "download")] {
            var state = Self.sized(120, 40)
            _ = state.execute(line: typed)
            #expect(state.toasts.last?.text.contains("did you mean \(meant)?") == true, "\(typed)")
        }
        var state = Self.sized(120, 40)
        _ = state.execute(line: "nvidia-smi")
        #expect(state.toasts.last?.text.contains("list the commands") == true)
    }

    /// What is being destroyed can neither be run on nor destroyed again.
    @Test func noKeyIsOfferedThatWouldBeRefused() {
        var state = Self.sized(200, 50)
        #expect(Self.hints(state).contains("r run"))
        press(&state, .character("D"))
        press(&state, .tab, .character("y"))
        let hints = Self.hints(state)
        #expect(hints.contains("z undo destroy") && hints.contains("c create"), "\(hints)")
        for key in ["S sync", "r run", "d download", "D destroy", "x stop", "e lease"] {
            #expect(!hints.contains(key), "\(hints)")
        }
        state = Self.sized(200, 50)
        state.instances.select(Samples.parked.id)
        #expect(!Self.hints(state).contains("r run") && Self.hints(state).contains("x start"))
    }

    @Test func theHelpIsAboutWhatIsShown() {
        var state = Self.sized(120, 40)
        press(&state, .character("3"), .character("m"), .character("?"))
        #expect(Self.text(state).contains("Keys in Metrics"), "\(Self.text(state))")
    }
}
