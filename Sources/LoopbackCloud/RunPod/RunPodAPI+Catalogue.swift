import Foundation

/// The catalogue: GPU types and data centers, their prices and their availability.
extension RunPodAPI {
    /// The availability that a request asks about.
    private struct Wanted {
        var count = 1
        var cloud = RunPodStock.Cloud.secure
        var countries: [String] = []
        var cuda: [String] = []
        var minimumCUDA: Double?
    }

    func catalogue(_ path: [String], _ query: [String: String]) async throws(RunPodError) -> APIReply {
        let id = path.count > 1 ? path[1] : nil
        switch path[0] {
        case "gpus":
            let wanted = try Self.wanted(query)
            let free = await self.fleet.freeGPUs()
            guard let id else {
                return .json(["gpus": .array(RunPodStock.kinds.map { self.row($0, wanted, free) })])
            }
            guard let kind = RunPodStock.kind(id) else {
                throw RunPodError(status: 404, detail: "gpu type not found")
            }
            return .json(self.row(kind, wanted, free))
        case "datacenters":
            let free = await self.fleet.freeGPUs()
            let includes = Self.words(query["include"])
            let rows = RunPodStock.dataCenters.map {
                self.row($0, includes.contains("GPU_AVAILABILITY"), free)
            }
            guard let id else { return .json(["dataCenters": .array(rows)]) }
            guard let row = rows.first(where: { $0["id"]?.text == id }) else {
                throw RunPodError(status: 404, detail: "data center not found")
            }
            return .json(row)
        case "cpus" where id == nil: return .json(["cpus": []])
        case "templates" where id == nil: return .json(["templates": []])
        default: throw .noResource
        }
    }

    /// `include=AVAILABILITY` and `product` require each other, and every filter requires both. Other
    /// parameters are ignored.
    private static func wanted(_ query: [String: String]) throws(RunPodError) -> Wanted? {
        let includes = Self.words(query["include"])
        let products = Self.words(query["product"])
        if let unknown = includes.first(where: { $0 != "AVAILABILITY" }) {
            throw .invalid(["include: value must be one of AVAILABILITY, got \(unknown)"])
        }
        if let unknown = products.first(where: { !["POD", "CLUSTER", "SERVERLESS"].contains($0) }) {
            throw .invalid(["product: value must be one of POD, CLUSTER, SERVERLESS, got \(unknown)"])
        }
        if includes.isEmpty != products.isEmpty {
            throw .rule(
                includes.isEmpty
                    ? "product requires include=AVAILABILITY" : "include=AVAILABILITY requires product")
        }
        guard !includes.isEmpty else {
            let filters = ["count", "cloud", "countryCodes", "cudaVersions", "minCudaVersion"]
            if let filter = filters.first(where: { query[$0] != nil }) {
                throw .rule("\(filter) requires include=AVAILABILITY")
            }
            return nil
        }
        var wanted = Wanted()
        if let text = query["count"] {
            guard let count = Int(text), count >= 1 else { throw .invalid(["count: must be at least 1"]) }
            wanted.count = count
        }
        if let text = query["cloud"] {
            guard let cloud = RunPodStock.Cloud(rawValue: text) else {
                throw .invalid(["cloud: value must be one of SECURE, COMMUNITY"])
            }
            wanted.cloud = cloud
        }
        wanted.countries = Self.words(query["countryCodes"])
        if let bad = wanted.countries.first(where: { $0.wholeMatch(of: #/[A-Z]{2}/#) == nil }) {
            throw .invalid(["countryCodes: \(bad) is not a country code"])
        }
        wanted.cuda = Self.words(query["cudaVersions"])
        if let text = query["minCudaVersion"] {
            guard text.wholeMatch(of: #/\d+\.\d+/#) != nil else {
                throw .invalid([#"minCudaVersion: does not match pattern ^\d+\.\d+$"#])
            }
            guard wanted.cuda.isEmpty else {
                throw .rule("cudaVersions and minCudaVersion are mutually exclusive")
            }
            wanted.minimumCUDA = Double(text)
        }
        return wanted
    }

    private static func words(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    // MARK: Rows

    private func row(_ kind: RunPodStock.Kind, _ wanted: Wanted?, _ free: [Int: Int]) -> JSON {
        let stock = self.fleet.stock
        var row: [String: JSON] = [
            "id": .string(kind.id), "name": .string(kind.name), "pool": .optional(kind.pool),
            "manufacturer": "NVIDIA", "memory": .int(kind.memory), "secure": .bool(kind.securePrice > 0),
            "community": .bool(kind.communityPrice > 0),
            "price": ["secure": .number(kind.securePrice), "community": .number(kind.communityPrice)],
            "maxCount": [
                "secure": .int(stock.maximumCount(kind, on: .secure)),
                "community": .int(stock.maximumCount(kind, on: .community)),
            ],
        ]
        guard let wanted else { return .object(row) }
        let hosts = stock.hosts.filter { host in
            host.kind == kind && host.cloud == wanted.cloud && host.machine.gpuCount >= wanted.count
                && (wanted.countries.isEmpty || wanted.countries.contains(host.country))
        }
        let fitting = hosts.filter { host in
            (wanted.cuda.isEmpty || wanted.cuda.contains(host.cudaVersion))
                && (wanted.minimumCUDA.map { host.machine.cudaVersion >= $0 } ?? true)
        }
        func isFree(_ host: RunPodStock.Host) -> Bool { free[host.machine.id, default: 0] >= wanted.count }
        let level = Self.level(fitting.filter(isFree).count)
        row["availability"] = .string(level)
        if level != "NONE" {
            row["dataCenters"] = .array(
                RunPodStock.dataCenters.compactMap { center in
                    let own = fitting.filter { $0.dataCenter == center }
                    guard !own.isEmpty else { return nil }
                    return [
                        "id": .string(center.id), "name": .string(center.name),
                        "availability": .string(Self.level(own.filter(isFree).count)),
                    ]
                })
        }
        let versions = Set(hosts.map(\.cudaVersion)).sorted()
        if !versions.isEmpty {
            row["cudaVersions"] = .array(
                versions.map { version in
                    let isAvailable = hosts.contains { $0.cudaVersion == version && isFree($0) }
                    return ["version": .string(version), "available": .bool(isAvailable)]
                })
        }
        return .object(row)
    }

    /// The level for the number of hosts that could take the pod.
    static func level(_ hosts: Int) -> String {
        switch hosts {
        case ...0: "NONE"
        case 1: "LOW"
        case 2...3: "MEDIUM"
        default: "HIGH"
        }
    }

    private func row(_ center: RunPodStock.DataCenter, _ showsGPUs: Bool, _ free: [Int: Int]) -> JSON {
        var row: [String: JSON] = [
            "id": .string(center.id), "name": .string(center.name), "region": .string(center.region),
            "globalNetwork": .bool(center.hasGlobalNetwork), "networkVolumeTypes": ["STANDARD"],
            "compliance": ["SOC_2_TYPE_2"],
        ]
        if showsGPUs {
            row["gpuAvailability"] = .array(
                RunPodStock.kinds.compactMap { kind in
                    let own = self.fleet.stock.hosts.filter { $0.kind == kind && $0.dataCenter == center }
                    guard !own.isEmpty else { return nil }
                    let hosts = own.filter { free[$0.machine.id, default: 0] > 0 }
                    return [
                        "id": .string(kind.id), "name": .string(kind.name),
                        "availability": .string(Self.level(hosts.count)),
                    ]
                })
        }
        return .object(row)
    }
}
