import Foundation
import Testing
import VPEngine
import VPTUICore

/// The top line as an instrument: what is spent, how long that lasts, what each account has,
/// how each platform is.
@Suite struct HeaderTests {
    private static func line(_ width: Int, _ change: (inout State) -> Void = { _ in }) -> String {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: width, height: 40)))
        change(&state)
        return String(view(state).row(0).filter { $0.width > 0 }.map(\.text))
    }

    private static func balances(_ vast: Double, _ runpod: Double) -> Message {
        .answered(
            .balancesLoaded(
                Samples.answers([
                    Balance(platform: .vast, dollars: vast), Balance(platform: .runpod, dollars: runpod),
                ])))
    }

    @Test func eachAccountStandsByItself() {
        let line = Self.line(200) { _ = update(&$0, Self.balances(24.1, 0)) }
        #expect(line.contains("vast $24.10") && line.contains("rp $0.00"), "\(line)")
        // What runs on the empty one has nothing left.
        #expect(line.contains("▱▱▱▱▱▱ 0 min left"), "\(line)")
    }

    @Test(arguments: [(2.4, "▰▱▱▱▱▱ 1 h"), (28.6, "▰▰▰▱▱▱ 12 h"), (240, "▰▰▰▰▰▰ 100 h")])
    func theRunwayIsABarOfADay(_ dollars: Double, _ words: String) {
        let line = Self.line(200) { _ = update(&$0, Self.balances(1000, dollars)) }
        #expect(line.contains("\(words) left"), "\(line)")
    }

    @Test func theDayHasABarToo() {
        let line = Self.line(200) {
            let report = Samples.report([], spentToday: 4.2, dollarsPerDay: 5)
            _ = update(&$0, .answered(.moneyLoaded(.success(report))))
        }
        #expect(line.contains("today ▰▰▰▰▰▱ $4.20 of $5.00"), "\(line)")
    }

    /// Half a figure is a wrong figure; bars and words go first.
    @Test(arguments: [60, 61, 72, 80, 99, 100, 120, 160, 200]) func nothingIsCut(_ width: Int) {
        let line = Self.line(width)
        #expect(line.hasPrefix(width < 120 ? " $2.73/h ·" : " run $2.73/h ·"), "\(line)")
        for part in line.split(separator: "·").dropLast() {
            #expect(!part.trimmingCharacters(in: .whitespaces).isEmpty && !part.contains("…"), "\(line)")
        }
        if width >= 72 { #expect(line.contains("vast $14.10") && line.contains("rp $10.00"), "\(line)") }
        #expect(line.contains("12:04"))
    }

    @Test(arguments: [
        (0.0, "now"), (59, "now"), (60, "1 min"), (119, "1 min"), (120, "2 min"), (299, "2 min"),
        (300, "5 min"),
        (3599, "30 min"), (3600, "1 h"), (90_000, "1 d"),
    ]) func theAgeOfAnAnswerGoesInSteps(_ seconds: Double, _ words: String) {
        let line = Self.line(200) { $0.now = Samples.now.addingTimeInterval(seconds) }
        #expect(line.contains("● vast \(words)  ● rp \(words)  "), "\(line)")
    }

    @Test func aPlatformThatFailsIsNamedAndTheOtherGoesOn() {
        let line = Self.line(200) { state in
            let error = EngineError(.networkDown, EngineError.Activity("listing"))
            let answers = PlatformAnswers<Instance>(
                values: [], failures: [.init(platform: .vast, error: error)],
                fetchedAt: Samples.now.addingTimeInterval(200))
            _ = update(&state, .tick(Samples.now.addingTimeInterval(200)))
            _ = update(&state, .answered(.instancesLoaded(answers)))
        }
        #expect(line.contains("✗ vast.ai") && line.contains("● rp now"), "\(line)")
    }

    @Test func beforeTheFirstAnswerNothingIsClaimed() {
        let line = Self.line(200) { state in
            state = Samples.empty()
            _ = update(&state, .resized(Size(width: 200, height: 40)))
        }
        #expect(line.contains("◌ vast …  ◌ rp …"), "\(line)")
    }

    /// Nothing on it moves from second to second.
    @Test func aMinuteIsFewLines() {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: 200, height: 40)))
        var lines: Set<[Cell]> = []
        for second in 0..<60 {
            _ = update(&state, .tick(Samples.now.addingTimeInterval(Double(second))))
            if second % 15 == 0 {
                let date = Samples.now.addingTimeInterval(Double(second))
                let rows = [Samples.trainer, Samples.loader, Samples.parked]
                _ = update(&state, .answered(.instancesLoaded(Samples.answers(rows, at: date))))
            }
            lines.insert(Array(view(state).row(0)))
        }
        #expect(lines.count == 2)
    }
}
