import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPEngine
import VPTestSupport

@testable import vp

/// Ends as a user asks for them: what is said, with which status, and what stands in the ledger afterwards.
@Suite(.startsCloud, .requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct EndCommandTests {
    private func withCloud(_ body: (LoopbackCloud, CLIHarness) async throws -> Void) async throws {
        try await withLoopbackCloud { cloud in
            try await body(cloud, try CLIHarness(CLIHarness.environment(for: cloud)))
        }
    }

    private func rent(_ harness: CLIHarness, _ platform: String = "vast") async throws -> String {
        let output = try await harness.vp("create-instance", "-p", platform, "--json")
        #expect(output.status == 0, "\(output)")
        return try #require(try output.json()["id"] as? String)
    }

    private func waits(for condition: () async throws -> Bool) async throws -> Bool {
        do {
            try await waitUntil("the condition", condition)
            return true
        } catch is WaitTimeout {
            return false
        }
    }

    @Test(arguments: ["vast", "runpod"]) func otherJobsEndWith208(platform: String) async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness, platform)
            let command = "while [ ! -e stop ]; do sleep 0.1; done; echo made > late.txt"
            let job = try await harness.vp("run", "--detach", "--", command).stdout
                .trimmingCharacters(in: .newlines)
            for words in [
                ["destroy-instance", id], ["destroy-instance", id, "--yes"], ["stop", id],
                ["destroy-instance", id, "--discard-results", "--yes"],
            ] {
                let output = try await harness.start(words).output()
                #expect(output.status == 208, "\(words): \(output)")
                #expect(output.stderr.contains("\(job), running for "), "\(words): \(output)")
                #expect(output.stderr.contains("--end-jobs"), "\(words): \(output)")
            }
            #expect(try await harness.vp("ls").stderr.contains("\(id) was not destroyed"))
            // Beside others the order is left. How the job ended stands in the last line.
            let run = try await harness.vp("run", "--destroy", "--", "exit 3")
            #expect(run.status == 208, "\(run)")
            let last = run.stderr.split(separator: "\n").last.map(String.init) ?? ""
            #expect(last.contains("failed with exit status 3"), "\(run)")
            #expect(run.stderr.contains("when the last of them has ended"), "\(run)")
            #expect(await cloud.instanceCount == 1)
            // The end of the last of them performs it, in the hands of whoever looks then.
            #expect(try await harness.vp("--no-sync", "run", "--", "touch stop").status == 0)
            let isGone = try await self.waits {
                _ = try await harness.vp("ls")
                return await cloud.instanceCount == 0
            }
            #expect(isGone)
            #expect(try harness.read("project/late.txt") == "made\n")
        }
    }

    @Test(arguments: ["destroy-instance", "stop"]) func jobsEndWhereThatIsSaid(verb: String) async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness)
            #expect(try await harness.vp("run", "--detach", "--", "sleep 1000").status == 0)
            let output = try await harness.vp(verb, id, "--end-jobs")
            #expect(output.status == 0, "\(output)")
            #expect(await cloud.instanceCount == (verb == "stop" ? 1 : 0))
        }
    }

    /// An end that was asked for and is not confirmed says so, whatever the job's own status was.
    @Test(arguments: ["vast", "runpod"]) func whatIsNotConfirmedBeatsTheJob(platform: String) async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness, platform)
            cloud.intercept { request in
                guard request.method == "DELETE" else { return .pass }
                return .answer(status: 403, body: "<html>Access denied</html>", type: "text/html")
            }
            let run = try await harness.vp("run", "--destroy", "--", "exit 3")
            #expect(run.status == 209, "\(run)")
            #expect(run.stderr.contains(id) && run.stderr.contains("an hour"), "\(run)")
            let last = run.stderr.split(separator: "\n").last.map(String.init) ?? ""
            #expect(last.contains("failed with exit status 3"), "\(run)")
            cloud.intercept(nil)
            let isGone = try await self.waits {
                _ = try await harness.vp("ls")
                return await cloud.instanceCount == 0
            }
            #expect(isGone)
        }
    }

    enum Hiccup: String, CaseIterable {
        case listFailsOnce, lookFailsOnce, firewallOnce
    }

    @Test(arguments: ["vast", "runpod"], Hiccup.allCases)
    func aHiccupLeavesNothingBehind(platform: String, hiccup: Hiccup) async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness, platform)
            let left = Mutex(1)
            cloud.intercept { request in
                let path = request.path
                let isHit =
                    switch hiccup {
                    case .listFailsOnce:
                        ["/api/v1/instances", "/v2/pods"].contains(path) && request.method == "GET"
                    case .lookFailsOnce: path.hasSuffix("/\(id)") && request.method == "GET"
                    case .firewallOnce: request.method == "DELETE"
                    }
                guard isHit,
                    left.withLock({ left in
                        left -= 1
                        return left >= 0
                    })
                else { return .pass }
                return hiccup == .firewallOnce
                    ? .answer(status: 403, body: "<html>no</html>", type: "text/html")
                    : .answer(status: 503, body: "")
            }
            let output = try await harness.vp("destroy-instance", id)
            #expect(output.status == 0, "\(output)")
            #expect(await cloud.instanceCount == 0)
        }
    }

    /// By the order of system calls: what came down is on the disk before the platform is asked.
    @Test(.requires("strace")) func theDiskIsWrittenBeforeThePlatformIsAsked() async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness)
            #expect(try await harness.vp("--no-sync", "run", "--", "echo r > result.txt").status == 0)
            let trace = harness.path("trace")
            // Our own way to start programs gives none of them the keys.
            let keys = ["VAST_API_KEY", "RUNPOD_API_KEY"].compactMap { name in
                harness.environment[name].map { "\(name)=\($0)" }
            }
            let words =
                ["env"] + keys + [
                    "strace", "-f", "-qq", "-s", "64", "-e", "trace=syncfs,sendto,sendmsg,write,writev", "-o",
                    trace,
                    "\(CLIHarness.products)/vp", "destroy-instance", id,
                ]
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    "sh", ["-c", "cd \"$0\" && exec \"$@\"", harness.project] + words,
                    environment: harness.environment))
            let text = try String(contentsOfFile: trace, encoding: .utf8)
            // A container may forbid to look at another process.
            guard text.contains("write") else { return }
            #expect(result.isSuccess, "\(String(decoding: result.errorOutput, as: UTF8.self))")
            #expect(await cloud.instanceCount == 0)
            let lines = text.split(separator: "\n")
            let order = try #require(lines.firstIndex { $0.contains("DELETE /") })
            #expect(lines[..<order].contains { $0.contains("syncfs(") && !$0.contains("= -1") })
        }
    }
}
