import Foundation

/// Runs shell scripts on one instance over its shared ssh connection.
package struct RemoteShell: Sendable {
    package let target: SSHTarget
    package let runner: any ProcessRunner
    package let environment: [String: String]

    /// ssh's own exit status for anything that went wrong on its side.
    static let sshFailure: Int32 = 255

    package init(target: SSHTarget, runner: any ProcessRunner, environment: [String: String]) {
        self.target = target
        self.runner = runner
        self.environment = environment
    }

    /// Runs `script` with sh on the instance and returns what it left.
    ///
    /// The script travels on standard input, so no argument limit applies and nothing of it shows in a process
    /// list. Throws when ssh itself fails; the script's own exit status is a result.
    package func run(_ script: String) async throws(EngineError) -> ProcessResult {
        try await self.run(Array(script.utf8))
    }

    /// A script with words that are not UTF-8.
    package func run(_ script: [UInt8]) async throws(EngineError) -> ProcessResult {
        let result = try await self.runner.run(self.command(running: script))
        if case .exited(Self.sshFailure) = result.ending { throw self.connectionError(result.errorOutput) }
        if case .signalled = result.ending { throw self.connectionError(result.errorOutput) }
        return result
    }

    /// Like `run(_:)`, with standard output and error handed over as they arrive.
    package func stream(
        _ script: String, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        try await self.runner.run(
            self.command(running: Array(script.utf8)), onOutput: onOutput, onErrorOutput: onErrorOutput)
    }

    private func command(running script: [UInt8]) throws(EngineError) -> ProcessCommand {
        try self.target.prepare()
        let words = self.target.command("exec sh -s")
        return ProcessCommand(
            words[0], Array(words.dropFirst()), environment: self.environment, input: script)
    }

    /// Ends the shared connection, if there is one.
    package func close() async {
        guard access(self.target.controlPath, F_OK) == 0 else { return }
        let words = ["-F", self.target.configurationFile, "-O", "exit", self.target.alias]
        _ = try? await self.runner.run(ProcessCommand("ssh", words, environment: self.environment))
        unlink(self.target.configurationFile)
    }

    /// What ssh's own words mean. They are OpenSSH's English texts, which it does not translate.
    package func connectionError(_ errorOutput: [UInt8]) -> EngineError {
        let text = String(decoding: errorOutput, as: UTF8.self)
        let activity = EngineError.Activity(
            "connecting to \(self.target.address.host) port \(self.target.address.port)",
            platform: self.target.instance.platform, subject: self.target.instance.rawValue)
        let line = text.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }
        let detail = line.map { String($0.prefix(300)) }
        let code: EngineError.Code =
            if text.contains("IDENTIFICATION HAS CHANGED") || text.contains("Host key verification failed") {
                .hostKeyChanged
            } else if text.contains("Permission denied") || text.contains("Too many authentication failures")
            {
                .sshRefused
            } else {
                .unreachable
            }
        return EngineError(code, activity, detail: detail)
    }
}
