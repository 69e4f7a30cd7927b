import Foundation

/// Questions about offers, instances and balances.
extension Engine {
    /// The instances last seen by `vp` or `vp-tui`, from disk; nil when there is no usable cache.
    public func cachedInstances() -> PlatformAnswers<Instance>? { self.context.cachedInstances() }

    /// The offers last seen by `vp` or `vp-tui`, from disk; nil also if they take more than `bytes` on disk.
    public func cachedOffers(upTo bytes: Int = .max) -> PlatformAnswers<Offer>? {
        self.context.cachedOffers(upTo: bytes)
    }

    /// The balances last seen by `vp` or `vp-tui`, from disk; nil when there is no usable cache.
    public func cachedBalances() -> PlatformAnswers<Balance>? { self.context.cachedBalances() }

    private var questions: PlatformQuestions { PlatformQuestions(context: self.context) }

    /// Asks every platform that has a key, concurrently, and remembers the answer for the next first paint.
    public func instances(platform: Platform? = nil) async -> PlatformAnswers<Instance> {
        await self.questions.instances(platform: platform)
    }

    /// Offers of all platforms, sorted by the query's order; at most the query's limit from each platform.
    /// Throws `.unknownGPU` if no platform knows the name, and `.missingKey` if no platform has a key.
    public func offers(
        _ query: OfferQuery, platform: Platform? = nil, for purpose: SearchPurpose = .asked
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        try await self.questions.offers(query, platform: platform, for: purpose)
    }

    /// Omits platforms that do not report a balance.
    public func balances() async -> PlatformAnswers<Balance> { await self.questions.balances() }

    /// Asks for the balances if the cached ones are no longer fresh. The burn line and its alarm depend on
    /// them, also for a user who never opens the dashboard.
    public func refreshBalances() async { await self.questions.refreshBalances() }

    /// The instances as they were at most `maximumAge` seconds ago.
    public func recentInstances(maximumAge: Double) async -> PlatformAnswers<Instance> {
        await self.questions.recentInstances(maximumAge: maximumAge)
    }

    /// The balances as they were at most `maximumAge` seconds ago; asks the platforms if no such answer is
    /// cached.
    public func recentBalances(maximumAge: Double) async -> PlatformAnswers<Balance> {
        await self.questions.recentBalances(maximumAge: maximumAge)
    }

    /// The offers for `query`; a cached list for another query does not count.
    ///
    /// A list on screen (`.watching`) stays as it is, whatever its age, while its share of the searches is
    /// used up.
    public func recentOffers(
        _ query: OfferQuery, platform: Platform? = nil, maximumAge: Double,
        for purpose: SearchPurpose = .asked
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        try await self.questions.recentOffers(
            query, platform: platform, maximumAge: maximumAge, for: purpose)
    }

    /// The expected use by a job of this project: its files uploaded, as many bytes downloaded, for `hours`.
    ///
    /// The size of results is unknown before there are any; a folder that may not be uploaded counts as
    /// empty.
    public func jobEstimate(hours: Double = 1) async -> JobEstimate {
        let scan = LocalScan(
            workspace: self.configuration.workspace, environment: self.configuration.environment)
        let bytes = ((try? scan.scan()) ?? .init()).entries.saturatedSum(of: \.entry.size)
        return JobEstimate(hours: hours, sentBytes: bytes, receivedBytes: bytes)
    }

    /// The offers that `request` would rent now, in order. Rents nothing.
    ///
    /// - Parameter purpose: `.watching` for questions that are not the user's own, as with each change of a
    ///   form.
    public func rentalPlan(
        _ request: CreateRequest, for purpose: SearchPurpose = .asked
    ) async throws(EngineError) -> RentalPlan {
        try self.configuration.limits.requireUsable()
        let finder = RentalCandidates(
            context: self.context,
            request: self.configuration.limits.tightened(request, self.configuration.defaults),
            purpose: purpose)
        let found = try await finder.find()
        let image = finder.image(for: found.offers[0])
        return RentalPlan(
            offers: found.offers, failures: found.failures, image: image, unfitGPUs: found.unfitGPUs,
            imageCUDA: ImageCUDA.version(of: image), job: request.query.job)
    }

    /// The instance with `name` (a platform id or an instance's name), or, without one, the single running
    /// instance that was rented for this project. Throws `.noInstance` or `.ambiguousInstance` with the
    /// candidates in `suggestions`.
    public func instance(named name: String?, platform: Platform? = nil) async throws(EngineError) -> Instance
    {
        // An open connection proves that the instance runs, and spares the platform a question.
        if let cached = self.cachedInstances(), Date().timeIntervalSince(cached.fetchedAt) < 30,
            let match = try? self.pick(name, platform, from: cached), self.context.connections.isWarm(match),
            name != nil || self.holdsAllRentals(cached.values)
        {
            return match
        }
        return try self.pick(name, platform, from: await self.instances(platform: platform))
    }

