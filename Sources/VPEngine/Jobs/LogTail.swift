import Foundation
import Synchronization

/// Follows a log of one job into its local copy, byte for byte, across lost connections.
package final class LogTail: Sendable {
    /// The reason why following ended.
    package enum Ending: Hashable, Sendable {
        /// The job ended. `isVerified`: length and checksum of the copy equal those of the instance's log.
        case ended(JobEnd, isVerified: Bool)
        /// The supervisor is gone and left no status.
        case lost
        /// There is no such job on the instance.
        case absent
        /// The job still runs; only after `catchUp`.
        case running(since: Date?)
        case queued
    }

    /// The request that a connection makes to the instance.
    package enum Request: Hashable, Sendable {
        /// Starts the job unless that was done before, then follows it.
        case start
        case follow
        /// Downloads the current contents without waiting for more.
        case catchUp
    }

    private struct State {
        /// The last report.
        var report: JobReport?
        /// The processes that were last reported to have outlived the command.
        var background: [JobRecord.BackgroundProcess] = []
        var pendingLine: [UInt8] = []
        /// The end of the other output on standard error.
        var otherErrors: [UInt8] = []
        var failure: EngineError?
        var mismatches = 0
        /// How often a log that should be longer did not grow, and its size.
        var shortfalls = 0
        var shortSize: Int64 = -1
    }

    /// Our reports are never longer; an instance may send a line that never ends.
    private static let lineLimit = 65_536
    /// The waiter lists no more processes.
    private static let childLimit = 50

    private let script: JobScript
    private let stream: JobStream
    private let spool: LogSpool
    private let state = Mutex(State())
    private let onBytes: @Sendable (Int64, [UInt8]) -> Void
    private let onReport: @Sendable (JobReport) -> Void

    /// Continues to follow where `spool` ends.
    package init(
        script: JobScript, stream: JobStream = .log, spool: LogSpool,
        onBytes: @escaping @Sendable (Int64, [UInt8]) -> Void,
        onReport: @escaping @Sendable (JobReport) -> Void
    ) {
        self.script = script
        self.stream = stream
        self.spool = spool
        self.onBytes = onBytes
        self.onReport = onReport
    }

    /// Performs `request`, until the job has ended or cannot be found.
    ///
    /// Throws ssh's error if the connection breaks; the caller decides when and where to reconnect, and calls
    /// this again.
    package func perform(_ request: Request, through shell: RemoteShell) async throws(EngineError) -> Ending {
        self.state.withLock { state in
            state.report = nil
            state.background = []
            state.pendingLine = []
            state.otherErrors = []
        }
        let offset = self.spool.size
        let text =
            switch request {
            case .start: self.script.startAndFollow(self.stream, from: offset)
            case .follow: self.script.follow(self.stream, from: offset)
            case .catchUp: self.script.catchUp(self.stream, from: offset)
            }
        @Sendable func stream(_ alive: @escaping @Sendable () -> Void) async throws(EngineError) {
            _ = try await shell.stream(
                text,
                onOutput: {
                    alive()
                    self.append($0)
                },
                onErrorOutput: {
                    alive()
                    self.takeErrorOutput($0)
                })
        }
        if request == .catchUp {
            try await StallLimit(time: shell.patience.listing).watch(
                .init("reading the log", subject: self.script.job.rawValue), stream)
        } else {
            // The job may print nothing for as long as it likes.
            try await stream {}
        }
        let (report, background, errors, failure) = self.state.withLock { state in
            (state.report, state.background, state.otherErrors, state.failure)
        }
        if let failure { throw failure }
        let activity = EngineError.Activity(
            "following the job", platform: shell.target.instance.platform, subject: self.script.job.rawValue)
        switch report {
        case .ended(var end):
            end.background = background
            return .ended(end, isVerified: try self.verify(end, activity))
        case .lost: return .lost
        case .absent: return .absent
        case .following(let start) where request == .catchUp: return .running(since: start)
        case .queued where request == .catchUp: return .queued
        case .failed(let reason):
            let isFull = String(decoding: errors, as: UTF8.self).contains("No space left")
            throw EngineError(isFull ? .remoteDiskFull : .instanceNotReady, activity, detail: reason)
        case .following, .queued, .survivor, .about, .background, .child, .unadopted, nil:
            throw shell.connectionError(errors)
        }
    }

    /// Compares the copy with the instance's report about its log.
    ///
    /// A damaged copy is emptied, and fetched again by the next call; if it is damaged again, it is kept as
    /// it is and the result is false.
    private func verify(_ end: JobEnd, _ activity: EngineError.Activity) throws(EngineError) -> Bool {
        let promised = self.stream == .log ? end.logBytes : end.errorBytes ?? 0
        // The connection closed in order but delivered less than the log contained when the job ended. If
        // asking again yields no more, the instance has announced bytes that it does not have, and nobody
        // waits for those for ever.
        let size = self.spool.size
        guard size >= promised else {
            let shortfalls = self.state.withLock { state in
                state.shortfalls = state.shortSize == size ? state.shortfalls + 1 : 1
                state.shortSize = size
                return state.shortfalls
            }
            if shortfalls > 3 { return false }
            throw EngineError(.unreachable, activity, detail: "the log was cut short")
        }
        guard promised > 0, let checksum = end.checksum else { return promised == 0 }
        if try self.spool.checksum(of: promised) == checksum { return true }
        let mismatches = self.state.withLock { state in
            state.mismatches += 1
            return state.mismatches
        }
        guard mismatches == 1 else { return false }
        self.spool.reset()
        throw EngineError(
            .unreachable, activity, detail: "the local copy of the log was damaged; it is downloaded again")
    }

    private func append(_ bytes: [UInt8]) {
        guard self.state.withLock({ $0.failure == nil }) else { return }
        do throws(EngineError) {
            self.onBytes(try self.spool.append(bytes), bytes)
        } catch {
            self.state.withLock { $0.failure = error }
        }
    }

    private func takeErrorOutput(_ bytes: [UInt8]) {
        let new = self.state.withLock { state -> [JobReport] in
            state.pendingLine += bytes
            var new: [JobReport] = []
            var rest = state.pendingLine[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest[...end]
                rest = rest[(end + 1)...]
                let text = String(decoding: line.dropLast().prefix(Self.lineLimit), as: UTF8.self)
                if let report = JobReport(line: text[...]) {
                    new.append(report)
                } else {
                    state.otherErrors += line.prefix(Self.lineLimit)
                }
            }
            state.pendingLine = Array(rest.prefix(Self.lineLimit))
            if state.otherErrors.count > 2 * Self.lineLimit {
                state.otherErrors.removeFirst(state.otherErrors.count - Self.lineLimit)
            }
            state.report = new.last ?? state.report
            state.background = (state.background + JobReport.background(in: new)).suffix(Self.childLimit)
            return new
        }
        for report in new { self.onReport(report) }
    }
}
