import Foundation

/// Pods: their placement, stages and logs.
extension Fleet {
    // MARK: Capacity

    /// The number of free GPUs on each host, keyed by its machine's number.
    func freeGPUs() -> [Int: Int] {
        var free: [Int: Int] = [:]
        for host in self.stock.hosts {
            free[host.machine.id] = host.machine.gpuCount - host.machine.gpusTakenByOthers
        }
        for rental in self.rentals.values where rental.pod != nil && rental.holdsGPU {
            free[rental.offer.machine.id, default: 0] -= rental.offer.gpuCount
        }
        return free
    }

    /// The hosts where `order` could be placed now.
    private func hosts(for order: PodOrder) -> [RunPodStock.Host] {
        let free = self.freeGPUs()
        return order.clouds.flatMap { cloud in
            self.stock.hosts.filter { host in
                host.kind == order.kind && host.cloud == cloud
                    && free[host.machine.id, default: 0] >= order.gpuCount
                    && (order.dataCenters.isEmpty
                        || host.dataCenter.map { order.dataCenters.contains($0.id) } ?? false)
                    && (order.countries.isEmpty || order.countries.contains(host.country))
                    && (order.minimumCUDA.map { host.machine.cudaVersion >= $0 } ?? true)
                    && (order.allowedCUDA.isEmpty || order.allowedCUDA.contains(host.cudaVersion))
            }
        }
    }

    // MARK: Orders

    func deploy(_ order: PodOrder) async throws(Refusal) -> Rental {
        guard !self.isClosed else { throw .failed("the cloud is closing") }
        let price = order.clouds.map(order.kind.price).first { $0 > 0 } ?? 0
        // The credit must cover one hour.
        guard self.currentCredit(.runPod) >= price * Double(order.gpuCount) else { throw .noCredit }
        guard let host = self.hosts(for: order).first else { throw .noCapacity }
        let event = FaultEvent(.runPod, at: host.machine)
        if self.takeFault(.noCapacity, event) != nil { throw .noCapacity }
        if self.takeFault(.offerTaken, event) != nil { throw .offerTaken }
        if let bid = order.bid {
            let least = host.machine.gpuPrice * host.machine.minimumBidFraction * Double(order.gpuCount)
            // Nothing is left behind: RunPod answers such a bid like a lack of GPUs.
            if bid < least || self.takeFault(.bidTooLow, event) != nil { throw .noCapacity }
        }

        let number = self.nextNumber()
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        let pod = Pod(
            id: String((0..<14).map { _ in self.generator.pick(alphabet) }),
            hostSuffix: self.generator.hex(8), host: host, gpuCount: order.gpuCount,
            hasPublicAddress: host.cloud == .secure || order.wantsPublicAddress, name: order.name,
            image: order.image, arguments: order.arguments, containerDisk: order.containerDisk,
            volume: order.volume,
            networkVolume: order.networkVolume.map { volume in
                Pod.NetworkMount(
                    id: volume.id, path: volume.path, folder: "\(self.folder)/volumes/\(volume.id)")
            }, ports: order.ports, environment: order.environment, registry: order.registry)
        let offer = Offer(
            id: 90_000_000 + number, bundleID: 0, machine: host.machine, gpuCount: order.gpuCount,
            gpuIDs: [])
        let now = self.clock()
        self.charge()
        self.rentals[number] = Rental(
            id: number, offer: offer, apiKey: "rpa_" + self.generator.hex(40).uppercased(), createdAt: now,
            proxyPort: PortPicker.freePort(),
            instance: LoopbackInstance(
                id: number, folder: "\(self.folder)/instances/\(number)", programs: self.programs,
                offer: offer, seed: self.options.seed, manner: pod.manner),
            pod: pod,
            terms: RentalTerms(
                image: order.image, disk: Double(order.containerDisk), runtype: "pod", bid: order.bid),
            keys: [], wantsToRun: true, holdsGPU: true, lastCharge: now)
        do {
            try await self.rentals[number]?.instance.prepare(onStart: nil, keys: self.installedKeys(of: pod))
        } catch {
            self.rentals[number] = nil
            throw .failed(String(describing: error))
        }
        self.begin(.boot, number)
        self.watchCredit()
        guard let rental = self.rentals[number] else { throw .noSuchRental }
        return rental
    }

