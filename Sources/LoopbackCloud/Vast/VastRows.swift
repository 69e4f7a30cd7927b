import Foundation

/// The platform's JSON for an offer and for an instance.
enum VastRows {
    /// - Parameter storage: the disk, in GB, that the price includes.
    static func offer(
        _ offer: Offer, storage: Double, isBid: Bool, isRentable: Bool, isRented: Bool, minimumBid: Double,
        startedAt: Double
    ) -> [String: JSON] {
        let gpuPrice = isBid ? minimumBid : offer.gpuPrice
        let diskPrice = offer.storagePrice(gigabytes: storage)
        var row = Self.hardware(offer, gpuPrice: gpuPrice, diskPrice: diskPrice)
        let machine = offer.machine
        let more: [String: JSON] = [
            "id": .int(offer.id), "ask_contract_id": .int(offer.id), "bundled_results": nil,
            "hostname": nil, "cluster_id": nil, "gpu_ids": .array(offer.gpuIDs.map(JSON.int)),
            "gpu_total_ram": .int(offer.gpu.memory * offer.gpuCount),
            "gpu_max_power": .number(offer.gpu.power),
            "gpu_max_temp": .number(offer.gpu.isDatacenter ? 85 : 89),
            "gpu_display_active": .bool(machine.drivesDisplay), "compute_cap": .int(offer.gpu.capability),
            "driver_vers": .int(Self.driverNumber(machine.driverVersion)), "cpu_ghz": .number(machine.cpuGHz),
            "has_avx": 1, "disk_space": .number(machine.diskSpace),
            "internet_up_cost_per_tb": .rounded(machine.uploadCost * 1024, 2),
            "internet_down_cost_per_tb": .rounded(machine.downloadCost * 1024, 2),
            "public_ipaddr": .string(machine.publicAddress), "geolocode": .int(machine.geocode),
            "reliability": .number(machine.reliability),
            "expected_reliability": .rounded(machine.reliability * 0.997, 4),
            "reliability_mult": .rounded(0.9 + machine.reliability * 0.09, 4),
            "vericode": .int(machine.isVerified ? 1 : 0), "vms_enabled": false, "is_vm_deverified": false,
            "rentable": .bool(isRentable), "rented": .bool(isRented), "external": nil,
            "is_bid": .bool(isBid), "resource_type": "gpu", "min_bid": .rounded(minimumBid, 4),
            "dph_total_adj": .rounded((gpuPrice + diskPrice) * 1.02, 4), "discount_rate": 0.0,
            "discounted_hourly": 0.0, "discounted_dph_total": .rounded(gpuPrice + diskPrice, 4),
            "start_date": .rounded(startedAt - machine.listedFor, 1),
            "end_date": .rounded(startedAt + machine.availableFor, 1),
            "duration": .rounded(machine.availableFor, 1),
            "avail_vol_ask_id": .int(offer.id + 7), "avail_vol_dph": .rounded(machine.storageCost / 720, 6),
            "avail_vol_size": .rounded(machine.diskSpace * 0.6, 1),
            "nw_disk_min_bw": nil, "nw_disk_max_bw": nil, "nw_disk_avg_bw": nil, "rn": 1,
            // The GPUs of an offer cost nothing yet.
            "instance": Self.price(gpu: 0, disk: diskPrice),
        ]
        row.merge(more) { $1 }
        return row
    }

