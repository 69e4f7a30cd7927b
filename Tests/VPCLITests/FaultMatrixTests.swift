import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// `vp run --create --destroy` with every fault of the loopback cloud, during the boot, the job and the end.
///
/// What is judged does not depend on the fault: a status of 0 means that the job ran,
/// that its log and its result are here and that nothing is rented; with any other status whatever is rented
/// still is known to `vp ls` and named where it was said that the run failed.
/// In CI a cross-section runs with a short job; `VP_FAULT_SECONDS=20 VP_FAULT_CASES=all` runs all of them
/// with a job of 20 seconds, and names in place of `all` run those.
@Suite(.ownThread, .startsCloud, .requires("sshd", "rsync", "ssh"), .timeLimit(.minutes(120)))
struct FaultMatrixTests {
    enum Moment: String, CaseIterable, Sendable {
        /// Before anything is asked.
        case boot
        /// The job has written its first lines.
        case job
        /// The job has written its last line.
        case end
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        var moment: Moment
        var platform: Market
        /// What `vp` may end with, beside 0.
        var statuses: Set<Int32> = []
        /// Whether 0 is right as well.
        var maySucceed = true

        var testDescription: String { "\(self.fault) at the \(self.moment) on \(self.platform.rawValue)" }
    }

    /// Faults that a run outlives, whenever they come.
    private static let passing = [
        "rate-limited:times=2", "slow:seconds=0.3,times=4", "malformed-json", "html-error-page:times=2",
        "connection-cut", "graphql-retired", "v0-list-retired", "v1-retired",
    ]

    private static func all(_ platform: Market) -> [Case] {
        var cases = Moment.allCases.flatMap { moment in
            Self.passing.map { Case(fault: $0, moment: moment, platform: platform) }
        }
        func add(
            _ fault: String, _ moments: [Moment], _ statuses: Set<Int32> = [], maySucceed: Bool = true
        ) {
            cases += moments.map {
                Case(
                    fault: fault, moment: $0, platform: platform, statuses: statuses, maySucceed: maySucceed)
            }
        }
        for fault in [
            "server-error-after-create", "offer-taken", "no-capacity", "image-never-loads", "sshd-late:2",
            "key-refused:2", "other-hardware", "boot-error", "never-placed",
        ] {
            add(fault, [.boot])
        }
        // The image's own fault ends the create, and leaves nothing behind.
        add("image-pull-error", [.boot], [201, 202])
        add("host-key-changed:0", [.job, .end], [203, 205, 206, 207, 208, 209])
        add("vanished:0", [.job], [207], maySucceed: false)
        // By then the results may be here already.
        add("vanished:0", [.end], [205, 207])
        // Its disk may hold results, so that its end is refused.
        add("preempted:0", [.job], [205, 207], maySucceed: false)
        add("preempted:0", [.end], [205, 207, 209])
        add("balance-zero", [.boot], [201, 202, 208], maySucceed: false)
        // vast.ai stops it, with the results on its disk, so that its end is refused; RunPod ends it.
        add("balance-zero", [.job], platform == .vast ? [205] : [207], maySucceed: false)
        add("balance-zero", [.end], [205, 207, 209])
        let retired = platform == .vast ? "v0-retired" : "rest-retired"
        add(retired, [.boot], [201, 202], maySucceed: false)
        add(retired, [.job, .end], [202, 205, 207, 209], maySucceed: false)
        add("key-expired", [.boot], [200], maySucceed: false)
        // The job is followed by ssh, its results come, and nobody can confirm the end.
        add("key-expired", [.job], [209], maySucceed: false)
        add("key-expired", [.end], [209])
        add("permission-missing:times=all", [.boot], [200], maySucceed: false)
        add("permission-missing:times=all", [.job], [209], maySucceed: false)
        add("permission-missing:times=all", [.end], [209])
        for moment in Moment.allCases { add("host-offline:2", [moment]) }
        return cases
    }

    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = Self.environment["VP_FAULT_SECONDS"].flatMap(Double.init) ?? 1.5

    private static let cases: [Case] = {
        let all = Self.all(.vast) + Self.all(.runPod)
        if let wanted = Self.environment["VP_FAULT_CASES"] {
            let names = wanted.split(separator: ",")
            return all.filter { each in wanted == "all" || names.contains { each.fault.hasPrefix($0) } }
        }
        // Each fault at least once, moments and platforms in turn.
        return all.enumerated().filter { $0.offset % 7 == 3 }.map(\.element)
    }()

    @Test(arguments: Self.cases) func nothingIsFakedLostOrForgotten(wanted: Case) async throws {
        try await LocalCloud.with { local in
            let fault = try Fault(parsing: wanted.fault).on(wanted.platform)
            if wanted.moment == .boot { await local.cloud.inject(fault) }
            let pause = String(format: "%.2f", Self.seconds / 10)
            let child = try local.harness.start([
                "run", "--create", "--destroy", "--load-limit", "18s", "--platform", wanted.platform.rawValue,
                "--",
                "i=0; while [ $i -lt 10 ]; do i=$((i+1)); echo tick $i; sleep \(pause); done; "
                    + "echo result > result.txt; echo over",
            ])
            switch wanted.moment {
            case .boot: break
            case .job: try await Self.wait(for: "tick 2\n", from: child)
            case .end: try await Self.wait(for: "over\n", from: child)
            }
            if wanted.moment != .boot { await local.cloud.inject(fault) }
            let output = try await child.output(limit: .seconds(240 + Self.seconds))
            try await self.judge(output, wanted, local)
        }
    }

    private static func wait(for line: String, from child: ChildVP) async throws {
        try await waitUntil("`\(line)` or the end: \(child.errorText)", limit: .seconds(120)) {
            child.text.contains(line) || !child.isRunning
        }
    }

    private func judge(_ output: CLIHarness.Output, _ wanted: Case, _ local: LocalCloud) async throws {
        let allowed = wanted.maySucceed ? wanted.statuses.union([0]) : wanted.statuses
        #expect(allowed.contains(output.status), "\(wanted.testDescription): \(output)")
        let there = await local.cloud.instanceCount
        let log = (1...10).map { "tick \($0)\n" }.joined() + "over\n"
        if output.status == 0 {
            #expect(output.stdout == log, "\(wanted.testDescription): \(output)")
            #expect(try local.harness.read("project/result.txt") == "result\n")
            #expect(there == 0, "\(wanted.testDescription): \(output)")
        } else {
            let words = output.stderr.split(separator: "\n").last ?? ""
            #expect(!words.isEmpty, "\(wanted.testDescription) fails without a word")
            // What was printed is a part of the log, in its order and once.
            #expect(log.hasPrefix(output.stdout), "\(wanted.testDescription): \(output)")
        }
        guard there > 0 else { return }
        // What is rented still is told by its number, by the run itself and by whoever asks.
        let list = try await local.harness.vp("ls", "--json")
        let text = list.stdout + list.stderr
        let shown = (try? list.json()["instances"] as? [[String: Any]]) ?? []
        if shown.isEmpty, list.status == 0 {
            // The platform itself was about to end it.
            try await waitUntil("the end of what `vp ls` does not show: \(wanted.testDescription)") {
                await local.cloud.instanceCount == 0
            }
        }
        for instance in shown {
            let id = try #require(instance["id"] as? String)
            #expect(output.stderr.contains(id), "\(wanted.testDescription), \(id): \(output)\n\(text)")
        }
    }
}