    /// The keys to install. In a sandbox the container installs its own key, or does not; a plain sshd cannot
    /// rely on that.
    private func installedKeys(of pod: Pod) -> [String] {
        guard self.programs.bubblewrap == nil else { return [] }
        return (pod.environment["PUBLIC_KEY"] ?? "").split(separator: "\n").map(String.init)
    }

    func pods() -> [Rental] {
        self.rentals.values.filter { $0.pod != nil }.sorted { $0.createdAt > $1.createdAt }
    }

    func pod(_ id: String) -> Rental? { self.rentals.values.first { $0.pod?.id == id } }

    func pod(withKey apiKey: String) -> Rental? {
        self.rentals.values.first { $0.pod != nil && $0.apiKey == apiKey }
    }

    func change(_ id: String, _ body: (inout Pod) -> Void) {
        guard let number = self.pod(id)?.id else { return }
        self.charge()
        if self.rentals[number]?.pod != nil { body(&self.rentals[number]!.pod!) }
    }

    /// Starts a pod on the host that it was placed on, or not at all.
    func startPod(_ id: String) throws(Refusal) {
        guard let rental = self.pod(id), !rental.isEnding else { throw .noSuchRental }
        guard self.currentCredit(.runPod) > 0 else { throw .noCredit }
        if !rental.holdsGPU {
            let free = self.freeGPUs()[rental.offer.machine.id, default: 0]
            let isOutbid = rental.terms.bid.map { $0 < self.minimumBid(for: rental.offer) } ?? false
            let event = FaultEvent(.runPod, at: rental.offer.machine)
            if free < rental.offer.gpuCount || isOutbid || self.takeFault(.startRefused, event) != nil {
                throw .gpuUnavailable
            }
        }
        self.charge()
        self.rentals[rental.id]?.wantsToRun = true
        self.rentals[rental.id]?.holdsGPU = true
        // The status changes while the container is starting.
        self.enter(.loading, rental.id, message: "start container for \(rental.terms.image)")
        self.begin(.start, rental.id)
    }

    /// - Parameter bid: the bid for one GPU, in dollars an hour.
    func setPodBid(_ bid: Double, of id: String) throws(Refusal) {
        guard let rental = self.pod(id) else { throw .noSuchRental }
        self.charge()
        if rental.terms.bid != nil {
            self.rentals[rental.id]?.terms.bid = bid * Double(rental.offer.gpuCount)
        }
    }

    func stopPod(_ id: String) throws(Refusal) {
        guard let rental = self.pod(id) else { throw .noSuchRental }
        try self.stop(rental.id)
        // The pod counts as exited from now on, so anybody may take its GPU, and a start has to ask for it.
        self.rentals[rental.id]?.holdsGPU = false
        self.watchCredit()
    }

    func restartPod(_ id: String) throws(Refusal) {
        guard let rental = self.pod(id) else { throw .noSuchRental }
        self.rentals[rental.id]?.directPort = nil
        self.begin(.reboot, rental.id)
    }

    /// Terminates a pod; returns when nothing of it is left.
    func terminatePod(_ id: String) async throws(Refusal) {
        guard let rental = self.pod(id) else { throw .noSuchRental }
        try self.destroy(rental.id)
        await self.rentals[rental.id]?.steps?.value
    }

    // MARK: Stages

