import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// A job's states as a value: every event against every state.
@Suite("A job's states")
struct JobEventTests {
    private static let start = Date(timeIntervalSince1970: 1_000_000)
    private static let now = Date(timeIntervalSince1970: 1_000_600)

    private static func job(_ state: Job.State, hasEnded: Bool) -> Job {
        var job = Job(
            id: JobID("p-1"), instance: InstanceID(platform: .vast, rawValue: "7"),
            command: .shell("true"), createdAt: Self.start, workspacePath: "/p", logPath: "/log",
            record: JobRecord())
        job.state = state
        job.startedAt = state == .queued ? nil : Self.start
        if hasEnded { job.endedAt = Self.start.addingTimeInterval(60) }
        return job
    }

    private static func end(_ outcome: Job.Outcome?) -> JobEnd {
        var end = JobEnd(outcome: outcome)
        end.startedAt = Self.start
        end.seconds = 60
        return end
    }

    /// Each kind of event once.
    private static var events: [JobEvent] {
        [
            .queued, .running(since: Self.start), .background([]), .goesOn(2), .connection(.reconnecting),
            .seenOver,
            .ended(Self.end(.exited(0)), tail: [], logIsVerified: true), .swept([], isCertain: true),
            .supervisorLost, .recordAbsent, .instanceLost("gone"), .instanceDown("stopped"),
            .startUnknown("cut"),
            .notStarted("refused"),
        ]
    }

    /// What is known for certain is not taken back by what comes later.
    @Test(arguments: [Job.State.succeeded, .failed, .cancelled, .lost, .unknown])
    func aSettledJobKeepsItsState(state: Job.State) {
        for event in Self.events {
            if case .ended = event { continue }
            var job = Self.job(state, hasEnded: true)
            job.apply(event, at: Self.now)
            #expect(job.state == state, "\(event)")
            #expect(job.endedAt == Self.start.addingTimeInterval(60), "\(event)")
        }
    }

    /// Whoever reads the status of a job that was given up has the last word,
    /// and a second reader of the same end adds the log.
    @Test func anEndIsBelievedOverALoss() {
        var job = Self.job(.lost, hasEnded: true)
        job.apply(.ended(Self.end(.exited(0)), tail: [], logIsVerified: false), at: Self.now)
        #expect(job.state == .succeeded)
        job.apply(.ended(Self.end(.exited(0)), tail: [], logIsVerified: true), at: Self.now)
        #expect(job.record?.logIsVerified == true)
    }

    @Test func anEndWithoutAStatusTakesNoStatusAway() {
        var job = Self.job(.running, hasEnded: false)
        job.apply(.ended(Self.end(.exited(3)), tail: [], logIsVerified: nil), at: Self.now)
        job.apply(.ended(Self.end(nil), tail: [], logIsVerified: nil), at: Self.now)
        #expect(job.outcome == .exited(3))
        #expect(job.state == .failed)
    }

    /// A stopped instance may come back, and its disk tells how the job ended.
    @Test func aJobWhoseInstanceIsDownMayRunAgainOrEnd() {
        for event in [
            JobEvent.running(since: nil), .ended(Self.end(.exited(0)), tail: [], logIsVerified: nil),
        ] {
            var job = Self.job(.running, hasEnded: false)
            job.apply(.instanceDown("its instance was stopped"), at: Self.now)
            #expect(job.state == .unknown)
            #expect(job.endedAt == nil)
            job.apply(event, at: Self.now)
            #expect(job.state == .running || job.state == .succeeded)
            #expect(job.cause == nil)
        }
    }

    /// Looked at every few seconds for a day, it says so once.
    @Test func theSameNewsIsNoNews() {
        for event in Self.events {
            var job = Self.job(.running, hasEnded: false)
            job.apply(event, at: Self.now)
            let again = job.apply(event, at: Self.now.addingTimeInterval(30))
            #expect(!again.contains(.tell), "\(event)")
        }
    }

    @Test func onlyALookThatFindsItOverAsksForTheLog() {
        for event in Self.events {
            var job = Self.job(.running, hasEnded: false)
            let orders = job.apply(event, at: Self.now)
            let isSeenOver = if case .seenOver = event { true } else { false }
            #expect(orders.contains(.catchUp) == isSeenOver, "\(event)")
        }
    }

    /// No sequence of events leaves a job that is over and costs money, or one that runs and has ended.
    @Test(arguments: 1...8)
    func noSequenceContradictsItself(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var job = Self.job(.queued, hasEnded: false)
            for step in 0..<12 {
                let event = Self.events.randomElement(using: &random)!
                job.apply(event, at: Self.now.addingTimeInterval(Double(step)))
                if !job.state.isOver { #expect(job.endedAt == nil, "\(event)") }
                if job.state == .succeeded { #expect(job.outcome == .exited(0), "\(event)") }
                if job.state.isOver, job.endedAt != nil { #expect(job.record?.connection == nil, "\(event)") }
            }
        }
    }
}
