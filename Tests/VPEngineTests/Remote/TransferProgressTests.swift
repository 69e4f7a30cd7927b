import Testing

@testable import VPEngine

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
