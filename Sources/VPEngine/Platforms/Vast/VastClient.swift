import Foundation
import Synchronization

/// vast.ai over its REST API: v1 for the list of instances, v0 for everything else.
package final class VastClient: PlatformClient, SearchCounting {
    package var platform: Platform { .vast }
    package var installsOnlyAccountKeys: Bool { true }

    private let calls: PlatformCalls<VastAnswer>
    private var caller: APICaller { self.calls.caller }
    /// When this client last asked an instance to start. The platform shows the old `exited` for minutes
    /// after that.
    private let startedAt: Mutex<[InstanceID: Duration]> = Mutex([:])
    package let quota: SearchQuota

    /// - Parameter quota: the count that other programs of this user share; nil makes one of its own.
    package init(caller: APICaller, quota: SearchQuota? = nil) {
        self.calls = PlatformCalls(caller: caller)
        self.quota = quota ?? SearchQuota(folder: nil, account: "")
    }

    package func offers(_ query: OfferQuery, for purpose: SearchPurpose) async throws(EngineError) -> [Offer]
    {
        let activity = EngineError.Activity("searching offers", platform: .vast)
        let gpus = try await self.gpuFilter(query.gpu, activity: activity)
        // An empty list of names might be read as no filter.
        if case .listed(let names) = gpus, names.isEmpty { return [] }
        let search = VastSearch(query: query, gpus: gpus)
        var found: [Offer] = []
        var seen: Set<OfferID> = []
        var pricedFrom: Double?
        for _ in 0..<VastSearch.pageLimit {
            let json = try await self.search(search.body(pricedFrom: pricedFrom), for: purpose, activity)
            let page = try self.calls.decode(activity) { () throws(WireDamage) in
                try VastWire.offers(json, isInterruptible: query.isInterruptible)
            }
            let news = page.filter { seen.insert($0.id).inserted }
            found += news
            guard search.wantsMore(afterPageOf: page.count, total: found.count), !news.isEmpty else { break }
            pricedFrom = page.map(\.price.dollarsPerHour).max()
        }
        return search.select(found)
    }

    /// Makes one of the searches that the day's quota allows.
    private func search(
        _ body: JSONValue, for purpose: SearchPurpose, _ activity: EngineError.Activity
    ) async throws(EngineError) -> JSONValue {
        try self.quota.admit(purpose, activity)
        let answer = try await self.calls.answer(
            .post, "/api/v0/bundles/", body: body, limit: .search, repetition: .harmless, activity: activity)
        guard answer.errorCode != .searchQuotaSpent else {
            throw self.quota.close(
                until: answer.response.rateLimitReset,
                serverNow: answer.response.headers["date"].flatMap(HTTPDate.parse)?.timeIntervalSince1970,
                activity)
        }
        return try self.calls.json(of: answer, activity)
    }

    package func rent(_ request: RentRequest) async throws(EngineError) -> InstanceID {
        let activity = EngineError.Activity(
            "renting", platform: .vast, subject: request.offer.id.rawValue)
        let path = "/api/v0/asks/\(APICaller.percentEncode(request.offer.id.rawValue))/"
        let answer = try await self.calls.answer(
            .put, path, body: VastWire.rentBody(request), limit: .rent, repetition: .never,
            timeout: .seconds(120), activity: activity)
        let contract = answer.json["new_contract"].text.flatMap { InstanceID(.vast, fromOutside: $0) }
        guard !answer.isRefusal else {
            var error = self.calls.error(answer, activity)
            if let contract {
                // A bid that was too low still made a contract, which is stopped and billed for its disk.
                error = EngineError(
                    .offerTaken, activity, detail: error.detail,
                    leftoverInstance: contract)
            }
            throw error
        }
        guard let contract else {
            throw EngineError(
                .badResponse, activity, detail: "the instance was rented, but the answer lacks its id")
        }
        return contract
    }

    package func listing() async throws(EngineError) -> InstanceListing {
        let activity = EngineError.Activity("listing instances", platform: .vast)
        var refused: [String] = []
        var seen: Set<InstanceID> = []
        let pages = Pages<Instance>(what: "the list", activity: activity, clock: self.caller.clock)
        // An instance that ends between two pages moves others across the border.
        let found = try await pages.all { token async throws(EngineError) in
            var query = [
                (name: "select_filters", value: "{}"),
                (name: "order_by", value: #"[{"col":"id","dir":"asc"}]"#),
                (name: "limit", value: "25"),
            ]
            if let token { query.append((name: "after_token", value: token)) }
            let json = try await self.calls.json(
                .get, "/api/v1/instances/", query: query, limit: .list, activity: activity)
            let page = try self.calls.decode(activity) { () throws(WireDamage) in
                try VastWire.page(json, wasStarted: self.wasJustStarted)
            }
            refused += page.refused
            return .init(rows: page.instances, next: page.nextToken)
        }.filter { seen.insert($0.id).inserted }
        return InstanceListing(found, refused: refused, activity)
    }

    package func instance(_ id: InstanceID) async throws(EngineError) -> Instance? {
        let activity = EngineError.Activity("reading an instance", platform: .vast, subject: id.rawValue)
        let answer = try await self.calls.answer(
            .get, VastClient.path(id), query: [(name: "owner", value: "me")], limit: .show,
            activity: activity)
        if answer.saysInstanceGone { return nil }
        let json = try self.calls.json(of: answer, activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in
            try VastWire.single(json, wasStarted: self.wasJustStarted)
        }
    }

    package func start(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity("starting", platform: .vast, subject: id.rawValue)
        do throws(EngineError) {
            try await self.caller.order(
                activity,
                { () async throws(EngineError) in try await self.sendStart(id, activity) },
                look: { () async throws(EngineError) in
                    // The row shows that a start arrived, but also the old end.
                    self.startedAt.withLock { $0[id] = self.caller.clock.now() }
                    return try await self.instance(id)
                },
                isDone: { $0.map { [.pending, .loading, .running].contains($0.status) } ?? false })
        } catch {
            self.startedAt.withLock { $0[id] = nil }
            throw error
        }
    }

    private func sendStart(_ id: InstanceID, _ activity: EngineError.Activity) async throws(EngineError) {
        let answer = try await self.calls.answer(
            .put, VastClient.path(id), body: ["state": "running"], limit: .update, timeout: .order,
            activity: activity)
        guard answer.response.isSuccess, answer.json["success"].bool == false else {
            _ = try self.calls.json(of: answer, activity)
            self.startedAt.withLock { $0[id] = self.caller.clock.now() }
            return
        }
        // The start was refused, yet queued: the instance would start, and bill, whenever the GPU becomes
        // free. Nobody would be watching.
        var error = self.calls.error(answer, activity)
        do throws(EngineError) {
            try await self.setState("stopped", of: id, activity: activity)
        } catch {
            throw EngineError(
                .instanceNotRunning, activity,
                detail: "the GPU is not free, and the queued start could not be cancelled: "
                    + (error.detail ?? error.code.rawValue))
        }
        if error.code == .badRequest {
            error = EngineError(.instanceNotRunning, activity, detail: error.detail)
        }
        throw error
    }

    package func stop(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity("stopping", platform: .vast, subject: id.rawValue)
        try await self.caller.order(
            activity,
            { () async throws(EngineError) in
                try await self.setState("stopped", of: id, activity: activity)
            },
            look: { () async throws(EngineError) in try await self.instance(id) },
            isDone: { $0.map { [.stopped, .stopping].contains($0.status) } ?? false })
        self.startedAt.withLock { $0[id] = nil }
    }

    package func destroy(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity("destroying", platform: .vast, subject: id.rawValue)
        try await self.caller.order(
            activity,
            { () async throws(EngineError) in
                let answer = try await self.calls.answer(
                    .delete, VastClient.path(id), body: [:], limit: .destroy, timeout: .order,
                    activity: activity)
                if answer.saysInstanceGone { return }
                _ = try self.calls.json(of: answer, activity)
            },
            look: { () async throws(EngineError) in try await self.instance(id) },
            isDone: { $0.map { $0.status == .destroying } ?? true })
    }

    package func rename(_ id: InstanceID, to name: String) async throws(EngineError) {
        let activity = EngineError.Activity("renaming", platform: .vast, subject: id.rawValue)
        _ = try await self.calls.json(
            .put, VastClient.path(id), body: ["label": .string(name)], limit: .update, activity: activity)
    }

    package func accountKeys() async throws(EngineError) -> [AccountKey] {
        let activity = EngineError.Activity("reading the account's ssh keys", platform: .vast)
        let answer = try await self.calls.answer(.get, "/api/v0/ssh/", limit: .keys, activity: activity)
        if answer.saysNoKeys { return [] }
        let json = try self.calls.json(of: answer, activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in try VastWire.keys(json) }
    }

    package func addAccountKey(_ publicKey: String) async throws(EngineError) {
        let activity = EngineError.Activity("adding an ssh key to the account", platform: .vast)
        for attempt in 1...3 {
            do throws(EngineError) {
                _ = try await self.calls.json(
                    .post, "/api/v0/ssh/", body: ["ssh_key": .string(publicKey.trimmingSpaces())],
                    limit: .keys,
                    repetition: .never, activity: activity)
                return
            } catch {
                // A call that came too fast was ignored; the pacer holds the next one back.
                guard error.code == .rateLimited, attempt < 3 else { throw error }
            }
        }
    }

    package func balance() async throws(EngineError) -> Balance {
        let activity = EngineError.Activity("reading the balance", platform: .vast)
        // The official client sends only this path without a slash at the end.
        let json = try await self.calls.json(
            .get, "/api/v0/users/current", limit: .account, activity: activity)
        guard let dollars = json["credit"].number(in: .dollars) else {
            throw EngineError(.badResponse, activity, detail: "the answer has no amount in its field credit")
        }
        return Balance(platform: .vast, dollars: dollars)
    }

    /// Returns none: the rows of instances contain them.
    package func startMessages(_ id: InstanceID) async throws(EngineError) -> [String] { [] }

    package func volumes() async throws(EngineError) -> [Volume] {
        let activity = EngineError.Activity("listing volumes", platform: .vast)
        let query = [(name: "owner", value: "me"), (name: "type", value: "all_volume")]
        let json = try await self.calls.json(
            .get, "/api/v0/volumes", query: query, limit: .account, activity: activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in try VastWire.volumes(json) }
    }

    package func charges(from start: Date, to now: Date) async throws(EngineError) -> [Charge] {
        let activity = EngineError.Activity("reading charges", platform: .vast)
        var found: [Charge] = []
        var day = start
        // An answer sums up the whole range, so that each day takes a request of its own.
        while day < now {
            let end = min(day.addingTimeInterval(UTCDay.seconds), now)
            let range: JSONValue = [
                "day": [
                    "gte": .number(day.timeIntervalSince1970),
                    "lte": .number(end.timeIntervalSince1970.rounded(.down) - 1),
                ], "type": ["in": ["instance"]],
            ]
            let pages = Pages<Charge>(what: "charges", activity: activity, clock: self.caller.clock)
            let (from, until) = (day, end)
            found += try await pages.all { token async throws(EngineError) in
                var query = [
                    (name: "select_filters", value: range.encoded), (name: "format", value: "table"),
                    (name: "limit", value: "100"),
                ]
                if let token { query.append((name: "after_token", value: token)) }
                let json = try await self.calls.json(
                    .get, "/api/v0/charges/", query: query, limit: .charges, activity: activity)
                let rows = try self.calls.decode(activity) { () throws(WireDamage) in
                    try VastWire.charges(json, on: from, until: until)
                }
                return .init(rows: rows, next: json["next_token"].text)
            }
            day = end
        }
        return found
    }

    package func providerLog(_ id: InstanceID, lines: Int) async throws(EngineError) -> String {
        let log = try await self.log(id, lines: lines, ofDaemon: false)
        // An image that never starts has no log of its own; the host's daemon says why.
        return log.contains { !$0.isWhitespace } ? log : try await self.log(id, lines: lines, ofDaemon: true)
    }

    private func log(_ id: InstanceID, lines: Int, ofDaemon: Bool) async throws(EngineError) -> String {
        let activity = EngineError.Activity("fetching the log", platform: .vast, subject: id.rawValue)
        var body: [String: JSONValue] = ["tail": .string(String(max(1, lines)))]
        if ofDaemon { body["daemon_logs"] = "true" }
        let path = "/api/v0/instances/request_logs/\(APICaller.percentEncode(id.rawValue))/"
        let json = try await self.calls.json(
            .put, path, body: .object(body), limit: .logs, repetition: .harmless, activity: activity)
        guard let text = json["result_url"].text, let url = URL(string: text.trimmingSpaces()),
            url.scheme == "https" || url.scheme == "http", url.host != nil
        else {
            throw EngineError(
                .badResponse, activity,
                detail: json["msg"].text.flatMap(self.caller.detail) ?? "the answer has no address of a log")
        }
        // The host uploads the log; until it has arrived, the storage answers 403 or 404.
        let deadline = self.caller.clock.now() + .seconds(30)
        var pause = Duration.seconds(0.2)
        while true {
            let response = try await self.caller.fetch(url, timeout: .seconds(10), activity: activity)
            if response.status == 200 { return String(decoding: response.body, as: UTF8.self) }
            guard self.caller.clock.now() + pause < deadline else {
                throw EngineError(.timedOut, activity, detail: "the host has not delivered its log in time")
            }
            try await self.caller.sleep(for: pause, activity: activity)
            pause = min(pause * 1.6, .seconds(2))
        }
    }

    /// Returns the GPUs that the search names. A model that our table lacks, or for which it has no name on
    /// vast.ai, is looked up among the names listed there.
    private func gpuFilter(
        _ text: String?, activity: EngineError.Activity
    ) async throws(EngineError) -> VastSearch.GPUs? {
        guard let text, !text.trimmingSpaces().isEmpty else { return nil }
        let selection = GPUName.select(text)
        if let selection, !selection.models.allSatisfy(\.vastNames.isEmpty) { return .known(selection) }
        let json = try await self.calls.json(
            .get, "/api/v0/gpu_names/unique/", limit: .names, activity: activity)
        let listed = (json["gpu_names"].array ?? []).compactMap(\.text)
        let wanted = GPUName.normalize(text)
        let names = listed.filter { name in
            !wanted.isEmpty && GPUName.normalize(name) == wanted
                || selection?.includes(platformName: name, memoryBytes: nil) == true
        }
        // A GPU that we know and that nobody rents out here is no mistake.
        guard names.isEmpty, selection == nil else { return .listed(names) }
        throw EngineError(
            .unknownGPU, activity, detail: text.singleLine(limit: 60),
            suggestions: GPUName.suggestions(for: text, among: listed))
    }

    private func wasJustStarted(_ id: InstanceID) -> Bool {
        guard let time = self.startedAt.withLock({ $0[id] }) else { return false }
        return self.caller.clock.now() - time < .seconds(600)
    }

    private func setState(
        _ state: String, of id: InstanceID, activity: EngineError.Activity
    ) async throws(EngineError) {
        _ = try await self.calls.json(
            .put, VastClient.path(id), body: ["state": .string(state)], limit: .update, timeout: .order,
            activity: activity)
    }

    private static func path(_ id: InstanceID) -> String {
        "/api/v0/instances/\(APICaller.percentEncode(id.rawValue))/"
    }
}

extension RateLimit {
    // The published thresholds and a tenth more: the platform counts arrivals, and one call may be slower
    // than the next. Calls without a threshold are limited to one a second.
    fileprivate static let search = RateLimit("search", calls: 10, per: .seconds(61))
    fileprivate static let rent = RateLimit("rent", per: .seconds(5))
    fileprivate static let list = RateLimit("list", per: .seconds(1.1))
    fileprivate static let show = RateLimit("show", per: .seconds(2.2))
    fileprivate static let update = RateLimit("update", per: .seconds(1.1))
    fileprivate static let destroy = RateLimit("destroy", per: .seconds(3.3))
    fileprivate static let keys = RateLimit("keys", per: .seconds(1.1))
    fileprivate static let account = RateLimit("account", per: .seconds(1))
    fileprivate static let charges = RateLimit("charges", per: .seconds(1.1))
    fileprivate static let logs = RateLimit("logs", per: .seconds(1))
    fileprivate static let names = RateLimit("names", per: .seconds(1))
}
