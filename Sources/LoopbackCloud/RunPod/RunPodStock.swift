/// RunPod's stock: kinds of GPUs, data centers and their hosts, the same for the same seed.
///
/// A host cannot be rented by name. A request names a kind of GPU, perhaps with certain data centers, and is
/// placed on a host that has enough of them free.
struct RunPodStock: Sendable {
    enum Cloud: String, Sendable { case secure = "SECURE", community = "COMMUNITY" }

    struct DataCenter: Hashable, Sendable {
        let id: String
        let name: String
        let region: String
        let country: String
        let hasGlobalNetwork: Bool
    }

    /// A kind of GPU as the catalogue names it.
    struct Kind: Hashable, Sendable {
        let model: GPUModel
        let name: String
        /// The serverless pool, or nil if it has none.
        let pool: String?
        /// In GB.
        let memory: Int
        /// The price of one in dollars an hour; 0 if that cloud has none.
        let securePrice: Double
        let communityPrice: Double

        var id: String { self.model.productName }
        func price(on cloud: Cloud) -> Double {
            cloud == .secure ? self.securePrice : self.communityPrice
        }
    }

    /// A computer that pods are placed on.
    struct Host: Hashable, Sendable {
        let machine: Machine
        let kind: Kind
        let cloud: Cloud
        /// nil on Community Cloud.
        let dataCenter: DataCenter?
        let country: String

        /// The CUDA version as text, such as `12.8`.
        var cudaVersion: String { RunPodStock.version(self.machine.cudaVersion) }
    }

