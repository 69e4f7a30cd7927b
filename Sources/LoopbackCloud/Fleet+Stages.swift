import Foundation

/// The stages an instance goes through, each after a pause that would be real seconds at speed 1.
extension Fleet {
    enum Sequence {
        case boot, start, stop, reboot, recycle, destroy
        /// The container ends and starts again without a visible stage.
        case restartContainer
    }

    /// Begins a sequence, which replaces one in progress for the same instance.
    func begin(_ sequence: Sequence, _ id: Int) {
        guard let rental = self.rentals[id] else { return }
        rental.steps?.cancel()
        if sequence == .boot {
            let event = FaultEvent(rental.market, at: rental.offer.machine)
            self.rentals[id]?.isOther = self.takeFault(.otherHardware, event) != nil
        }
        let number = rental.sequence + 1
        self.rentals[id]?.sequence = number
        self.rentals[id]?.steps = Task { [weak self] in
            do {
                try await self?.perform(sequence, id, number)
            } catch is CancellationError {
                // The sequence was replaced, destroyed or closed; the replacement continues from here.
            } catch {
                await self?.note("error: \(error)", id)
            }
        }
    }

    private func perform(_ sequence: Sequence, _ id: Int, _ number: Int) async throws {
        if self.rentals[id]?.pod != nil { return try await self.performPod(sequence, id, number) }
        switch sequence {
        case .boot:
            try await self.pause(2...4, id, number)
            self.enter(.created, id)
            try await self.pause(1...2, id, number)
            try await self.pullImage(id, number)
            try await self.startContainer(id, number)
        case .start:
            // The platform shows the old state for a while.
            try await self.pause(2...4, id, number)
            self.enter(.loading, id, message: "starting container")
            try await self.pause(3...6, id, number)
            try await self.startContainer(id, number)
        case .stop:
            try await self.pause(1...2, id, number)
            await self.rentals[id]?.instance.shutDown()
            try self.check(id, number)
            self.rentals[id]?.directPort = nil
            self.enter(.exited, id, message: nil)
            self.rentals[id]?.holdsGPU = false
        case .reboot:
            self.enter(.rebooting, id, message: "rebooting")
            await self.rentals[id]?.instance.shutDown()
            try await self.pause(3...6, id, number)
            try await self.startContainer(id, number)
        case .recycle:
            self.enter(.recycling, id, message: "recycling")
            await self.rentals[id]?.instance.shutDown()
            try self.check(id, number)
            self.rentals[id]?.directPort = nil
            if let rental = self.rentals[id] {
                try await rental.instance.prepare(
                    onStart: rental.terms.onStart, keys: rental.keys.map(\.text))
            }
            try await self.pullImage(id, number)
            try await self.startContainer(id, number)
        case .destroy:
            await self.rentals[id]?.instance.erase()
            try await self.pause(0.2...0.6, id, number)
            self.remove(id)
        case .restartContainer:
            await self.rentals[id]?.instance.shutDown()
            try self.check(id, number)
            // The address is the same, so that a client sees an unknown key there.
            try await self.startContainer(id, number, port: self.rentals[id]?.directPort)
        }
    }

    func pullImage(_ id: Int, _ number: Int) async throws {
        guard let rental = self.rentals[id] else { return }
        let image = rental.terms.image
        let event = FaultEvent(rental.market, at: rental.offer.machine)
        if self.takeFault(.neverPlaced, event) != nil { try await self.waitForOtherOrders() }
        self.enter(.loading, id, message: "pulling image \(image)")
        if let fault = self.takeFault(.bootError, event) {
            try await self.pause(2...4, id, number)
            let text = fault.text ?? "Error response from daemon: OCI runtime create failed: unknown"
            self.enter(
                .loading, id, message: text.replacingOccurrences(of: "IMAGE", with: image))
            return try await self.waitForOtherOrders()
        }
        if self.takeFault(.imagePullError, event) != nil {
            try await self.pause(2...4, id, number)
            let text =
                "Error response from daemon: manifest for \(image) not found: manifest unknown: manifest unknown"
            self.enter(.loading, id, message: text)
            return try await self.waitForOtherOrders()
        }
        let isStuck = self.takeFault(.imageNeverLoads, event) != nil
        let layers = (0..<6).map { _ in self.generator.hex(12) }
        for (index, layer) in layers.enumerated() {
            let progress = index < 3 ? "Downloading  \(self.generator.int(3...97))%" : "Extracting"
            self.enter(.loading, id, message: "\(layer): \(progress)")
            try await self.pause(1...2, id, number)
            if isStuck, index == 2 { try await self.waitForOtherOrders() }
            self.note("\(layer): Pull complete", id)
        }
        self.enter(.loading, id, message: "Status: Downloaded newer image for \(image)")
        try await self.pause(1...2, id, number)
    }

