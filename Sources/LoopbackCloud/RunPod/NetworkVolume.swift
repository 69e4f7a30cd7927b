import Foundation

/// A disk in a data center that outlives the pods it is attached to.
struct NetworkVolume: Sendable {
    let id: String
    var name: String
    /// In GB.
    var size: Int
    let dataCenter: String
    let isFast: Bool

    /// The price in dollars an hour, attached or not.
    var price: Double { Double(self.size) * (self.size < 1000 ? 0.07 : 0.05) / 720 }

    var row: JSON {
        [
            "id": .string(self.id), "name": .string(self.name), "size": .int(self.size),
            "dataCenter": .string(self.dataCenter), "type": self.isFast ? "HIGH_PERFORMANCE" : "STANDARD",
        ]
    }

    /// The row as GraphQL shows it.
    var graphRow: JSON {
        [
            "id": .string(self.id), "name": .string(self.name), "size": .int(self.size),
            "dataCenterId": .string(self.dataCenter),
            "dataCenter": ["id": .string(self.dataCenter), "name": nil],
        ]
    }
}

extension Fleet {
    func addVolume(name: String, size: Int, dataCenter: String, isFast: Bool) -> NetworkVolume {
        self.charge()
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        let volume = NetworkVolume(
            id: String((0..<10).map { _ in self.generator.pick(alphabet) }), name: name, size: size,
            dataCenter: dataCenter, isFast: isFast)
        self.networkVolumes.append(volume)
        self.watchCredit()
        return volume
    }

    func networkVolume(_ id: String) -> NetworkVolume? { self.networkVolumes.first { $0.id == id } }

    func changeVolume(_ id: String, name: String?, size: Int?) -> NetworkVolume? {
        guard let index = self.networkVolumes.firstIndex(where: { $0.id == id }) else { return nil }
        self.charge()
        if let name { self.networkVolumes[index].name = name }
        if let size { self.networkVolumes[index].size = size }
        self.watchCredit()
        return self.networkVolumes[index]
    }

    func removeVolume(_ id: String) {
        self.charge()
        self.networkVolumes.removeAll { $0.id == id }
        self.watchCredit()
    }
}

extension RunPodAPI {
    func volumes(_ method: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        try Self.allow(["GET", "POST"], method)
        guard method == "POST" else {
            return .json(["networkVolumes": .array(await self.fleet.networkVolumes.map(\.row))])
        }
        try RunPodSchema.createVolume.validate(body)
        let center = body["dataCenter"]?.text ?? ""
        let known = RunPodStock.dataCenters.map(\.id)
        guard known.contains(center) else {
            throw .rule("unknown data center \"\(center)\"; valid: \(known.joined(separator: ", "))")
        }
        let volume = await self.fleet.addVolume(
            name: body["name"]?.text ?? "", size: body["size"]?.integer ?? 0, dataCenter: center,
            isFast: body["type"] == "HIGH_PERFORMANCE")
        return .json(volume.row, status: 201)
    }

    func volume(_ method: String, _ id: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        try Self.allow(["GET", "PATCH", "DELETE"], method)
        if method == "PATCH" { try RunPodSchema.updateVolume.validate(body) }
        guard let volume = await self.fleet.networkVolume(id) else { throw .noVolume }
        switch method {
        case "PATCH":
            guard body.members?.isEmpty == false else { throw .invalid(["$: at least one property"]) }
            if let size = body["size"]?.integer, size < volume.size { throw .rule("a volume can only grow") }
            let changed = await self.fleet.changeVolume(
                id, name: body["name"]?.text, size: body["size"]?.integer)
            return .json((changed ?? volume).row)
        case "DELETE":
            let isAttached = await self.fleet.pods().contains { $0.pod?.networkVolume?.id == id }
            // This is undocumented; a disk can hardly be removed from under a running pod.
            if isAttached { throw .rule("the network volume is attached to a pod") }
            await self.fleet.removeVolume(id)
            return APIReply(status: 204, contentType: "application/json", body: Data())
        default: return .json(volume.row)
        }
    }
}
