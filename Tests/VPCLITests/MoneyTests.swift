import Foundation
import LoopbackCloud
import Testing
import VPEngine
import VPTestSupport

@testable import vp

/// What `vp` says about money, and how it ends.
@Suite(.startsCloud, .requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct MoneyTests {
    private func withCloud(_ body: (LoopbackCloud, CLIHarness) async throws -> Void) async throws {
        try await withLoopbackCloud { cloud in
            try await body(cloud, try CLIHarness(CLIHarness.environment(for: cloud)))
        }
    }

    private func rent(_ harness: CLIHarness, _ more: String...) async throws -> String {
        let output = try await harness.start(["create-instance", "-p", "vast", "--json"] + more).output()
        #expect(output.status == 0, "\(output)")
        return try #require(try output.json()["id"] as? String)
    }

    @Test func whatIsNotGoneEndsWith209() async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness)
            cloud.intercept { request in
                request.method == "DELETE" ? .answer(status: 200, body: #"{"success":true}"#) : .pass
            }
            let output = try await harness.vp("destroy-instance", id)
            #expect(output.status == 209, "\(output)")
            #expect(output.stderr.contains("still shows the instance \(id)"))
            #expect(try await harness.vp("ls").stdout.contains("destroying"))
            cloud.intercept(nil)
            // The order stands: any start gives it again.
            for _ in 0..<50 where await cloud.instanceCount > 0 { _ = try await harness.vp("ls") }
            #expect(await cloud.instanceCount == 0)
            #expect(try await harness.vp("ls").stdout.hasPrefix("No instances."))
        }
    }

    @Test func aListThatCannotBeBelievedKeepsTheLastRows() async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness)
            #expect(try await harness.vp("ls").status == 0)
            cloud.intercept { request in
                request.path == "/api/v1/instances" ? .answer(status: 410, body: "{}") : .pass
            }
            let output = try await harness.vp("ls")
            #expect(output.status == 202)
            #expect(output.stderr.contains("As last seen on vast.ai"))
            #expect(output.stderr.contains(id))
            let create = try await harness.vp("create-instance", "-p", "vast")
            #expect(create.status == 202, "\(create)")
            #expect(await cloud.instanceCount == 1)
        }
    }

    @Test func limitsEndWith208() async throws {
        try await self.withCloud { cloud, harness in
            let dear = try await harness.vp("create-instance", "-p", "vast", "--max-cost", "0.001")
            #expect(dear.status == 208, "\(dear)")
            #expect(dear.stderr.contains("--max-cost $0.0010 buys"))
            try harness.write("project/.vp/config.yaml", "budget:\n  per_day: 0.01\n")
            let daily = try await harness.vp("create-instance", "-p", "vast", "--json")
            #expect(daily.status == 208)
            #expect(try daily.error()["code"] == "limitRefused")
            #expect(await cloud.instanceCount == 0)
            try harness.write("project/.vp/config.yaml", "name: train\n")
            _ = try await self.rent(harness)
            let run = try await harness.vp("run", "--max-cost", "0.00001", "--", "sleep", "1000")
            #expect(run.status == 208, "\(run)")
            #expect(run.stderr.contains("for this run (--max-cost)"))
            let far = try await harness.vp("lease", try await self.only(harness), "900h")
            #expect(far.status == 208, "\(far)")
        }
    }

    /// A run whose loss is no number is ended, told why, and its results are here.
    @Test func aLossThatIsNoNumberEndsARunThatAskedForIt() async throws {
        try await self.withCloud { _, harness in
            try harness.write("project/.vp/config.yaml", "name: train\n")
            _ = try await self.rent(harness)
            let loop = """
                echo kept > result.txt; i=0; while :; do i=$((i+1)); echo "step $i loss nan"; sleep 0.2; done
                """
            let run = try await harness.vp("run", "--stop-on", "nan,stall:1h", "--", "sh", "-c", loop)
            #expect(run.status == 208, "\(run)")
            #expect(run.stderr.contains("--stop-on nan: loss is not a number since step 1"), "\(run)")
            #expect(FileManager.default.fileExists(atPath: harness.path("project/result.txt")))
            let job = try await harness.vp("jobs", "-1", "--json").json()
            #expect(job["state"] as? String == "cancelled" && job["stop_on"] as? String == "nan,stall:1h")
            #expect((job["cause"] as? String)?.contains("is not a number") == true, "\(job)")
            #expect((job["alarms"] as? [[String: Any]])?.first?["kind"] as? String == "nan", "\(job)")
            let wrong = try await harness.vp("run", "--stop-on", "often", "--", "true")
            #expect(wrong.status == 64 && wrong.stderr.contains("is not a stop rule"), "\(wrong)")
        }
    }

    private func only(_ harness: CLIHarness) async throws -> String {
        let rows = try await harness.vp("ls", "--json").json()["instances"] as? [[String: Any]]
        return try #require(rows?.first?["id"] as? String)
    }

    @Test func leasesAreShownAndSet() async throws {
        try await self.withCloud { cloud, harness in
            let id = try await self.rent(harness, "--lease", "2h", "--stop-when-idle", "30m")
            let list = try await harness.vp("ls", "--json").json()["instances"] as? [[String: Any]]
            let row = try #require(list?.first)
            let end = try #require(row["lease_ends_at"] as? String)
            let date = try Date.ISO8601FormatStyle().parse(end)
            #expect(abs(date.timeIntervalSinceNow - 7200) < 120)
            #expect(row["lease_guardian"] as? String == (cloud.isSandboxed ? "instance" : "local"))
            let shown = try await harness.vp("lease", id)
            #expect(shown.stdout.contains(#/will be destroyed in (1:59|2:00):/#))
            #expect(shown.stdout.contains("It will be stopped after it has been idle for 30:00."))
            let longer = try await harness.vp("lease", id, "4h")
            #expect(longer.stdout.contains(#/will be destroyed in (3:59|4:00):/#))
            let none = try await harness.vp("lease", id, "none")
            #expect(none.stdout == "\(id) has no lease: it runs until you end it.\n")
            let table = try await harness.vp("ls")
            #expect(table.stdout.contains("none"))
            #expect(table.stderr.contains("\(id) has no lease"))
            #expect(try await harness.vp("lease", id, "soon").status == 64)
        }
    }

    @Test func costsAndLeftoversAreShown() async throws {
        try await self.withCloud { cloud, harness in
            #expect(try await harness.vp("reap").stdout == "No unused resources cost money.\n")
            let id = try await self.rent(harness)
            #expect(try await harness.vp("--no-sync", "sleep", "3").status == 0)
            let cost = try await harness.vp("cost", "--by", "job", "--json").json()
            let lines = try #require(cost["lines"] as? [[String: Any]])
            #expect(lines.contains { ($0["key"] as? String)?.hasSuffix("-1") == true }, "\(cost)")
            #expect((cost["dollars"] as? Double ?? 0) > 0)
            #expect(try await harness.vp("cost").stdout.contains("in all"))
            let projects = try await harness.vp("cost", "--by", "project", "--json").json()
            let keys = (projects["lines"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
            #expect(keys == ["project"])
            #expect(try await harness.vp("stop", id).status == 0)
            let reap = try await harness.vp("reap", "--json").json()["instances"] as? [[String: Any]]
            let row = try #require(reap?.first)
            #expect(row["kind"] as? String == "parked")
            #expect(row["action"] as? String == "vp destroy-instance \(id)")
            #expect((row["dollars_per_day"] as? Double ?? 0) > 0)
            let lease = try await harness.vp("lease", id)
            #expect(lease.stdout.contains("is stopped, so no lease applies"), "\(lease)")
            // What is on its disk cannot be seen now, and was here when it was stopped.
            let manifests = try #require(
                harness.files(below: ".local/state/variousplug", withSuffix: "/verified").first)
            #expect(unlink(manifests) == 0)
            let refused = try await harness.vp("destroy-instance", id)
            #expect(refused.status == 205, "\(refused)")
            #expect(refused.stderr.contains("a moment ago everything was downloaded"), "\(refused)")
            #expect(refused.stderr.contains("after `vp start \(id)` if the instance is stopped"))
            #expect(try await harness.vp("start", id).status == 0)
            #expect(try await harness.vp("stop", id).status == 0)
            #expect(try await harness.vp("destroy-instance", id).status == 0)
        }
    }

    @Test func statusReadsTheCacheAlone() async throws {
        let empty = try await CLIHarness().vp("status")
        #expect(empty.status == 0)
        #expect(empty.stdout == "")
        try await self.withCloud { cloud, harness in
            _ = try await self.rent(harness)
            let list = try await harness.vp("ls")
            #expect(list.stdout.contains(#/, balance \$\d+\.\d\d, \d+ h left on vast\.ai\n/#), "\(list)")
            cloud.intercept { _ in
                Issue.record("vp status asked a platform")
                return .pass
            }
            let output = try await harness.vp("status")
            #expect(output.stdout.hasPrefix("run $0."), "\(output)")
            // Also where nobody ever opened the dashboard.
            #expect(output.stdout.contains("balance $") && output.stdout.contains("h left"), "\(output)")
            let json = try await harness.vp("status", "--json").json()
            #expect(json["running"] as? Int == 1)
            cloud.intercept(nil)
        }
    }

    @Test func aChartIsDrawn() {
        let account = CostAccount(
            grouping: .gpu, start: .distantPast, end: .distantFuture,
            lines: [.init(key: "RTX 4090", dollars: 4), .init(key: "A100", dollars: 1)],
            total: .init(key: "total", dollars: 5, chargedDollars: 2))
        #expect(CostCommand.bar(4, of: 4, width: 8, hasUnicode: true) == "████████")
        #expect(CostCommand.bar(1, of: 4, width: 9, hasUnicode: true) == "██▎")
        #expect(CostCommand.bar(1, of: 4, width: 8, hasUnicode: false) == "##")
        let lines = CostCommand.lines(account, terminal: Terminal(environment: [:]))
        #expect(
            lines == [
                "RTX 4090  $4.00", "A100      $1.00", "$5.00 in all, $2.00 of it as charged by the platforms",
            ])
    }
}
