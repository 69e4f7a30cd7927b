import Foundation

/// RunPod's APIs over the fleet: REST v2, and as much GraphQL as its clients still use. Version 1 is gone.
struct RunPodAPI: Sendable {
    enum Caller {
        case account
        /// A pod's own key.
        case pod(String)
    }

    let fleet: Fleet
    let apiKey: String
    /// The user for ssh logins.
    let user: String
    let limiter: RunPodLimiter?

    func answer(_ request: APIRequest) async -> APIReply {
        var reply: APIReply
        if request.headers["user-agent"]?.isEmpty != false {
            // The edge refuses clients without a user agent before any API sees the call.
            return .text("error code: 1010", status: 403)
        }
        let event = FaultEvent(.runPod, request: request.line)
        if let pause = await self.fleet.takeFault(.slow, event)?.seconds {
            try? await Task.sleep(for: .seconds(pause))
        }
        if await self.fleet.takeFault(.htmlErrorPage, event) != nil { return VastAPI.gatewayError }
        switch request.path.first {
        case "v2": reply = await self.answerREST(request)
        case "graphql" where request.path.count == 1: reply = await self.answerGraphQL(request)
        case "v1" where await self.fleet.isRetired(.v1Retired):
            reply = RunPodError(status: 410, detail: RunPodWords.retired).reply
        default: reply = RunPodError.noResource.reply
        }
        reply.headers["x-request-id"] = UUID().uuidString.lowercased()
        if reply.stream == nil, await self.fleet.takeFault(.malformedJSON, event) != nil {
            reply.body = reply.body.prefix(reply.body.count / 2)
        }
        return reply
    }

    func caller(withKey key: String) async -> Caller? {
        if key == self.apiKey { return await self.fleet.expiredKeys.contains(.runPod) ? nil : .account }
        return await self.fleet.pod(withKey: key)?.pod.map { .pod($0.id) }
    }

    private func answerREST(_ request: APIRequest) async -> APIReply {
        if await self.fleet.isRetired(.restRetired) {
            return RunPodError(status: 410, detail: RunPodWords.retired).reply
        }
        guard let key = request.bearer, !key.isEmpty else { return RunPodError.missingToken.reply }
        guard let caller = await self.caller(withKey: key) else { return RunPodError.wrongKey.reply }
        let event = FaultEvent(.runPod, request: request.line)
        if let fault = await self.fleet.takeFault(.rateLimited, event) {
            return RunPodError(
                status: 429, detail: "rate limit exceeded for the minute window",
                headers: ["Retry-After": String(Int(fault.seconds ?? 1))]
            ).reply
        }
        if case .account = caller, await self.fleet.takeFault(.permissionMissing, event) != nil {
            return RunPodError.denied.reply
        }
        let allowance = self.limiter?.admit(at: self.fleet.clock())
        if let refusal = allowance?.refusal { return refusal.reply }
        var reply: APIReply
        do {
            reply = try await self.route(request, caller)
        } catch {
            reply = error.reply
        }
        reply.headers.merge(allowance?.headers ?? [:]) { $1 }
        return reply
    }

    /// Restricts a pod's own key to the pod itself; its real rights are not documented anywhere.
    private func check(_ caller: Caller, _ path: [String]) throws(RunPodError) {
        guard case .pod(let own) = caller else { return }
        guard path.count >= 2, path[0] == "pods", path[1] == own else { throw .denied }
    }

    private func route(_ request: APIRequest, _ caller: Caller) async throws(RunPodError) -> APIReply {
        let path = Array(request.path.dropFirst())
        try self.check(caller, path)
        guard request.body.count <= 102_400 else {
            throw RunPodError(status: 413, detail: "request body too large")
        }
        let body: JSON
        if ["POST", "PUT", "PATCH"].contains(request.method) {
            guard let json = request.json else { throw .rule("request body is not valid JSON") }
            body = json
        } else {
            body = [:]
        }
        switch (path.first ?? "", path.count) {
        case ("pods", 1): return try await self.pods(request, body)
        case ("pods", 2): return try await self.pod(request.method, path[1], body)
        case ("pods", 3) where path[2] == "action":
            try Self.allow(["POST"], request.method)
            return try await self.act(path[1], body)
        case ("pods", 3) where path[2] == "logs":
            try Self.allow(["GET"], request.method)
            return try await self.logs(path[1], request)
        case ("account", 2) where path[1] == "ssh-keys":
            try Self.allow(["GET", "PUT"], request.method)
            return try await self.sshKeys(request.method, body)
        case ("catalog", 2), ("catalog", 3):
            try Self.allow(["GET"], request.method)
            return try await self.catalogue(Array(path.dropFirst()), request.query)
        case ("network-volumes", 1): return try await self.volumes(request.method, body)
        case ("network-volumes", 2): return try await self.volume(request.method, path[1], body)
        case ("billing", 2) where path[1] == "pods":
            try Self.allow(["GET"], request.method)
            return try await self.billing(request.query)
        case ("templates", 1):
            try Self.allow(["GET"], request.method)
            return .json(["templates": []])
        case ("registries", 1): return try await self.registries(request.method, body)
        case ("registries", 2): return try await self.registry(request.method, path[1])
        case ("clusters", 1):
            try Self.allow(["GET"], request.method)
            return .json(["clusters": []])
        default: throw .noResource
        }
    }

    static func allow(_ methods: [String], _ method: String) throws(RunPodError) {
        guard methods.contains(method) else {
            throw .wrongMethod(allowed: methods.joined(separator: ", "))
        }
    }

    private func sshKeys(_ method: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        if method == "PUT" {
            try RunPodSchema.sshKeys.validate(body)
            await self.fleet.setPodKeys(body["keys"]?.elements?.compactMap(\.text) ?? [])
        }
        return .json(["keys": .array(await self.fleet.podKeys.map(JSON.string))])
    }
}