    /// `false` if an instance was rented since the list was made: it may be the one that is meant.
    private func holdsAllRentals(_ instances: [Instance]) -> Bool {
        let listed = Set(instances.map(\.id))
        let rentals = try? self.context.store.openLedgerEntries()
        return rentals?.allSatisfy { $0.instance.map(listed.contains) ?? true } == true
    }

    /// Without a name, picks only a running instance that was rented for this project from here: starting a
    /// stopped one would cost money again, and our files must not go to somebody else's.
    private func pick(
        _ name: String?, _ platform: Platform?, from answers: PlatformAnswers<Instance>
    ) throws(EngineError) -> Instance {
        let activity = EngineError.Activity("choosing an instance", platform: platform, subject: name)
        let candidates = answers.values.filter { platform == nil || $0.id.platform == platform }
        let rentals = name == nil ? try self.context.store.openLedgerEntries() : []
        let root = self.configuration.workspace.localRoot
        let workspaces = Dictionary(
            rentals.compactMap { entry in entry.instance.map { ($0, entry.workspaceRoot) } }
        ) { $1 }
        let matches = candidates.filter { instance in
            if let name { return instance.id.rawValue == name || instance.name == name }
            return instance.status == .running && workspaces[instance.id] == root
        }
        let labels = { (instances: [Instance]) in
            instances.map { instance in
                var words = [instance.id.rawValue, instance.name, instance.gpuName, instance.status.rawValue]
                if name == nil {
                    let other = workspaces[instance.id]
                    if other == nil { words.append("not rented from this machine") }
                    if let other, other != root {
                        words.append("rented for \(other)")
                        if root.hasPrefix("\(other)/") {
                            words.append("a folder above this one: `vp init` in it makes both one project")
                        }
                    }
                }
                return words.compactMap(\.self).joined(separator: "  ")
            }
        }
        if matches.count == 1, name != nil || answers.failures.isEmpty { return matches[0] }
        // An incomplete list proves neither that there is no instance nor that there is only one.
        if let failure = answers.failures.first { throw failure.error }
        if matches.isEmpty { throw EngineError(.noInstance, activity, suggestions: labels(candidates)) }
        throw EngineError(.ambiguousInstance, activity, suggestions: labels(matches))
    }

    /// The argument vector of an interactive ssh session on `id`, for a front end that owns a terminal: a
    /// shell in the project's folder there, or `command`, a line for the login shell, in the home folder.
    public func shellCommand(for id: InstanceID, running command: String? = nil) async throws(EngineError)
        -> [String]
    {
        let shell = try await self.context.shell(for: id)
        try shell.target.prepare()
        if let command { return shell.target.sessionCommand + [command] }
        return shell.target.shellCommand(in: try self.context.workspace(of: id).remoteRoot)
    }

    /// Reports the load of `id` every `interval` seconds until the task is cancelled.
    public func watchTelemetry(
        of id: InstanceID, every interval: Int = 2,
        _ report: @escaping @Sendable (TelemetrySample) -> Void
    ) async throws(EngineError) {
        let shell = try await self.context.shell(for: id)
        let root = try self.context.workspace(of: id).remoteRoot
        let sampler = TelemetrySampler(shell: shell, remoteRoot: root, interval: max(1, interval))
        try await sampler.run(report)
    }

    /// Makes 127.0.0.1:`localPort` lead to port `remotePort` of the instance, through the shared connection
    /// and for as long as it lasts.
    public func forward(_ id: InstanceID, localPort: Int, remotePort: Int) async throws(EngineError) {
        try await self.forwarding(to: id).perform(.begin, localPort: localPort, remotePort: remotePort)
    }

    /// Ends a `forward` with the same ports. Throws `.unsupported` if the connection cannot be shared, and
    /// `.portRefused` if ssh refuses.
    public func endForward(_ id: InstanceID, localPort: Int, remotePort: Int) async throws(EngineError) {
        try await self.forwarding(to: id).perform(.end, localPort: localPort, remotePort: remotePort)
    }

    private func forwarding(to id: InstanceID) async throws(EngineError) -> PortForwarding {
        PortForwarding(
            shell: try await self.context.shell(for: id), instance: id, runner: self.context.runner,
            environment: self.configuration.environment)
    }

    /// Renames the instance, on the platform and here.
    public func rename(_ id: InstanceID, to name: String) async throws(EngineError) -> Instance {
        try await self.context.client(id.platform, "renaming instance \(id)").rename(id, to: name)
        return try await self.context.freshInstance(id)
    }

    /// The platform's own log of the instance's start.
    public func providerLog(of id: InstanceID, lines: Int = 200) async throws(EngineError) -> String {
        try await self.context.client(id.platform, "reading the platform's log of \(id)").providerLog(
            id, lines: lines)
    }
}
