import Foundation

/// One candidate: requested once, watched through its boot, and destroyed if that fails.
///
/// The ledger records its unique name before the platform is asked, and its state after each step.
struct RentalAttempt {
    enum Ending {
        case ready(Instance)
        /// The next candidate may be tried.
        case failed(FailedCandidate)
    }

    let create: CreateInstance
    let offer: Offer
    let image: String
    let key: LoginKey

    private var context: EngineContext { self.create.context }

    func run() async throws(EngineError) -> Ending {
        let client = try self.context.client(self.offer.id.platform, "renting an instance")
        let configuration = self.context.configuration
        let wanted = self.create.request
        // If a platform does not list its instances, nothing can prove that this one is not one too many.
        _ = try await PlatformQuestions(context: self.context).trustedInstances(on: self.offer.id.platform)
        let lease = try Budget(context: self.context).admit(
            self.offer.price, maximumCost: wanted.maximumCost,
            lease: wanted.lease ?? configuration.money.lease)
        let plan = RentRequest(
            offer: self.offer, name: wanted.name ?? Self.makeName(configuration.workspace.slug),
            image: self.image, diskBytes: wanted.query.diskBytes, environment: wanted.environment,
            onStart: wanted.onStart,
            bootGuard: configuration.endpoints.first { $0.platform == self.offer.id.platform }.flatMap {
                BootGuard.text(
                    lease, on: $0.platform, apiBase: $0.apiBase, workspace: configuration.workspace.remoteRoot
                )
            },
            publicKey: self.key.line, minimumCUDA: ImageCUDA.version(of: self.image))
        self.create.progress(
            ActionProgress(.renting, detail: Self.describe(self.offer, for: wanted.query.job)))
        let request = try await client.prepared(plan)
        try self.requireWanted()
        try self.context.store.insert(
            LedgerEntry(
                name: request.name, platform: self.offer.id.platform, instance: nil, state: .intended,
                gpuName: self.offer.gpuName, dollarsPerHour: self.offer.price.dollarsPerHour,
                image: self.image, machineID: self.offer.machineID,
                workspaceRoot: configuration.workspace.localRoot,
                remoteRoot: configuration.workspace.remoteRoot, createdAt: Date(),
                lease: Lease(terms: lease, from: Date())))
        do throws(EngineError) {
            // This runs after our row is in the ledger: if two processes rent at once, each sees the other's
            // row.
            try await Allowance(self.context).requireRoom(named: request.name)
            // This is the last moment at which a cancellation prevents the rental.
            try self.requireWanted()
        } catch {
            try self.context.store.update(request.name, state: .gone)
            throw error
        }
        let id: InstanceID
        do throws(EngineError) {
            id = try await self.place(request, with: client)
        } catch {
            if let leftover = error.leftoverInstance { try await self.destroy(leftover, after: error) }
            guard error.code == .offerTaken else { throw error }
            return .failed(FailedCandidate(offer: self.offer, error: error, wasRented: false))
        }
        let instance = Instance(
            id: id, name: request.name, status: .pending, gpuName: self.offer.gpuName,
            gpuCount: self.offer.gpuCount, gpuMemoryBytes: self.offer.gpuMemoryBytes, price: self.offer.price,
            createdAt: Date(), image: self.image, location: self.offer.location,
            machineID: self.offer.machineID, isInterruptible: self.offer.isInterruptible)
        self.create.report(.instanceChanged(instance))
        guard wanted.waitsUntilReady else {
            return .ready(
                try await RentalRecord(context: self.context).finishCreation(
                    of: instance, named: request.name))
        }
        self.create.progress(ActionProgress(.loading, detail: "instance \(id)"))
        do throws(EngineError) {
            let boot = InstanceBoot(
                context: self.context, deadlines: wanted.deadlines, progress: self.create.progress,
                report: self.create.report,
                imageCUDA: wanted.acceptsAnyway ? nil : request.minimumCUDA,
                rented: wanted.acceptsAnyway ? nil : RentedHardware(self.offer),
                environment: wanted.environment)
            let ready = try await boot.run(instance)
            return .ready(
                try await RentalRecord(context: self.context).finishCreation(of: ready, named: request.name))
        } catch {
            if error.code == .cancelled {
                try await self.create.endCancelled(id, named: request.name)
                throw error
            }
            let last = self.context.connections.known(id) ?? instance
            try await self.destroy(id, after: error)
            // A problem with the image would also occur on another machine; no machine is avoided for it.
            guard error.code == .instanceNotReady || error.code == .registryBusy else { throw error }
            // Registries count pulls by address and hour, so a busy registry says nothing about the machine.
            let isItsFault = error.code == .instanceNotReady
            return .failed(
                FailedCandidate(
                    offer: self.offer, error: error, wasRented: true,
                    machine: isItsFault ? RentalCandidates.machine(of: self.offer, last) : nil,
                    place: self.offer.places.isEmpty ? nil : last.location))
        }
    }

    private func requireWanted() throws(EngineError) {
        guard Task.isCancelled else { return }
        throw EngineError(.cancelled, .init("renting an instance", platform: self.offer.id.platform))
    }

    // MARK: Asking