    /// - Parameters:
    ///   - isBusy: `true` if the GPU has work.
    ///   - now: the time of the row.
    static func instance(
        _ rental: Rental, minimumBid: Double, isBusy: Bool, diskUsage: Double?, now: Double
    ) -> [String: JSON] {
        let offer = rental.offer
        let machine = offer.machine
        var row = Self.hardware(offer, gpuPrice: rental.gpuPrice, diskPrice: rental.storagePrice)
        let end = rental.createdAt + machine.availableFor
        let runs = rental.phase == .running
        let load = isBusy ? 88 + 9 * sin(now / 4.3) : 0
        let state = rental.holdsGPU ? "running" : "stopped"
        let more: [String: JSON] = [
            "id": .int(rental.id), "label": .optional(rental.terms.label),
            "actual_status": rental.phase == .provisioning ? nil : .string(rental.phase.rawValue),
            "intended_status": .string(rental.wantsToRun ? "running" : "stopped"),
            "cur_state": .string(state), "next_state": .string(rental.wantsToRun ? "running" : "stopped"),
            "status_msg": .optional(rental.message), "image_uuid": .string(rental.terms.image),
            "image_args": [],
            "image_runtype": .string(rental.terms.runtype),
            "extra_env": .array(rental.terms.options.map { [.string($0.name), .string($0.value)] }),
            "onstart": .optional(rental.terms.onStart),
            "jupyter_token": .string(String(rental.apiKey.prefix(24))),
            "template_id": nil, "template_hash_id": nil, "template_name": nil,
            "ssh_host": "127.0.0.1", "ssh_port": .int(rental.proxyPort), "ssh_idx": "1",
            "machine_dir_ssh_port": .int(rental.directPort ?? rental.proxyPort),
            // The platform leaves a newline in the first address, and spaces in the second.
            "public_ipaddr": "127.0.0.1\n", "local_ipaddrs": "127.0.0.1 \n",
            // These are never null.
            "direct_port_start": .int(rental.directPort ?? -1),
            "direct_port_end": .int(rental.directPort ?? -1),
            "start_date": .rounded(rental.createdAt, 2), "end_date": .rounded(end, 1),
            "duration": .rounded(max(0, end - now), 1), "uptime_mins": nil,
            "gpu_totalram": .int(offer.gpu.memory * offer.gpuCount),
            "gpu_util": runs ? .rounded(load, 1) : nil,
            "gpu_temp": runs ? .rounded(33 + load * 0.36, 1) : nil,
            "vmem_usage": runs ? .rounded(Double(offer.gpu.memory) / 1000 * (isBusy ? 0.48 : 0.01), 2) : nil,
            "cpu_util": runs ? .rounded(isBusy ? 41 + 6 * sin(now / 9) : 0.4, 1) : nil,
            "mem_limit": .rounded(Double(machine.memory) * offer.gpuFraction / 1000, 1),
            "mem_usage": runs ? .rounded(isBusy ? 9.7 : 0.9, 1) : nil,
            "disk_space": .number(rental.terms.disk), "disk_usage": diskUsage.map { .rounded($0, 2) } ?? -1,
            "disk_util": diskUsage.map { .rounded($0 / max(rental.terms.disk, 0.001), 4) } ?? -1,
            "country_code": .string(String(machine.location.suffix(2))), "rentable": true, "external": false,
            "is_bid": .bool(rental.terms.bid != nil), "min_bid": .rounded(minimumBid, 4),
            "credit_balance": nil, "credit_discount": nil, "client_run_time": 1.1,
            "host_run_time": .rounded(machine.listedFor, 1), "volume_info": [],
            "instance": Self.price(
                gpu: rental.isChargedForGPU ? rental.gpuPrice : 0, disk: rental.storagePrice),
        ]
        row.merge(more) { $1 }
        if let ports = Self.ports(of: rental) { row["ports"] = ports }
        if rental.isOther { row["gpu_name"] = "RTX 3060" }
        if rental.isOffline { row["actual_status"] = "offline" }
        return row
    }

    /// The port mappings; nil until the container runs: null would crash the official client.
    private static func ports(of rental: Rental) -> JSON? {
        guard let port = rental.directPort, rental.phase == .running else { return nil }
        func mapping(_ port: String) -> JSON { [["HostIp": "0.0.0.0", "HostPort": .string(port)]] }
        var ports: [String: JSON] = [:]
        if rental.isPublished { ports["22/tcp"] = mapping(String(port)) }
        for option in rental.terms.options where option.name.hasPrefix("-p ") {
            // Instances share the host's network, so a port is reached by its own number.
            let inner = option.name.dropFirst(3).split(separator: ":").last.map(String.init) ?? ""
            let parts = inner.split(separator: "/")
            guard let number = parts.first else { continue }
            ports["\(number)/\(parts.count > 1 ? parts[1] : "tcp")"] = mapping(String(number))
        }
        return .object(ports)
    }

