import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// Trainings that go wrong ring as money does: in the report, and once by the user's own command.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct TrainingAlarmTests {
    private func alarms(_ fixture: MoneyFixture) throws -> [Alarm] {
        try fixture.engine.moneyReport().alarms.filter { $0.kind == .training }
    }

    @Test(arguments: VPEngine.Platform.allCases)
    func aLossThatIsNoNumberIsToldOnce(platform: VPEngine.Platform) async throws {
        try await TemporaryFolder.with { place in
            // As a user may write it: with quotes, and with a comment at its end.
            let command =
                "printf '%s|%s|%s\\n' \"$VP_ALARM_KIND\" \"$VP_ALARM_JOB\" \"$VP_ALARM\" >> '\(place.path)/told' # it's"
            try await MoneyFixture.with(money: .init(notifyCommand: command)) { fixture in
                let instance = try await fixture.create(on: platform)
                _ = await fixture.engine.instances()
                let running = Task {
                    try await fixture.run(
                        "i=0; while [ ! -e ~/gate ]; do i=$((i+1)); echo step $i loss nan; sleep 0.2; done",
                        on: instance)
                }
                try await waitUntil("the command to be run") { place.exists("told") }
                let job = try #require(try fixture.engine.jobs().first)
                let alarm = try #require(try self.alarms(fixture).first)
                #expect(alarm.job == job.id && alarm.topic == "nan" && alarm.instance == instance.id)
                #expect(
                    alarm.words == "\(job.id) on \(instance.id): loss is not a number since step 1",
                    "\(alarm)")
                // Others look as well, and it goes on.
                for _ in 0..<3 { _ = await fixture.engine.instances() }
                _ = try await fixture.remote(": > ~/gate", on: instance)
                _ = try await running.value
                _ = await fixture.engine.instances()
                #expect(try self.alarms(fixture).isEmpty, "it is over")
                #expect(try place.read("told") == "training|\(job.id)|\(alarm.words)\n")
            }
        }
    }

    /// Nobody uses the instance any more, and it is paid for.
    @Test func anInstanceThatGoesOnAfterItIsTold() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            var request = RunRequest(
                command: .shell("for i in 1 2 3 4 5; do echo step $i loss nan; done; sleep 1000"),
                syncsUp: false, syncsDown: false)
            request.stopOn = try StopRules("nan")
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            #expect(summary.job?.state == .cancelled)
            _ = await fixture.engine.instances()
            let alarm = try #require(try self.alarms(fixture).first)
            #expect(alarm.topic == "ended" && alarm.words.contains("still costs"), "\(alarm)")
            // Used again, it is no alarm any more.
            _ = try await fixture.run("true", on: instance)
            #expect(try self.alarms(fixture).isEmpty)
        }
    }

    /// A command that hangs holds up nobody, and is ended.
    @Test(.requires("timeout")) func aCommandThatHangsIsBounded() async throws {
        try await TemporaryFolder.with { place in
            let command = "tr '\\0' ' ' </proc/$PPID/cmdline >\(place.path)/parent; exec sleep 0.1"
            try await MoneyFixture.with(money: .init(notifyCommand: command)) { fixture in
                let instance = try await fixture.create(on: .vast)
                _ = try await fixture.engine.setLease(of: instance.id, seconds: nil)
                _ = await fixture.engine.instances()
                try await waitUntil("the command to be run") {
                    (try? place.read("parent"))?.isEmpty == false
                }
                #expect(try place.read("parent").hasPrefix("timeout -k 5 60 sh -c tr "))
            }
        }
    }
}
