import Foundation
import Testing
import VPEngine
import VPTUICore

/// A hit is on screen, wherever in its line it is.
@Suite struct LongLineSearchTests {
    private func found(_ log: String, isWrapped: Bool) -> State {
        var state = Samples.overview()
        Samples.openLog(&state, log)
        state.focus = .main
        if !isWrapped { press(&state, .character("w")) }
        let memory = MemoryLog(log)
        answer(&state, press(&state, .character("/")), memory)
        answer(&state, type(&state, "needle"), memory)
        answer(&state, press(&state, .enter), memory)
        return state
    }

    @Test(arguments: [true, false], [".", "é", "日"])
    func theHitOfALongLineIsOnScreen(_ isWrapped: Bool, _ filler: String) {
        for (before, after) in [(10, 9000), (9000, 10), (4000, 4000), (0, 0)] {
            let long =
                String(repeating: filler, count: before) + "needle" + String(repeating: filler, count: after)
            for log in [
                long, "first\n\(long)\nlast", String(repeating: "line\n", count: 60) + long + "\nend",
            ] {
                let screen = screenText(view(self.found(log, isWrapped: isWrapped)))
                // Once where it was typed, in the border, and once in the log;
                // a wrapped row may end within it.
                let shown =
                    screen.contains("needle\(filler.prefix(after == 0 ? 0 : 1))")
                    || screen.contains("\(filler)n")
                #expect(shown, "\(before) before, \(after) after:\n\(screen)")
            }
        }
    }

    @Test func theHitLooksOtherThanTheOtherMatches() {
        let state = self.found("needle one\nneedle two\nneedle three", isWrapped: true)
        let rows = screenText(view(state)).split(separator: "\n")
        #expect(rows.filter { $0.contains("bold underline") && $0.contains("match") }.count == 1)
    }
}
