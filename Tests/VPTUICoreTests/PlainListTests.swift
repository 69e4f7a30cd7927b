import Foundation
import Testing
import VPEngine
import VPTUICore

/// Where there is no screen, a list that is asked for is said.
@Suite struct PlainListTests {
    @Test(arguments: [
        ("ls", "31415 train, RTX 4090, $0.354/h, running"),
        ("list-instances", "27182 old-finetune, RTX 3090, $0.005/h, stopped"),
        ("jobs", "train-6, failed with exit status 1, python train.py --epochs 10"),
        ("offers", "vast.ai 6800001 RTX 4090, $0.354/h"),
    ]) func aListIsSaid(_ line: String, _ wanted: String) {
        var state = Samples.overview()
        let (_, output) = state.plainLine(line, at: Samples.now)
        #expect(output.contains { $0.contains(wanted) }, "\(output)")
        #expect(output.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
    }

    @Test func anEmptyOneIsSaidToo() {
        var state = Samples.empty()
        #expect(state.plainLine("ls", at: Samples.now).output == ["0 instances"])
        #expect(state.plainLine("jobs", at: Samples.now).output == ["0 jobs"])
        #expect(state.plainLine("offers", at: Samples.now).output == ["No offers are known"])
    }

    /// A search is asked for, and its answer comes when it is there.
    @Test func aQueryIsAsked() {
        var state = Samples.overview()
        let (effects, output) = state.plainLine("offers 3090", at: Samples.now)
        #expect(output.isEmpty)
        #expect(
            effects.contains {
                if case .ask(.loadOffers(let query, _)) = $0 { query.gpu != nil } else { false }
            })
    }

    @Test func itsAnswerIsSaid() throws {
        var state = Samples.overview()
        var reporter = PlainReporter()
        _ = reporter.report(state)
        func ask(_ line: String, _ result: Result<PlatformAnswers<Offer>, EngineError>) -> [String] {
            _ = state.plainLine(line, at: Samples.now)
            #expect(reporter.report(state).isEmpty)
            _ = update(&state, .answered(.offersLoaded(result, generation: state.market.generation)))
            return reporter.report(state)
        }
        let said = ask("offers 4090", .success(Samples.answers(Array(Samples.offers.prefix(2)))))
        #expect(said == ["2 offers, by price"] + said.dropFirst() && said.count == 3, "\(said)")
        #expect(said.last?.contains("RTX 4090") == true)
        // Once, and also if there is none or no answer.
        #expect(reporter.report(state).isEmpty)
        var none = Samples.answers([Offer]())
        none.dearer = [.runpod: 12]
        #expect(
            ask("offers <0.01", .success(none)) == [
                "No offer fits the query", "RunPod: 12, all dearer than $0.01",
            ])
        let failed = ask("offers x2", .failure(EngineError(.networkDown, .init("searching offers"))))
        #expect(failed.count == 1 && failed[0] != "No offer fits the query", "\(failed)")
        // A refresh in the background is not told.
        let polled = update(
            &state, .answered(.offersLoaded(.success(none), generation: state.market.generation)))
        #expect(polled.isEmpty && reporter.report(state).isEmpty)
    }

    /// Keys are no help to somebody who types lines, nor are those that do something else by now.
    @Test(arguments: [
        ("sl", "help lists the commands", ": and Tab list the commands"),
        ("logs", "run COMMAND runs one", "F7 runs one"),
        ("sync", "create rents one", "F8 rents one"),
    ]) func adviceFitsWhatCanBeTyped(_ line: String, _ words: String, _ keys: String) throws {
        for isPlain in [true, false] {
            var state = Samples.empty()
            _ = state.begin()
            state.settings.isPlain = isPlain
            state.keyMap = try KeyMap.standard.applying(["instances": ["run": ["F7"], "create": ["F8"]]])
            _ = state.execute(line: line)
            #expect(state.toasts.last?.text.hasSuffix(isPlain ? words : keys) == true, "\(state.toasts)")
        }
    }

    /// The degree sign is outside ASCII, and a question mark in its place would be a doubt.
    @Test func heatIsReadableInASCII() {
        var state = Samples.fleet()
        state.settings.isASCII = true
        state.settings.plotting = .ascii
        for size in [(200, 50), (120, 40), (80, 24)] {
            _ = update(&state, .resized(Size(width: size.0, height: size.1)))
            let text = screenText(view(state))
            #expect(text.contains("63 C") && !text.contains("?C"))
            #expect(text.utf8.allSatisfy { $0 < 0x80 })
            // Beside the log, which is in Japanese, nothing asks anything but the key for help.
            if size.0 == 80 { #expect(text.filter { $0 == "?" }.count == 1, "\(text)") }
        }
    }
}
