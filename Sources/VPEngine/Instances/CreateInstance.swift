import Foundation

/// Rents an instance and waits until its workspace can be used.
///
/// Candidates are tried in order of what the job will cost: an offer that is taken or fails makes room for
/// the next, an error about money or the key ends the walk.
struct CreateInstance {
    let context: EngineContext
    let request: CreateRequest
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    /// The maximum number of machines that are paid for: after five failures in a row, the reason is not the
    /// machines.
    private static let bootLimit = 5
    /// The maximum number of failures, including refusals, which cost one call and no money.
    private static let refusalLimit = 15

    func run() async throws(EngineError) -> Instance {
        // Programs are checked before money is spent.
        for program in ["ssh", "rsync"]
        where SystemProcessRunner.path(of: program, in: self.context.configuration.environment) == nil {
            throw EngineError(.missingProgram, .init("renting an instance"), detail: program)
        }
        let key = try await LoginKey.find(self.context)
        if let instance = try await self.takeUpUnfinished() { return instance }
        try await self.checkName()
        self.progress(ActionProgress(.searching))
        let finder = RentalCandidates(context: self.context, request: self.request)
        let found = try await finder.find()
        for failure in found.failures {
            let words = failure.error.detail ?? failure.error.code.rawValue
            self.progress(
                ActionProgress(.tryingNext, detail: "without \(failure.platform.displayName): \(words)"))
        }
        if !found.unfitGPUs.isEmpty {
            self.progress(
                ActionProgress(
                    .searching,
                    detail: "left out \(found.unfitGPUs.prefix(6).joined(separator: ", ")): "
                        + "\(finder.image) cannot run on it"))
        }
        return try await self.walk(found.offers, finder, key)
    }

    /// Boots the instance that an earlier `vp` rented for this project before it was killed, if there is one.
    ///
    /// Throws the platform's error if it cannot be determined whether there is one: renting another would be
    /// renting twice.
    private func takeUpUnfinished() async throws(EngineError) -> Instance? {
        let unfinished = try self.unfinishedRentals()
        guard !unfinished.isEmpty else { return nil }
        let answers = await PlatformQuestions(context: self.context).instances(
            platform: self.request.platform)
        // Listing the instances may have told the ledger which instance came of a rental.
        let found = try self.unfinishedRentals().lazy.compactMap { entry in
            answers.values.first { $0.id == entry.instance && self.isMeant($0) }.map { (entry, $0) }
        }.first
        guard let (entry, instance) = found else {
            for failure in answers.failures {
                guard let entry = unfinished.first(where: { $0.platform == failure.platform }) else {
                    continue
                }
                let words =
                    "it is not known yet whether \(entry.name), which an interrupted vp was renting, exists"
                throw EngineError(
                    failure.error.code, failure.error.activity,
                    detail: [failure.error.detail, words].compactMap(\.self).joined(separator: "; "))
            }
            return nil
        }
        try self.context.store.takeOverCreation(of: entry.name)
        self.progress(
            ActionProgress(.renting, detail: "continuing with \(instance.id), which an interrupted vp rented")
        )
        self.report(.instanceChanged(instance))
        let boot = InstanceBoot(
            context: self.context, deadlines: self.request.deadlines, progress: self.progress,
            report: self.report, environment: self.request.environment)
        do throws(EngineError) {
            let ready = self.request.waitsUntilReady ? try await boot.run(instance) : instance
            return try await RentalRecord(context: self.context).finishCreation(of: ready, named: entry.name)
        } catch {
            if error.code == .cancelled { try await self.endCancelled(instance.id, named: entry.name) }
            throw error
        }
    }

    /// Ends the instance of a cancelled create, unless the caller decides about it. Nothing has run there.
    ///
    /// Throws if the end is not confirmed; the ledger then has the order, and the next program continues.
    func endCancelled(_ id: InstanceID, named name: String) async throws(EngineError) {
        guard !self.request.isKeptWhenCancelled else { return }
        let order = EndOrder(.pursued, discardsResults: true, at: self.context.now())
        try self.context.store.setOrder(order, of: name)
        let destroy = DestroyInstance(
            context: self.context, id: id,
            request: DestroyRequest(discardsResults: true, endsJobs: true, staysOrdered: true),
            progress: self.progress, report: self.report)
        // The cancellation of the create must not cancel this as well.
        let ending = Task { () async -> EngineError? in
            do throws(EngineError) {
                _ = try await destroy.run()
                return nil
            } catch {
                return error
            }
        }
        guard let failure = await ending.value else { return }
        guard failure.code == .instanceGone else { throw failure.leaving(id) }
        self.report(.instanceGone(id))
    }

    /// The unfinished rentals of this project that an earlier `vp` began and that match the request, newest
    /// first. Excludes rentals with an order to end them.
    private func unfinishedRentals() throws(EngineError) -> [LedgerEntry] {
        guard self.request.offer == nil else { return [] }
        return try self.context.store.openLedgerEntries().reversed().filter { entry in
            entry.isUnfinished && entry.order == nil
                && entry.workspaceRoot == self.context.configuration.workspace.localRoot
                && (self.request.name == nil || self.request.name == entry.name)
                && (self.request.platform == nil || self.request.platform == entry.platform)
        }
    }

