import Testing

@testable import VPEngine

/// How long a boot is waited for, in a time of its own.
@Suite struct BootWatchTests {
    private let deadlines = BootDeadlines()

    private func watch() -> BootWatch {
        BootWatch(.loading, limit: self.deadlines.loading, silence: self.deadlines.silence, at: 0)
    }

    /// Seconds until it is given up, looked at every three; what is seen depends on the time.
    private func end(_ watch: BootWatch, _ seen: (Double) -> BootWatch.Sighting?) -> Double {
        var watch = watch
        var now = 0.0
        while watch.reasonToGiveUp(at: now) == nil {
            now += 3
            if let sighting = seen(now) { watch.saw(sighting, at: now) } else { watch.sawNothing(at: now) }
        }
        return now
    }

    @Test func whatIsPlacedAndNeverLoadsIsGivenUpSoon() {
        #expect((180...190).contains(self.end(self.watch()) { _ in .init(status: .pending) }))
    }

    @Test func whatLoadsInSilenceIsGivenUpBeforeTheWholeTimeIsOver() {
        let seconds = self.end(self.watch()) { _ in .init(status: .loading, words: "8cf1e2: Downloading 31%")
        }
        #expect((450...460).contains(seconds))
    }

    @Test func progressIsWaitedForUntilTheWholeTimeIsOver() {
        let seconds = self.end(self.watch()) { .init(status: .loading, words: "Downloading \($0)") }
        #expect((900...903).contains(seconds))
        // Also where it is rare.
        let rare = self.end(self.watch()) { .init(status: .loading, words: "layer \(Int($0 / 400))") }
        #expect((900...903).contains(rare))
    }

    @Test func anotherStatusIsProgress() {
        let seconds = self.end(self.watch()) { .init(status: $0 < 170 ? .pending : .loading) }
        #expect((615...630).contains(seconds))
    }

    /// A platform that does not answer says nothing of the machine.
    @Test func timeInWhichNobodyCouldLookDoesNotCount() {
        let seconds = self.end(self.watch()) { $0 > 60 && $0 < 400 ? nil : .init(status: .pending) }
        #expect((515...540).contains(seconds))
    }

    @Test func morePatienceIsMoreOfBoth() {
        var patient = BootDeadlines()
        patient.loading = 3600
        let watch = BootWatch(.loading, limit: 3600, silence: patient.silence, at: 0)
        #expect((1800...1810).contains(self.end(watch) { _ in .init(status: .loading) }))
        patient.loading = 6
        #expect(patient.silence == .init(placed: 6, loading: 6))
    }

    @Test func theReasonSaysWhichLimitItWas() {
        var watch = self.watch()
        watch.words = "layer 3"
        watch.saw(.init(status: .pending, words: "layer 3"), at: 1)
        #expect(watch.reasonToGiveUp(at: 100) == nil)
        #expect(watch.reasonToGiveUp(at: 300) == "layer 3; given up, since nothing has changed for 180 s")
        #expect(watch.reasonToGiveUp(at: 901) == "layer 3; given up after 900 s")
        let silent = BootWatch(.sshPort, limit: 5, at: 0)
        #expect(
            silent.reasonToGiveUp(at: 4) == nil
                && silent.reasonToGiveUp(at: 5) == "nothing happened; given up after 5 s")
    }
}
