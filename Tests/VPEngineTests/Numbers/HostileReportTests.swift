import Foundation
import Testing

@testable import VPEngine

/// What an instance says of itself is a number within its bounds, or unknown;
/// nothing in it stops the program.
@Suite("Hostile reports")
struct HostileReportTests {
    private static let century = 100.0 * 366 * 86_400

    /// Words that are no number of seconds, bytes or processes, each in its own way.
    static let absurd = [
        "1e300", "-1e300", "nan", "inf", "-inf", "-1", "99999999999999999999", "9223372036854775807",
        "-9223372036854775808", "0x1p4000", "1e", "", "½", "[N/A]",
    ]

    @Test(arguments: Self.absurd) func aLeaseStateStaysWithinBounds(_ word: String) {
        let lines = [
            "vp-lease state 1795000000 1795003600 none idle \(word)",
            "vp-lease state \(word) 1795003600 none idle 30",
            "vp-lease state 1795000000 \(word) none active 0",
            "vp-lease state 1795000000 1795003600 \(word) active 0",
            "vp-lease state 1795000000 1795003600 none active 0 \(word)",
        ]
        for line in lines {
            guard case .state(let now, let end, let cap, let use, let rest)? = LeaseReport(line: line[...])
            else {
                continue
            }
            for value in [now, end ?? 0, cap ?? 0, rest ?? 0] {
                #expect((0...1e11).contains(value), "\(line)")
            }
            if case .idle(let seconds) = use { #expect((0...Self.century).contains(seconds), "\(line)") }
            // A time that cannot be read is not "none", which would be a lease without end.
            #expect(end != nil, "\(line)")
            #expect(!line.contains("3600 \(word) active") || cap != nil, "\(line)")
        }
    }

    @Test func aLeaseStateThatIsInOrderIsRead() {
        let line = "vp-lease state 1795000000 none none idle 90"
        #expect(
            LeaseReport(line: line[...])
                == .state(now: 1_795_000_000, end: nil, cap: nil, use: .idle(90)))
    }

    @Test(arguments: [1e300, -1e300, Double.infinity, -.infinity, .nan, 1e19])
    func durationsHaveWordsWhateverTheyAre(_ seconds: Double) {
        #expect(TimeSpan.rough(seconds).count < 20)
    }

