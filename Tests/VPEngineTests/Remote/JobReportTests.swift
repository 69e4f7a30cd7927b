import Testing

@testable import VPEngine

struct JobReportTests {
    @Test(
        arguments: [
            ("vp-job following", JobReport.following),
            (
                "vp-job ended 7 100 130 2048",
                .ended(.exited(7), seconds: 30, logBytes: 2048, wasCancelled: false)
            ),
            ("vp-job ended 0 100 100 0", .ended(.exited(0), seconds: 0, logBytes: 0, wasCancelled: false)),
            ("vp-job ended 137 5 9 1", .ended(.signalled(9), seconds: 4, logBytes: 1, wasCancelled: false)),
            ("vp-job ended 139 5 9 1", .ended(.signalled(11), seconds: 4, logBytes: 1, wasCancelled: false)),
            (
                "vp-job cancelled 143 5 9 1",
                .ended(.signalled(15), seconds: 4, logBytes: 1, wasCancelled: true)
            ), ("vp-job survivor 77", .survivor(77)),
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

struct TransferProgressTests {
    @Test func rsyncLinesAreRead() {
        let meter = ProgressMeter(totalBytes: 4_194_314, totalFiles: 3)
        #expect(meter.take(Array("         32,768   0%    0.00kB/s    0:00:00 ".utf8)) == nil)
        let first = meter.take(
            Array("\r      2,097,152  50%    2.00MB/s    0:00:01 (xfr#1, to-chk=2/3)\r".utf8))
        #expect(
            first
                == TransferProgress(
                    bytes: 2_097_152, totalBytes: 4_194_314, files: 1, totalFiles: 3,
                    bytesPerSecond: 2_097_152))
        let last = meter.take(Array("\r      4194314 100%    1.50GB/s    0:00:00 (xfr#3, to-chk=0/3)\n".utf8))
        #expect(last?.fraction == 1)
        #expect(last?.files == 3)
    }
}
