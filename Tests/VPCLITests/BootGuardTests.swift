import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Between the rental and the first login nobody but the instance itself can end it.
@Suite(
    .startsCloud, .requires("sshd"), .requires("rsync"), .requires("bwrap"), .timeLimit(.minutes(15)))
struct BootGuardTests {
    private func abandon(
        on market: Market, _ more: String..., body: (LoopbackCloud, CLIHarness) async throws -> Void
    ) async throws {
        try await withLoopbackCloud { cloud in
            let harness = try CLIHarness(CLIHarness.withoutFolders(cloud.environment))
            let child = try harness.start(["create-instance", "-p", market.rawValue] + more)
            // It is rented, and whoever rented it never hears of it.
            cloud.intercept { request in
                let isRental =
                    market == .vast
                    ? request.method == "PUT" && request.path.contains("/asks/")
                    : request.method == "POST" && request.path.hasSuffix("/pods")
                guard isRental else { return .pass }
                return .passThen { child.send(SIGKILL) }
            }
            #expect(try await child.output().status == 128 + SIGKILL)
            cloud.intercept(nil)
            #expect(await cloud.instanceCount == 1)
            try await body(cloud, harness)
        }
    }

    @Test(arguments: [Market.vast, .runPod])
    func whatNobodyComesForEndsByItself(market: Market) async throws {
        try await self.abandon(on: market, "--lease", "5s") { cloud, harness in
            // Nothing of ours runs, and nothing asks the platform.
            _ = try await wait(for: "the instance to end itself", limit: .seconds(90)) {
                await cloud.instanceCount == 0 ? true : nil
            }
            let list = try await harness.vp("ls")
            #expect(list.stdout.hasPrefix("No instances."), "\(list)")
            #expect(try await harness.vp("reap").stdout == "No unused resources cost money.\n")
        }
    }

    /// Once the watchdog is there the lease is its affair, and the guard has nothing to say.
    @Test(arguments: [Market.vast, .runPod])
    func whatIsTakenUpIsLeftToTheWatchdog(market: Market) async throws {
        try await self.abandon(on: market, "--lease", "61s") { cloud, harness in
            let taken = try await harness.vp("create-instance", "-p", market.rawValue, "--json")
            #expect(taken.status == 0, "\(taken)")
            let id = try #require(try taken.json()["id"] as? String)
            #expect(try await harness.vp("lease", id, "1h").status == 0)
            // Its time is over at once where its sleep is ended.
            let wake = """
                exec 2>/dev/null
                for process in /proc/[0-9]*; do
                tr '\\0' ' ' < $process/cmdline | grep -qx 'sleep 61 ' || continue
                stat=$(cat $process/stat); set -- ${stat##*) }
                echo woken; kill ${process#/proc/}
                while [ -e /proc/$2 ]; do sleep 0.1; done
                done
                """
            let job = try await harness.vp("run", "--no-sync", "--", wake)
            #expect(job.stdout == "woken\n", "\(job)")
            #expect(try await harness.vp("ls", "--json").stdout.contains("\"running\""))
            #expect(await cloud.instanceCount == 1)
            #expect(try await harness.vp("destroy-instance", id, "--discard-results", "--yes").status == 0)
        }
    }
}
