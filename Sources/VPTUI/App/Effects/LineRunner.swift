import Foundation
import Glibc
import VPEngine
import VPTUICore

/// Runs `vp` for commands that have no screen of their own in the dashboard.
struct LineRunner: Sendable {
    let environment: [String: String]
    let directory: String
    let runner: any ProcessRunner

    /// The `vp` in this program's folder, so that both have the same version; otherwise the one on the path.
    static func program() -> String { ProgramFile.beside("vp") ?? "vp" }

    func verbs() async -> VerbTable {
        guard let result = try? await self.runner.run(self.command(["--experimental-dump-help"])),
            result.isSuccess
        else { return VerbTable() }
        return VerbTable(dump: Data(result.output))
    }

    /// Runs a command, and returns its output and progress together, as a terminal shows them.
    func run(_ words: [String]) async throws(EngineError) -> Answer {
        let start = Date()
        let line = words.map(ShellQuoting.quoted).joined(separator: " ")
        let result = try await self.runner.run(self.command(words))
        let status: Int32 =
            switch result.ending {
            case .exited(let code): code
            case .signalled(let signal): 128 + signal
            }
        return .lineEnded(
            line, output: Self.lines(result.output + result.errorOutput), exitStatus: status,
            seconds: Date().timeIntervalSince(start), at: Date())
    }

    private func command(_ words: [String]) -> ProcessCommand {
        var environment = self.environment
        environment["NO_COLOR"] = "1"
        return ProcessCommand(
            Self.program(), words, environment: environment, workingDirectory: self.directory,
            keepsKeys: true)
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        var buffer = LogBuffer()
        buffer.append(bytes)
        return (buffer.firstNumber..<buffer.endNumber).suffix(5000).map { buffer.line($0).text }
    }
}
