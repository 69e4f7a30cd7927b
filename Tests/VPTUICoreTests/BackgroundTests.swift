import Foundation
import Testing
import VPEngine
import VPTUICore

/// Work that goes on after a job's command, on screen: in its row, in its details and over its log.
@Suite struct BackgroundTests {
    private func state(_ change: (inout Job) -> Void) -> State {
        var state = Samples.overview()
        guard var job = state.jobs.rows.first(where: { $0.state == .running }) else { return state }
        job.record = job.record ?? JobRecord()
        change(&job)
        _ = update(&state, .engine(.jobChanged(job), at: state.now))
        state.focus = .jobs
        state.lastList = .jobs
        state.jobs.select(job.id)
        state.mainContent = .details
        _ = update(&state, .resized(Size(width: 160, height: 50)))
        return state
    }

    private func text(_ state: State) -> String {
        let buffer = view(state)
        return (0..<buffer.size.height).map { y in
            buffer.row(y).filter { $0.width > 0 }.map { String($0.text) }.joined()
        }.joined(separator: "\n")
    }

    @Test(arguments: [
        (1, "1 process still works in the background"), (2, "2 processes still work in the background"),
    ])
    func whatGoesOnIsInTheRowAndTheDetails(count: Int, words: String) {
        let text = self.text(self.state { $0.record?.backgroundCount = count })
        #expect(text.contains("background ×\(count)"), "\(text)")
        #expect(text.contains("running: \(words)"), "\(text)")
    }

    @Test func withoutAnyNothingIsSaid() {
        let text = self.text(self.state { $0.record?.backgroundCount = nil })
        #expect(!text.contains("background"), "\(text)")
    }

    /// Heard of by a look of `vp jobs`, which knows the commands.
    @Test func processesAreNamedInTheDetails() {
        let text = self.text(
            self.state { job in
                job.record?.background = [
                    .init(process: 7, command: "python3 serve.py", state: .running),
                    .init(process: 8, command: "python3 other.py", state: .ended(3)),
                ]
            })
        #expect(text.contains("background ×1"), "\(text)")
        #expect(
            text.contains("running  python3 serve.py") && text.contains("exit 3  python3 other.py"), "\(text)"
        )
    }

    /// The job is over, and what it left behind can be ended.
    @Test func whatWasLeftBehindIsShownAfterTheEnd() {
        let text = self.text(
            self.state { job in
                job.state = .succeeded
                job.outcome = .exited(0)
                job.endedAt = Samples.now
                job.record?.backgroundCount = 1
                job.record?.background = [.init(process: 7, command: "tensorboard", state: .leftBehind)]
            })
        #expect(!text.contains("background ×"), "\(text)")
        #expect(text.contains("left behind  tensorboard") && text.contains("vp cancel"), "\(text)")
    }
}