    /// `true` if `instance` can be booted and matches the request.
    private func isMeant(_ instance: Instance) -> Bool {
        guard instance.status != .stopped, instance.status != .failed, instance.status != .lost else {
            return false
        }
        guard let wanted = self.request.query.gpu, let selection = GPUName.select(wanted) else { return true }
        return GPUName.select(instance.gpuName)?.models == selection.models
    }

    private func walk(
        _ candidates: [Offer], _ finder: RentalCandidates, _ key: LoginKey
    ) async throws(EngineError) -> Instance {
        var failed: [FailedCandidate] = []
        var avoided: Set<OfferID> = []
        var checked: Set<Platform> = []
        for offer in candidates where !avoided.contains(offer.id) {
            guard failed.count(where: \.wasRented) < Self.bootLimit, failed.count < Self.refusalLimit else {
                break
            }
            if checked.insert(offer.id.platform).inserted {
                try await self.check(key, on: offer.id.platform)
            }
            let attempt = RentalAttempt(
                create: self, offer: offer, image: finder.image(for: offer), key: key)
            switch try await attempt.run() {
            case .ready(let instance): return instance
            case .failed(let candidate):
                if let place = candidate.place { avoided.insert(offer.placed(in: [place]).id) }
                try self.remember(candidate)
                failed.append(candidate)
            }
            self.progress(ActionProgress(.tryingNext, detail: "after \(failed[failed.count - 1].words)"))
        }
        throw self.failure(failed)
    }

    private func failure(_ failed: [FailedCandidate]) -> EngineError {
        // An offer that was requested by name is gone: there is nothing to add.
        if failed.count == 1, !failed[0].wasRented, self.request.offer != nil { return failed[0].error }
        // A reason common to all is given once; of many reasons only the first few are given.
        let reasons = Set(failed.map(\.reason))
        let words =
            reasons.count == 1 && failed.count > 1
            ? "\(failed.count) candidates were tried, and each failed: \(failed[0].reason)"
            : failed.prefix(4).map(\.words).joined(separator: "; ")
                + (failed.count > 4 ? "; and \(failed.count - 4) more" : "")
        return EngineError(
            .noCandidateLeft, .init("renting an instance", platform: self.request.platform), detail: words)
    }

    private func remember(_ candidate: FailedCandidate) throws(EngineError) {
        guard candidate.wasRented, let machine = candidate.machine else { return }
        try self.context.store.markBad(
            machine: machine, platform: candidate.offer.id.platform, reason: candidate.reason)
    }

    /// Adds the key that we will log in with to the account, if it is missing there and the platform requires
    /// it: such platforms install the account's keys when an instance is created, and not later.
    private func check(_ key: LoginKey, on platform: Platform) async throws(EngineError) {
        let client = try self.context.client(platform, "renting an instance")
        guard client.installsOnlyAccountKeys else { return }
        guard !key.isAmong(try await client.accountKeys()) else { return }
        guard self.request.addsAccountKey else {
            throw EngineError(
                .keyNotOnAccount, .init("renting an instance", platform: platform, subject: key.origin),
                detail: await key.fingerprint(self.context))
        }
        self.progress(ActionProgress(.renting, detail: "adding \(key.origin) to the account"))
        try await client.addAccountKey(key.line)
    }

    /// Requires that the name is unused: a rental whose answer was lost is found by its name, so the name
    /// must be unique.
    private func checkName() async throws(EngineError) {
        guard let name = self.request.name else { return }
        let instances = await PlatformQuestions(context: self.context).instances(
            platform: self.request.platform
        ).values
        let isOpen = try self.context.store.openLedgerEntries().contains { $0.name == name }
        guard let other = instances.first(where: { $0.name == name }) else {
            guard isOpen else { return }
            throw EngineError(
                .nameInUse, .init("renting an instance", subject: name),
                detail: "an earlier rental of that name is not confirmed to have ended")
        }
        throw EngineError(
            .nameInUse, .init("renting an instance", platform: other.id.platform, subject: name),
            detail: "\(other.id) has it")
    }
}

/// An offer that did not become a usable instance. Nothing is left of it.
struct FailedCandidate {
    var offer: Offer
    var error: EngineError
    /// `false` if the platform refused the offer.
    var wasRented: Bool
    /// The machine's identifier in `RentalCandidates`.
    var machine: String?
    /// The place of the machine, on a platform that chooses one.
    var place: String?

    var reason: String { self.error.detail ?? self.error.code.rawValue }

    /// `RTX 4090 31415 on vast.ai: loading the image: …`; an offer without a number is named by its place.
    var words: String {
        let name = self.offer.places.isEmpty ? self.offer.id.rawValue : self.place
        let subject = [self.offer.gpuName, name].compactMap(\.self).joined(separator: " ")
        let reason = self.wasRented ? self.reason : "taken (\(self.reason))"
        return "\(subject) on \(self.offer.id.platform.displayName): \(reason)"
    }
}
