import Foundation

/// Pods as the two APIs show them; both views are made from the same data.
enum RunPodRows {
    static func status(_ rental: Rental) -> String {
        if rental.isEnding { return "TERMINATED" }
        guard rental.wantsToRun else { return "EXITED" }
        return switch rental.phase {
        case .provisioning, .created: "PROVISIONING"
        case .loading, .recycling: "STARTING"
        case .running, .rebooting: "RUNNING"
        // The command ended although nobody stopped it.
        case .exited: "ERROR"
        }
    }

    static func actions(_ rental: Rental) -> [String] {
        switch Self.status(rental) {
        case "PROVISIONING", "STARTING": ["stop", "terminate"]
        case "RUNNING": ["stop", "restart", "terminate"]
        case "EXITED", "ERROR": ["start", "terminate"]
        default: []
        }
    }

    static func mayStart(_ rental: Rental?) -> Bool {
        rental.map { Self.actions($0).contains("start") } ?? true
    }

    /// Returns nil for a pod that is being terminated: the platform no longer shows it.
    static func pod(_ rental: Rental, isBusy: Bool, user: String, now: Double) -> JSON? {
        guard let pod = rental.pod, !rental.isEnding else { return nil }
        let status = Self.status(rental)
        // If a pod's machine is offline, the ordered status is still shown, and the machine's own data is
        // missing.
        let runs = status == "RUNNING" && !rental.isOffline
        var proxy: JSON = nil
        if status != "PROVISIONING" {
            // The proxy carries a terminal only, and is not emulated: nobody answers to that name.
            proxy = [
                "host": "127.0.0.1", "port": .int(rental.proxyPort), "username": .string(pod.hostID),
                "command": .string("ssh \(pod.hostID)@127.0.0.1 -p \(rental.proxyPort)"),
            ]
        }
        var direct: JSON = nil
        if runs, let port = rental.directPort {
            direct = [
                "host": "127.0.0.1", "port": .int(port), "username": .string(user),
                "command": .string("ssh \(user)@127.0.0.1 -p \(port)"),
            ]
        }
        let own: JSON? = pod.volume.map {
            ["persistent": ["size": .int($0.size), "path": .string($0.path)]]
        }
        let shared: JSON? = pod.networkVolume.map {
            ["network": [["volumeId": .string($0.id), "path": .string($0.path)]]]
        }
        return [
            "id": .string(pod.id), "name": .string(pod.name), "status": .string(status),
            "actions": .array(Self.actions(rental).map(JSON.string)), "image": .string(pod.image),
            "args": .string(pod.arguments), "disk": .int(pod.containerDisk),
            "mounts": own ?? shared ?? [:],
            "ports": .array(pod.ports.map(JSON.string)),
            "env": .object(pod.environment.mapValues(JSON.string)), "registry": .optional(pod.registry),
            "gpu": [
                "id": .string(rental.isOther ? "NVIDIA GeForce RTX 3060" : pod.host.kind.id),
                "count": .int(pod.gpuCount),
            ],
            "cloud": .string(pod.host.cloud.rawValue), "dataCenterId": .optional(pod.host.dataCenter?.id),
            "cudaVersion": .string(pod.host.cudaVersion), "ssh": ["proxy": proxy, "direct": direct],
            "template": nil, "cost": .rounded(Self.cost(rental), 4), "locked": .bool(pod.isLocked),
            "globalNetworking": ["enabled": false],
            "runtime": runs ? Self.runtime(rental, pod, isBusy: isBusy, now: now) : nil,
            "createdAt": Self.date(rental.createdAt), "startedAt": pod.startedAt.map(Self.date) ?? nil,
        ]
    }

    /// The price of the GPUs alone; storage is billed separately and not shown.
    static func cost(_ rental: Rental) -> Double { rental.isChargedForGPU ? rental.gpuPrice : 0 }

    static func date(_ time: Double) -> JSON { .string(Self.time(time)) }

    static func time(_ time: Double) -> String { Date(timeIntervalSince1970: time).ISO8601Format() }

    static func uptime(_ pod: Pod, now: Double) -> Int { Int(max(0, now - (pod.startedAt ?? now))) }

    /// `private`, `public`, type and address of each open port.
    static func ports(_ rental: Rental) -> [(inner: Int, outer: Int, type: String, address: String)] {
        guard let pod = rental.pod, let direct = rental.directPort else { return [] }
        return pod.ports.compactMap { text in
            let parts = text.split(separator: "/")
            guard parts.count == 2, let number = Int(parts[0]) else { return nil }
            if parts[1] == "http" { return (number, 60_000 + number % 5000, "http", "100.65.0.101") }
            guard pod.hasPublicAddress else { return nil }
            // Pods share the host's network, so any other port is reached by its own number.
            return (number, number == 22 ? direct : number, "tcp", "127.0.0.1")
        }
    }

    private static func runtime(_ rental: Rental, _ pod: Pod, isBusy: Bool, now: Double) -> JSON {
        let load = isBusy ? Int(88 + 9 * sin(now / 4.3)) : 0
        let gpu: JSON = ["util": .int(load), "memoryUtil": .int(isBusy ? 48 : 0)]
        return [
            "uptime": .int(Self.uptime(pod, now: now)),
            "gpus": .array(Array(repeating: gpu, count: pod.gpuCount)),
            "cpu": ["util": .int(isBusy ? 41 : 0)], "memory": ["util": .int(isBusy ? 12 : 1)],
            "ports": .array(
                Self.ports(rental).map { port in
                    [
                        "private": .int(port.inner), "public": .int(port.outer), "type": .string(port.type),
                        "ip": .string(port.address),
                    ]
                }),
        ]
    }
}
