import Foundation

/// Conversions between vast.ai's JSON and the model. Only this type knows its field names.
enum VastWire {
    /// Reads offers. Rows that lack a part of an offer are left out, since odd machines exist; if all rows
    /// do, the answer is damaged, not empty.
    static func offers(_ json: JSONValue, isInterruptible: Bool) throws(WireDamage) -> [Offer] {
        guard let rows = json["offers"].array else {
            throw WireDamage(words: "the answer has no list of offers")
        }
        // An offer with an invalid price would come first in every order by cost, and is left out as well.
        let offers = rows.compactMap { try? VastWire.offer($0, isInterruptible: isInterruptible)?.bounded() }
        guard rows.isEmpty || !offers.isEmpty else {
            throw WireDamage(words: "no row of the list of offers can be read")
        }
        return offers
    }

    private static func offer(_ row: JSONValue, isInterruptible: Bool) throws(WireDamage) -> Offer? {
        guard let id = (row["ask_contract_id"].text ?? row["id"].text)?.trimmingSpaces(), id.utf8.count <= 64,
            let gpuName = row["gpu_name"].words(limit: 60),
            let gpuCount = row["num_gpus"].whole(in: .gpus) ?? row["gpu_ids"].array?.count, gpuCount > 0,
            let price = row["dph_total"].isNull ? row["search"]["totalHour"].hourly : row["dph_total"].hourly
        else { return nil }
        return Offer(
            id: OfferID(platform: .vast, rawValue: id), gpuName: gpuName, gpuCount: gpuCount,
            gpuMemoryBytes: row["gpu_ram"].bytes(unit: 1e6)
                ?? row["gpu_total_ram"].bytes(unit: 1e6 / Double(gpuCount)) ?? 0,
            price: HourlyPrice(dollarsPerHour: price),
            cpuCores: row["cpu_cores_effective"].number(in: .cores),
            memoryBytes: row["cpu_ram"].bytes(unit: 1e6),
            diskBytes: row["disk_space"].bytes(unit: 1e9),
            storageDollarsPerGBMonth: try row["storage_cost"].dollarsPerGB(),
            // The platform's "up" is traffic that leaves the instance: results that we download.
            uploadDollarsPerGB: try row["inet_up_cost"].dollarsPerGB(),
            downloadDollarsPerGB: try row["inet_down_cost"].dollarsPerGB(),
            uploadMbps: row["inet_up"].number(in: .megabits),
            downloadMbps: row["inet_down"].number(in: .megabits),
            reliability: row["reliability"].number(in: .share) ?? row["reliability2"].number(in: .share),
            location: row["geolocation"].words(limit: 60),
            cudaVersion: row["cuda_max_good"].number(in: .version), isInterruptible: isInterruptible,
            machineID: row["machine_id"].words(limit: 64), isVerified: VastWire.isVerified(row)
        )
    }

    private static func isVerified(_ row: JSONValue) -> Bool {
        // The search asked for verified machines, so a word that did not exist when this was written means
        // verified.
        let word = row["verification"].text?.lowercased() ?? "verified"
        return !["unverified", "deverified"].contains(word)
    }

    /// Returns the body of a request to rent.
    static func rentBody(_ request: RentRequest) -> JSONValue {
        var body: [String: JSONValue] = [
            "client_id": "me", "image": .string(request.image), "label": .string(request.name),
            "disk": .number((Double(request.diskBytes) / 1e9).rounded(.up)),
            // Direct ssh and, as the fallback, proxied ssh, in the spelling that the official client sends.
            "runtype": "ssh_direc ssh_proxy",
            // The server takes an object, though the published schema says string.
            "env": .object(request.environment.mapValues(JSONValue.string)),
            "target_state": "running",
            // Otherwise an order for a machine that was taken meanwhile leaves a stopped contract that bills
            // its disk.
            "cancel_unavail": true,
        ]
        if let onStart = VastWire.onStart(request) { body["onstart"] = .string(onStart) }
        // A price makes it a bid. Ours includes the disk and so is a little above the lowest bid.
        if request.offer.isInterruptible { body["price"] = .number(request.offer.price.dollarsPerHour) }
        return .object(body)
    }

