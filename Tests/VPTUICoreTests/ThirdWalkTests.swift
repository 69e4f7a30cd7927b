import Foundation
import Testing
import VPEngine
import VPTUICore

/// What a third newcomer stumbled over: on a small screen, in the demo, with two instances of one name.
@Suite struct ThirdWalkTests {
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

    // MARK: Details

    /// On a small screen the details have the focus; they say that Enter rents, so it does.
    @Test(arguments: [(80, 24), (120, 40), (200, 50)])
    func theDetailsOfAnOfferHaveTheKeysOfTheOffer(width: Int, height: Int) {
        for key in [Key.enter, .character("c")] {
            var state = Self.sized(width, height)
            press(&state, .character("2"), .character("i"), .character("4"))
            #expect(Self.hints(state).contains("Enter rent"), "\(Self.hints(state))")
            press(&state, key)
            switch state.overlay {
            case .dialog(let dialog):
                if case .create = dialog.kind { break }
                Issue.record("\(dialog.kind)")
            case .form: #expect(key == .character("c"))
            default: Issue.record("\(key.name) opened \(String(describing: state.overlay))")
            }
        }
    }

    /// Keys that move still move in the details, and none of another list's works there.
    @Test func theDetailsHaveNoOtherKeys() {
        var state = Self.sized(80, 24)
        press(&state, .character("2"), .character("i"), .character("j"))
        #expect(state.focus == .main)
        press(&state, .character("d"))
        #expect(state.toasts.isEmpty && state.focus == .main)
        press(&state, .escape)
        #expect(state.focus == .offers)
        press(&state, .character("1"), .character("i"), .character("S"))
        #expect(state.focus == .instances)
        press(&state, .character("i"), .character("?"))
        #expect(Self.text(state).contains("uploads the project's changes to the instance"))
    }

