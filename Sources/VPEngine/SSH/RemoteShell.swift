import Foundation
import VPScripts

/// Runs shell scripts on one instance over its shared ssh connection.
package struct RemoteShell: Sendable {
    package let target: SSHTarget
    package let runner: any ProcessRunner
    package let environment: [String: String]
    package var patience = Patience()
    private let sessions = OpenedSessions()
    private let connection: SharedConnection
    private let noise = LoginNoise()

    private static let interpreter = "exec sh -s"

    /// ssh's own exit status for any failure on its side.
    static let sshFailure: Int32 = 255

    package init(target: SSHTarget, runner: any ProcessRunner, environment: [String: String]) {
        self.target = target
        self.runner = runner
        self.environment = environment
        self.connection = SharedConnection(
            controlPath: target.controlPath, remoteCommand: Self.interpreter, runner: runner)
    }

    /// Runs `script` with sh on the instance and returns its output and ending.
    ///
    /// The script travels on standard input, so no argument limit applies and none of it appears in a process
    /// list. Throws if ssh itself fails, and `.answerTooLarge` or `.timedOut` if the instance exceeds
    /// `outputLimit`; the script's own exit status is a result.
    package func run(
        _ script: String, outputLimit: OutputLimit = OutputLimit()
    ) async throws(EngineError) -> ProcessResult {
        try await self.run(Array(script.utf8), outputLimit: outputLimit)
    }

    /// Runs a script with words that are not UTF-8.
    package func run(
        _ script: [UInt8], outputLimit: OutputLimit = OutputLimit()
    ) async throws(EngineError) -> ProcessResult {
        let activity = EngineError.Activity(
            "running a script on the instance", platform: self.target.instance.platform,
            subject: self.target.instance.rawValue)
        var limit = outputLimit
        limit.time = min(limit.time, self.patience.script)
        let result = try await limit.collect(activity) {
            (onOutput, onErrorOutput) async throws(EngineError) in
            try await self.stream(script, onOutput: onOutput, onErrorOutput: onErrorOutput)
        }
        if case .exited(Self.sshFailure) = result.ending { throw self.connectionError(result.errorOutput) }
        if case .signalled = result.ending { throw self.connectionError(result.errorOutput) }
        return result
    }

    /// Like `run(_:)`, with standard output and error handed over as they arrive.
    package func stream(
        _ script: String, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        try await self.stream(Array(script.utf8), onOutput: onOutput, onErrorOutput: onErrorOutput)
    }

    /// Streams a script with words that are not UTF-8.
    package func stream(
        _ script: [UInt8], onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        let mark = "vp-start-\(UInt64.random(in: .min ... .max))"
        let output = MarkedStream(mark: mark + "\n", onBytes: onOutput)
        let errorOutput = MarkedStream(mark: mark + "\n", onBytes: onErrorOutput)
        let ending = try await self.perform(
            Array("echo \(mark); echo \(mark) >&2\n".utf8) + script, onOutput: { output.take($0) },
            onErrorOutput: { errorOutput.take($0) })
        if output.hasNoise || errorOutput.hasNoise { self.noise.note() }
        // These are ssh's own words about why nothing was run.
        if !errorOutput.isOpen { onErrorOutput(errorOutput.pending) }
        if !output.isOpen, case .exited(let status) = ending, status != Self.sshFailure {
            let words = String(decoding: output.pending + errorOutput.pending, as: UTF8.self)
            let line = words.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }
            throw EngineError(
                .unreachable,
                .init(
                    "running a script on the instance", platform: self.target.instance.platform,
                    subject: self.target.instance.rawValue),
                detail: "its login did not run the script"
                    + (line.map { ", and printed: \($0.prefix(200))" } ?? ""))
        }
        return ending
    }

    private func perform(
        _ script: [UInt8], onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        if let session = self.sessions.take() {
            defer { if session.hasEarlyOutput { self.noise.note() } }
            return try await session.run(script, onOutput: onOutput, onErrorOutput: onErrorOutput)
        }
        var command = try self.command()
        command.input = script
        return try await self.connection.run(command, onOutput: onOutput, onErrorOutput: onErrorOutput)
    }

    /// Opens sessions for the next `count` scripts, each of which then costs one round trip instead of two.
    ///
    /// Does nothing without a shared connection: each session would make a connection of its own.
    package func openAhead(_ count: Int) {
        guard access(self.target.controlPath, F_OK) == 0, let command = try? self.command() else { return }
        self.sessions.fill(to: count) { OpenedSession(command, runner: self.connection) }
    }

    private func command() throws(EngineError) -> ProcessCommand {
        try self.target.prepare()
        let words = self.target.command(Self.interpreter)
        return ProcessCommand(words[0], Array(words.dropFirst()), environment: self.environment)
    }

    /// Returns the words that run `command` on the instance; the login's output is filtered out.
    package func words(running command: String) throws(EngineError) -> [String] {
        guard self.noise.isKnown else { return self.target.command(command) }
        return ["sh", try self.noiseFilter()] + self.target.command(command).dropFirst()
    }

    /// The same for rsync, in the form of its option `-e`.
    package func rsyncShell() throws(EngineError) -> String {
        let program = self.noise.isKnown ? "sh \(try self.noiseFilter())" : "ssh"
        return "\(program) -F \(self.target.configurationFile)"
    }

    private func noiseFilter() throws(EngineError) -> String {
        let path = self.target.configurationFile + ".quiet"
        try PrivateFolder.write(Array(ScriptFile.quietSSH.text.utf8), to: path)
        return path
    }

    /// Ends the shared connection, if there is one.
    package func close() async {
        self.sessions.removeAll()
        guard access(self.target.controlPath, F_OK) == 0 else { return }
        let words = ["-F", self.target.configurationFile, "-O", "exit", self.target.alias]
        _ = try? await self.runner.run(ProcessCommand("ssh", words, environment: self.environment))
        unlink(self.target.configurationFile)
        unlink(self.target.configurationFile + ".quiet")
    }

    /// Interprets ssh's own words. They are OpenSSH's English texts, which it does not translate.
    package func connectionError(_ errorOutput: [UInt8]) -> EngineError {
        let text = String(decoding: errorOutput.suffix(ByteCollector.wordsLimit), as: UTF8.self)
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
