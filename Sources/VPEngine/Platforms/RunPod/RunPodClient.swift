import Foundation

/// RunPod over its REST API v2, and over GraphQL for the calls that REST lacks.
package final class RunPodClient: PlatformClient {
    package var platform: Platform { .runpod }
    package var installsOnlyAccountKeys: Bool { false }

    private let calls: PlatformCalls<RunPodAnswer>
    private let graphQL: RunPodGraphQL?

    /// - Parameters:
    ///   - caller: its base URL ends in `/v2`.
    ///   - graphQL: its base URL is the whole address; nil leaves out the balance and interruptible pods.
    package init(caller: APICaller, graphQL: APICaller? = nil) {
        self.calls = PlatformCalls(caller: caller)
        self.graphQL = graphQL.map(RunPodGraphQL.init)
    }

    package func offers(_ query: OfferQuery, for purpose: SearchPurpose) async throws(EngineError) -> [Offer]
    {
        let activity = EngineError.Activity("searching offers", platform: .runpod)
        // The catalogue describes an interruptible pod completely but for its price.
        let bids =
            query.isInterruptible
            ? try await self.bidding(activity).lowestBids(for: query, activity) : nil
        var parameters = [
            (name: "include", value: "AVAILABILITY"), (name: "product", value: "POD"),
            (name: "count", value: String(max(1, query.gpuCount))), (name: "cloud", value: "SECURE"),
        ]
        if !query.countries.isEmpty {
            parameters.append(
                (name: "countryCodes", value: query.countries.joined(separator: ",").uppercased()))
        }
        if let cuda = query.minimumCUDA {
            parameters.append((name: "minCudaVersion", value: Figures.fixed(cuda, 1)))
        }
        let json = try await self.calls.json(
            .get, "/catalog/gpus", query: parameters, limit: .calls, activity: activity)
        do throws(RunPodOffer.Problem) {
            return try RunPodOffer.offers(json, for: query, bids: bids)
        } catch {
            switch error {
            case .damage(let damage): throw EngineError(.badResponse, activity, detail: damage.words)
            case .unknownGPU(let suggestions):
                throw EngineError(
                    .unknownGPU, activity, detail: query.gpu?.singleLine(limit: 60), suggestions: suggestions)
            }
        }
    }

    /// Adds the account's keys, which its other users expect to work.
    package func prepared(_ request: RentRequest) async throws(EngineError) -> RentRequest {
        guard request.environment["PUBLIC_KEY"] == nil else { return request }
        let activity = EngineError.Activity(
            "preparing to rent", platform: .runpod, subject: request.offer.id.rawValue)
        var prepared = request
        prepared.environment["PUBLIC_KEY"] = try await self.keys(for: request, activity).joined(
            separator: "\n")
        return prepared
    }

    package func rent(_ request: RentRequest) async throws(EngineError) -> InstanceID {
        let activity = EngineError.Activity(
            "renting", platform: .runpod, subject: request.offer.id.rawValue)
        let keys =
            request.environment["PUBLIC_KEY"] == nil ? try await self.keys(for: request, activity) : []
        if request.offer.isInterruptible {
            return try await self.bidding(activity).rent(request, publicKeys: keys, activity)
        }
        let answer = try await self.calls.answer(
            .post, "/pods", body: RunPodWire.rentBody(request, publicKeys: keys), limit: .calls,
            repetition: .never, timeout: .seconds(120), activity: activity)
        guard answer.response.isSuccess else {
            var error = self.calls.error(answer, activity)
            // A 400 means either a broken rule or no capacity, and only the words tell; both leave nothing
            // behind.
            let mayTryNext =
                answer.response.status == 400 && error.code == .badRequest
                || answer.response.status == 403 && answer.message.lowercased().contains("pool")
                || answer.response.status == 409 && answer.saysNoCapacity
            if mayTryNext { error = EngineError(.offerTaken, activity, detail: error.detail) }
            throw error
        }
        guard let id = answer.json["id"].text.flatMap({ InstanceID(.runpod, fromOutside: $0) }) else {
            throw EngineError(
                .badResponse, activity, detail: "the pod was rented, but the answer lacks its id")
        }
        return id
    }

    package func listing() async throws(EngineError) -> InstanceListing {
        let activity = EngineError.Activity("listing instances", platform: .runpod)
        var refused: [String] = []
        var seen: Set<InstanceID> = []
        let pages = Pages<Instance>(what: "the list", activity: activity, clock: self.calls.caller.clock)
        let found = try await pages.all { cursor async throws(EngineError) in
            // Members of clusters bill like any other pod.
            var query = [(name: "includeClusterPods", value: "true")]
            if let cursor { query.append((name: "cursor", value: cursor)) }
            let json = try await self.calls.json(
                .get, "/pods", query: query, limit: .calls, activity: activity)
            let page = try self.calls.decode(activity) { () throws(WireDamage) in try RunPodWire.page(json) }
            refused += page.refused
            return .init(rows: page.instances, next: page.next)
        }.filter { seen.insert($0.id).inserted }
        return InstanceListing(found, refused: refused, activity)
    }

    package func instance(_ id: InstanceID) async throws(EngineError) -> Instance? {
        let activity = EngineError.Activity("reading an instance", platform: .runpod, subject: id.rawValue)
        let answer = try await self.calls.answer(
            .get, RunPodClient.path(id), limit: .calls, activity: activity)
        if answer.saysPodGone { return nil }
        let json = try self.calls.json(of: answer, activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in try RunPodWire.instance(json) }
    }

    package func start(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity("starting", platform: .runpod, subject: id.rawValue)
        do throws(EngineError) {
            try await self.act("start", on: id, until: [.pending, .loading, .running], activity: activity)
        } catch {
            // A pod that was outbid returns only for a higher bid, which only GraphQL can make.
            guard error.code == .instanceNotRunning, let instance = try await self.instance(id),
                instance.isInterruptible
            else { throw error }
            try await self.bidding(activity).resume(instance, activity)
        }
    }

    package func stop(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity("stopping", platform: .runpod, subject: id.rawValue)
        try await self.act("stop", on: id, until: [.stopped, .stopping], activity: activity)
    }

    package func destroy(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity("destroying", platform: .runpod, subject: id.rawValue)
        try await self.calls.caller.order(
            activity,
            { () async throws(EngineError) in
                let answer = try await self.calls.answer(
                    .delete, RunPodClient.path(id), limit: .calls, timeout: .order, activity: activity)
                // A 204 without a body means done; a pod that is gone is just as well.
                if answer.response.status == 204 || answer.saysPodGone { return }
                guard answer.response.isSuccess, answer.isJSON || answer.response.body.isEmpty else {
                    throw self.calls.error(answer, activity)
                }
            },
            look: { () async throws(EngineError) in try await self.instance(id) },
            isDone: { $0.map { $0.status == .destroying } ?? true })
    }

    package func rename(_ id: InstanceID, to name: String) async throws(EngineError) {
        let activity = EngineError.Activity("renaming", platform: .runpod, subject: id.rawValue)
        // The body holds only the name; any part of the container's configuration would restart it.
        _ = try await self.calls.json(
            .patch, RunPodClient.path(id), body: ["name": .string(name)], limit: .calls, activity: activity)
    }

    package func accountKeys() async throws(EngineError) -> [AccountKey] {
        let activity = EngineError.Activity("reading the account's ssh keys", platform: .runpod)
        // RunPod's keys have no ids of their own.
        return try await self.keys(activity).map { AccountKey(id: RunPodWire.material($0), publicKey: $0) }
    }

    package func addAccountKey(_ publicKey: String) async throws(EngineError) {
        let activity = EngineError.Activity("adding an ssh key to the account", platform: .runpod)
        let added = publicKey.trimmingSpaces()
        // The call replaces all keys, so a key that was not read would lock its owner out of other pods.
        let keys = try await self.keys(activity)
        let material = RunPodWire.material(added)
        guard !keys.contains(where: { RunPodWire.material($0) == material }) else { return }
        _ = try await self.calls.json(
            .put, "/account/ssh-keys", body: ["keys": .array((keys + [added]).map(JSONValue.string))],
            limit: .calls, activity: activity)
    }

    package func balance() async throws(EngineError) -> Balance {
        let activity = EngineError.Activity("reading the balance", platform: .runpod)
        guard let graphQL = self.graphQL else {
            throw EngineError(.unsupported, activity, detail: "RunPod's REST API does not report the balance")
        }
        return try await graphQL.balance(activity)
    }

    /// Returns several messages, since an error is followed by the next attempt.
    package func startMessages(_ id: InstanceID) async throws(EngineError) -> [String] {
        try await self.log(id, lines: 20, source: "system").compactMap { $0.singleLine(limit: 300) }
    }

    package func volumes() async throws(EngineError) -> [Volume] {
        let activity = EngineError.Activity("listing volumes", platform: .runpod)
        let json = try await self.calls.json(.get, "/network-volumes", limit: .calls, activity: activity)
        let volumes = try self.calls.decode(activity) { () throws(WireDamage) in try RunPodWire.volumes(json)
        }
        guard !volumes.isEmpty else { return [] }
        // A volume does not say which pods use it; the pods do.
        let pods = try await self.calls.json(
            .get, "/pods", query: [(name: "includeClusterPods", value: "true")], limit: .calls,
            activity: activity)
        let used = RunPodWire.mountedVolumes(pods)
        return volumes.map { volume in
            var volume = volume
            volume.isUnattached = !used.contains(volume.id)
            return volume
        }
    }

    package func charges(from start: Date, to now: Date) async throws(EngineError) -> [Charge] {
        let activity = EngineError.Activity("reading charges", platform: .runpod)
        let query = [
            (name: "startTime", value: start.formatted(.iso8601)),
            (name: "endTime", value: now.formatted(.iso8601)), (name: "bucketSize", value: "day"),
        ]
        let json = try await self.calls.json(
            .get, "/billing/pods", query: query, limit: .calls, activity: activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in
            try RunPodWire.charges(json, now: now)
        }
    }

    package func providerLog(_ id: InstanceID, lines: Int) async throws(EngineError) -> String {
        try await self.log(id, lines: lines).map { $0 + "\n" }.joined()
    }

    private func log(_ id: InstanceID, lines: Int, source: String? = nil) async throws(EngineError)
        -> [String]
    {
        let activity = EngineError.Activity("fetching the log", platform: .runpod, subject: id.rawValue)
        var query = [(name: "tail", value: String(min(5000, max(1, lines))))]
        if let source { query.append((name: "source", value: source)) }
        let response = try await self.calls.caller.send(
            APICall(
                .get, RunPodClient.path(id) + "/logs", query: query, headers: ["Accept": "text/event-stream"],
                limit: .calls, timeout: .seconds(10),
                // The stream neither ends nor marks where old lines end; the official client waits for this
                // long.
                quietEnd: .milliseconds(750), activity: activity))
        guard response.isSuccess else { throw self.calls.error(RunPodAnswer(AnswerBody(response)), activity) }
        return RunPodWire.logLines(response.body)
    }

    /// Posts `action`. An action that the pod's state forbids is no error if the pod is in the wanted state
    /// already.
    private func act(
        _ action: String, on id: InstanceID, until wanted: Set<InstanceStatus>, activity: EngineError.Activity
    ) async throws(EngineError) {
        try await self.calls.caller.order(
            activity,
            { () async throws(EngineError) in
                try await self.post(action, on: id, until: wanted, activity: activity)
            },
            look: { () async throws(EngineError) in try await self.instance(id) },
            isDone: { $0.map { wanted.contains($0.status) } ?? false })
    }

    private func post(
        _ action: String, on id: InstanceID, until wanted: Set<InstanceStatus>, activity: EngineError.Activity
    ) async throws(EngineError) {
        let answer = try await self.calls.answer(
            .post, RunPodClient.path(id) + "/action", body: ["action": .string(action)], limit: .calls,
            timeout: .order, activity: activity)
        if answer.response.isSuccess { return }
        let error = self.calls.error(answer, activity)
        guard error.code == .badRequest else { throw error }
        if answer.response.status == 409, let instance = try await self.instance(id),
            wanted.contains(instance.status)
        {
            return
        }
        // The pod's own state forbids it: the pod is locked, or part of a cluster.
        let isForbidden = answer.response.status == 409
        throw EngineError(
            answer.saysNoCapacity ? .instanceNotRunning : isForbidden ? .unsupported : .badRequest, activity,
            detail: error.detail)
    }

    /// Returns the client that bids for interruptible pods.
    private func bidding(_ activity: EngineError.Activity) throws(EngineError) -> RunPodGraphQL {
        guard let graphQL = self.graphQL else {
            throw EngineError(
                .unsupported, activity, detail: "RunPod's REST API does not rent interruptible pods")
        }
        return graphQL
    }

    private func keys(_ activity: EngineError.Activity) async throws(EngineError) -> [String] {
        let json = try await self.calls.json(.get, "/account/ssh-keys", limit: .calls, activity: activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in try RunPodWire.keys(json) }
    }

    /// Returns the keys to admit: our own, and the account's, which its other users expect to work.
    private func keys(
        for request: RentRequest, _ activity: EngineError.Activity
    ) async throws(EngineError) -> [String] {
        var keys: [String]
        do throws(EngineError) {
            keys = try await self.keys(activity)
        } catch {
            // A key that may rent need not have the right to read the account's settings.
            guard error.code == .unauthorized || error.code == .missingPermission, request.publicKey != nil
            else { throw error }
            keys = []
        }
        if let own = request.publicKey,
            !keys.contains(where: { RunPodWire.material($0) == RunPodWire.material(own) })
        {
            keys.append(own)
        }
        // Without a key the pod would start, bill, and admit nobody.
        guard !keys.isEmpty else {
            throw EngineError(.missingIdentity, activity, detail: "the account has no ssh key")
        }
        return keys
    }

    private static func path(_ id: InstanceID) -> String {
        "/pods/\(APICaller.percentEncode(id.rawValue))"
    }
}

extension RateLimit {
    /// The lowest allowance seen. Every answer reports what is really left, and that is obeyed.
    fileprivate static let calls = RateLimit("calls", calls: 60, per: .seconds(60))
}
