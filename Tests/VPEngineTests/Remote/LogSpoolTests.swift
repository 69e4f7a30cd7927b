import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

struct LogSpoolTests {
    @Test func checksumsAreThoseOfTheProgram() async throws {
        var generator = SeededGenerator(seed: 4)
        for count in [0, 1, 7, 8, 9, 255, 256, 65_537] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var sum = POSIXChecksum()
            let cut = count / 3
            sum.add(bytes[..<cut])
            sum.add(bytes[cut...])
            let result = try await SystemProcessRunner().run(
                ProcessCommand("cksum", [], environment: ["PATH": "/usr/bin:/bin"], input: bytes))
            #expect(String(decoding: result.output, as: UTF8.self) == "\(sum.value) \(count)\n")
        }
    }

    @Test func oneAppendsAndOthersRead() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/logs/p-1.log"
            #expect(!LogSpool.isHeld(path))
            var spool = try LogSpool(path: path)
            #expect(try LogSpool(path: path) == nil)
            #expect(LogSpool.isHeld(path))
            #expect(try spool?.append(Array("one\n".utf8)) == 0)
            #expect(try spool?.append(Array("two\n".utf8)) == 4)
            #expect(try folder.read("logs/p-1.log") == "one\ntwo\n")
            spool = nil
            #expect(!LogSpool.isHeld(path))
            let next = try #require(try LogSpool(path: path))
            #expect(next.size == 8)
            next.reset()
            #expect(try folder.read("logs/p-1.log") == "")
        }
    }

    @Test func theIndexSaysWhatArrivedWhen() async throws {
        try await TemporaryFolder.with { folder in
            let path = try folder.write(String(repeating: "x", count: 40), to: "p.log")
            try folder.write("1000 0\n5000 10\n9000 30\n", to: "p.log.times")
            let offset = { (seconds: Double) in
                LogSpool.offset(in: path, at: Date(timeIntervalSince1970: seconds))
            }
            #expect(offset(0) == 0)
            #expect(offset(1.2) == 0)
            #expect(offset(2) == 10)
            #expect(offset(6) == 30)
            #expect(offset(60) == 40)
            try folder.write("1000 0\n1500 5\nhalf\n5000 10\n9000 30\n9500 35\n", to: "p.log.times")
            let arrivals = LogSpool.arrivals(in: path)
            #expect(arrivals.map(\.offset) == [0, 10, 30])
            #expect(arrivals.map(\.date.timeIntervalSince1970) == [1, 5, 9])
            let spool = try #require(try LogSpool(path: path))
            let before = Date()
            _ = try spool.append([1, 2, 3])
            #expect(LogSpool.offset(in: path, at: before.addingTimeInterval(-1)) == 40)
        }
    }
}