    let hosts: [Host]

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &* 0x9FB2_1C65_1E98_DF25 &+ 29)
        var hosts: [Host] = []
        for kind in Self.kinds {
            if kind.securePrice > 0 {
                var centers = Self.dataCenters.shuffled(using: &generator)
                centers = Array(centers.prefix(generator.int(3...6)))
                for (position, center) in centers.enumerated() {
                    for _ in 0..<generator.int(1...3) {
                        hosts.append(
                            Self.host(
                                kind, number: hosts.count, cloud: .secure, center: center,
                                country: center.country, isPick: position == 0, using: &generator))
                    }
                }
            }
            guard kind.communityPrice > 0 else { continue }
            for _ in 0..<generator.int(1...4) {
                hosts.append(
                    Self.host(
                        kind, number: hosts.count, cloud: .community, center: nil,
                        country: generator.pick(["US", "CA", "SE", "BG", "CZ"]), isPick: false,
                        using: &generator))
            }
        }
        self.hosts = hosts
    }

    static func kind(_ id: String) -> Kind? { self.kinds.first { $0.id == id } }

    /// The GPU count of the largest machine, which need not be free.
    func maximumCount(_ kind: Kind, on cloud: Cloud) -> Int {
        self.hosts.filter { $0.kind == kind && $0.cloud == cloud }.map(\.machine.gpuCount).max() ?? 0
    }

    static func version(_ number: Double) -> String { String((number * 10).rounded() / 10) }

    private static func host(
        _ kind: Kind, number: Int, cloud: Cloud, center: DataCenter?, country: String, isPick: Bool,
        using generator: inout SeededGenerator
    ) -> Host {
        let isSecure = cloud == .secure
        let count = isSecure ? 8 : generator.pick([1, 2, 4])
        let taken = isPick ? generator.int(0...4) : generator.int(0...count)
        let (driver, cuda) = generator.pick(
            kind.model.capability >= 1000
                ? [("570.133.07", 12.8), ("580.65.06", 13.0)]
                : [("550.127.05", 12.4), ("570.133.07", 12.8), ("580.65.06", 13.0)])
        let machine = Machine(
            // These numbers are far from those of the other market's machines.
            id: 900_000 + number, hostID: 990_000 + number, gpu: kind.model, gpuCount: count,
            gpusTakenByOthers: taken, isDatacenter: isSecure, isVerified: true, isDeverified: false,
            reliability: 0.999, location: country, geocode: 0, publicAddress: "127.0.0.1",
            directPorts: 100, hasStaticAddress: isSecure, upload: 2500, download: 9000, uploadCost: 0,
            downloadCost: 0, cpuName: "AMD EPYC 9354 32-Core Processor", cpuThreads: 16 * count,
            cpuGHz: 3.25, memory: 125_000 * count, boardName: "", diskName: "", diskSpace: 4000,
            diskBandwidth: 9900, storageCost: 0.1, osVersion: "22.04", driverVersion: driver,
            cudaVersion: cuda, pcieGeneration: 4, pcieLanes: 16, pcieBandwidth: 25, nvlinkBandwidth: 0,
            drivesDisplay: false, gpuPrice: kind.price(on: cloud), minimumBidFraction: 0.5, listedFor: 0,
            availableFor: 365 * 86_400)
        return Host(machine: machine, kind: kind, cloud: cloud, dataCenter: center, country: country)
    }

    static let dataCenters: [DataCenter] = [
        .init("US-KS-2", "US Kansas 2", "NORTH_AMERICA", "US"),
        .init("US-TX-3", "US Texas 3", "NORTH_AMERICA", "US"),
        .init("US-GA-2", "US Georgia 2", "NORTH_AMERICA", "US"),
        .init("US-NC-1", "US North Carolina 1", "NORTH_AMERICA", "US"),
        .init("CA-MTL-3", "CA Montreal 3", "NORTH_AMERICA", "CA"),
        .init("EU-RO-1", "EU Romania 1", "EUROPE", "RO"),
        .init("EU-CZ-1", "EU Czechia 1", "EUROPE", "CZ"),
        .init("EU-SE-1", "EU Sweden 1", "EUROPE", "SE"),
        .init("EUR-IS-1", "EUR Iceland 1", "EUROPE", "IS", global: false),
        .init("AP-JP-1", "AP Japan 1", "ASIA", "JP", global: false),
    ]

    static let kinds: [Kind] = [
        .init("NVIDIA GeForce RTX 3070", "RTX 3070", nil, 8, 0, 0.13),
        .init("NVIDIA GeForce RTX 3080", "RTX 3080", nil, 10, 0, 0.17),
        .init("NVIDIA GeForce RTX 3090", "RTX 3090", "AMPERE_24", 24, 0.46, 0.22),
        .init("NVIDIA GeForce RTX 3090 Ti", "RTX 3090 Ti", nil, 24, 0, 0.27),
        .init("NVIDIA GeForce RTX 4080 SUPER", "RTX 4080 SUPER", nil, 16, 0, 0.28),
        .init("NVIDIA GeForce RTX 4090", "RTX 4090", "ADA_24", 24, 0.69, 0.34),
        .init("NVIDIA GeForce RTX 5090", "RTX 5090", "ADA_32_PRO", 32, 0.94, 0.69),
        .init("NVIDIA RTX A4000", "RTX A4000", "AMPERE_16", 16, 0.25, 0.17),
        .init("NVIDIA RTX A5000", "RTX A5000", "AMPERE_24", 24, 0.27, 0.16),
        .init("NVIDIA RTX A6000", "RTX A6000", "AMPERE_48", 48, 0.49, 0.33),
        .init("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", "ADA_48_PRO", 48, 0.77, 0.74),
        .init("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000", nil, 96, 1.84, 0),
        .init("NVIDIA L4", "L4", "AMPERE_24", 24, 0.43, 0),
        .init("NVIDIA L40", "L40", "ADA_48_PRO", 48, 0.99, 0.69),
        .init("NVIDIA L40S", "L40S", "ADA_48_PRO", 48, 0.86, 0.79),
        .init("NVIDIA A40", "A40", "AMPERE_48", 48, 0.40, 0.35),
        .init("Tesla V100-SXM2-16GB", "V100 SXM2", nil, 16, 0, 0.19),
        .init("NVIDIA A100 80GB PCIe", "A100 PCIe", "AMPERE_80", 80, 1.39, 1.19),
        .init("NVIDIA A100-SXM4-80GB", "A100 SXM", "AMPERE_80", 80, 1.49, 1.39),
        .init("NVIDIA H100 PCIe", "H100 PCIe", "ADA_80_PRO", 80, 2.39, 1.99),
        .init("NVIDIA H100 NVL", "H100 NVL", nil, 94, 3.07, 2.59),
        .init("NVIDIA H100 80GB HBM3", "H100 SXM", "ADA_80_PRO", 80, 2.99, 2.69),
        .init("NVIDIA H200", "H200 SXM", "HOPPER_141", 141, 3.99, 0),
        .init("NVIDIA B200", "B200", nil, 180, 5.98, 0),
    ]
}

extension RunPodStock.DataCenter {
    fileprivate init(
        _ id: String, _ name: String, _ region: String, _ country: String, global: Bool = true
    ) {
        self.init(id: id, name: name, region: region, country: country, hasGlobalNetwork: global)
    }
}

extension RunPodStock.Kind {
    /// `id` is the driver's name of the GPU, by which its figures are found.
    fileprivate init(
        _ id: String, _ name: String, _ pool: String?, _ memory: Int, _ secure: Double, _ community: Double
    ) {
        guard let model = GPUModel.all.first(where: { $0.productName == id }) else {
            preconditionFailure("\(id) has no figures")
        }
        self.init(
            model: model, name: name, pool: pool, memory: memory, securePrice: secure,
            communityPrice: community)
    }
}
