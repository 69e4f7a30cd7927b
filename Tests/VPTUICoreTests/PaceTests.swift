import Foundation
import Testing
import VPEngine
import VPTUICore

/// The times at which the dashboard asks, and how rarely it wakes while nobody watches.
@Suite struct PaceTests {
    @Test func aRentalOfAnotherProgramIsAskedForAtOnce() {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([]))))
        #expect(update(&state, .historyChanged) == [.ask(.loadJobs), .ask(.loadInstances)])
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        #expect(update(&state, .historyChanged) == [.ask(.loadJobs)])
    }

    @Test func whereNothingIsRentedTheQuestionsAreRarest() {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([]))))
        func asks(_ seconds: Double) -> Bool {
            update(&state, .tick(Samples.now.addingTimeInterval(seconds))).contains {
                if case .ask(.pollInstances) = $0 { true } else { false }
            }
        }
        #expect(!asks(16) && !asks(119) && asks(120))
        _ = update(
            &state, .answered(.balancesLoaded(Samples.answers([Balance(platform: .vast, dollars: 14)]))))
        let balances = update(&state, .tick(Samples.now.addingTimeInterval(121))).contains {
            if case .ask(.pollBalances) = $0 { true } else { false }
        }
        #expect(!balances)
        // Nobody knows whether anything is rented there.
        let error = EngineError(.networkDown, .init("listing instances", platform: .vast))
        let answers = PlatformAnswers<Instance>(
            values: [], failures: [.init(platform: .vast, error: error)], fetchedAt: Samples.now)
        _ = update(&state, .answered(.instancesLoaded(answers)))
        #expect(asks(135))
    }

    @Test func instancesAreAskedEveryFiveSecondsByOnePollerWhileOneStarts() {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer, Samples.loader]))))
        #expect(state.tickInterval == 1)
        #expect(update(&state, .tick(Samples.now.addingTimeInterval(4))).withoutWatch == [])
        #expect(
            update(&state, .tick(Samples.now.addingTimeInterval(5))).withoutWatch == [
                .ask(.pollInstances(maximumAge: 4))
            ])
        #expect(update(&state, .tick(Samples.now.addingTimeInterval(11))).withoutWatch == [])
    }

    /// Whoever watches gets news at once; a dashboard left open wakes the machine as rarely as it can.
    @Test func whereNothingMovesTheQuestionsAreRare() {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        #expect(state.tickInterval == 6)
        #expect(update(&state, .tick(Samples.now.addingTimeInterval(10))).withoutWatch == [])
        _ = update(&state, .key(.down, at: Samples.now.addingTimeInterval(11)))
        #expect(state.tickInterval == 1)
        #expect(
            update(&state, .tick(Samples.now.addingTimeInterval(11))).withoutWatch == [
                .ask(.pollInstances(maximumAge: 4))
            ])
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        #expect(update(&state, .tick(Samples.now.addingTimeInterval(22))).withoutWatch == [])
        #expect(
            update(&state, .tick(Samples.now.addingTimeInterval(26))).withoutWatch == [
                .ask(.pollInstances(maximumAge: 14))
            ])
    }

    /// An instance that sends its load runs, whatever the platform's list would say; one that fell silent may
    /// have been taken away.
    @Test func whereEveryInstanceAnswersTheListIsRare() {
        func asks(
            after seconds: TimeInterval, sampledBefore age: TimeInterval = 10,
            _ change: (inout State) -> Void = { _ in }
        ) -> Bool {
            var state = Samples.empty()
            _ = state.begin()
            let listed = [Samples.trainer, Samples.parked]
            _ = update(&state, .answered(.instancesLoaded(Samples.answers(listed))))
            let sampled = Samples.now.addingTimeInterval(seconds - age)
            _ = update(&state, .telemetry(Samples.trainer.id, TelemetrySample(), at: sampled))
            change(&state)
            return update(&state, .tick(Samples.now.addingTimeInterval(seconds))).contains {
                if case .ask(.pollInstances) = $0 { true } else { false }
            }
        }
        #expect(!asks(after: 16) && !asks(after: 119) && asks(after: 120))
        // Its row is not old either, though nothing was asked for longer than twice a quarter of a minute.
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        for (age, isStale) in [(100.0, false), (240, false), (242, true)] {
            let now = Samples.now.addingTimeInterval(age)
            _ = update(&state, .telemetry(Samples.trainer.id, TelemetrySample(), at: now))
            #expect(screenText(view(state)).contains("no answer yet · as of") == isStale)
        }
        _ = update(&state, .tick(Samples.now.addingTimeInterval(300)))
        let silent = EngineError(.unreachable, .init("watching the load"))
        #expect(asks(after: 16) { _ = update(&$0, .telemetryEnded(Samples.trainer.id, silent)) })
        #expect(
            asks(after: 16) {
                let listed = [Samples.trainer, Samples.parked, Samples.other]
                _ = update(&$0, .answered(.instancesLoaded(Samples.answers(listed))))
            })
        // A sample of half a minute ago proves nothing.
        #expect(asks(after: 40, sampledBefore: 30) && !asks(after: 40, sampledBefore: 29))
    }

    /// Nothing needs to be read again because of the time alone, except jobs that may end unseen.
    @Test func endedJobsAreReadRarely() {
        for (phase, seconds) in [(Job.State.succeeded, 300.0), (.running, 60)] {
            var state = Samples.empty()
            _ = state.begin()
            _ = update(&state, .answered(.jobsLoaded(.success([Samples.job("train-1", phase)]))))
            func asks(_ seconds: Double) -> Bool {
                update(&state, .tick(Samples.now.addingTimeInterval(seconds))).contains(.ask(.loadJobs))
            }
            #expect(!asks(seconds - 1) && asks(seconds))
        }
    }

    /// Another program's rental is listed at once; the list's own record of costs asks no second time.
    @Test func aChangedHistoryAsksForAListThatIsNotNew() {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.trainer]))))
        _ = update(&state, .tick(Samples.now.addingTimeInterval(10)))
        #expect(update(&state, .historyChanged).withoutWatch == [.ask(.loadJobs)])
        let sampled = Samples.now.addingTimeInterval(15)
        _ = update(&state, .telemetry(Samples.trainer.id, TelemetrySample(), at: sampled))
        #expect(update(&state, .historyChanged).withoutWatch == [.ask(.loadJobs), .ask(.loadInstances)])
        #expect(update(&state, .historyChanged).withoutWatch == [.ask(.loadJobs)])
    }

    @Test func jobsAreReadAgainWhenTheHistoryChanged() {
        var state = Samples.empty()
        _ = state.begin()
        _ = update(&state, .answered(.jobsLoaded(.success([]))))
        #expect(update(&state, .historyChanged) == [.ask(.loadJobs)])
        #expect(state.polls.jobs.isAsking)
        _ = update(&state, .answered(.jobsLoaded(.success([Samples.job("train-1", .running)]))))
        #expect(state.tickInterval == 1)
    }
}
