import Foundation
import Testing

@testable import VPEngine

struct JobReportTests {
    private static func end(_ outcome: Job.Outcome?, _ change: (inout JobEnd) -> Void = { _ in }) -> JobReport
    {
        var end = JobEnd(outcome: outcome)
        change(&end)
        return .ended(end)
    }

    @Test(
        arguments: [
            ("vp-job following 0", JobReport.following(nil)),
            ("vp-job following 1795000000", .following(Date(timeIntervalSince1970: 1_795_000_000))),
            ("vp-job queued", .queued), ("vp-job about train-7", .about(JobID("train-7"))),
            (
                "vp-job ended code=7 start=100 lasted=3050 bytes=2048 sum=4294967295 peak=1024",
                Self.end(.exited(7)) { end in
                    end.startedAt = Date(timeIntervalSince1970: 100)
                    end.seconds = 30.5
                    end.logBytes = 2048
                    end.checksum = .max
                    end.peakBytes = 1024
                }
            ),
            ("vp-job ended code=137 future=1", Self.end(.exited(137))),
            (
                "vp-job ended signal=9 oom=1 full=1",
                Self.end(.signalled(9)) { end in
                    end.memoryRanOut = true
                    end.diskIsFull = true
                }
            ),
            ("vp-job ended either=143", Self.end(.exited(143)) { $0.isAmbiguous = true }),
            ("vp-job ended waiter=gone", Self.end(nil)),
            (
                "vp-job cancelled unstarted=1",
                Self.end(nil) { end in
                    end.isUnstarted = true
                    end.wasCancelled = true
                }
            ),
            ("vp-job survivor 77 python3", .survivor(77, name: "python3")),
            ("vp-job lost", .lost), ("vp-job absent", .absent),
            ("vp-job failed cannot write the job", .failed("cannot write the job")),
        ])
    func ourLinesAreRead(line: String, expected: JobReport) {
        #expect(JobReport(line: line[...]) == expected)
    }

    @Test(arguments: ["", "hello", "vp-job", "vp-job ended", "vp-job ended x 1 2 3", "  vp-job lost"])
    func otherLinesAreNotOurs(line: String) {
        #expect(JobReport(line: line[...]) == nil)
    }
}
