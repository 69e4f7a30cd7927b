import Foundation
import Glibc

/// Ends that the user confirmed are carried out even if the program that asked does not survive.
extension Engine {
    /// Saves `ends` until they are due. Returns when they are on record.
    public func confirm(_ ends: [ConfirmedEnd]) throws(EngineError) {
        try self.context.store.confirm(ends, heldBy: .current)
    }

    /// Takes back the ends that are not due yet, and returns their ids.
    public func takeBackEnds(of ids: [InstanceID]) throws(EngineError) -> [InstanceID] {
        var kept: [InstanceID] = []
        for id in ids where try self.context.store.forgetConfirmedEnd(of: id) { kept.append(id) }
        return kept
    }

    /// Releases `ends`, so that a later cancellation in this process does not count as the user's.
    public func release(_ ends: [ConfirmedEnd]) {
        try? self.context.store.confirm(ends, heldBy: nil)
    }

    /// Starts a separate `vp` for each of `ends`, which carries it out when it is due even if this process
    /// ends. Release them first.
    public func handOver(_ ends: [ConfirmedEnd], to program: String, environment: [String: String]) {
        for end in ends { self.start(end, program, environment, heldBy: nil) }
    }

    /// Takes back the ends that are not due yet, and returns their ids; the others are being carried out, or
    /// have been.
    public func reclaimEnds(of ids: [InstanceID]) -> [InstanceID] {
        ids.filter { (try? self.context.store.reclaimConfirmedEnd(of: $0)) == true }
    }

    /// Starts the ends whose holder died before carrying them out.
    public func takeUpConfirmedEnds(program: String, environment: [String: String]) {
        for (end, holder) in (try? self.context.store.confirmedEnds()) ?? [] where holder?.isAlive != true {
            // If two programs start at once, one of them gets it.
            guard
                (try? self.context.store.passConfirmedEnd(of: end.instance, from: holder, to: .current))
                    == true
            else { continue }
            self.start(end, program, environment, heldBy: .current)
        }
    }

    private func start(
        _ end: ConfirmedEnd, _ program: String, _ environment: [String: String],
        heldBy holder: ProcessIdentity?
    ) {
        let log = open(self.confirmedEndsLog, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        defer { if log >= 0 { Glibc.close(log) } }
        let line = "\(Date().formatted(.iso8601)) vp \(end.words.joined(separator: " "))\n"
        if log >= 0 { StandardStreams.write(line.utf8, to: log) }
        let process = DetachedProcess.start(
            [program] + end.words, environment: environment, directory: end.directory,
            output: log >= 0 ? log : nil)
        // An end whose process could not be started is left to the next program.
        let heir = process.flatMap { ProcessIdentity($0) }
        _ = try? self.context.store.passConfirmedEnd(of: end.instance, from: holder, to: heir)
    }

    /// The log of the processes that carried out confirmed ends.
    public var confirmedEndsLog: String { "\(self.configuration.paths.stateFolder)/destroys.log" }

    /// Waits until the end of `id` is due and begins it. Returns `false` if there is nothing left to do: it
    /// was taken back, or another program carries it out.
    public func awaitConfirmedEnd(of id: InstanceID) async throws(EngineError) -> Bool {
        let start = ContinuousClock.now
        while let (end, holder) = try self.context.store.confirmedEnd(of: id) {
            if holder == .current {
                if self.context.now() >= end.dueAt { return try self.context.store.beginConfirmedEnd(of: id) }
            } else if start.secondsUntilNow > 5 {
                // The process that started this one was to pass the end on to it.
                guard holder?.isAlive != true else { return false }
                try self.context.store.passConfirmedEnd(of: id, from: holder, to: .current)
            }
            try await self.context.pause(
                0.1 / max(0.01, self.configuration.timeScale), "waiting for the end of instance \(id)")
        }
        return false
    }

    /// Records the result of the end of `id`. An end that was refused for a temporary reason is left to the
    /// next program.
    func confirmedEndCame(of id: InstanceID, _ error: EngineError?) {
        guard let error else {
            _ = try? self.context.store.forgetConfirmedEnd(of: id)
            return
        }
        if Pursuit.mayPass(error) || error.code == .missingKey {
            try? self.context.store.postponeConfirmedEnd(
                of: id, to: self.context.now().addingTimeInterval(60))
        } else {
            _ = try? self.context.store.forgetConfirmedEnd(of: id, heldBy: .current)
        }
    }

    /// Records that the end of `id` could not even begin.
    public func confirmedEndFailed(of id: InstanceID, _ error: EngineError) {
        self.confirmedEndCame(of: id, error)
    }
}