    /// Returns the id of the one instance that has the request's name.
    ///
    /// A cancellation does not reach in here: after a cancelled create, the caller must still learn what was
    /// rented.
    private func place(_ request: RentRequest, with client: any PlatformClient) async throws(EngineError)
        -> InstanceID
    {
        let asking = Task { () async -> Result<InstanceID, EngineError> in
            do throws(EngineError) {
                return .success(try await self.ask(request, client))
            } catch {
                return .failure(error)
            }
        }
        let store = self.context.store
        do throws(EngineError) {
            let id = try await asking.value.get()
            try store.update(request.name, state: .rented, instance: id)
            return id
        } catch {
            if let leftover = error.leftoverInstance {
                try store.update(request.name, state: .rented, instance: leftover)
            } else if !Self.isAmbiguous(error) {
                try store.update(request.name, state: .gone)
            }
            guard error.leftoverInstance == nil, Self.isAmbiguous(error) else { throw error }
            // The row stays `intended`: the instance may still appear, and must not be forgotten then.
            let words = "it may have rented all the same, though no instance \(request.name) is listed yet"
            throw EngineError(
                error.code, error.activity,
                detail: [error.detail, words].compactMap(\.self).joined(separator: "; "))
        }
    }

    private func ask(_ request: RentRequest, _ client: any PlatformClient) async throws(EngineError)
        -> InstanceID
    {
        var pauses = [5.0, 12.0][...]
        while true {
            let failure: EngineError
            do throws(EngineError) {
                return try await self.rentOrFind(request, client)
            } catch {
                failure = error
            }
            guard Self.isAmbiguous(failure) || failure.code == .rateLimited else { throw failure }
            let wasPaced = failure.code == .rateLimited
            if wasPaced {
                self.create.progress(ActionProgress(.renting, detail: "the platform asks for a pause"))
                try await self.context.pause(pauses.first ?? 5, "renting")
            }
            let found = try await self.find(request.name, with: client, looks: wasPaced ? 1 : 3)
            if let found { return found }
            // A rate-limited request was not processed, so only such a request may be sent again.
            guard wasPaced, pauses.popFirst() != nil else { throw failure }
        }
    }

    /// Sends the request once. The answer may take a minute, or be lost silently: after 5 s without one, the
    /// name is looked for meanwhile, and the first result counts.
    private func rentOrFind(
        _ request: RentRequest, _ client: any PlatformClient
    ) async throws(EngineError) -> InstanceID {
        let first = await withTaskGroup(of: Result<InstanceID, EngineError>?.self) { group in
            group.addTask {
                do throws(EngineError) {
                    return .success(try await client.rent(request))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                while (try? await Task.sleep(for: .seconds(5))) != nil {
                    if let found = try? await self.find(request.name, with: client, looks: 1) {
                        return .success(found)
                    }
                }
                return nil
            }
            defer { group.cancelAll() }
            for await result in group {
                if let result { return result }
            }
            return .failure(EngineError(.cancelled, .init("renting", platform: self.offer.id.platform)))
        }
        return try first.get()
    }

    /// Finds the instance of that name with several looks, since a new one may take a moment to appear.
    private func find(
        _ name: String, with client: any PlatformClient, looks: Int
    ) async throws(EngineError) -> InstanceID? {
        for attempt in 1...looks {
            if attempt > 1 {
                try await self.context.pause(Double(attempt) * 2, "looking for the new instance")
            }
            // Only a complete list can prove that there is none.
            if let instances = try? await client.instances(),
                let found = instances.first(where: { $0.name == name })
            {
                return found.id
            }
        }
        return nil
    }

    private static func isAmbiguous(_ error: EngineError) -> Bool {
        switch error.code {
        case .networkDown, .timedOut, .platformFailed, .badResponse, .cancelled: true
        default: false
        }
    }

    // MARK: Giving up

    /// Ends `id`. If that cannot be confirmed, throws the error together with the instance that is left
    /// behind.
    private func destroy(_ id: InstanceID, after error: EngineError) async throws(EngineError) {
        let destroy = DestroyInstance(
            context: self.context, id: id, request: DestroyRequest(discardsResults: true, endsJobs: true),
            progress: self.create.progress, report: self.create.report)
        do throws(EngineError) {
            _ = try await destroy.run()
        } catch let failure {
            switch failure.code {
            case .instanceGone: self.create.report(.instanceGone(id))
            case .cancelled: throw failure
            default: throw failure.code == .destroyUnconfirmed ? failure.leaving(id) : error.leaving(id)
            }
        }
    }

    // MARK: Words

    /// `2× RTX 4090, $0.708/h, $0.72 for this job, Quebec, CA, vast.ai`
    static func describe(_ offer: Offer, for job: JobEstimate) -> String {
        let traffic = offer.trafficDollars(for: job)
        return [
            offer.gpuCount > 1 ? "\(offer.gpuCount)× \(offer.gpuName)" : offer.gpuName,
            Figures.dollars(offer.price.dollarsPerHour, 3) + "/h",
            traffic >= 0.005 ? "\(Figures.dollars(traffic)) of traffic" : nil, offer.location,
            offer.id.platform.displayName,
        ].compactMap(\.self).joined(separator: ", ")
    }

    /// Returns `vp-<project>-<six letters>`: recognizable in the platform's own list, and unique.
    private static func makeName(_ project: String) -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        let suffix = String((0..<6).map { _ in letters.randomElement()! })
        let safe = project.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "\(Leftover.namePrefix)\(String(safe.prefix(40)))-\(suffix)"
    }
}
