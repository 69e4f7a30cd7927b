import Testing
import VPEngine
import VPTestSupport

/// Lines that are remembered by their shape: the next of that shape has the same figures as if it were read
/// anew.
@Suite struct RememberedLineTests {
    private static func read(_ text: String, remembers: Bool = true) -> TrainingFigures {
        let reader = TrainingReader(patterns: [], remembers: remembers)
        reader.read(Array(text.utf8))
        return reader.figures()
    }

    /// Reads a log with and without remembering, and expects every point to be the same.
    private static func expectSame(_ text: String) -> TrainingFigures {
        let (kept, anew) = (Self.read(text), Self.read(text, remembers: false))
        #expect(kept == anew)
        for (a, b) in zip(kept.series, anew.series) {
            let same = zip(a.points, b.points).allSatisfy {
                $0.value.bitPattern == $1.value.bitPattern && $0.step.bitPattern == $1.step.bitPattern
            }
            #expect(same && a.points.count == b.points.count, "\(a.name)")
        }
        return kept
    }

    /// As the standard library reads them: to the last bit, in the first lines and in remembered ones.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func eachNumberIsTheNearest(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let whole = Int.random(in: 1...6, using: &generator)
            let fraction = Int.random(in: 1...20, using: &generator)
            let exponent = ["", "", "e-05", "e-3", "e+04"].randomElement(using: &generator) ?? ""
            func digits(_ count: Int) -> String {
                String((0..<count).map { _ in "0123456789".randomElement(using: &generator) ?? "0" })
            }
            let numbers = (0..<4).map { _ in digits(whole) + "." + digits(fraction) + exponent }
            let log = numbers.enumerated().map { "step \($0.offset) loss \($0.element)\n" }.joined()
            let values = Self.expectSame(log).series("loss")?.values ?? []
            #expect(values == numbers.compactMap(Double.init), "\(numbers)")
        }
    }

    @Test func timesAndUnitsAreNumbersOfTheirOwn() {
        let lines = (0..<9).map { index in
            " \(index)%|█▏ | \(index * 5 + 1)/80 [0\(index):1\(index)<1:0\(9 - index):20, 1.\(index)4s/it, loss=0.\(index)1]"
                + "\rstep \(index) loss 0.\(index) 1\(index).2K tokens/s eta 0:1\(index):3\(index)\n"
        }
        let figures = Self.expectSame(lines.joined())
        #expect(figures.writtenSecondsLeft == 1118.0)
    }

    /// A row's numbers are where those of the row above were: with empty cells, counts, no numbers and times.
    @Test(arguments: [
        "epoch     train_loss  valid_loss  accuracy  time    \n"
            + "#         0.5#2044    0.40#230    0.85#101  00:1#   \n",
        "| Epoch | Step | Loss | Acc |\n|---|---|---|---|\n| #/9 | 1# | 0.#5 | nan |\n| #/9 | | 1.#e-0# | 0.# |\n",
        "epoch,loss,acc\n#,0.#2,9#\n",
        "      Epoch    GPU_mem   box_loss   cls_loss   Instances       Size\n"
            + "      #/100      6.73G      1.7#9      2.21#         1#        640: 100%|██████████| 1#/16\n"
            + "                 Class     Images  Instances      mAP50      precision\n"
            + "                   all        128        92#      0.31#      0.#89\n",
    ]) func rowsAreRemembered(_ form: String) {
        let log = (0..<30).map { index in
            form.replacing("#", with: "\(index % 10)")
        }.joined()
        let figures = Self.expectSame(log)
        #expect((figures.series.map(\.count).max() ?? 0) >= 27)
    }

    /// After enough lines that are no rows, nothing is a row any more,
    /// whether those lines are remembered or not.
    @Test(arguments: [1990, 2010]) func aTableEndsAfterManyOtherLines(_ count: Int) {
        let table = "epoch     train_loss  valid_loss  accuracy\n0         0.512044    0.401230    0.852101\n"
        let others = (0..<count).map { "the request \($0 % 7 + 2) was served by the step of node\n" }.joined()
        let row = "1         0.388120    0.350011    0.881200\n"
        let figures = Self.expectSame(table + others + row)
        #expect(figures.series("train_loss")?.count == (count < 2000 ? 2 : 1))
    }

    /// A zero byte is no digit, wherever it stands.
    @Test func aZeroByteIsNoDigit() {
        let lines = ["0.50", "0.75", "0.\u{0}5", "\u{0}.25", "0.25"].enumerated().map {
            "step \($0.offset) loss: \($0.element)\n"
        }
        _ = Self.expectSame(lines.joined())
    }

    /// Text that is printed again and again says nothing each time,
    /// among lines with figures and under headings.
    @Test func linesThatSayNothingChangeNothing() {
        let lines = (0..<60).map { index in
            "***** eval metrics *****\n  eval_loss = 1.\(index)\nsaved the step of epoch \(index % 3) [\(index)/5]\n"
                + "WARNING: the learning rate scheduler has no step\nstep \(index) loss 0.\(index)\n\n"
        }
        #expect(Self.expectSame(lines.joined()).series("loss")?.count == 60)
    }

    /// A heading is read once, and gives its role to the lines under it each time.
    @Test func aHeadingThatComesAgainGivesItsRole() {
        let lines = (0..<20).map { index in
            "step \(index) loss 0.5\(index)\n***** eval metrics *****\n  eval_loss = 1.\(index)\n  loss = 2.\(index)\n\n"
                + "===== test results =====\n  loss = 3.\(index)\n\n"
        }
        let figures = Self.expectSame(lines.joined())
        #expect(figures.series("loss")?.count == 20)
        #expect(figures.series("test loss")?.count == 20)
    }

    /// Names are told apart by their hashes: by each letter, and by how many they are.
    @Test func namesOfAllLengthsAreTheirOwn() {
        let names = ["P", "ppp", "ppr", "abc", "abcd", "abcde", "abcdefg", "abcdefgh", "abcdefghp"]
        let lines = (0..<3).map { step in
            "step: \(step), loss: 0.\(step + 1)"
                + names.map { ", \($0): 0.\($0.count)\(step)" }.joined() + "\n"
        }
        let figures = Self.expectSame(lines.joined())
        for name in names { #expect(figures.series(name)?.count == 3, "\(name)") }
    }
}