    func performPod(_ sequence: Sequence, _ id: Int, _ number: Int) async throws {
        switch sequence {
        case .boot:
            self.note("create container \(self.rentals[id]?.terms.image ?? "")", id)
            try await self.pause(2...4, id, number)
            try await self.pullImage(id, number)
            try await self.runContainer(id, number)
        case .start, .recycle:
            // A stop may still be in progress.
            await self.rentals[id]?.instance.shutDown()
            try await self.pause(2...5, id, number)
            try await self.wipe(id, number)
            try await self.runContainer(id, number)
        case .reboot:
            try await self.wipe(id, number)
            try await self.pause(1...2, id, number)
            try await self.runContainer(id, number)
        case .stop:
            self.rentals[id]?.directPort = nil
            self.note("stop container", id)
            await self.rentals[id]?.instance.shutDown()
            try self.check(id, number)
            self.enter(.exited, id)
            self.rentals[id]?.holdsGPU = false
        case .destroy:
            self.rentals[id]?.directPort = nil
            await self.rentals[id]?.instance.erase()
            self.remove(id)
        case .restartContainer:
            await self.rentals[id]?.instance.shutDown()
            try self.check(id, number)
            // The address is the same, so that a client sees an unknown key there.
            try await self.runContainer(id, number, port: self.rentals[id]?.directPort)
        }
    }

    /// Wipes the container's disk, which does not outlive the container; the volume does.
    private func wipe(_ id: Int, _ number: Int) async throws {
        guard let rental = self.rentals[id], let pod = rental.pod else { return }
        try await rental.instance.wipe(keeping: pod.volume?.path)
        // The image's start script creates the host keys, so a new container has new ones.
        try await rental.instance.makeHostKey()
        try self.check(id, number)
    }

    private func runContainer(_ id: Int, _ number: Int, port known: Int? = nil) async throws {
        guard let rental = self.rentals[id], let pod = rental.pod else { return }
        let port = known ?? PortPicker.freePort()
        var environment = pod.environment
        environment["RUNPOD_POD_ID"] = pod.id
        environment["RUNPOD_API_KEY"] = rental.apiKey
        environment["RUNPOD_POD_HOSTNAME"] = pod.hostID
        environment["RUNPOD_DC_ID"] = pod.host.dataCenter?.id
        environment["RUNPOD_GPU_COUNT"] = String(pod.gpuCount)
        environment["RUNPOD_CPU_COUNT"] = String(pod.gpuCount * 16)
        environment["RUNPOD_PUBLIC_IP"] = "127.0.0.1"
        if pod.isSSHPublished { environment["RUNPOD_TCP_PORT_22"] = String(port) }
        self.note("start container for \(pod.image): begin", id)
        await self.holdBackKeys(id)
        try await rental.instance.start(
            directPort: port, proxyPort: rental.proxyPort, environment: environment,
            delay: self.daemonDelay(of: rental))
        // A stop may have come while the container was being started, and found nothing to end.
        if self.rentals[id]?.wantsToRun != true { await rental.instance.shutDown() }
        try self.check(id, number)
        self.rentals[id]?.pod?.startedAt = self.clock()
        self.enter(.running, id)
        guard pod.isSSHPublished else { return }
        // The pod is shown as running some time before its address is.
        if known == nil { try await self.pause(1...3, id, number) }
        self.rentals[id]?.directPort = port
    }

    // MARK: Logs

    /// The log so far, oldest first, ending with the container's output since the last look.
    func podLog(_ id: String) async -> [Pod.LogLine]? {
        guard let rental = self.pod(id) else { return nil }
        let output = await rental.instance.containerLog()
        guard let pod = self.rentals[rental.id]?.pod else { return nil }
        var lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // The text after the last newline is not a line yet.
        lines.removeLast()
        for line in lines.dropFirst(pod.containerLines) {
            self.rentals[rental.id]?.pod?.log.append(
                .init(time: self.clock(), source: "container", text: line))
        }
        self.rentals[rental.id]?.pod?.containerLines = max(lines.count, pod.containerLines)
        return self.rentals[rental.id]?.pod?.log
    }
}

extension Fleet {
    /// Replaces all of the account's keys; running pods keep theirs.
    func setPodKeys(_ keys: [String]) { self.podKeys = keys }
}
