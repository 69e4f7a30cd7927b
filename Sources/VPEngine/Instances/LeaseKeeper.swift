import Foundation
import Synchronization

/// Installs the watchdog on instances, renews their leases and reads their reports.
struct LeaseKeeper {
    let context: EngineContext

    /// Seconds after which a routine renewal asks an instance again.
    private static let freshness = 300.0

    /// Starts the watchdog on `instance`. Never fails the action that it is part of: if the instance cannot
    /// end itself, the lease records that, and the instance is guarded from this computer.
    func arm(_ id: InstanceID) async {
        guard let entry = try? self.context.store.ledgerEntry(for: id), let lease = entry.lease,
            let settings = self.settings(of: entry, lease.terms)
        else { return }
        await self.ask(entry, WatchdogScript.arm(settings, endless: lease.terms.seconds == nil))
    }

    /// Renews the lease of `id`, unless that was done a moment ago. Restarts a watchdog that has disappeared.
    func touch(_ id: InstanceID, force: Bool = false) async {
        guard let entry = try? self.context.store.ledgerEntry(for: id), let lease = entry.lease else {
            return
        }
        let age = lease.heardAt.map { self.context.now().timeIntervalSince($0) } ?? .infinity
        guard force || age > min(Self.freshness, (lease.terms.seconds ?? Self.freshness) / 4) else { return }
        if lease.guardian == .local || lease.heardAt == nil { return await self.arm(id) }
        await self.ask(entry, WatchdogScript.renew)
        // The start of a pod may have given it new files: there was nothing to renew.
        let renewed = try? self.context.store.ledgerEntry(for: id)?.lease
        if lease.guardian == .instance, renewed?.guardian == .local { await self.arm(id) }
    }

    /// Reads the state of the lease of `id`, and changes nothing.
    func look(_ id: InstanceID) async {
        guard let entry = try? self.context.store.ledgerEntry(for: id), entry.lease != nil else { return }
        await self.ask(entry, WatchdogScript.look)
    }

    /// Runs `script`, which tells the instance up to what time its files are known to be stored elsewhere.
    func markSafe(_ id: InstanceID, _ script: String) async {
        guard let entry = try? self.context.store.ledgerEntry(for: id), entry.lease?.guardian == .instance,
            let shell = try? await self.context.shell(for: id)
        else { return }
        _ = try? await shell.run(script, outputLimit: .words)
    }

    /// Tells the instance to end itself when its last job has ended and the results are known to be stored
    /// elsewhere; with `afterJobs` false, withdraws that order.
    func order(_ id: InstanceID, afterJobs: Bool) async {
        guard let entry = try? self.context.store.ledgerEntry(for: id), entry.lease?.guardian == .instance,
            let shell = try? await self.context.shell(for: id)
        else { return }
        _ = try? await shell.run(afterJobs ? WatchdogScript.orderAfterJobs : WatchdogScript.withdrawOrder)
    }

    private func settings(of entry: LedgerEntry, _ terms: LeaseTerms) -> WatchdogScript.Settings? {
        guard let id = entry.instance,
            let endpoint = self.context.configuration.endpoints.first(where: { $0.platform == entry.platform }
            )
        else { return nil }
        return WatchdogScript.Settings(
            platform: entry.platform, instance: id.rawValue, apiBase: endpoint.apiBase,
            workspace: entry.remoteRoot,
            seconds: Int(saturating: (terms.seconds ?? LeaseTerms.standardSeconds).rounded(.up)),
            capSeconds: Int(saturating: (terms.maximumSeconds ?? 0).rounded(.up)), ending: terms.ending,
            keepsUnsafeResults: terms.keepsUnsafeResults,
            idleSeconds: Int(saturating: (terms.idleSeconds ?? 0).rounded(.up)),
            idleEnding: terms.idleEnding)
    }

    private func ask(_ entry: LedgerEntry, _ script: String) async {
        guard let id = entry.instance, var lease = entry.lease else { return }
        let now = self.context.now()
        do throws(EngineError) {
            let result = try await self.context.shell(for: id).run(script, outputLimit: .words)
            var isKnown = false
            for line in String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n").suffix(100)
            {
                guard let report = LeaseReport(line: line) else { continue }
                isKnown = true
                Self.apply(report, to: &lease, now)
            }
            if !isKnown { lease.weakness = result.lastErrorLine ?? "it did not answer" }
        } catch {
            // An instance that is loading, or disconnected, may have a working watchdog all the same.
            if lease.guardian == .local { lease.weakness = error.detail ?? error.code.rawValue }
        }
        try? self.context.store.setLease(lease, of: entry.name)
    }