    /// Waits until the sequence is replaced.
    private func waitForOtherOrders() async throws {
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    private func startContainer(_ id: Int, _ number: Int, port known: Int? = nil) async throws {
        guard let rental = self.rentals[id] else { return }
        await self.holdBackKeys(id)
        let late = self.daemonDelay(of: rental)
        let port = known ?? PortPicker.freePort()
        var environment = rental.terms.environment
        environment["CONTAINER_ID"] = String(id)
        environment["CONTAINER_API_KEY"] = rental.apiKey
        environment["VAST_CONTAINERLABEL"] = "C.\(id)"
        environment["VAST_TCP_PORT_22"] = String(port)
        environment["PUBLIC_IPADDR"] = "127.0.0.1"
        environment["GPU_COUNT"] = String(rental.offer.gpuCount)
        environment["DATA_DIRECTORY"] = "/workspace/"
        environment["SSH_PUBLIC_KEY"] = rental.keys.first?.text ?? ""
        try await rental.instance.start(
            directPort: port, proxyPort: rental.proxyPort, environment: environment, delay: late)
        // A stop may have come while the container was being started, and found nothing to end.
        if self.rentals[id]?.wantsToRun != true { await rental.instance.shutDown() }
        try self.check(id, number)
        self.rentals[id]?.directPort = port
        let image = rental.terms.image.replacingOccurrences(of: ":", with: "_")
        let kind =
            rental.terms.runtype.contains("jupyter")
            ? "jupyter" : rental.terms.runtype == "args" ? "args" : "ssh"
        self.enter(.running, id, message: "success, running \(image)/\(kind)\n")
    }

    /// Seconds from the container's start to the moment sshd listens.
    func daemonDelay(of rental: Rental) -> Double {
        let event = FaultEvent(rental.market, at: rental.offer.machine)
        if let seconds = self.takeFault(.sshdLate, event)?.seconds { return seconds }
        return self.generator.double(1.5...3) / self.options.speed
    }

    /// Makes sshd of a container that is about to start refuse every key for some time, if a fault says so.
    func holdBackKeys(_ id: Int) async {
        guard let rental = self.rentals[id] else { return }
        let event = FaultEvent(rental.market, at: rental.offer.machine)
        guard let seconds = self.takeFault(.keyRefused, event)?.seconds else { return }
        let instance = rental.instance
        try? await instance.admitKeys(false)
        self.strikes.append(
            Task {
                try await Task.sleep(for: .seconds(seconds))
                try await instance.admitKeys(true)
            })
    }

    /// Books the use so far, because the phase decides the price, and then changes the phase.
    func enter(_ phase: Rental.Phase, _ id: Int, message: String? = nil) {
        self.charge()
        self.rentals[id]?.phase = phase
        self.rentals[id]?.message = message
        if let message { self.note(message, id) }
        if phase == .running { self.strikeNewcomer(id) }
        self.watchCredit()
    }

    func note(_ text: String, _ id: Int) {
        let line = text.trimmingCharacters(in: .newlines)
        self.rentals[id]?.platformLog.append(line)
        self.rentals[id]?.pod?.log.append(.init(time: self.clock(), source: "system", text: line))
    }

    func pause(_ seconds: ClosedRange<Double>, _ id: Int, _ number: Int) async throws {
        try await Task.sleep(for: .seconds(self.generator.double(seconds) / self.options.speed))
        try self.check(id, number)
    }

    /// Throws if another sequence has begun for `id`, or if it is gone.
    func check(_ id: Int, _ number: Int) throws {
        guard self.rentals[id]?.sequence == number else { throw CancellationError() }
    }

    /// Detects containers that ended by themselves.
    func refresh() async {
        for rental in self.rentals.values where rental.phase == .running {
            guard await rental.instance.hasDied(), self.rentals[rental.id]?.sequence == rental.sequence else {
                continue
            }
            self.rentals[rental.id]?.directPort = nil
            self.enter(.exited, rental.id, message: "container exited")
        }
    }
}
