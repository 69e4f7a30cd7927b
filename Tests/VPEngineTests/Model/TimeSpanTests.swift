import Testing
import VPEngine

/// One grammar for lengths of time, in and out.
@Suite struct TimeSpanTests {
    @Test(arguments: [
        ("90s", 90.0), ("30m", 1800), ("4h", 14_400), ("2d", 172_800), ("1h30m", 5400), ("1.5h", 5400),
        ("2 d", 172_800), ("10 min", 600), ("1 hour", 3600), ("1d 12h", 129_600), ("4H", 14_400),
    ]) func timesAreRead(text: String, seconds: Double) throws {
        #expect(try TimeSpan.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "none", "-1h", "0", "0h", "4 weeks", "h", "30m1h", "1h1h", "1e3h", "nan", "1..5h", "٤h", "1h;",
        "inf",
        "99999999999d",
    ]) func otherTextIsNoTime(text: String) {
        #expect(throws: TimeSpan.Problem.self) { try TimeSpan.seconds(text) }
    }

    /// It would be hours to one reader and minutes to the next.
    @Test(arguments: ["90", "1.5", " 12 "]) func aNumberAloneIsRefusedWithWhatToType(text: String) {
        let number = text.filter { $0 != " " }
        #expect {
            try TimeSpan.seconds(text)
        } throws: { error in
            (error as? TimeSpan.Problem)?.sentence.hasSuffix(
                "has no unit: type \(number)s, \(number)m, \(number)h or \(number)d") == true
        }
    }

    @Test(arguments: [43_200.0, 5400, 90, 1, 60, 119, 7200, 90_061, 259_200]) func whatIsWrittenIsReadBack(
        seconds: Double
    ) throws {
        #expect(try TimeSpan.seconds(TimeSpan.text(seconds)) == seconds)
    }

    @Test func shortFormsAreUsed() {
        #expect(TimeSpan.text(LeaseTerms.standardSeconds) == "12h")
        #expect(TimeSpan.text(5400) == "1h30m")
        #expect(TimeSpan.text(90) == "90s")
        #expect(TimeSpan.text(.nan).count < 20)
        #expect(TimeSpan.text(.infinity).count < 30)
    }
}
