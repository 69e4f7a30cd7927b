import Testing

@testable import VPEngine

/// What is said of an instance that cannot be reached, and when it is given up.
@Suite struct OutageTests {
    private static func outage(timeScale: Double = 1) -> Outage {
        Outage(
            of: InstanceID(platform: .vast, rawValue: "7"), price: HourlyPrice(dollarsPerHour: 0.31),
            reason: "Connection closed", timeScale: timeScale)
    }

    @Test func aCutIsOneWord() {
        var outage = Self.outage()
        for second in 1...299 { outage.saw(.runs, after: Double(second)) }
        #expect(outage.words == "Connection closed")
        #expect(outage.reasonToLeave(after: 1e6) == nil)
    }

    /// It is told again as the time doubles, with the price and the way out.
    @Test func aLongSilenceIsToldAgain() {
        var outage = Self.outage()
        var told: [(at: Int, words: String)] = []
        for minute in 1...90 {
            let before = outage.words
            outage.saw(.none, after: Double(minute) * 60)
            if let words = outage.words, words != before { told.append((minute, words)) }
        }
        #expect(told.map(\.at) == [5, 10, 20, 40, 80])
        #expect(
            told[0].words
                == "not reached for 5 min; it costs $0.31 an hour if it runs; `vp destroy-instance 7` destroys it"
        )
        // The platform could not be asked: nobody says that the instance is away.
        #expect(outage.reasonToLeave(after: 5400) == nil)
    }

    @Test(arguments: [
        (Outage.Word.offline, "vast.ai says that its host is offline"),
        (.noAddress, "vast.ai names no address for ssh"),
        (.keyRefused, "vast.ai refuses the key, so the state of the instance is unknown"),
    ])
    func whatThePlatformSaysIsTold(word: Outage.Word, words: String) {
        var outage = Self.outage()
        outage.saw(word, after: 20)
        #expect(outage.words == words)
        // A platform that does not answer meanwhile takes nothing back.
        outage.saw(.none, after: 60)
        #expect(outage.words == words)
        outage.saw(word, after: 320)
        #expect(outage.words?.hasPrefix("\(words); not reached for 5 min") == true)
        // Not for ever.
        #expect(outage.reasonToLeave(after: 3619) == nil)
        #expect(outage.reasonToLeave(after: 3621)?.hasPrefix("\(words), for 60 min") == true)
        // One that is found again is waited for anew.
        outage.saw(.runs, after: 3622)
        #expect(outage.reasonToLeave(after: 9000) == nil)
    }

    /// A rehearsal cloud's hours are shorter.
    @Test func timesAreScaled() {
        var outage = Self.outage(timeScale: 0.01)
        outage.saw(.offline, after: 1)
        #expect(outage.reasonToLeave(after: 36) == nil)
        #expect(outage.reasonToLeave(after: 37.1) != nil)
    }
}