    /// Returns the guard followed by the user's commands, which may take for ever. The guard is left out if
    /// both together exceed the platform's limit, or if another program than a shell reads the text.
    static func onStart(_ request: RentRequest) -> String? {
        guard let bootGuard = request.bootGuard else { return request.onStart }
        var lines = (request.onStart ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        var first = "#!/bin/sh"
        if let line = lines.first, line.hasPrefix("#!") {
            guard line.hasSuffix("sh") else { return request.onStart }
            first = String(lines.removeFirst())
        }
        let text = "\(first)\n\(bootGuard)\(lines.joined(separator: "\n"))"
        return text.utf8.count <= 4048 ? text : request.onStart
    }

    /// Reads one page of the v1 list; `refused` describes each row without a usable id.
    static func page(
        _ json: JSONValue, wasStarted: (InstanceID) -> Bool
    ) throws(WireDamage) -> (instances: [Instance], refused: [String], nextToken: String?) {
        guard let rows = json["instances"].array else {
            throw WireDamage(words: "the answer has no list of instances")
        }
        if rows.isEmpty, let total = json["total_instances"].whole(in: .count), total > 0 {
            throw WireDamage(words: "the list of instances is empty, but its total is \(total)")
        }
        var instances: [Instance] = []
        var refused: [String] = []
        for row in rows {
            switch try InstanceListing.id(of: row, on: .vast) {
            case .usable(let id): instances.append(VastWire.instance(id, row, wasStarted: wasStarted))
            case .refused(let words): refused.append(words)
            }
        }
        return (instances, refused, json["next_token"].text)
    }

    /// Reads the answer for one instance: an object, null if it is gone, an array on older servers.
    static func single(_ json: JSONValue, wasStarted: (InstanceID) -> Bool) throws(WireDamage) -> Instance? {
        switch json.object?["instances"] {
        case .null?: return nil
        case .array(let rows)?:
            guard let row = rows.first else { return nil }
            return try VastWire.instance(of: row, wasStarted: wasStarted)
        case let row?: return try VastWire.instance(of: row, wasStarted: wasStarted)
        case nil: throw WireDamage(words: "the answer has no instance")
        }
    }

    private static func instance(
        of row: JSONValue, wasStarted: (InstanceID) -> Bool
    ) throws(WireDamage) -> Instance {
        switch try InstanceListing.id(of: row, on: .vast) {
        case .usable(let id): return VastWire.instance(id, row, wasStarted: wasStarted)
        case .refused(let words): throw WireDamage(words: words)
        }
    }

    private static func instance(
        _ id: InstanceID, _ row: JSONValue, wasStarted: (InstanceID) -> Bool
    ) -> Instance {
        let status = VastWire.status(row, wasStarted: wasStarted(id))
        var instance = Instance(
            id: id, name: row["label"].words(limit: 200), status: status,
            statusMessage: row["status_msg"].words(limit: 300),
            gpuName: row["gpu_name"].words(limit: 60) ?? Instance.unknownGPU,
            gpuCount: row["num_gpus"].isNull ? 1 : row["num_gpus"].whole(in: .gpus) ?? 0,
            gpuMemoryBytes: row["gpu_ram"].bytes(unit: 1e6),
            price: HourlyPrice(dollarsPerHour: VastWire.price(row, status: status)),
            createdAt: row["start_date"].date, image: row["image_uuid"].words(limit: 300),
            addresses: VastWire.addresses(row),
            diskBytes: row["disk_space"].bytes(unit: 1e9),
            location: row["geolocation"].words(limit: 60), machineID: row["machine_id"].words(limit: 64),
            isInterruptible: row["is_bid"].bool ?? false
        )
        instance.stoppedPrice = row["storage_total_cost"].hourly.map { HourlyPrice(dollarsPerHour: $0) }
        return instance
    }

    /// Returns the current price. `instance.totalHour` follows the state; the other fields apply while it
    /// runs.
    private static func price(_ row: JSONValue, status: InstanceStatus) -> Double {
        if let charged = row["instance"]["totalHour"].hourly { return charged }
        if status == .stopped, let disk = row["storage_total_cost"].hourly { return disk }
        return row["dph_total"].hourly ?? row["dph_base"].hourly ?? 0
    }

    /// Returns the addresses, direct ssh first: it is faster, and what rsync wants. The proxy works on every
    /// machine.
    private static func addresses(_ row: JSONValue) -> [SSHAddress] {
        var addresses: [SSHAddress] = []
        if let binding = row["ports"]["22/tcp"].array?.first,
            let address = row["public_ipaddr"].address(port: binding["HostPort"])
        {
            addresses.append(address)
        }
        // Beside Jupyter, the port in the row is Jupyter's, and ssh listens on the next.
        let isJupyter = row["image_runtype"].text?.contains("jupyter") ?? false
        if let address = row["ssh_host"].address(port: row["ssh_port"], isNextPort: isJupyter) {
            addresses.append(address)
        }
        return addresses
    }

    static func keys(_ json: JSONValue) throws(WireDamage) -> [AccountKey] {
        guard let rows = json.array ?? json["ssh_keys"].array else {
            throw WireDamage(words: "the answer has no list of ssh keys")
        }
        var keys: [AccountKey] = []
        for row in rows where row["deleted_at"].isNull {
            guard let id = row["id"].text, let key = row["key"].text ?? row["public_key"].text else {
                throw WireDamage(words: "an ssh key in the answer has no id or no text")
            }
            keys.append(AccountKey(id: id, publicKey: key.trimmingSpaces()))
        }
        return keys
    }

    static func volumes(_ json: JSONValue) throws(WireDamage) -> [Volume] {
        guard let rows = json["volumes"].array else {
            throw WireDamage(words: "the answer has no list of volumes")
        }
        var volumes: [Volume] = []
        for row in rows {
            guard let id = row["id"].text else { throw WireDamage(words: "a volume in the answer has no id") }
            // The figure is in dollars an hour, as everywhere on the platform unless a month is named.
            let price = row["storage_total_cost"].hourly ?? 0
            volumes.append(
                Volume(
                    platform: .vast, id: id.trimmingSpaces(), name: row["label"].words(limit: 200),
                    price: HourlyPrice(dollarsPerHour: price),
                    isUnattached: row["instances"].array?.isEmpty ?? (row["status"].text != "in-use"),
                    createdAt: row["start_date"].date))
        }
        return volumes
    }

    static func charges(_ json: JSONValue, on day: Date, until end: Date) throws(WireDamage) -> [Charge] {
        guard let rows = json["results"].array else {
            throw WireDamage(words: "the answer has no list of charges")
        }
        var charges: [Charge] = []
        for row in rows {
            guard let source = row["source"].text, let dollars = row["amount"].number(in: .dollars) else {
                throw WireDamage(words: "a charge in the answer has no source or no amount")
            }
            // Volumes and endpoints are charged as well, but are no instances.
            guard source.hasPrefix("instance-") else { continue }
            guard let id = InstanceID(.vast, fromOutside: String(source.dropFirst(9))) else {
                throw WireDamage(words: "a charge in the answer has an invalid instance id")
            }
            charges.append(Charge(instance: id, day: day, dollars: dollars, countedUntil: end))
        }
        return charges
    }
}
