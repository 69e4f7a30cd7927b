import Glibc
import Subprocess
import SystemPackage

/// A program to start: its words, its complete environment, and its input.
package struct ProcessCommand: Hashable, Sendable {
    /// The name to look up on PATH, or an absolute path.
    package var program: String
    package var arguments: [String]
    /// The complete environment: nothing else is inherited.
    package var environment: [String: String]
    package var workingDirectory: String?
    /// The standard input; nil is the null device.
    package var input: [UInt8]?
    /// Replaces `input` if that is not known yet when the process starts.
    package var laterInput: PendingInput?

    /// - Parameter keepsKeys: true for `vp` alone; any other program gets an environment without the
    ///   platforms' keys.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String],
        workingDirectory: String? = nil, input: [UInt8]? = nil, keepsKeys: Bool = false
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = keepsKeys ? environment : ChildEnvironment.without(environment)
        self.workingDirectory = workingDirectory
        self.input = input
    }

    /// Returns the input of the process, once that is known.
    func awaitedInput() async -> [UInt8] {
        if let later = self.laterInput { await later.bytes() } else { self.input ?? [] }
    }
}

/// The future input of a process that already runs.
package final class PendingInput: Hashable, Sendable {
    private let stream: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation

    package init() {
        (self.stream, self.continuation) = AsyncStream.makeStream()
    }

    /// Gives the process `bytes` and then the end of its input. A second call does nothing.
    package func give(_ bytes: [UInt8]) {
        self.continuation.yield(bytes)
        self.continuation.finish()
    }

    /// Returns once the bytes are given; empty if the process ended, or was cancelled, before.
    fileprivate func bytes() async -> [UInt8] {
        for await bytes in self.stream { return bytes }
        return []
    }

    package static func == (left: PendingInput, right: PendingInput) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// The ending of a process.
package enum ProcessEnding: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
}

/// The result of a process that was run to its end.
package struct ProcessResult: Hashable, Sendable {
    package var ending: ProcessEnding
    package var output: [UInt8]
    package var errorOutput: [UInt8]

    package var isSuccess: Bool { self.ending == .exited(0) }

    /// The last line of standard error that is not blank, for an error's `detail`.
    package var lastErrorLine: String? {
        String(decoding: self.errorOutput, as: UTF8.self)
            .split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }
            .map { String($0.prefix(300)) }
    }
}

/// Starts processes.
package protocol ProcessRunner: Sendable {
    /// Runs `command` to its end and hands over its output piece by piece, as it arrives.
    ///
    /// The process gets a session of its own, so it can neither read from nor write to our terminal.
    /// Cancelling the task sends TERM to its whole group, waits, then KILL; the call then throws
    /// `.cancelled`. Throws `.missingProgram` if there is no such program.
    func run(
        _ command: ProcessCommand, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding
}

extension ProcessRunner {
    /// Runs `command` to its end and returns its output.
    package func run(
        _ command: ProcessCommand,
        outputLimit: OutputLimit = OutputLimit(bytes: 256 << 20, time: .seconds(86_400))
    ) async throws(EngineError) -> ProcessResult {
        let activity = EngineError.Activity("running \(command.program)", subject: command.program)
        return try await outputLimit.collect(activity) {
            (onOutput, onErrorOutput) async throws(EngineError) in
            try await self.run(command, onOutput: onOutput, onErrorOutput: onErrorOutput)
        }
    }
}

/// Starts real processes through swift-subprocess.
package struct SystemProcessRunner: ProcessRunner {
    /// Without this, writing to a process that ended early would end ours as well. Children get the default
    /// action back from swift-subprocess.
    private static let brokenPipesAreErrors: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    package init() {
        Self.brokenPipesAreErrors
    }

    package func run(
        _ command: ProcessCommand, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        let activity = EngineError.Activity("running \(command.program)", subject: command.program)
        if Task.isCancelled { throw EngineError(.cancelled, activity) }
        var options = PlatformOptions()
        options.createSession = true
        // A master connection or a remote side that hangs must not keep a cancelled action waiting.
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(800))
        ]
        guard let path = Self.path(of: command.program, in: command.environment) else {
            throw EngineError(.missingProgram, activity, detail: command.program)
        }
        let configuration = Configuration(
            executable: .path(FilePath(path)),
            arguments: Arguments(command.arguments),
            environment: .custom(
                Dictionary(
                    uniqueKeysWithValues: command.environment.compactMap { name, value in
                        Environment.Key(rawValue: name).map { ($0, value) }
                    })),
            workingDirectory: command.workingDirectory.map { FilePath($0) },
            platformOptions: options)
        let status: TerminationStatus
        do {
            if command.input != nil || command.laterInput != nil {
                status = try await Subprocess.run(
                    configuration, input: .inputWriter, output: .sequence, error: .sequence
                ) { execution in
                    let writer = execution.standardInputWriter
                    async let writing: Void = Self.write(command, to: writer)
                    try await Self.drain(
                        execution.standardOutput, execution.standardError, onOutput, onErrorOutput)
                    // A process that ended by itself waits for no input any more, so neither may we.
                    command.laterInput?.give([])
                    await writing
                }.terminationStatus
            } else {
                status = try await Subprocess.run(
                    configuration, input: .none, output: .sequence, error: .sequence
                ) { execution in
                    try await Self.drain(
                        execution.standardOutput, execution.standardError, onOutput, onErrorOutput)
                }.terminationStatus
            }
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw EngineError(.missingProgram, activity, detail: command.program)
        } catch {
            if Task.isCancelled || error is CancellationError { throw EngineError(.cancelled, activity) }
            throw EngineError(.fileSystem, activity, detail: String("\(error)".prefix(300)))
        }
        if Task.isCancelled { throw EngineError(.cancelled, activity) }
        switch status {
        case .exited(let code): return .exited(code)
        case .signaled(let signal): return .signalled(signal)
        }
    }

    /// Writes the command's input and closes, even if the process ended without reading: its own exit status
    /// says why. If left to swift-subprocess (`.array`), a broken pipe stays open, and 1.0.2 traps on that.
    private static func write(_ command: ProcessCommand, to writer: StandardInputWriter) async {
        _ = try? await writer.write(await command.awaitedInput())
        try? await writer.finish()
    }

    /// Returns the path of `program`. Given a bare name, swift-subprocess forks once for every folder of PATH
    /// until one of them succeeds, at about a millisecond each.
    static func path(of program: String, in environment: [String: String]) -> String? {
        if program.contains("/") { return program }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.lazy.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private static func drain(
        _ output: SubprocessOutputSequence, _ errorOutput: SubprocessOutputSequence,
        _ onOutput: @escaping @Sendable ([UInt8]) -> Void,
        _ onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                for try await buffer in output { onOutput(buffer.withUnsafeBytes { Array($0) }) }
            }
            group.addTask {
                for try await buffer in errorOutput { onErrorOutput(buffer.withUnsafeBytes { Array($0) }) }
            }
            try await group.waitForAll()
        }
    }
}
