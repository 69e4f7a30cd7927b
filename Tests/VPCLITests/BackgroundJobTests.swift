import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// A job whose command is over and whose work goes on: said by whoever follows it,
/// by `vp jobs` and on the dashboard.
@Suite(.serialized, .ownThread, .requires("sshd", "rsync"), .timeLimit(.minutes(5)))
struct BackgroundJobTests {
    @Test(arguments: ["vast", "runpod"]) func whatGoesOnIsShownWhileItDoes(platform: String) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent(platform: platform)
            let work =
                "(: > begun.txt; until [ -e gate ]; do sleep 0.05; done; rm gate; echo late > late.txt)"
            let child = try local.harness.start(["run", "--", "\(work) & echo begun"])
            try await waitUntil("its words: \(child.errorText)", limit: .seconds(60)) {
                child.errorText.contains("in the background")
            }
            #expect(try await local.harness.vp("jobs").stdout.contains("in the background"))
            let dashboard = try local.dashboard()
            try await dashboard.see("background ×")
            dashboard.type("q")
            _ = try await dashboard.seeEnd()
            let begun = try #require(local.remoteFile("begun.txt"))
            let gate = (begun as NSString).deletingLastPathComponent + "/gate"
            _ = FileManager.default.createFile(atPath: gate, contents: nil)
            let output = try await child.output()
            #expect(output.status == 0, "\(output)")
            #expect(try local.harness.read("project/late.txt") == "late\n")
            #expect(try await !local.harness.vp("jobs").stdout.contains("in the background"))
        }
    }
}
