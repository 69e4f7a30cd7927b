import Foundation
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

struct ProcessRunnerTests {
    private let runner = SystemProcessRunner()
    private let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]

    private func shell(_ script: String, input: [UInt8]? = nil) -> ProcessCommand {
        ProcessCommand("sh", ["-c", script], environment: self.environment, input: input)
    }

    @Test func outputErrorAndStatusAreHandedOver() async throws {
        let result = try await self.runner.run(self.shell("echo out; echo err >&2; exit 3"))
        #expect(result.output == Array("out\n".utf8))
        #expect(result.errorOutput == Array("err\n".utf8))
        #expect(result.ending == .exited(3))
        #expect(try await self.runner.run(self.shell("kill -9 $$")).ending == .signalled(9))
    }

    /// ssh that is refused ends without having read its script.
    @Test func inputThatIsNeverReadIsNoTrap() async throws {
        let input = [UInt8](repeating: 0x78, count: 1 << 20)
        for _ in 0..<20 {
            #expect(try await self.runner.run(self.shell("exec true", input: input)).ending == .exited(0))
        }
        let counted = try await self.runner.run(self.shell("wc -c", input: input))
        #expect(String(decoding: counted.output, as: UTF8.self).contains("1048576"))
    }

    @Test func aMissingProgramIsNamed() async throws {
        await #expect {
            try await self.runner.run(ProcessCommand("no-such-program", [], environment: self.environment))
        } throws: { error in
            (error as? EngineError)?.code == .missingProgram
                && (error as? EngineError)?.detail == "no-such-program"
        }
    }

    /// A process that ignores TERM is killed, and so are its children.
    @Test func cancellingEndsTheWholeGroup() async throws {
        let seen = ByteCollector()
        let (lines, continuation) = AsyncStream<Void>.makeStream()
        let running = Task {
            try await self.runner.run(
                self.shell("trap '' TERM; sleep 1000 & echo $!; echo $$; wait; wait"),
                onOutput: { bytes in
                    seen.append(bytes)
                    if seen.bytes.count(where: { $0 == 0x0a }) == 2 { continuation.finish() }
                }, onErrorOutput: { _ in })
        }
        for await _ in lines {}
        running.cancel()
        await #expect(throws: EngineError.self) { try await running.value }
        for process in String(decoding: seen.bytes, as: UTF8.self).split(separator: "\n").compactMap({
            pid_t($0)
        }) {
            // A killed child may wait for init to collect it; a zombie runs no more. On a busy machine the
            // kernel takes a moment to end it.
            try await waitUntil("the process \(process) to end") {
                let state = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ") Z"
                return kill(process, 0) != 0 || state.contains(") Z")
            }
        }
    }

    @Test func aProcessCannotReachOurTerminal() async throws {
        let result = try await self.runner.run(
            self.shell("(exec 3</dev/tty) 2>/dev/null && echo tty || echo none"))
        #expect(result.output == Array("none\n".utf8))
    }
}
