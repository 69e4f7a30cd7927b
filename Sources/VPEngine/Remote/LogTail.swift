import Foundation
import Synchronization

/// Follows the log of one job into its local copy, byte for byte, across lost connections.
package final class LogTail: Sendable {
    /// How following ended.
    package enum Ending: Hashable, Sendable {
        case ended(Job.Outcome, seconds: Double, wasCancelled: Bool)
        /// The supervisor is gone and left no status.
        case lost
        /// There is no such job on the instance.
        case absent
    }

    private struct State {
        var size: Int64
        var reports: [JobReport] = []
        var pendingLine: [UInt8] = []
        var otherErrors: [UInt8] = []
        var failure: EngineError?
    }

    private let script: JobScript
    private let file: FileHandle
    private let path: String
    private let state: Mutex<State>
    private let onBytes: @Sendable (Int64, [UInt8]) -> Void
    private let onReport: @Sendable (JobReport) -> Void

    /// Opens, or makes, the local copy at `path`; following goes on where it ends.
    ///
    /// nil where another program is following this job already: two writers would double every byte. Its
    /// lock ends with it, however it ends.
    package init?(
        script: JobScript, path: String, onBytes: @escaping @Sendable (Int64, [UInt8]) -> Void,
        onReport: @escaping @Sendable (JobReport) -> Void
    ) throws(EngineError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PrivateFolder.failure(.init("opening the local copy of the log", subject: path))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.script = script
        self.path = path
        self.file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        self.state = Mutex(State(size: Int64(lseek(descriptor, 0, SEEK_END))))
        self.onBytes = onBytes
        self.onReport = onReport
    }

    /// Follows until the job has ended or cannot be found.
    ///
    /// `starts` asks for the job's start first. A connection that breaks throws what ssh said; the caller
    /// decides when and where to come back, and calls this again.
    package func follow(through shell: RemoteShell, starts: Bool) async throws(EngineError) -> Ending {
        self.state.withLock { state in
            state.reports = []
            state.pendingLine = []
            state.otherErrors = []
        }
        let offset = self.state.withLock(\.size)
        let text = starts ? self.script.startAndFollow(from: offset) : self.script.follow(from: offset)
        _ = try await shell.stream(
            text, onOutput: { self.append($0) }, onErrorOutput: { self.takeErrorOutput($0) })
        let (reports, errors, failure, size) = self.state.withLock { state in
            (state.reports, state.otherErrors, state.failure, state.size)
        }
        if let failure { throw failure }
        let activity = EngineError.Activity(
            "following the job", platform: shell.target.instance.platform, subject: self.script.job.rawValue)
        switch reports.last {
        case .ended(let outcome, let seconds, let logBytes, let wasCancelled):
            // The connection closed in order and yet brought less than the log held when the job ended.
            guard size >= logBytes else {
                throw EngineError(.unreachable, activity, detail: "the log was cut short")
            }
            return .ended(outcome, seconds: seconds, wasCancelled: wasCancelled)
        case .lost: return .lost
        case .absent: return .absent
        case .failed(let reason):
            let isFull = String(decoding: errors, as: UTF8.self).contains("No space left")
            throw EngineError(isFull ? .remoteDiskFull : .instanceNotReady, activity, detail: reason)
        case .following, .survivor, nil: throw shell.connectionError(errors)
        }
    }

    private func append(_ bytes: [UInt8]) {
        let offset = self.state.withLock { state -> Int64? in
            guard state.failure == nil else { return nil }
            do {
                try self.file.write(contentsOf: bytes)
            } catch {
                state.failure = PrivateFolder.failure(
                    .init("writing the local copy of the log", subject: self.path))
                return nil
            }
            defer { state.size += Int64(bytes.count) }
            return state.size
        }
        if let offset { self.onBytes(offset, bytes) }
    }

    private func takeErrorOutput(_ bytes: [UInt8]) {
        let new = self.state.withLock { state -> [JobReport] in
            state.pendingLine += bytes
            var new: [JobReport] = []
            while let end = state.pendingLine.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: state.pendingLine[..<end], as: UTF8.self)
                if let report = JobReport(line: line[...]) {
                    new.append(report)
                } else {
                    state.otherErrors += state.pendingLine[...end]
                }
                state.pendingLine.removeSubrange(...end)
            }
            state.reports += new
            return new
        }
        for report in new { self.onReport(report) }
    }
}