    private static func apply(_ report: LeaseReport, to lease: inout Lease, _ now: Date) {
        switch report {
        case .state(let time, let end, let cap, let use, let gpuRest):
            // Its clock and ours may differ; the remaining time of the lease does not.
            lease.endsAt = end.map { now.addingTimeInterval($0 - time) }
            lease.capEndsAt = cap.map { now.addingTimeInterval($0 - time) }
            lease.use = use
            lease.gpuRestSeconds = gpuRest
            lease.heardAt = now
        case .guarded(let weakness):
            lease.weakness = weakness
            lease.guardian = lease.terms.seconds == nil ? .none : weakness == nil ? .instance : .local
        case .absent:
            lease.guardian = lease.terms.seconds == nil ? .none : .local
            lease.weakness = "its watchdog is gone"
        case .failed(let words):
            lease.guardian = lease.terms.seconds == nil ? .none : .local
            lease.weakness = words
        }
    }
}

extension LeaseKeeper {
    /// Gives `id` a lease of `seconds` from now on, or one without end for nil, and returns it.
    ///
    /// Throws `.limitRefused` beyond the hard limit, and `.unsupported` for an instance that was not rented
    /// from here.
    func set(of id: InstanceID, seconds: Double?) async throws(EngineError) -> Lease {
        let activity = EngineError.Activity("setting a lease", platform: id.platform, subject: id.rawValue)
        guard let entry = try self.context.store.ledgerEntry(for: id), entry.state != .gone else {
            throw EngineError(.unsupported, activity, detail: "it was not rented from this machine")
        }
        let now = self.context.now()
        var lease = entry.lease ?? Lease(terms: self.context.configuration.money.lease, from: now)
        // A longer lease costs more, so the user's limits must be usable.
        if let end = lease.endsAt, seconds.map({ now.addingTimeInterval($0) > end }) ?? true {
            try self.context.configuration.limits.requireUsable()
        }
        if let seconds, let cap = lease.capEndsAt, now.addingTimeInterval(seconds) > cap {
            throw EngineError(
                .limitRefused, activity,
                detail: "its hard limit (lease.max) is in \(TimeSpan.rough(cap.timeIntervalSince(now)))")
        }
        lease.terms.seconds = seconds
        lease.endsAt = seconds.map { now.addingTimeInterval($0) }
        lease.guardian = seconds == nil ? .none : .local
        lease.weakness = seconds == nil ? nil : Lease.notToldYet
        try self.context.store.setLease(lease, of: entry.name)
        await self.arm(id)
        await MoneyWatch(context: self.context).note()
        return try self.context.store.ledgerEntry(for: id)?.lease ?? lease
    }

    /// Renews the leases of running instances that were not renewed in the last minutes.
    func renewAll() async {
        let running = Set(
            (self.context.cachedInstances()?.values ?? []).filter { $0.status == .running }.map(\.id))
        for entry in (try? self.context.store.openLedgerEntries()) ?? [] where entry.state == .rented {
            guard let id = entry.instance, running.contains(id) else { continue }
            await self.touch(id)
        }
    }

    /// Marks results as safe and renews the lease of `id`, depending on the action that has ended.
    func noteUse(of id: InstanceID, after result: ActionResult) async {
        // A whole download was compared with the instance's files, so older files are here too.
        func isWhole(_ summary: SyncSummary?) -> Bool {
            guard let summary else { return false }
            return summary.transferredFiles > 0 && summary.isWhole && summary.conflicts.isEmpty
        }
        switch result {
        case .ran(let summary) where isWhole(summary.download),
            .attached(let summary) where isWhole(summary.download):
            guard let job = summary.job, job.state.isOver else { break }
            await self.markSafe(id, WatchdogScript.markSafe(upToTheEndOf: job.id))
        case .downloaded(let summary) where isWhole(summary):
            // One second is added, since the instance's clock is read in whole seconds.
            let seconds = Int(saturating: NumberRange.seconds.clamp(summary.seconds).rounded(.up)) + 1
            await self.markSafe(id, WatchdogScript.markSafe(secondsAgo: seconds))
        default: break
        }
        switch result {
        case .started: await self.touch(id, force: true)
        case .ran, .downloaded, .synced, .attached: await self.touch(id)
        default: break
        }
    }
}
