import Foundation

/// Pods over REST v2.
extension RunPodAPI {
    func pods(_ request: APIRequest, _ body: JSON) async throws(RunPodError) -> APIReply {
        try Self.allow(["GET", "POST"], request.method)
        if request.method == "POST" { return try await self.create(body) }
        // Unknown filters have no effect.
        await self.fleet.refresh()
        var rows: [JSON] = []
        for rental in await self.fleet.pods() {
            if let row = await self.row(rental) { rows.append(row) }
        }
        return .json(["pods": .array(rows)])
    }

    func pod(_ method: String, _ id: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        try Self.allow(["GET", "PATCH", "DELETE"], method)
        switch method {
        case "PATCH": return try await self.update(id, body)
        case "DELETE": return try await self.terminate(id)
        default: return try await self.show(id)
        }
    }

    private func show(_ id: String, status: Int = 200) async throws(RunPodError) -> APIReply {
        await self.fleet.refresh()
        guard let rental = await self.fleet.pod(id), let row = await self.row(rental) else { throw .noPod }
        return .json(row, status: status)
    }

    private func row(_ rental: Rental) async -> JSON? {
        let isBusy = rental.phase == .running ? await rental.instance.isBusy() : false
        return RunPodRows.pod(rental, isBusy: isBusy, user: self.user, now: self.fleet.clock())
    }

    // MARK: Create and change

    private func create(_ body: JSON) async throws(RunPodError) -> APIReply {
        try RunPodSchema.createPod.validate(body)
        let order = try await self.order(body)
        let rental: Rental
        do {
            rental = try await self.fleet.deploy(order)
        } catch {
            switch error {
            case .noCredit: throw .noCredit
            case .failed: throw .serverError
            case .offerTaken: throw .rule(RunPodWords.otherMachine)
            default: throw .noCapacity
            }
        }
        let event = FaultEvent(.runPod, at: rental.offer.machine)
        if await self.fleet.takeFault(.serverErrorAfterCreate, event) != nil {
            throw .serverError
        }
        guard let row = await self.row(rental) else { throw .noPod }
        return .json(row, status: 201)
    }

    /// Checks the rules that span several fields.
    private func order(_ body: JSON) async throws(RunPodError) -> PodOrder {
        // No template can be created here, and none of the public ones is emulated.
        if body["templateId"] != nil { throw .noTemplate }
        guard let image = body["image"]?.text else { throw .invalid(["$: missing property 'image'"]) }
        guard (body["gpu"] == nil) != (body["cpu"] == nil) else {
            throw .rule("exactly one of gpu or cpu must be set")
        }
        guard let gpu = body["gpu"] else { throw .noCapacity }
        guard let kind = gpu["id"]?.text.flatMap(RunPodStock.kind) else {
            throw .rule("gpu type \"\(gpu["id"]?.text ?? "")\" not found")
        }
        if gpu["allowedCudaVersions"] != nil, gpu["minCudaVersion"] != nil {
            throw .rule("gpu.allowedCudaVersions and gpu.minCudaVersion are mutually exclusive")
        }
        let cloud = body["cloud"]?.text.flatMap(RunPodStock.Cloud.init) ?? .secure
        let centers = body["dataCenterIds"]?.elements?.compactMap(\.text) ?? []
        let known = RunPodStock.dataCenters.map(\.id)
        if let unknown = centers.first(where: { !known.contains($0) }) {
            throw .rule("unknown data center \"\(unknown)\"; valid: \(known.joined(separator: ", "))")
        }
        let volume = try Self.volume(body["mounts"])
        let networkVolume = try await self.networkVolume(body["mounts"], cloud)
        try Self.checkPorts(body["ports"])
        var environment = Self.variables(body["env"]) ?? [:]
        if body["startSsh"] == true, environment["PUBLIC_KEY"] == nil {
            let keys = await self.fleet.podKeys
            if !keys.isEmpty { environment["PUBLIC_KEY"] = keys.joined(separator: "\n") }
        }
        if body["startJupyter"] == true, environment["JUPYTER_PASSWORD"] == nil {
            environment["JUPYTER_PASSWORD"] = UUID().uuidString.lowercased()
        }
        return PodOrder(
            name: body["name"]?.text ?? "", image: image, arguments: try Self.arguments(body), kind: kind,
            gpuCount: gpu["count"]?.integer ?? 1, clouds: [cloud],
            dataCenters: networkVolume.map { [$0.dataCenter] } ?? centers,
            minimumCUDA: gpu["minCudaVersion"]?.double,
            allowedCUDA: gpu["allowedCudaVersions"]?.elements?.compactMap(\.text) ?? [],
            containerDisk: body["disk"]?.integer ?? 50, volume: volume,
            networkVolume: networkVolume.map { ($0.id, $0.path) },
            ports: body["ports"]?.elements?.compactMap(\.text) ?? [], environment: environment,
            registry: try await self.registry(body))
    }

    private func registry(_ body: JSON) async throws(RunPodError) -> String? {
        guard let id = body["registry"]?.text, !id.isEmpty else { return nil }
        guard await self.fleet.registryLogin(id) != nil else { throw .noRegistry }
        return id
    }