    @Test(arguments: Self.absurd) func aJobsEndStaysWithinBounds(_ word: String) throws {
        let words = [
            "code", "signal", "either", "start", "lasted", "bytes", "errors", "sum", "peak", "waiter",
        ]
        for name in words {
            let line = "vp-job ended code=1 start=1795000000 lasted=100 bytes=5 \(name)=\(word)"
            guard case .ended(let end)? = JobReport(line: line[...]) else {
                Issue.record("not read: \(line)")
                continue
            }
            #expect((0...Self.century).contains(end.seconds ?? 0), "\(line)")
            #expect((0...(1 << 62)).contains(end.logBytes), "\(line)")
            #expect((0...(1 << 62)).contains(end.errorBytes ?? 0), "\(line)")
            #expect((0...(1 << 62)).contains(end.peakBytes ?? 0), "\(line)")
            if let start = end.startedAt?.timeIntervalSince1970 { #expect((0...1e11).contains(start)) }
            _ = JobCause.words(for: end, tail: [])
            var job = Job(
                id: JobID("p-1"), instance: InstanceID(platform: .vast, rawValue: "7"),
                command: .shell("x"), createdAt: Date(timeIntervalSince1970: 1_795_000_000),
                workspacePath: "/p", logPath: "/l")
            job.end(end, tail: [], now: Date(timeIntervalSince1970: 1_795_000_100))
            #expect((0..<1000).contains(job.outcome?.exitStatus ?? 0), "\(line)")
            #expect(try #require(job.endedAt).timeIntervalSince1970 < 1e11 + Self.century)
        }
    }

    /// The supervisor wrote how it ended, and it cannot be read: the job is over, and how is not known.
    @Test(arguments: ["2147483647", "-2147483648", "256", "1e300"])
    func anExitStatusThatIsNoneLeavesTheEndUnknown(_ word: String) {
        for name in ["code", "signal", "either"] {
            let line = "vp-job ended \(name)=\(word) start=1795000000 lasted=1 bytes=0"
            guard case .ended(let end)? = JobReport(line: line[...]) else {
                Issue.record("not read: \(line)")
                continue
            }
            #expect(end.outcome == nil, "\(line)")
        }
    }

    @Test(arguments: Self.absurd) func otherReportsStayWithinBounds(_ word: String) {
        if case .following(let start?)? = JobReport(line: "vp-job following \(word)") {
            #expect((0...1e11).contains(start.timeIntervalSince1970))
        }
        if case .survivor(let process, _)? = JobReport(line: "vp-job survivor \(word) x") {
            #expect(process > 0)
        }
    }

    @Test(arguments: Self.absurd) func loadStaysWithinBounds(_ word: String) {
        let number = word.isEmpty ? "x" : word
        let text = """
            gpu,\(number), \(number), \(number), \(number), \(number)
            gpu,87, 11264, 24564, 63, 312.5
            gpu,87, \(number), 24564, 63, 312.5
            gpu,87, \(number), \(number), 63, 312.5
            cpu \(Array(repeating: number, count: 10).joined(separator: " "))
            load \(number)
            MemTotal \(number)
            MemAvailable \(number)
            disk \(number) \(number)
            net eth0 \(Array(repeating: number, count: 16).joined(separator: " "))
            net eth1 \(Array(repeating: number, count: 16).joined(separator: " "))
            """
        let sample = TelemetrySampler.parse(text)
        let next = TelemetrySampler.parse("cpu 1 1 1 1 1 1 1 1 1 1\nMemTotal 10\nMemAvailable 5")
        for (first, second) in [(sample, next), (next, sample), (sample, sample)] {
            if let share = second.cpuShare(since: first) { #expect((0...1).contains(share)) }
        }
        for share in [sample.gpuShare, sample.gpuMemoryShare, sample.memoryShare, sample.diskShare] {
            #expect((0...1).contains(share ?? 0))
        }
        for gpu in sample.gpus {
            #expect((-300...1000).contains(gpu.temperature ?? 0))
            #expect((0...1e6).contains(gpu.power ?? 0))
            #expect((0...(1 << 62)).contains(gpu.usedBytes ?? 0))
        }
        #expect((0...1e9).contains(sample.load ?? 0))
        for bytes in [
            sample.usedMemoryBytes, sample.totalMemoryBytes, sample.usedDiskBytes, sample.totalDiskBytes,
            sample.receivedBytes, sample.sentBytes,
        ] { #expect(bytes >= 0) }
    }

    /// nvidia-smi's own words for a figure that a card lacks; the others of its line stay.
    @Test func aCardThatDoesNotSayIsKnownByTheRest() throws {
        let sample = TelemetrySampler.parse("gpu,[N/A], 11264, 24564, nan, [Not Supported]")
        let gpu = try #require(sample.gpus.first)
        #expect(gpu.utilization == nil && gpu.temperature == nil && gpu.power == nil)
        #expect(gpu.usedBytes == 11264 << 20 && gpu.totalBytes == 24564 << 20)
    }

    @Test func aThousandCardsAreNotBelieved() {
        let text = Array(repeating: "gpu,1, 1, 1, 1, 1", count: 100_000).joined(separator: "\n")
        #expect(TelemetrySampler.parse(text).gpus.count <= 128)
    }

    /// rsync's and tar's progress come through programs on the instance.
    @Test(arguments: Self.absurd) func progressStaysWithinBounds(_ word: String) {
        let meter = ProgressMeter(totalBytes: 100, totalFiles: 2)
        let line = "\(word)  45%   \(word)MB/s    0:00:03 (xfr#\(word), to-chk=3/10)\n"
        if let progress = meter.take(Array(line.utf8)) {
            #expect((0...1).contains(progress.fraction ?? 0))
            #expect(progress.bytes >= 0 && progress.files >= 0)
            if let rate = progress.bytesPerSecond { #expect((0...1e15).contains(rate)) }
            #expect((progress.secondsLeft ?? 0).isFinite)
        }
    }

    @Test func progressWithoutLineEndsTakesNoMemory() {
        let meter = ProgressMeter(totalBytes: 100, totalFiles: 2)
        let before = residentBytes()
        for _ in 0..<2000 { _ = meter.take(Array(repeating: 0x31, count: 65_536)) }
        // Of 131 MB; other tests run beside this one.
        #expect(residentBytes() - before < 100 << 20)
        let line = "\n 50  50%   1.00MB/s    0:00:03 (xfr#1, to-chk=1/2)\n"
        #expect(meter.take(Array(line.utf8))?.bytes == 50)
    }
}

/// Memory of this process, in bytes.
func residentBytes() -> Int64 {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
    return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
}
