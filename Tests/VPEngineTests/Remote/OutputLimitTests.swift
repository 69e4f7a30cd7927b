import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Whatever a program prints, and for however long: memory is bounded, and the call ends with its error.
@Suite("Output limits")
struct OutputLimitTests {
    private static func shell(in folder: TemporaryFolder) throws -> RemoteShell {
        try LocalInstance(in: folder.path).sync().shell
    }

    @Test(.ownProcess) func anInstanceThatPrintsForEverIsEnded() async throws {
        try await TemporaryFolder.with { folder in
            let shell = try Self.shell(in: folder)
            let before = residentBytes()
            let error = await failure { () async throws(EngineError) in
                _ = try await shell.run(
                    "exec cat /dev/zero", outputLimit: OutputLimit(bytes: 8 << 20, time: .seconds(300)))
            }
            #expect(error?.code == .answerTooLarge)
            #expect(error?.activity.subject == "7")
            #expect(residentBytes() - before < 200 << 20)
        }
    }

    @Test func anInstanceThatNeverAnswersIsEnded() async throws {
        try await TemporaryFolder.with { folder in
            let shell = try Self.shell(in: folder)
            let error = await failure { () async throws(EngineError) in
                _ = try await shell.run(
                    "while :; do echo; sleep 0.1; done",
                    outputLimit: OutputLimit(bytes: 8 << 20, time: .milliseconds(500)))
            }
            #expect(error?.code == .timedOut)
        }
    }

    /// Of complaints without end the first and the last are kept: the first names the reason,
    /// the last the outcome.
    @Test func complaintsWithoutEndAreCut() async throws {
        try await TemporaryFolder.with { folder in
            let shell = try Self.shell(in: folder)
            let result = try await shell.run(
                "echo first >&2; head -c 30000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last >&2; exit 3"
            )
            #expect(result.ending == .exited(3))
            #expect(result.errorOutput.count <= ByteCollector.wordsLimit * 3 / 2)
            #expect(result.errorOutput.starts(with: Array("first\n".utf8)))
            #expect(result.lastErrorLine == "last")
        }
    }

    @Test func anAnswerOfTheLargestSizeIsWhole() async throws {
        try await TemporaryFolder.with { folder in
            let shell = try Self.shell(in: folder)
            let script = "head -c 1048576 /dev/zero; exit 0"
            let limit = OutputLimit(bytes: 1 << 20, time: .seconds(300))
            #expect(try await shell.run(script, outputLimit: limit).output.count == 1 << 20)
            let error = await failure { () async throws(EngineError) in
                _ = try await shell.run(script + "\n", outputLimit: OutputLimit(bytes: (1 << 20) - 1))
            }
            #expect(error?.code == .answerTooLarge)
        }
    }

    @Test func aProgramHereIsEndedAsWell() async {
        let command = ProcessCommand("cat", ["/dev/zero"], environment: ["PATH": "/usr/bin:/bin"])
        let error = await failure { () async throws(EngineError) in
            _ = try await SystemProcessRunner().run(
                command, outputLimit: OutputLimit(bytes: 1 << 20, time: .seconds(300)))
        }
        #expect(error?.code == .answerTooLarge)
        #expect(error?.activity.subject == "cat")
    }

    @Test func cancellingIsNoLimit() async throws {
        try await TemporaryFolder.with { folder in
            let shell = try Self.shell(in: folder)
            let run = Task { try await shell.run("touch '\(folder.path)/begun'; exec sleep 1000") }
            try await wait(for: "the script") { folder.exists("begun") ? true : nil }
            run.cancel()
            let error = await #expect(throws: EngineError.self) { try await run.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func aCollectorKeepsBothEnds() {
        let collector = ByteCollector(keepingEndsOf: 1000)
        for number in 0..<20_000 { collector.append(Array("\(number)\n".utf8)) }
        let text = String(decoding: collector.bytes, as: UTF8.self)
        #expect(text.hasPrefix("0\n1\n2\n") && text.hasSuffix("\n19998\n19999\n"))
        #expect(collector.bytes.count <= 1500 && collector.isOver)
        let small = ByteCollector(keepingEndsOf: 1000)
        small.append(Array(repeating: 1, count: 400))
        small.append(Array(repeating: 2, count: 400))
        #expect(small.bytes == Array(repeating: 1, count: 400) + Array(repeating: 2, count: 400))
        #expect(!small.isOver)
    }
}

/// What an instance says beside a log.
@Suite("Endless reports")
struct EndlessReportTests {
    private static func tail(in folder: TemporaryFolder) throws -> (LogTail, RemoteShell) {
        let job = JobScript(
            job: JobID("p-1"), command: .shell("x"), environment: [:], remoteRoot: "/w", workingDirectory: nil
        )
        let spool = try #require(try LogSpool(path: folder.path + "/log"))
        let tail = LogTail(script: job, spool: spool, onBytes: { _, _ in }, onReport: { _ in })
        return (tail, try LocalInstance(in: folder.path).sync().shell)
    }

    /// Lets the "instance" answer each script by `answer`, once it has said that the script begins.
    private static func answering(_ answer: String, in folder: TemporaryFolder) throws {
        try folder.writeProgram(
            "#!/bin/sh\nread -r begin\neval \"$begin\"\ncat >/dev/null\n\(answer)\n", to: "bin/ssh")
    }

    @Test(.ownProcess) func aLineWithoutEndTakesNoMemory() async throws {
        try await TemporaryFolder.with { folder in
            let (tail, shell) = try Self.tail(in: folder)
            try Self.answering(
                "head -c 80000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo 'vp-job lost' >&2", in: folder)
            let before = residentBytes()
            #expect(try await tail.perform(.follow, through: shell) == .lost)
            #expect(residentBytes() - before < 60 << 20)
        }
    }

    @Test(.ownProcess) func reportsWithoutEndTakeNoMemory() async throws {
        try await TemporaryFolder.with { folder in
            let (tail, shell) = try Self.tail(in: folder)
            try Self.answering(
                "yes 'vp-job queued' | head -n 1000000 >&2; echo 'vp-job absent' >&2", in: folder)
            let before = residentBytes()
            #expect(try await tail.perform(.follow, through: shell) == .absent)
            #expect(residentBytes() - before < 200 << 20)
        }
    }

    /// It says that the log is longer than it is, each time: the job has ended,
    /// and its copy is not vouched for.
    @Test func aLogThatIsPromisedAndNeverComesIsNotWaitedForForEver() async throws {
        try await TemporaryFolder.with { folder in
            let (tail, shell) = try Self.tail(in: folder)
            try Self.answering(
                "echo 'vp-job ended code=0 start=1795000000 lasted=1 bytes=4611686018427387904 sum=7' >&2",
                in: folder)
            var ending: LogTail.Ending?
            for _ in 0..<10 where ending == nil {
                do throws(EngineError) {
                    ending = try await tail.perform(.follow, through: shell)
                } catch {
                    #expect(error.code == .unreachable)
                }
            }
            guard case .ended(let end, let isVerified)? = ending else {
                Issue.record("it goes on and on")
                return
            }
            #expect(end.outcome == .exited(0) && !isVerified)
        }
    }
}