    /// The details of one instance beside the log of a job on another: the row is meant.
    @Test func keysInTheDetailsAreAboutTheirRow() {
        var state = Self.sized(120, 40)
        var other = Samples.trainer
        other.id = Samples.vast("555")
        _ = update(&state, .engine(.instanceChanged(other), at: Samples.now))
        #expect(state.log.job == JobID("train-7"))
        press(&state, .character("1"))
        state.instances.select(other.id)
        press(&state, .character("i"), .character("4"))
        #expect(state.focus == .main)
        let effects = press(&state, .character("d"))
        #expect(
            effects.contains {
                if case .order(.start(.download(other.id, _), _)) = $0 { true } else { false }
            }, "\(effects)")
    }

    @Test func whatIsStoppedIsStartedByTheFirstHint() {
        var state = Self.sized(80, 24)
        state.instances.select(Samples.parked.id)
        #expect(Self.hints(state).contains("x start"), "\(Self.hints(state))")
    }

    // MARK: Names

    /// Which of two is meant is for the user to say.
    @Test func aNameThatTwoHaveDestroysNeither() {
        var state = Self.sized(120, 40)
        var twin = Samples.trainer
        twin.id = Samples.vast("555")
        _ = update(&state, .engine(.instanceChanged(twin), at: Samples.now))
        let effects = state.execute(line: "destroy train")
        #expect(state.overlay == nil)
        // `vp` is asked, which lists both.
        #expect(effects == [.ask(.runLine(["destroy-instance", "train"]))])
        _ = state.execute(line: "destroy 555")
        guard case .dialog(let dialog) = state.overlay, case .destroy(let ids, _) = dialog.kind else {
            Issue.record("no question")
            return
        }
        #expect(ids == [twin.id])
    }

    // MARK: Limits

    @Test func aLeaseBeyondItsHardLimitIsNotAskedAbout() {
        var state = Self.sized(120, 40)
        var instance = Samples.trainer
        instance.lease = Lease(
            terms: LeaseTerms(), guardian: .instance, endsAt: Samples.now.addingTimeInterval(7200),
            capEndsAt: Samples.now.addingTimeInterval(86_400))
        _ = update(&state, .engine(.instanceChanged(instance), at: Samples.now))
        press(&state, .character("1"), .character("e"))
        _ = type(&state, "1000d")
        press(&state, .enter)
        #expect(
            Self.text(state).contains("Its hard limit (lease.max) is tomorrow 12:04"), "\(Self.text(state))")
    }

    @Test func anOfferAboveTheLimitIsNotAskedAbout() {
        var state = Self.sized(120, 40)
        state.settings.defaults.maximumPrice = HourlyPrice(dollarsPerHour: 0.05)
        press(&state, .character("2"), .enter)
        #expect(state.overlay == nil)
        #expect(state.toasts.last?.text.contains("the limit is $0.05/h; in the form (c)") == true)
    }

    @Test func aRentalSaysAsMuchOfTheLeaseAsTheForm() {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .enter)
        let line = "unused ($0.89), after 3 d in any case"
        #expect(Self.text(state).contains(line), "\(Self.text(state))")
        press(&state, .escape, .character("c"))
        #expect(Self.text(state).contains(line), "\(Self.text(state))")
    }

    @Test func theFormSaysThatTheChosenOfferIsNoLongerMeant() {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .character("c"))
        #expect(Self.text(state).contains("only this offer"))
        press(&state, .tab, .tab, .right)
        _ = update(&state, .tick(Samples.now.addingTimeInterval(1)))
        _ = update(
            &state,
            .answered(.quoted(.success(Samples.answers(Samples.offers)), job: JobEstimate(), generation: 1)))
        #expect(
            Self.text(state).contains("no longer the chosen one: the cheapest of 9"), "\(Self.text(state))")
    }

    /// Nobody fills a form in twice because the platform asks for a larger disk.
    @Test func aRefusedFormIsOpenedAsItWasFilledIn() throws {
        var state = Self.sized(120, 40)
        press(&state, .character("1"), .character("c"))
        _ = type(&state, "4090")
        press(&state, .tab, .tab, .tab, .tab, .tab)
        _ = type(&state, "2")
        _ = update(&state, .key(.control("s"), at: Samples.now.addingTimeInterval(2)))
        let record = try #require(state.actions.last)
        let refusal = EngineError(
            .badRequest, .init("renting", platform: .vast), detail: "disk must be at least 8 GB")
        for event: EngineEvent in [
            .queued(record.id, record.action), .started(record.id), .finished(record.id, .failed(refusal)),
        ] { _ = update(&state, .engine(event, at: state.now)) }
        press(&state, .enter, .character("c"))
        guard case .form(let form) = state.overlay else {
            Issue.record("no form")
            return
        }
        #expect(form.text(.gpu) == "4090" && form.text(.disk) == "402")
        press(&state, .escape, .character("c"))
        guard case .form(let next) = state.overlay else { return }
        #expect(next.text(.disk) == "40")
    }

    // MARK: The query

    /// With something rented the offers are one line, about those that the filter leaves.
    @Test func theFoldedLineIsAboutWhatIsFiltered() {
        var state = Self.sized(200, 50)
        press(&state, .character("2"), .character("/"))
        _ = type(&state, "4090")
        press(&state, .enter, .character("1"))
        #expect(Self.text(state).contains("cheapest RTX 4090 $0.354 · 3 of 9"), "\(Self.text(state))")
    }

    @Test func whatIsConfirmedTogetherIsTakenBackTogether() {
        var state = Self.sized(120, 40)
        press(&state, .character(" "), .character("j"), .character(" "), .character("D"))
        press(&state, .tab, .character("y"))
        #expect(state.pendingDestroys.count == 2)
        #expect(
            Self.text(state).contains("z takes all 2 back") && !Self.text(state).contains("takes it back"))
        press(&state, .character("z"))
        #expect(state.pendingDestroys.isEmpty)
    }

    @Test func aQueryNamesTheWordThatIsWrong() {
        for (query, words) in [
            ("4090 x0", "“x0”: an instance has 1 to 64 GPUs"), ("<-1", "“<-1” needs a number"),
        ] {
            var state = Self.sized(120, 40)
            press(&state, .character("2"), .character("e"), .control("u"))
            _ = type(&state, query)
            press(&state, .enter)
            #expect(Self.text(state).contains(words), "\(query)")
        }
    }

    @Test func aNewQuerySelectsItsFirstOffer() {
        var state = Self.sized(120, 40)
        press(&state, .character("2"), .character("G"), .character("e"), .control("u"))
        let last = state.offers.selection
        _ = type(&state, "a")
        press(&state, .enter)
        let answers = Samples.answers(Samples.offers)
        _ = update(
            &state, .answered(.offersLoaded(.success(answers), generation: state.market.generation)))
        #expect(state.offers.selection != last && state.offers.selectedIndex == 0)
        // A poll leaves the selection where the user has put it.
        press(&state, .character("G"))
        _ = update(
            &state, .answered(.offersLoaded(.success(answers), generation: state.market.generation)))
        #expect(state.offers.selection == last)
    }

    // MARK: The demo

    @Test func theDemoSaysThatItEndsWithTheProgram() {
        var state = Self.sized(120, 40)
        state.settings.isDemo = true
        #expect(Self.text(state).contains("demo"))
        #expect(press(&state, .character("q")).isEmpty)
        let text = Self.text(state)
        #expect(text.contains("Quit the demo") && text.contains("all results end with it"), "\(text)")
        #expect(!text.contains("cost money"))
        #expect(press(&state, .character("y")) == [.terminal(.quit)])
        var empty = Self.sized(120, 40)
        empty.settings.isDemo = true
        for instance in empty.instances.rows {
            _ = update(&empty, .engine(.instanceGone(instance.id), at: Samples.now))
        }
        #expect(press(&empty, .character("q")) == [.terminal(.quit)])
    }
}
