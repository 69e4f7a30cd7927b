import Foundation

/// The vast.ai API over the fleet: authentication, rate limits and routes.
///
/// Routes return their success and throw a `VastError` for anything else.
struct VastAPI: Sendable {
    /// The owner of a key: the account, or one instance, whose key gives access to that one only.
    enum Caller: Hashable {
        case account
        case instance(Int)
    }

    let fleet: Fleet
    let apiKey: String
    let limiter: RateLimiter?
    let results = ResultStore()

    func answer(_ request: APIRequest) async -> APIReply {
        if request.path.first == "instance_logs" {
            return self.results.answer(request, at: self.fleet.clock())
        }
        guard request.path.first == "api", request.path.count > 2, ["v0", "v1"].contains(request.path[1])
        else {
            return .html("<html><body><h1>404 Not Found</h1></body></html>", status: 404)
        }
        let event = FaultEvent(.vast, request: request.line)
        if let pause = await self.fleet.takeFault(.slow, event)?.seconds {
            try? await Task.sleep(for: .seconds(pause))
        }
        if let fault = await self.fleet.takeFault(.rateLimited, event) {
            var reply = APIReply.text("API requests too frequent", status: 429)
            // This header is documented nowhere, and is sent by the proxy in front of the platform.
            if let seconds = fault.seconds { reply.headers["Retry-After"] = String(Int(seconds)) }
            return reply
        }
        if await self.fleet.takeFault(.htmlErrorPage, event) != nil { return Self.gatewayError }
        do {
            var reply = try await self.route(request)
            if await self.fleet.takeFault(.malformedJSON, event) != nil {
                reply.body = reply.body.prefix(reply.body.count / 2)
            }
            return reply
        } catch {
            return error.reply
        }
    }

    static let gatewayError = APIReply.html(
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
            + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status: 502)

    // MARK: Paths

    private func route(_ request: APIRequest) async throws(VastError) -> APIReply {
        let version = request.path[1]
        let path = Array(request.path.dropFirst(2))
        if request.method == "GET", path == ["gpu_names", "unique"] { return self.gpuNames() }
        let caller = try await self.caller(of: request)
        if caller == .account {
            let event = FaultEvent(.vast, request: request.line)
            if await self.fleet.takeFault(.permissionMissing, event) != nil { throw .notPermitted }
        }
        try self.limit(Self.endpoint(request.method, version, path), request)
        if version == "v0", await self.fleet.isRetired(.v0Retired) {
            throw .deprecated(request.path, insteadUse: "the documented one")
        }
        guard let body = request.json else { throw .invalidRequest("Invalid json body") }
        if case .instance(let own) = caller {
            guard path.first == "instances", path.last == String(own), path.count == 2 else {
                throw .notPermitted
            }
        }

        switch (request.method, version, path.first ?? "", Array(path.dropFirst())) {
        case ("POST", "v0", "bundles", []): return try await self.search(body)
        case ("GET", "v0", "bundles", []):
            let query = JSON(parsing: Data((request.query["q"] ?? "{}").utf8))
            guard let query else { throw .invalidRequest("Invalid json body") }
            return try await self.search(query)
        case ("PUT", "v0", "search", ["asks"]): return try await self.search(body["q"] ?? [:])
        case ("PUT", "v0", "asks", let rest) where rest.count == 1:
            guard let offer = Int(rest[0]) else { throw .invalidArguments("invalid ask id", ask: nil) }
            return try await self.rent(offer: offer, body)
        case ("POST", "v0", "asks", ["bulk"]): return try await self.rentSeveral(body)
        case ("PUT", "v0", "launch_instance", []): return try await self.launch(body)

        case ("GET", "v1", "instances", []): return try await self.list(request.query)
        case ("GET", "v0", "instances", []) where await self.fleet.isRetired(.v0ListRetired):
            throw .deprecated(request.path, insteadUse: "/api/v1/instances/")
        case ("GET", "v0", "instances", ["filters"]): return await self.filters()
        case ("PUT", "v0", "instances", []): return try await self.orderSeveral(body)
        case ("DELETE", "v0", "instances", []): return try await self.destroySeveral(body)
        case (let method, "v0", "instances", let rest) where !rest.isEmpty:
            return try await self.instance(method, rest, body, request)

        case (let method, "v0", "ssh", let rest): return try await self.accountKeys(method, rest, body)
        case ("GET", "v0", "users", ["current"]): return await self.user()
        case ("GET", "v0", "volumes", []): return await self.volumes()
        case ("POST", "v0", "volumes", ["search"]): return .json(["offers": []])
        case ("GET", "v0", "users", ["me", "ipaddrs"]): return .json(["results": []])
        case ("GET", "v0", "charges", []): return try await self.charges(request.query)
        case ("GET", "v1", "invoices", []):
            return .json(["success": true, "count": 0, "total": 0, "next_token": nil, "results": []])
        case (let method, "v0", "commands", let rest) where rest == ["copy_direct"] || rest == ["rsync"]:
            return try await self.copy(method, body)
        case ("GET", "v0", "secrets", []): return .json(["success": true, "secrets": [:]])
        default: throw .notFound
        }
    }

    private func caller(of request: APIRequest) async throws(VastError) -> Caller {
        guard let key = request.bearer ?? request.query["api_key"], !key.isEmpty else { throw .loginRequired }
        if key == self.apiKey {
            guard await !self.fleet.expiredKeys.contains(.vast) else { throw .wrongKey }
            return .account
        }
        if let id = await self.fleet.rental(withKey: key) { return .instance(id) }
        throw .wrongKey
    }

    private func limit(_ endpoint: VastEndpoint, _ request: APIRequest) throws(VastError) {
        let identity = request.bearer ?? request.query["api_key"] ?? ""
        if let threshold = self.limiter?.refusal(of: endpoint, by: identity, at: self.fleet.clock()) {
            throw .tooFrequent(endpoint, threshold)
        }
    }

    private static func endpoint(_ method: String, _ version: String, _ path: [String]) -> VastEndpoint {
        switch (method, path.first ?? "", path.count > 1 ? path[1] : nil) {
        case (_, "bundles", _), (_, "search", _): .search
        case (_, "asks", _): .rent
        case (_, "launch_instance", _): .launch
        case ("GET", "instances", nil): version == "v1" ? .list : .unlimited
        case (_, "instances", "filters"): .unlimited
        case (_, "instances", "reboot"), (_, "instances", "recycle"): .reboot
        case (_, "instances", "bid_price"): .bid
        case (_, "instances", "command"): .command
        case (_, "instances", "balance"): .deposit
        case (_, "instances", "request_logs"): .unlimited
        case ("DELETE", "instances", _): path.contains("ssh") ? .detachKey : .destroy
        case ("GET", "instances", _): path.contains("ssh") ? .unlimited : .show
        case (_, "instances", _): .order
        case ("POST", "ssh", _), ("PUT", "ssh", _): .keys
        case (_, "invoices", _): .invoices
        case (_, "volumes", _): .volumes
        case (_, "commands", _): .copy
        default: .unlimited
        }
    }
}
