import Foundation
import Testing
import VPScripts
import VPTestSupport

@testable import VPEngine

/// Of the job scripts what takes its time: limits, waiting, and ends that are looked for. Side by side,
/// since each of them waits for most of it.
@Suite(.requires("dash", "bash", "busybox", "perl"), .timeLimit(.minutes(15)))
struct JobPatienceTests {
    private static let shells = JobShell.Kind.allCases

    /// Where a shell tells no difference it is not made up.
    @Test(arguments: Self.shells, [2, 13, 15])
    func whatAShellCannotTellIsSaid(kind: JobShell.Kind, signal: Int32) async throws {
        try await JobShell.with(kind) { shell in
            let (_, killed) = try await shell.end(
                shell.script(.shell("trap - \(signal); kill -\(signal) $$; sleep 10")))
            let (_, exited) = try await shell.end(
                shell.script(.shell("exit \(128 + signal)"), id: 2))
            #expect(exited.outcome == .exited(128 + signal))
            if kind.hasPerl || (signal == 15 && kind != .bareBash) {
                #expect(killed.outcome == .signalled(signal))
                #expect(!killed.isAmbiguous && !exited.isAmbiguous)
            } else if signal != 2 {
                #expect(killed.outcome == .exited(128 + signal))
                #expect(killed.isAmbiguous && exited.isAmbiguous)
            }
        }
    }

    /// Followers come and go, and a job may run for days: what each leaves behind would add up.
    @Test(arguments: Self.shells)
    func aReaderWhoLeavesLeavesNothingBehind(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let gate = shell.home + "/gate"
            let first = shell.script(.shell("echo up; while [ ! -e \(gate) ]; do sleep 0.05; done"))
            let second = shell.script(.shell("true"), id: 2, after: 1)
            _ = try await shell.run(first.startAndReturn)
            _ = try await shell.run(second.startAndReturn)
            // That it runs, and its line; and that it waits.
            for (script, lines) in [(first, 2), (second, 1)] {
                try await shell.run(script.follow(from: 0), leavingAfter: lines)
                #expect(shell.file("status") == nil, "it ended only because the job did")
            }
            try Data().write(to: URL(fileURLWithPath: gate))
            try await shell.wait(for: "status", of: 2)
        }
    }

    /// Nobody follows it: the instance keeps to the limit by itself,
    /// and ends what the command left elsewhere.
    @Test(arguments: Self.shells)
    func aLimitIsKeptWithoutAnybody(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let command = """
                (setsid sh -c 'trap "" TERM; echo $$ > other; while :; do sleep 0.1; done' &)
                trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done
                """
            let script = shell.script(.shell(command), limitSeconds: 4)
            #expect(try await shell.run(script.startAndReturn).reports.last?.isFollowing == true)
            try await shell.wait(for: "status")
            let (output, reports) = try await shell.run(script.follow(from: 0))
            guard case .ended(let end) = reports.last else { throw JobShell.WrongEnd() }
            #expect(end.limitIsReached && !end.wasCancelled)
            #expect(end.outcome == .exited(3))
            // Where the signal meets the command's sleep, some shells say so.
            let text = String(decoding: output, as: UTF8.self)
                .replacingOccurrences(of: "Terminated\n", with: "")
            #expect(
                text == "up\n\nvp: the cost limit of this run is reached; this job is being ended.\nbye\n")
            let other = try String(contentsOfFile: shell.home + "/workspace/other", encoding: .utf8)
            #expect(!JobShell.runs(try #require(pid_t(other.dropLast()))))
        }
    }

    /// A limit that is far away leaves no process behind, and says nothing.
    @Test(arguments: Self.shells)
    func aLimitThatIsNotReachedLeavesNothing(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            // A number that nobody else sleeps for.
            let limit = Int.random(in: 100_000...999_999)
            func sleeper() throws -> String? {
                try FileManager.default.contentsOfDirectory(atPath: "/proc").first { name in
                    let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
                    return words.range(of: Data("sleep\0\(limit)\0".utf8)) != nil
                }
            }
            let gate = shell.home + "/gate"
            let script = shell.script(
                .shell("while [ ! -e \(gate) ]; do sleep 0.05; done; exit 4"), limitSeconds: limit)
            async let ended = shell.end(script)
            _ = try await VPTestSupport.wait(for: "the limit's sleep") { try? sleeper() }
            try Data().write(to: URL(fileURLWithPath: gate))
            let end = try await ended.end
            #expect(end.outcome == .exited(4))
            #expect(!end.limitIsReached)
            _ = try await VPTestSupport.wait(for: "the end of it") { try sleeper() == nil ? true : nil }
        }
    }

    @Test(arguments: Self.shells)
    func aJobWaitsForAnother(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let gate = shell.home + "/gate"
            let first = shell.script(
                .shell("while [ ! -e \(gate) ]; do sleep 0.05; done; echo first >> order; exit 1"))
            let second = shell.script(.shell("echo second >> order; cat order"), id: 2, after: 1)
            let third = shell.script(.shell("echo third"), id: 3, after: 2)
            #expect(try await shell.run(first.startAndReturn).reports.last?.isFollowing == true)
            #expect(try await shell.run(second.startAndReturn).reports.last == .queued)
            #expect(try await shell.run(third.startAndReturn).reports.last == .queued)
            let look = JobScript.look(at: [second, third].map(\.job) + [JobID("none")])
            #expect(
                try await shell.run(look).reports
                    == [
                        .about(second.job), .queued, .about(third.job), .queued,
                        .about(JobID("none")), .absent,
                    ])
            let (_, cancelled) = try await shell.run(third.cancel(grace: 1))
            guard case .ended(let end) = cancelled.last else { throw JobShell.WrongEnd() }
            #expect(end.isUnstarted && end.wasCancelled && end.outcome == nil)
            async let watched = shell.run(second.follow(from: 0))
            try Data().write(to: URL(fileURLWithPath: gate))
            let (output, reports) = try await watched
            #expect(output == Array("first\nsecond\n".utf8))
            guard case .ended(let ended) = reports.last else { throw JobShell.WrongEnd() }
            #expect(ended.outcome == .exited(0))
        }
    }

    @Test(arguments: Self.shells)
    func aSupervisorThatIsGoneIsSaid(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let script = shell.script(.shell("echo up; sleep 1000"))
            async let watched = shell.run(script.startAndFollow(from: 0))
            try await shell.wait(for: "log")
            let supervisor = try await shell.wait(for: "supervisor").split(separator: " ")[0]
            kill(try #require(pid_t(supervisor)), SIGKILL)
            _ = try await shell.run(script.cancel(grace: 0))
            #expect(try await watched.reports.last == .lost)
            // A number that was given to another process since is not taken for the supervisor's.
            let path = shell.path(of: "supervisor")
            try Data("\(getpid()) 1\n".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try await shell.run(script.follow(from: 0)).reports.last == .lost)
        }
    }
}
