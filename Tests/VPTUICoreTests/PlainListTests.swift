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