    /// The columns that offers and instances have in common.
    private static func hardware(_ offer: Offer, gpuPrice: Double, diskPrice: Double) -> [String: JSON] {
        let machine = offer.machine
        let gpu = offer.gpu
        let count = Double(offer.gpuCount)
        let total = gpuPrice + diskPrice
        let score = gpu.benchmark * count * machine.reliability / max(total, 0.001)
        let verification =
            machine.isVerified ? "verified" : machine.isDeverified ? "deverified" : "unverified"
        return [
            "machine_id": .int(machine.id), "host_id": .int(machine.hostID),
            "bundle_id": .int(offer.bundleID),
            "hosting_type": .int(machine.isDatacenter ? 1 : 0), "num_gpus": .int(offer.gpuCount),
            "gpu_name": .string(gpu.name), "gpu_arch": "nvidia", "gpu_frac": .rounded(offer.gpuFraction, 4),
            "gpu_ram": .int(gpu.memory), "gpu_mem_bw": .number(gpu.memoryBandwidth),
            "gpu_lanes": .int(machine.pcieLanes), "bw_nvlink": .rounded(machine.nvlinkBandwidth, 1),
            "cpu_name": .string(machine.cpuName), "cpu_arch": "amd64", "cpu_cores": .int(machine.cpuThreads),
            "cpu_cores_effective": .rounded(Double(machine.cpuThreads) * offer.gpuFraction, 1),
            "cpu_ram": .int(machine.memory), "disk_name": .string(machine.diskName),
            "disk_bw": .number(machine.diskBandwidth), "inet_up": .rounded(machine.upload, 1),
            "inet_down": .rounded(machine.download, 1), "inet_up_cost": .rounded(machine.uploadCost, 5),
            "inet_down_cost": .rounded(machine.downloadCost, 5),
            "cuda_max_good": .number(machine.cudaVersion),
            "driver_version": .string(machine.driverVersion), "os_version": .string(machine.osVersion),
            "mobo_name": .string(machine.boardName), "pci_gen": .number(machine.pcieGeneration),
            "pcie_bw": .number(machine.pcieBandwidth), "geolocation": .string(machine.location),
            "static_ip": .bool(machine.hasStaticAddress), "direct_port_count": .int(machine.directPorts),
            "verification": .string(verification), "reliability2": .number(machine.reliability),
            "dph_base": .rounded(gpuPrice, 4), "dph_total": .rounded(total, 4),
            "storage_cost": .number(machine.storageCost), "storage_total_cost": .rounded(diskPrice, 5),
            "vram_costperhour": .rounded(gpuPrice / (Double(gpu.memory) * count), 8),
            "credit_discount_max": 0.4,
            "search": Self.price(gpu: gpuPrice, disk: diskPrice),
            "dlperf": .rounded(gpu.benchmark * count, 1),
            "dlperf_per_dphtotal": .rounded(gpu.benchmark * count / max(total, 0.001), 1),
            "total_flops": .rounded(gpu.teraflops * count, 1),
            "flops_per_dphtotal": .rounded(gpu.teraflops * count / max(total, 0.001), 1),
            "score": .rounded(score, 1), "logo": "/static/logos/vastai_small2.png", "webpage": nil,
            "time_remaining": "", "time_remaining_isbid": "",
        ]
    }

    private static func price(gpu: Double, disk: Double) -> JSON {
        [
            "gpuCostPerHour": .rounded(gpu, 4), "diskHour": .rounded(disk, 5),
            "totalHour": .rounded(gpu + disk, 4),
            "discountTotalHour": 0, "discountedTotalPerHour": .rounded(gpu + disk, 4),
        ]
    }

    /// `570.133.07` → 570133007.
    static func driverNumber(_ version: String) -> Int {
        let parts = version.split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]
        return parts[0] * 1_000_000 + parts[1] * 1000 + parts[2]
    }
}
