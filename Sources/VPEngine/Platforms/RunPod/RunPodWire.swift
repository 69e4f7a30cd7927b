import Foundation

/// Conversions between RunPod's pods and the model. Only this type knows their field names.
enum RunPodWire {
    /// Returns the body of a request to rent. The server refuses any key that it does not know.
    ///
    /// - Parameter publicKeys: lines for `authorized_keys`.
    static func rentBody(_ request: RentRequest, publicKeys: [String]) -> JSONValue {
        let offer = RunPodOfferID(request.offer.id.rawValue)
        let environment = RunPodWire.environment(request, publicKeys: publicKeys)
        var gpu: [String: JSONValue] = [
            "id": .string(offer.gpu), "count": .number(Double(request.offer.gpuCount)),
        ]
        if let cuda = request.minimumCUDA { gpu["minCudaVersion"] = .string(Figures.fixed(cuda, 1)) }
        var body: [String: JSONValue] = [
            "name": .string(request.name), "image": .string(request.image), "gpu": .object(gpu),
            "cloud": "SECURE",
            // A stop wipes the container's disk; the volume lasts.
            "disk": .number(Double(RunPodOffer.containerDiskGB)),
            "mounts": [
                "persistent": [
                    "size": .number(Double(RunPodOffer.volumeGB(request.diskBytes))), "path": "/workspace",
                ]
            ],
            // No port is open unless it is requested.
            "ports": ["22/tcp"], "startSsh": true,
            "env": .object(environment.mapValues(JSONValue.string)),
        ]
        if !offer.dataCenters.isEmpty {
            body["dataCenterIds"] = .array(offer.dataCenters.map(JSONValue.string))
        }
        if let args = RunPodWire.startCommand(request) {
            body["args"] = .string(args)
        }
        return .object(body)
    }

    private static func environment(_ request: RentRequest, publicKeys: [String]) -> [String: String] {
        var environment = request.environment
        let names = environment.keys.filter { $0 != "PUBLIC_KEY" }.sorted()
        // A stop wipes the file that shells read them from, and only the container's own environment keeps
        // the values.
        if !names.isEmpty { environment[RentRequest.namesVariable] = names.joined(separator: " ") }
        // Set here rather than left to `startSsh`, which does nothing for an account without keys.
        if environment["PUBLIC_KEY"] == nil {
            environment["PUBLIC_KEY"] = publicKeys.joined(separator: "\n")
        }
        return environment
    }

    // MARK: Bids

    /// The variable that marks a pod rented with a bid: REST does not distinguish it from others.
    private static let bidVariable = "VP_INTERRUPTIBLE"

    /// Returns the GraphQL input that rents `request` with a bid.
    static func bidInput(_ request: RentRequest, publicKeys: [String]) -> JSONValue {
        let offer = RunPodOfferID(request.offer.id.rawValue)
        var environment = RunPodWire.environment(request, publicKeys: publicKeys)
        environment[RunPodWire.bidVariable] = "1"
        var input: [String: JSONValue] = [
            "bidPerGpu": .number(RunPodOffer.bid(of: request)), "name": .string(request.name),
            "imageName": .string(request.image), "gpuTypeId": .string(offer.gpu),
            "gpuCount": .number(Double(request.offer.gpuCount)), "cloudType": "SECURE",
            "containerDiskInGb": .number(Double(RunPodOffer.containerDiskGB)),
            "volumeInGb": .number(Double(RunPodOffer.volumeGB(request.diskBytes))),
            "volumeMountPath": "/workspace", "ports": "22/tcp", "startSsh": true,
            "env": .array(
                environment.sorted { $0.key < $1.key }.map {
                    ["key": .string($0.key), "value": .string($0.value)]
                }),
        ]
        // The call takes one data center, or none.
        if let center = offer.dataCenters.first { input["dataCenterId"] = .string(center) }
        if let cuda = request.minimumCUDA { input["minCudaVersion"] = .string(Figures.fixed(cuda, 1)) }
        if let args = RunPodWire.startCommand(request) {
            input["dockerArgs"] = .string(args)
        }
        return .object(input)
    }

