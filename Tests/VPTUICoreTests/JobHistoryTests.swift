import Foundation
import Testing
import VPEngine
import VPTUICore

/// Every job of a long history can be reached, and no more of it is read than somebody looks at.
@Suite struct JobHistoryTests {
    /// Newest first, as the store has them.
    private static func history(_ count: Int) -> [Job] {
        (0..<count).map { number in
            var job = Samples.job("job-\(count - number)", .succeeded)
            job.createdAt = Samples.now.addingTimeInterval(-Double(number))
            return job
        }
    }

    /// Answers what is asked of the history, and returns how many jobs each question wanted.
    @discardableResult
    private static func answer(_ state: inout State, _ effects: [Effect], _ history: [Job]) -> [Int] {
        var queue = effects
        var asked: [Int] = []
        while !queue.isEmpty {
            let limit: Int
            switch queue.removeFirst() {
            case .ask(.loadJobs): limit = 100
            case .ask(.loadJobHistory(let wanted)): limit = wanted
            default: continue
            }
            asked.append(limit)
            guard asked.count < 100 else { break }
            queue += update(&state, .answered(.jobsLoaded(.success(Array(history.prefix(limit))))))
        }
        return asked
    }

    private static func opened(_ history: [Job]) -> State {
        var state = Samples.empty()
        let asked = Self.answer(&state, state.begin(), history)
        #expect(asked == [100])
        return state
    }

    @Test(arguments: [(1, "1"), (99, "99"), (100, "100"), (191, "191"), (1234, "1 234")])
    func theLastRowIsTheFirstJob(_ count: Int, _ shown: String) {
        let history = Self.history(count)
        var state = Self.opened(history)
        Self.answer(&state, press(&state, .character("3")), history)
        for _ in 0..<10 { Self.answer(&state, press(&state, .character("G")), history) }
        #expect(state.jobs.rows.count == count)
        #expect(state.jobs.selection == JobID("job-1"))
        #expect(screenText(view(state)).contains("3 Jobs \(shown) "))
    }

    @Test func theLogsOfEarlierJobsAreAKeyAway() {
        let history = Self.history(191)
        var state = Self.opened(history)
        Self.answer(&state, press(&state, .character("3"), .enter), history)
        #expect(state.log.job == JobID("job-191"))
        for _ in 0..<190 { Self.answer(&state, press(&state, .character("[")), history) }
        #expect(state.log.job == JobID("job-1"))
        #expect(state.toasts.isEmpty)
        press(&state, .character("["))
        #expect(state.toasts.map(\.text) == ["That is the oldest job"])
        for _ in 0..<190 { press(&state, .character("]")) }
        #expect(state.log.job == JobID("job-191"))
    }

    @Test func aFilterLooksThroughAll() {
        let history = Self.history(700)
        var state = Self.opened(history)
        Self.answer(&state, press(&state, .character("3")), history)
        Self.answer(&state, press(&state, .character("/")) + type(&state, "job-31"), history)
        #expect(state.jobs.shown.map(\.id.rawValue).contains("job-31"))
        #expect(state.jobs.shown.count == 11)
    }

    @Test func noMoreIsReadThanIsLookedAt() {
        let history = Self.history(20_000)
        var state = Self.opened(history)
        // Whoever is elsewhere, or at the newest, asks for nothing.
        #expect(Self.answer(&state, press(&state, .character("1"), .character("j")), history).isEmpty)
        #expect(Self.answer(&state, press(&state, .character("3"), .character("j")), history).isEmpty)
        var asked: [Int] = []
        for _ in 0..<20 { asked += Self.answer(&state, press(&state, .character("G")), history) }
        #expect(asked == [200, 400, 800, 1600, 3200, 5000])
        #expect(screenText(view(state)).contains("3 Jobs 5 000+"))
        // What changes later is read as far back.
        #expect(update(&state, .historyChanged).contains(.ask(.loadJobHistory(limit: 5000))))
    }
}
