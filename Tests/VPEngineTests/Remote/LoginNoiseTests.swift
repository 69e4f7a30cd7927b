import Foundation
import Testing
import VPScripts
import VPTestSupport

@testable import VPEngine

/// What a login prints before a script begins, without an instance.
@Suite struct LoginNoiseTests {
    @Test(arguments: [1, 2, 3, 7, 100])
    func nothingBeforeTheMarkCounts(size: Int) {
        let taken = ByteCollector()
        let stream = MarkedStream(mark: "vp-start-1\n") { taken.append($0) }
        let bytes = Array("Welcome!\nvp-start-\nno end of linevp-start-1\nvp-start-1\nanswer".utf8)
        for start in Swift.stride(from: 0, to: bytes.count, by: size) {
            stream.take(Array(bytes[start..<min(bytes.count, start + size)]))
        }
        #expect(String(decoding: taken.bytes, as: UTF8.self) == "vp-start-1\nanswer")
        #expect(stream.hasNoise && stream.isOpen)
    }

    @Test func aQuietLoginMakesNoNoise() {
        let taken = ByteCollector()
        let stream = MarkedStream(mark: "vp-start-1\n") { taken.append($0) }
        stream.take(Array("vp-start-1\nanswer".utf8))
        #expect(String(decoding: taken.bytes, as: UTF8.self) == "answer")
        #expect(!stream.hasNoise)
    }

    @Test func wordsWithoutAMarkAreKeptForTheErrorAlone() {
        let taken = ByteCollector()
        let stream = MarkedStream(mark: "vp-start-1\n") { taken.append($0) }
        for _ in 0..<100 { stream.take([UInt8](repeating: 120, count: 10_000)) }
        stream.take(Array("Permission denied".utf8))
        #expect(taken.bytes.isEmpty && !stream.isOpen)
        #expect(stream.pending.count < 100_000)
        #expect(String(decoding: stream.pending, as: UTF8.self).hasSuffix("Permission denied"))
    }

    /// The filter of transfers: both ways, to the byte, with ssh's own exit status.
    @Test func aTransferIsFiltered() async throws {
        try await TemporaryFolder.with { folder in
            try folder.writeProgram(
                """
                #!/bin/sh
                for last; do :; done
                echo Welcome; echo Welcome >&2; printf 'no end of line'
                exec sh -c "$last"

                """,
                to: "bin/ssh")
            let filter = try folder.write(ScriptFile.quietSSH.text, to: "filter")
            func run(_ words: [String], input: String = "") async throws -> ProcessResult {
                try await SystemProcessRunner().run(
                    ProcessCommand(
                        "sh", [filter, "-F", "file"] + words,
                        environment: ["PATH": folder.path + "/bin:/usr/bin:/bin"], input: Array(input.utf8)))
            }
            let command = "cat; printf 'a\\0b'; echo bad >&2; exit 7"
            let echoed = try await run(["-T", "alias", command], input: "in\n")
            #expect(echoed.errorOutput == Array("bad\n".utf8))
            #expect(echoed.output == Array("in\na\0b".utf8))
            #expect(echoed.ending == .exited(7))
            let words = try await run(["alias", "echo", "one", "two"])
            #expect(words.output == Array("one two\n".utf8))
            #expect(words.ending == .exited(0))
        }
    }
}
