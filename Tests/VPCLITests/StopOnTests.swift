import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Trainings that go wrong and were to end for it: with somebody there, with nobody, and with a `vp` that was
/// killed. Results are here, `vp jobs` tells why, and the status is that of a limit.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh"), .timeLimit(.minutes(15)))
struct StopOnTests {
    private static func training(_ broken: String) -> String {
        "echo weights > model.txt; for i in 1 2 3; do echo step $i loss 0.$i; done; \(broken)"
    }
    private static let becomesNoNumber = Self.training(
        "i=3; while :; do i=$((i+1)); echo step $i loss nan; sleep 0.1; done")

    private func expectEnded(_ local: LocalCloud, by words: String) async throws {
        let attached = try await local.harness.vp("attach", "-1")
        #expect(attached.status == 208, "\(attached)")
        #expect(attached.stderr.contains(words), "\(attached)")
        #expect((try? local.harness.read("project/model.txt")) == "weights\n", "\(attached)")
        let job = try await local.job()
        #expect(job["state"] as? String == "cancelled" && job["cause"] as? String == words, "\(job)")
        // As asked, the instance stays, with its lease.
        let rows = try await local.harness.vp("ls", "--json").json()["instances"] as? [[String: Any]]
        #expect(rows?.first?["lease_ends_at"] is String, "\(String(describing: rows))")
    }

    @Test(arguments: ["vast", "runpod"], [true, false])
    func theInstanceKeepsItWithNobodyThere(platform: String, isKilled: Bool) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent(platform: platform)
            if isKilled {
                let child = try local.harness.start(["run", "--stop-on", "nan", "--", Self.becomesNoNumber])
                try await waitUntil("a first step: \(child.errorText)") { child.text.contains("step 1") }
                child.send(SIGKILL)
            } else {
                let run = try await local.harness.vp(
                    "run", "--detach", "--stop-on", "nan", "--", Self.becomesNoNumber)
                #expect(run.status == 0 && run.stderr.contains("the instance itself ends the job"), "\(run)")
                #expect(!run.stderr.contains("while somebody follows"), "\(run)")
            }
            // No program of ours runs until the job is over.
            try await waitUntil("the instance's word", limit: .seconds(60)) {
                local.remoteFile("project-1/status") != nil
            }
            try await self.expectEnded(local, by: "--stop-on nan: loss is not a number since step 4")
        }
    }

    /// What needs somebody who looks is said when everybody leaves, and kept by who comes back.
    @Test(arguments: ["attach", "logs -f"]) func whoLooksKeepsTheRest(verb: String) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let run = try await local.harness.vp(
                "run", "--detach", "--stop-on", "nan,stall:2s,diverge", "--",
                Self.training("while :; do sleep 0.1; done"))
            #expect(run.status == 0, "\(run)")
            #expect(run.stderr.contains("--stop-on stall:2s,diverge takes effect only while"), "\(run)")
            let words = "--stop-on stall: no step for much longer than usual; the last was step 3"
            let looked = try await local.harness.start(
                verb.split(separator: " ").map(String.init) + ["-1"]
            ).output()
            #expect(looked.status == (verb == "attach" ? 208 : 0), "\(looked)")
            try await self.expectEnded(local, by: words)
        }
    }

    /// With the end of the instance that was asked for.
    @Test func anEndThatWasAskedForComes() async throws {
        try await LocalCloud.with { local in
            let run = try await local.harness.start([
                "run", "--create", "--destroy", "--gpu-type", "RTX4090", "--stop-on", "nan,stall:2s", "--",
                Self.training("while :; do sleep 0.1; done"),
            ]).output()
            #expect(run.status == 208 && run.stderr.contains("--stop-on stall:"), "\(run)")
            #expect(try local.harness.read("project/model.txt") == "weights\n")
            #expect(await local.cloud.instanceCount == 0)
        }
    }
}