    /// The container's command: a line of shell, or the words of `entrypoint` and `cmd` instead.
    private static func arguments(_ body: JSON) throws(RunPodError) -> String {
        let words = [body["entrypoint"], body["cmd"]].compactMap { $0?.elements?.compactMap(\.text) }
        guard !words.isEmpty else { return body["args"]?.text ?? "" }
        if body["args"] != nil { throw .rule("args and cmd or entrypoint are mutually exclusive") }
        return words.flatMap(\.self).map { "'" + $0.replacingOccurrences(of: "'", with: #"'\''"#) + "'" }
            .joined(separator: " ")
    }

    private static func volume(_ mounts: JSON?) throws(RunPodError) -> Pod.Volume? {
        guard let mounts else { return nil }
        if mounts["persistent"] != nil, mounts["network"] != nil {
            throw .rule("mounts.persistent and mounts.network are mutually exclusive")
        }
        if mounts["network"]?.elements?.isEmpty == true { throw .rule("mounts.network must not be empty") }
        guard let persistent = mounts["persistent"], let size = persistent["size"]?.integer,
            let path = persistent["path"]?.text
        else { return nil }
        try Self.checkPath(path, "mounts.persistent.path")
        return Pod.Volume(size: size, path: path)
    }

    private static func checkPath(_ path: String, _ name: String) throws(RunPodError) {
        guard path.hasPrefix("/"), path.count > 1, !path.split(separator: "/").contains("..") else {
            throw .rule("\(name) must be an absolute path")
        }
    }

    /// The requested network volume, which determines the data center.
    private func networkVolume(
        _ mounts: JSON?, _ cloud: RunPodStock.Cloud
    ) async throws(RunPodError) -> (id: String, path: String, dataCenter: String)? {
        guard let mount = mounts?["network"]?.elements?.first, let id = mount["volumeId"]?.text,
            let path = mount["path"]?.text
        else { return nil }
        guard cloud == .secure else { throw .rule("network volumes need Secure Cloud") }
        try Self.checkPath(path, "mounts.network.path")
        guard let volume = await self.fleet.networkVolume(id) else { throw .rule("network volume not found") }
        return (id, path, volume.dataCenter)
    }

    private static func checkPorts(_ ports: JSON?) throws(RunPodError) {
        for port in ports?.elements?.compactMap(\.text) ?? [] {
            let parts = port.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = Int(parts[0]), (1...99_999).contains(number),
                ["tcp", "http"].contains(parts[1])
            else { throw .rule("invalid port \"\(port)\": expected <port>/tcp or <port>/http") }
        }
    }

    private static func variables(_ env: JSON?) -> [String: String]? {
        env?.members?.compactMapValues(\.text)
    }

    private func update(_ id: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        try RunPodSchema.updatePod.validate(body)
        guard let rental = await self.fleet.pod(id), let pod = rental.pod else { throw .noPod }
        if body["templateId"] != nil { throw .noTemplate }
        try Self.checkPorts(body["ports"])
        let registry = try await self.registry(body)
        let volume = try Self.volume(body["mounts"])
        if let volume {
            guard let old = pod.volume else { throw .rule("the mount kind is fixed at create") }
            guard volume.size >= old.size else { throw .rule("a volume can only grow") }
        }
        await self.fleet.change(id) { pod in
            if let name = body["name"]?.text { pod.name = name }
            if let isLocked = body["locked"]?.flag { pod.isLocked = isLocked }
            if let image = body["image"]?.text { pod.image = image }
            if let args = body["args"]?.text { pod.arguments = args }
            if let disk = body["disk"]?.integer { pod.containerDisk = disk }
            if let ports = body["ports"]?.elements { pod.ports = ports.compactMap(\.text) }
            if let environment = Self.variables(body["env"]) { pod.environment = environment }
            if let volume { pod.volume = volume }
            if body["registry"] != nil { pod.registry = registry }
        }
        // A change of these fields restarts a running container.
        let isRebuilt = ["image", "args", "disk", "ports", "env", "registry"].contains { body[$0] != nil }
        if isRebuilt, rental.phase == .running { try? await self.fleet.restartPod(id) }
        return try await self.show(id)
    }

    private func terminate(_ id: String) async throws(RunPodError) -> APIReply {
        guard (try? await self.fleet.terminatePod(id)) != nil else { throw .noPod }
        return APIReply(status: 204, contentType: "application/json", body: Data())
    }

    func act(_ id: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        try RunPodSchema.action.validate(body)
        await self.fleet.refresh()
        guard let rental = await self.fleet.pod(id), let pod = rental.pod else { throw .noPod }
        let action = body["action"]?.text ?? ""
        guard RunPodRows.actions(rental).contains(action) else {
            throw .conflict("cannot \(action) a pod in status \(RunPodRows.status(rental))")
        }
        if action == "terminate" { return try await self.terminate(id) }
        if action == "stop", pod.isLocked { throw .conflict("the pod is locked") }
        do {
            switch action {
            case "start": try await self.fleet.startPod(id)
            case "stop": try await self.fleet.stopPod(id)
            default: try await self.fleet.restartPod(id)
            }
        } catch {
            switch error {
            case .gpuUnavailable: throw .hostBusy
            case .noCredit: throw .noCredit
            default: throw .noPod
            }
        }
        return try await self.show(id)
    }
}
