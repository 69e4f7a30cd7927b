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

    @Test func everyFigureOfALongLogIsInTheCSV() async throws {
        let harness = try self.harness()
        let log = (1...3000).map { "step \($0) loss \(Double($0) / 8)\n" }.joined()
        try harness.write("project/long.log", log)
        let rows = { (name: String) in
            "job,series,kind,step,value\n"
                + (1...3000).map { step in
                    let value = Double(step) / 8
                    let text = value == value.rounded() ? "\(Int(value))" : "\(value)"
                    return "\(name),loss,loss,\(step),\(text)\n\(name),step,step,\(step),\(step)\n"
                }.joined()
        }
        #expect(try await harness.vp("metrics", "--csv", "./long.log").stdout == rows("./long.log"))
        // A pipe cannot be read twice.
        let piped = try await harness.vp("metrics", "--csv", "-", input: log)
        #expect(piped.stdout == rows("-"), "\(piped.stderr)")
        let json = try await harness.vp("metrics", "--json", "-", input: log).json()
        let job = try #require((json["jobs"] as? [[String: Any]])?.first)
        #expect(job["job"] as? String == "-")
        let series = try #require((job["series"] as? [[String: Any]])?.first)
        #expect(series["count"] as? Int == 3000 && series["last"] as? Double == 375)
        let empty = try await harness.vp("metrics", "-", input: "")
        #expect(empty.status == 0 && empty.stdout.contains("contains no training metrics"), "\(empty)")
    }

    @Test(arguments: [["--csv", "--json"], ["--csv", "--watch"], ["--csv", "--svg", "x.svg"], ["--watch"]])
    func whatDoesNotGoTogetherIsRefused(_ options: [String]) async throws {
        let child = try self.harness().start(["metrics", "./train.log"] + options)
        #expect(try await child.output().status == 64)
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

/// The same of jobs, whose logs are on this machine.
@Suite(.ownThread, .startsCloud, .requires("sshd", "rsync", "ssh", "python3"), .timeLimit(.minutes(5)))
struct JobMetricsTests {
    /// As a trainer has it: figures on standard output, the bar on standard error.
    private static let trainer = """
        import sys, time
        for n in range(1, 9):
            print({'loss': (9 - n) / 4, 'epoch': n / 8}, flush=True)
            print(f"\\r {n * 5}%|#    | {n * 5}/40 [00:0{n}<00:20,  1.50it/s]", end='', file=sys.stderr, flush=True)
        """

    @Test func aJobIsToldWithItsStandardError() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            try harness.write("project/trainer.py", Self.trainer)
            #expect(try await harness.vp("sync").status == 0)
            let run = try await harness.vp(
                "run", "--no-sync", "--split-stderr", "--", "python3", "trainer.py")
            #expect(run.status == 0, "\(run)")
            let json = try await harness.vp("metrics", "--json").json()
            let job = try #require((json["jobs"] as? [[String: Any]])?.first)
            let series = try #require(job["series"] as? [[String: Any]])
            let loss = try #require(series.first { $0["name"] as? String == "loss" })
            #expect(loss["count"] as? Int == 8 && loss["last"] as? Double == 0.25)
            #expect((job["progress"] as? [String: Double]) == ["done": 40, "total": 40])
            // What is over is shown once.
            let watched = try await harness.vp("metrics", "--watch", "-1")
            #expect(watched.status == 0 && watched.stdout.contains("40/40 (100 %)"), "\(watched)")
            let csv = try await harness.vp("metrics", "--csv").stdout.split(separator: "\n")
            #expect(csv.count { $0.contains(",loss,loss,") } == 8)
            let record = try await local.job()
            #expect((record["figures"] as? [String: Double])?["loss"] == 0.25)
            #expect((record["progress"] as? [String: Double]) == ["done": 40, "total": 40])
            let words = try await harness.vp("jobs", "-1").stdout
            #expect(words.contains("loss 0.25") && words.contains("40/40"), "\(words)")
        }
    }
}
