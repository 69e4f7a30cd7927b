/// The market's stock: machines and the offers cut from them, the same for the same seed.
struct Catalogue: Sendable {
    let machines: [Machine]
    let offers: [Offer]

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &* 0x5851_F42D_4C95_7F2D &+ 11)
        var machines: [Machine] = []
        var offers: [Offer] = []
        var hosts: [Host] = []
        var offerID = 31_000_000 + generator.int(0...99_999)
        var gpuID = 40_000
        for model in GPUModel.all {
            for position in 0..<model.machines {
                let machine = Self.machine(
                    model, position: position, id: 20_000 + machines.count * 37 + generator.int(0...30),
                    hosts: &hosts, using: &generator)
                machines.append(machine)
                // A machine is offered whole and in halves down to one GPU.
                var count = machine.gpuCount
                while count >= 1 {
                    offerID += generator.int(3...900)
                    offers.append(
                        Offer(
                            id: offerID, bundleID: generator.int(100_000_000...999_999_999), machine: machine,
                            gpuCount: count, gpuIDs: Array(gpuID..<(gpuID + count))))
                    count /= 2
                }
                gpuID += machine.gpuCount
            }
        }
        self.machines = machines
        self.offers = offers
    }

    private struct Host {
        let id: Int
        let isDatacenter: Bool
        let place: (name: String, code: Int)
        let network: String
    }

    private static func machine(
        _ model: GPUModel, position: Int, id: Int, hosts: inout [Host], using generator: inout SeededGenerator
    ) -> Machine {
        let host = Self.host(for: model, among: &hosts, using: &generator)
        // The first machine of each kind is one that anybody would rent, so that every GPU is available.
        let isPick = position == 0
        let isVerified = isPick || !generator.chance(0.18)
        let isDeverified = !isVerified && generator.chance(0.25)
        let count = isPick ? (model.perMachine.first ?? 1) : generator.pick(model.perMachine)
        let cpu = generator.pick(host.isDatacenter ? Self.serverProcessors : Self.desktopProcessors)
        let reliability =
            isPick
            ? generator.double(0.985...0.9995)
            : isVerified ? generator.double(0.92...0.9995) : generator.double(0.6...0.97)
        let isNew = model.capability >= 1000
        let driver = isNew ? Self.newDrivers : model.capability >= 860 ? Self.drivers : Self.oldDrivers
        let (driverVersion, cuda) = generator.pick(driver)
        let isFast = host.isDatacenter || generator.chance(0.4)
        let ports = isPick ? 100 : generator.chance(0.12) ? 0 : generator.pick([4, 16, 50, 100, 249, 999])
        let download = isFast ? generator.double(700...9500) : generator.double(60...900)
        let generation = isNew ? 5.0 : generator.pick([3.0, 4.0, 4.0])
        let memory = Int(generator.pick([2.0, 2.0, 3.0, 4.0]) * Double(model.memory * count))
        return Machine(
            id: id, hostID: host.id, gpu: model, gpuCount: count,
            gpusTakenByOthers: isPick || !generator.chance(0.22) ? 0 : generator.int(1...count),
            isDatacenter: host.isDatacenter, isVerified: isVerified, isDeverified: isDeverified,
            reliability: (reliability * 10_000).rounded() / 10_000, location: host.place.name,
            geocode: host.place.code, publicAddress: "\(host.network).\(generator.int(2...250))",
            directPorts: ports, hasStaticAddress: host.isDatacenter || generator.chance(0.5),
            upload: download * generator.double(0.4...1.0), download: download,
            uploadCost: host.isDatacenter ? generator.double(0...0.004) : generator.double(0.002...0.03),
            downloadCost: host.isDatacenter ? generator.double(0...0.003) : generator.double(0.001...0.02),
            cpuName: cpu.name, cpuThreads: max(cpu.threads, count * 4), cpuGHz: cpu.gigahertz,
            memory: max(memory, 32_000) / 1000 * 1000 + generator.int(100...990),
            boardName: generator.pick(host.isDatacenter ? Self.serverBoards : Self.desktopBoards),
            diskName: generator.pick(Self.disks),
            diskSpace: (generator.double(80...3600) * 10).rounded() / 10,
            diskBandwidth: (generator.double(600...7200) * 10).rounded() / 10,
            storageCost: generator.pick([0.0667, 0.1, 0.1333, 0.15, 0.15, 0.2, 0.3]),
            osVersion: generator.pick(["20.04", "22.04", "22.04", "24.04"]), driverVersion: driverVersion,
            cudaVersion: cuda, pcieGeneration: generation,
            pcieLanes: host.isDatacenter ? 16 : generator.pick([4, 8, 16, 16]),
            pcieBandwidth: (generation * generator.double(2.8...6.2) * 10).rounded() / 10,
            nvlinkBandwidth: model.name.contains("SXM") && count > 1 ? generator.double(240...450) : 0,
            drivesDisplay: !host.isDatacenter && generator.chance(0.08),
            gpuPrice: (model.price * generator.double(host.isDatacenter ? 0.95...1.45 : 0.78...1.3) * 10_000)
                .rounded() / 10_000,
            minimumBidFraction: generator.double(0.45...0.7), listedFor: generator.double(5...400) * 86_400,
            availableFor: generator.double(isPick ? 20...200 : 0.4...200) * 86_400)
    }

    private static func host(
        for model: GPUModel, among hosts: inout [Host], using generator: inout SeededGenerator
    ) -> Host {
        let wantsDatacenter = model.isDatacenter && generator.chance(0.75)
        let known = hosts.filter { $0.isDatacenter == wantsDatacenter }
        if !known.isEmpty, generator.chance(0.62) { return generator.pick(known) }
        let host = Host(
            id: 60_000 + hosts.count * 113 + generator.int(0...100), isDatacenter: wantsDatacenter,
            place: generator.pick(Self.places),
            // These are documentation ranges: no address here belongs to anybody.
            network: generator.pick(["192.0.2", "198.51.100", "203.0.113"]))
        hosts.append(host)
        return host
    }

    private static let places: [(name: String, code: Int)] = [
        ("Quebec, CA", 1_234_567), ("Ontario, CA", 1_234_570), ("California, US", 2_100_004),
        ("Texas, US", 2_100_043), ("Washington, US", 2_100_047), ("Virginia, US", 2_100_046),
        ("New York, US", 2_100_032), (", US", 2_100_000), ("Sweden, SE", 3_400_001),
        ("Norway, NO", 3_400_002),
        ("Finland, FI", 3_400_003), ("Germany, DE", 3_400_011), ("France, FR", 3_400_012),
        ("United Kingdom, GB", 3_400_013), ("Netherlands, NL", 3_400_014), ("Poland, PL", 3_400_015),
        ("Czechia, CZ", 3_400_016), ("Spain, ES", 3_400_017), ("Bulgaria, BG", 3_400_018),
        ("Iceland, IS", 3_400_019), ("Japan, JP", 4_500_001), ("South Korea, KR", 4_500_002),
        ("Taiwan, TW", 4_500_003), ("Singapore, SG", 4_500_004), ("India, IN", 4_500_005),
        ("Australia, AU", 4_500_006), ("Brazil, BR", 5_600_001), ("South Africa, ZA", 6_700_001),
    ]

    private static let serverProcessors: [(name: String, threads: Int, gigahertz: Double)] = [
        ("AMD EPYC 7402P 24-Core Processor", 48, 2.8), ("AMD EPYC 7763 64-Core Processor", 128, 2.45),
        ("AMD EPYC 9354 32-Core Processor", 64, 3.25), ("AMD EPYC 9654 96-Core Processor", 192, 2.4),
        ("Intel(R) Xeon(R) Platinum 8480+", 112, 2.0), ("Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz", 56, 2.0),
    ]
    private static let desktopProcessors: [(name: String, threads: Int, gigahertz: Double)] = [
        ("AMD Ryzen 9 5950X 16-Core Processor", 32, 3.4), ("AMD Ryzen 7 5800X 8-Core Processor", 16, 3.8),
        ("AMD Ryzen Threadripper 3970X 32-Core Processor", 64, 3.7),
        ("13th Gen Intel(R) Core(TM) i9-13900K", 32, 3.0),
        ("Intel(R) Xeon(R) CPU E5-2698 v4 @ 2.20GHz", 40, 2.2), ("AMD EPYC 7282 16-Core Processor", 32, 2.8),
    ]
    private static let serverBoards = ["ROMED8-2T", "H12DSG-O-CPU", "X13DEG-OA", "S8050GM4NE-2T", "MZ33-AR0"]
    private static let desktopBoards = [
        "ROG STRIX X570-E GAMING", "B550M PRO-VDH", "PRIME Z790-P", "X99-WS", "ROMED8-2T",
    ]
    private static let disks = [
        "SAMSUNG MZQL23T8", "WD_BLACK SN850X 2000GB", "Samsung SSD 990 PRO 4TB", "KINGSTON SNV2S2000G",
        "INTEL SSDPE2KX040T8", "CT4000P3PSSD8",
    ]
    private static let newDrivers = [("570.133.07", 12.8), ("575.57.08", 12.9), ("580.65.06", 13.0)]
    private static let drivers = [
        ("535.183.01", 12.2), ("550.127.05", 12.4), ("560.35.03", 12.6), ("570.133.07", 12.8),
        ("580.65.06", 13.0),
    ]
    private static let oldDrivers = [
        ("470.256.02", 11.4), ("525.147.05", 12.0), ("535.183.01", 12.2), ("550.127.05", 12.4),
    ]
}