    /// Returns the query whose answer `lowestBids` reads.
    static func lowestBidsDocument(_ query: OfferQuery) -> String {
        let cuda = query.minimumCUDA.map { #", minCudaVersion: "\#(Figures.fixed($0, 1))""# } ?? ""
        return """
            query { gpuTypes { id lowestPrice(input: {gpuCount: \(max(1, query.gpuCount)), \
            secureCloud: true\(cuda)}) { minimumBidPrice } } }
            """
    }

    /// Reads the bids in dollars an hour for one GPU, by its id. A price of null means that none is free.
    static func lowestBids(_ json: JSONValue) throws(WireDamage) -> [String: Double] {
        guard let rows = json["data"]["gpuTypes"].array else {
            throw WireDamage(words: "the answer has no list of GPUs")
        }
        var bids: [String: Double] = [:]
        for row in rows {
            guard let id = row["id"].text else { throw WireDamage(words: "a GPU in the answer has no id") }
            if let bid = row["lowestPrice"]["minimumBidPrice"].hourly, bid > 0 { bids[id] = bid }
        }
        return bids
    }

    // MARK: Pods

    /// Returns the container's command, or nil if the image's own will do.
    ///
    /// RunPod's images start sshd in `/start.sh`; in any other image the command starts it, and installs it
    /// first if it is missing.
    static func startCommand(_ request: RentRequest) -> String? {
        let texts = [request.bootGuard, request.onStart].compactMap(\.self)
        guard !texts.isEmpty || !request.image.hasPrefix("runpod/") else { return nil }
        // The text is encoded, so that no quote in it can end ours.
        var steps = texts.map { "echo \(Data($0.utf8).base64EncodedString()) | base64 -d | sh" }
        steps += [
            "[ -x /start.sh ] && exec /start.sh",
            "command -v sshd >/dev/null && command -v rsync >/dev/null"
                + " || { apt-get update && apt-get install -y openssh-server rsync; }",
            "mkdir -p /root/.ssh /run/sshd", "echo \"$PUBLIC_KEY\" >> /root/.ssh/authorized_keys",
            "chmod 700 /root/.ssh", "chmod 600 /root/.ssh/authorized_keys", "ssh-keygen -A",
            "exec $(command -v sshd) -D -e",
        ]
        return "bash -c '\(steps.joined(separator: "; "))'"
    }

    /// Reads one page of the list; `refused` describes each row without a usable id.
    static func page(_ json: JSONValue) throws(WireDamage) -> (
        instances: [Instance], refused: [String], next: String?
    ) {
        guard let rows = json["pods"].array else { throw WireDamage(words: "the answer has no list of pods") }
        var instances: [Instance] = []
        var refused: [String] = []
        for row in rows where !RunPodWire.isTerminated(row) {
            switch try InstanceListing.id(of: row, on: .runpod) {
            case .usable(let id): instances.append(RunPodWire.instance(id, row))
            case .refused(let words): refused.append(words)
            }
        }
        let pagination = json["pagination"]
        let hasNext = pagination["hasNextPage"].bool ?? !pagination["nextCursor"].isNull
        guard hasNext else { return (instances, refused, nil) }
        guard let next = pagination["nextCursor"].text else {
            throw WireDamage(words: "the list has a next page, but no cursor for it")
        }
        return (instances, refused, next)
    }

    /// Reads one pod; nil for a pod that the platform itself calls terminated.
    static func instance(_ row: JSONValue) throws(WireDamage) -> Instance? {
        switch try InstanceListing.id(of: row, on: .runpod) {
        case .usable(let id): return RunPodWire.isTerminated(row) ? nil : RunPodWire.instance(id, row)
        case .refused(let words): throw WireDamage(words: words)
        }
    }

    private static func isTerminated(_ row: JSONValue) -> Bool {
        !row["id"].isNull && row["status"].text?.uppercased() == "TERMINATED"
    }

    private static func instance(_ id: InstanceID, _ row: JSONValue) -> Instance {
        let status = RunPodWire.status(row["status"].text?.uppercased())
        let gpu = row["gpu"]
        let model = gpu["id"].text.flatMap(GPUName.select)?.models.first
        let volumeGB = RunPodWire.gigabytes(row["mounts"]["persistent"]["size"])
        let diskGB = RunPodWire.gigabytes(row["disk"])
        let isStopped = status == .stopped
        // `cost` is the GPU alone, and 0 for a stopped pod, whose volume is still billed, at twice its rate.
        let storage = RunPodOffer.storageDollarsPerHour(
            gigabytes: isStopped ? volumeGB : volumeGB + diskGB, isStopped: isStopped)
        return Instance(
            id: id, name: row["name"].words(limit: 200), status: status,
            gpuName: gpu["id"].words(limit: 60).map(GPUName.display)
                ?? (row["cpu"].isNull ? Instance.unknownGPU : "CPU"),
            gpuCount: gpu["count"].isNull ? (gpu.isNull ? 0 : 1) : gpu["count"].whole(in: .gpus) ?? 0,
            gpuMemoryBytes: model.flatMap {
                $0.memoryGB.count == 1
                    ? NumberRange.bytes.read(Double($0.memoryGB[0]) * RunPodOffer.bytesPerGPUGigabyte) : nil
            },
            price: HourlyPrice(dollarsPerHour: (row["cost"].hourly ?? 0) + storage),
            createdAt: RunPodWire.date(row["createdAt"]), image: row["image"].words(limit: 300),
            addresses: status == .running ? RunPodWire.addresses(row) : [],
            diskBytes: NumberRange.bytes.read((volumeGB > 0 ? volumeGB : diskGB) * 1e9),
            location: row["dataCenterId"].words(limit: 60),
            isInterruptible: !row["env"][RunPodWire.bidVariable].isNull)
    }

    /// Reads a size; a figure that is negative or larger than any disk counts as 0.
    private static func gigabytes(_ value: JSONValue) -> Double {
        value.number(in: .gigabytes) ?? 0
    }

    private static func status(_ word: String?) -> InstanceStatus {
        switch word {
        case "PROVISIONING", "CREATED": .pending
        case "STARTING", "RESTARTING": .loading
        case "RUNNING": .running
        case "EXITED": .stopped
        case "ERROR", "FAILED", "DEAD": .failed
        default: .unknown
        }
    }

    /// Returns only the direct address: the proxy carries a terminal and nothing else, so neither a job nor
    /// rsync.
    ///
    /// Stopped pods still show the ports of their last run, so callers use this only for running ones.
    private static func addresses(_ row: JSONValue) -> [SSHAddress] {
        let direct = row["ssh"]["direct"]
        // An invalid user name is never put into a command, and most images know `root`.
        let user = direct["username"].text ?? "root"
        if let address = direct["host"].address(port: direct["port"], user: user)
            ?? direct["host"].address(port: direct["port"])
        {
            return [address]
        }
        for binding in row["runtime"]["ports"].array ?? [] {
            guard binding["private"].whole(in: .port) == 22, binding["type"].text?.lowercased() == "tcp",
                let address = binding["ip"].address(port: binding["public"]),
                !RunPodWire.isProxyAddress(address.host)
            else { continue }
            return [address]
        }
        return []
    }

    /// True for 100.64.0.0/10, which the platform uses internally and nobody can reach from outside.
    private static func isProxyAddress(_ host: String) -> Bool {
        let parts = host.split(separator: ".").compactMap { NumberRange.octet.read($0) }
        return parts.count == 4 && parts[0] == 100 && (64..<128).contains(parts[1])
    }

    /// Reads every network volume, as if none were in use.
    static func volumes(_ json: JSONValue) throws(WireDamage) -> [Volume] {
        guard let rows = json["networkVolumes"].array else {
            throw WireDamage(words: "the answer has no list of network volumes")
        }
        var volumes: [Volume] = []
        for row in rows {
            guard let id = row["id"].text, let size = row["size"].number(in: .gigabytes) else {
                throw WireDamage(words: "a network volume in the answer has no id or no size")
            }
            volumes.append(
                Volume(
                    platform: .runpod, id: id, name: row["name"].words(limit: 200),
                    price: HourlyPrice(dollarsPerHour: RunPodOffer.networkVolumeDollarsPerHour(size)),
                    isUnattached: true))
        }
        return volumes
    }

    /// Returns the ids of the network volumes that the pods of a list use.
    static func mountedVolumes(_ json: JSONValue) -> Set<String> {
        Set(
            (json["pods"].array ?? []).flatMap { pod in
                (pod["mounts"]["network"].array ?? []).compactMap { $0["volumeId"].text }
            })
    }

    /// Reads the records of a bill as charges by day.
    static func charges(_ json: JSONValue, now: Date) throws(WireDamage) -> [Charge] {
        guard let rows = json["records"].array else {
            throw WireDamage(words: "the answer has no billing records")
        }
        var charges: [Charge] = []
        for row in rows {
            guard let id = row["podId"].text.flatMap({ InstanceID(.runpod, fromOutside: $0) }),
                let start = RunPodWire.date(row["startTime"]),
                let dollars = row["totalAmount"].number(in: .dollars)
            else { throw WireDamage(words: "a billing record has no pod, no time or no amount") }
            let day = UTCDay.midnight(start)
            charges.append(
                Charge(
                    instance: id, day: day, dollars: dollars,
                    countedUntil: min(day.addingTimeInterval(UTCDay.seconds), now)))
        }
        return charges
    }

    /// Reads RFC 3339 with or without a fraction; older rows have Go's own form, `2026-07-01 21:42:02.335
    /// +0000 UTC`.
    static func date(_ value: JSONValue) -> Date? {
        guard var text = value.text?.trimmingSpaces() else { return nil }
        if text.hasSuffix(" UTC") {
            text = text.dropLast(4).split(separator: " ").prefix(2).joined(separator: "T") + "Z"
        }
        let plain = Date.ISO8601FormatStyle()
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return ((try? plain.parse(text)) ?? (try? fractional.parse(text)))?.withinBounds
    }

    /// Reads the lines of the account's keys.
    static func keys(_ json: JSONValue) throws(WireDamage) -> [String] {
        guard let rows = json["keys"].array else {
            throw WireDamage(words: "the answer has no list of ssh keys")
        }
        var keys: [String] = []
        for row in rows {
            guard let key = row.text?.trimmingSpaces() else {
                throw WireDamage(words: "an ssh key in the answer is not a text")
            }
            keys.append(key)
        }
        return keys
    }

    /// Returns the key's type and material without its comment, which may differ.
    static func material(_ key: String) -> String {
        key.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
    }

    /// Returns the lines of a log that came as server-sent events, in order.
    static func logLines(_ body: [UInt8]) -> [String] {
        var lines: [String] = []
        let text = String(decoding: body, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
        for line in text.split(separator: "\n") where line.hasPrefix("data:") {
            let payload = line.dropFirst(5).drop(while: { $0 == " " })
            let parsed = try? JSONParser.parse(Array(payload.utf8))
            guard let parsed, let object = parsed.object, case .string(let words)? = object["line"] else {
                lines.append(String(payload))
                continue
            }
            lines.append(words)
        }
        return lines
    }
}
