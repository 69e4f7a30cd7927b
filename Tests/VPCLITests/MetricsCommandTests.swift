import Foundation
import Testing
import VPTestSupport

@Suite struct MetricsCommandTests {
    private static let log = """
        step 1/100 loss 0.9 lr 3e-12
        step 2/100 loss 0.5 lr 2e-12
        step 2: val loss nan
        eta: 0:01:30
        step 3/100 loss 0.7 lr 1e-12 eta: 1m 30s

        """

    private func harness() throws -> CLIHarness {
        let harness = try CLIHarness()
        try harness.write("project/train.log", Self.log)
        return harness
    }

    @Test func aFileIsAnsweredAsJSON() async throws {
        let output = try await self.harness().vp("metrics", "--json", "./train.log")
        #expect(output.status == 0, "\(output)")
        let job = try #require((try output.json()["jobs"] as? [[String: Any]])?.first)
        #expect(
            Set(job.keys).isSuperset(of: [
                "job", "series", "progress", "eta_seconds", "finish_dollars", "alarms",
            ]))
        let series = try #require(job["series"] as? [[String: Any]])
        let loss = try #require(series.first { $0["name"] as? String == "loss" })
        #expect(loss["kind"] as? String == "loss" && loss["count"] as? Int == 3)
        #expect(
            loss["last"] as? Double == 0.7 && loss["best"] as? Double == 0.5 && loss["best_step"] as? Int == 2
        )
        #expect(loss["values"] as? [Double] == [0.9, 0.5, 0.7] && loss["steps"] as? [Int] == [1, 2, 3])
        // To its last place.
        #expect(series.first { $0["name"] as? String == "lr" }?["last"] as? Double == 1e-12)
        #expect(series.first { $0["name"] as? String == "val loss" }?["last"] is NSNull)
        #expect((job["progress"] as? [String: Double]) == ["done": 3, "total": 100])
        #expect(job["eta_seconds"] as? Double == 90)
        let alarm = try #require((job["alarms"] as? [[String: Any]])?.first)
        #expect(
            alarm["kind"] as? String == "nan" && alarm["series"] as? String == "val loss"
                && alarm["step"] as? Int == 2)
    }

    @Test func aFileIsAnsweredAsCSVAndInWords() async throws {
        let harness = try self.harness()
        let csv = try await harness.vp("metrics", "--csv", "./train.log").stdout.split(separator: "\n")
        #expect(csv.first == "job,series,kind,step,value")
        #expect(
            csv.contains("./train.log,loss,loss,3,0.7") && csv.contains("./train.log,val loss,loss,2,nan"))
        let words = try await harness.vp("metrics", "./train.log").stdout
        #expect(words.contains("3/100 (3 %)") && words.contains("Val loss is not a number since step 2."))
    }

    @Test func curvesAreDrawnIntoAFile() async throws {
        let harness = try self.harness()
        let output = try await harness.vp("metrics", "./train.log", "--svg", "curves.svg")
        #expect(output.status == 0 && output.stdout.isEmpty, "\(output)")
        let svg = try String(contentsOfFile: harness.path("project/curves.svg"), encoding: .utf8)
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n") && svg.contains(">val loss</text>"))
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        let output = try await self.harness().vp("metrics", "./other.log")
        #expect(output.status == 64 && output.stderr.contains("./other.log cannot be read"), "\(output)")
    }

    @Test func withoutJobsThereIsNothingToShow() async throws {
        let output = try await self.harness().vp("metrics")
        #expect(output.status == 64 || output.status == 200 || output.status == 1, "\(output)")
        #expect(!output.stderr.isEmpty)
    }
}
