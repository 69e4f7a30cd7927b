import Foundation
import Glibc

/// What was confirmed happens, whoever is left to do it.
extension Engine {
    /// Keeps `ends` until they have come. Returns when they are on record.
    public func confirm(_ ends: [ConfirmedEnd]) throws(EngineError) {
        try self.context.store.confirm(ends, heldBy: .current)
    }

    /// Returns those that are kept: their time had not come.
    public func takeBackEnds(of ids: [InstanceID]) throws(EngineError) -> [InstanceID] {
        var kept: [InstanceID] = []
        for id in ids where try self.context.store.forgetConfirmedEnd(of: id) { kept.append(id) }
        return kept
    }

    /// Lets go of `ends`, so that what is cancelled here from now on is not taken for cancelled by the user.
    public func release(_ ends: [ConfirmedEnd]) {
        try? self.context.store.confirm(ends, heldBy: nil)
    }

    /// Has a `vp` of its own carry each of `ends` out when it is due,
    /// whatever becomes of this program. Release them before.
    public func handOver(_ ends: [ConfirmedEnd], to program: String, environment: [String: String]) {
        for end in ends { self.start(end, program, environment, heldBy: nil) }
    }

    /// Takes back those whose time has not come. Returns them; the others are being carried out,
    /// or have been.
    public func reclaimEnds(of ids: [InstanceID]) -> [InstanceID] {
        ids.filter { (try? self.context.store.reclaimConfirmedEnd(of: $0)) == true }
    }

    /// Has those carried out whose holder did not live to do it.
    public func takeUpConfirmedEnds(program: String, environment: [String: String]) {
        for (end, holder) in (try? self.context.store.confirmedEnds()) ?? [] where holder?.isAlive != true {
            // Of two programs that start at once, one gets it.
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
        // One that could not be started is left to the next program.
        let heir = process.flatMap { ProcessIdentity($0) }
        _ = try? self.context.store.passConfirmedEnd(of: end.instance, from: holder, to: heir)
    }

    /// What the programs said that carried out what was confirmed.
    public var confirmedEndsLog: String { "\(self.configuration.paths.stateFolder)/destroys.log" }

    /// Waits until the end of `id` is due and begins it. False where there is nothing to do any more:
    /// it was taken back, or another program sees to it.
    public func awaitConfirmedEnd(of id: InstanceID) async throws(EngineError) -> Bool {
        let start = ContinuousClock.now
        while let (end, holder) = try self.context.store.confirmedEnd(of: id) {
            if holder == .current {
                if self.context.now() >= end.dueAt { return try self.context.store.beginConfirmedEnd(of: id) }
            } else if start.secondsUntilNow > 5 {
                // Whoever has started this process was to pass it on.
                guard holder?.isAlive != true else { return false }
                try self.context.store.passConfirmedEnd(of: id, from: holder, to: .current)
            }
            try await self.context.pause(
                0.1 / max(0.01, self.configuration.timeScale), "waiting for the end of instance \(id)")
        }
        return false
    }

    /// Notes how the end of `id` went. One that something in the way has refused for now is left to the next
    /// program.
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

    /// The same, of an end that could not even begin.
    public func confirmedEndFailed(of id: InstanceID, _ error: EngineError) {
        self.confirmedEndCame(of: id, error)
    }
}
