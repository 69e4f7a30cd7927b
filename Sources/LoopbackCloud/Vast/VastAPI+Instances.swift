import Foundation

/// Instances: list, show, orders, logs.
extension VastAPI {
    /// Columns that the contract stores; filters accept only these.
    private static let storedColumns: Set<String> = [
        "id", "label", "actual_status", "intended_status", "cur_state", "next_state", "gpu_name",
        "verification",
        "machine_id", "host_id", "image_uuid", "start_date", "end_date", "is_bid", "geolocation",
        "template_id",
    ]

    func list(_ query: [String: String]) async throws(VastError) -> APIReply {
        let filters = try Self.parameter("select_filters", in: query)?.members ?? [:]
        if let unknown = filters.keys.first(where: { !Self.storedColumns.contains($0) }) {
            throw .invalidRequest("\(unknown) is not a valid search key")
        }
        let search: VastSearch
        do {
            search = try VastSearch(filters: filters)
        } catch {
            throw .invalidRequest(error.message)
        }
        let all = await self.rows()
        let found = all.filter { row in
            // Here `id` is a column like any other.
            search.matches(row, isPlain: true)
        }
        var order = try Self.parameter("order_by", in: query)?.elements?.map { entry -> JSON in
            [entry["col"] ?? "id", entry["dir"] ?? "asc"]
        }
        if let unknown = order?.first(where: {
            $0.elements?.first?.text.map { $0 != "id" && all.first?[$0] == nil } ?? true
        }),
            !all.isEmpty
        {
            throw .invalidRequest("\(unknown.elements?.first?.text ?? "order_by") is not a valid search key")
        }
        order = (order ?? []) + [["id", "asc"]]
        let sorted = VastSearch.sort(found, by: order.map(JSON.array))

        var limit = query["limit"].flatMap { Int($0) } ?? 25
        limit = limit <= 0 ? 5 : min(limit, 25)
        let start = try Self.position(of: query["after_token"])
        let page = sorted.dropFirst(start).prefix(limit)
        let end = start + page.count
        let columns = try Self.parameter("select_cols", in: query)?.elements?.compactMap(\.text) ?? ["*"]
        var shown: [JSON] = []
        for known in page {
            let rental = await self.fleet.rental(known["id"]?.integer ?? 0)
            let row = if let rental { await self.row(rental) } else { known }
            shown.append(
                .object(
                    columns.contains("*")
                        ? row : Dictionary(columns.map { ($0, row[$0] ?? .null) }) { $1 }))
        }
        var labels: [String: JSON] = [:]
        for row in all {
            let label = row["label"]?.text ?? ""
            labels[label] = .int((labels[label]?.integer ?? 0) + 1)
        }
        return .json([
            "success": true, "instances_found": .int(shown.count), "total_instances": .int(sorted.count),
            "label_counts": .object(labels), "instances": .array(shown),
            "next_token": end < sorted.count ? .string(Data("after:\(end)".utf8).base64EncodedString()) : nil,
        ])
    }

    private static func parameter(_ name: String, in query: [String: String]) throws(VastError) -> JSON? {
        guard let text = query[name], !text.isEmpty else { return nil }
        guard let value = JSON(parsing: Data(text.utf8)) else {
            throw .invalidRequest("\(name) is not valid json")
        }
        return value
    }

    private static func position(of token: String?) throws(VastError) -> Int {
        guard let token, !token.isEmpty else { return 0 }
        let text = Data(base64Encoded: token).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard text.hasPrefix("after:"), let position = Int(text.dropFirst(6)), position >= 0 else {
            throw .invalidToken
        }
        return position
    }

    /// All instances without a look into their containers: a list has many pages, and each of them finds and
    /// sorts all instances.
    private func rows() async -> [[String: JSON]] {
        await self.fleet.refresh()
        var rows: [[String: JSON]] = []
        for rental in await self.fleet.rentals.values where rental.pod == nil {
            rows.append(await self.row(rental, looksInside: false))
        }
        return rows
    }

    private func row(_ rental: Rental, looksInside: Bool = true) async -> [String: JSON] {
        let runs = rental.phase == .running
        let isBusy = looksInside && runs ? await rental.instance.isBusy() : false
        let usage =
            looksInside && (runs || rental.phase == .exited) ? await rental.instance.diskUsage() : nil
        return VastRows.instance(
            rental, minimumBid: await self.fleet.minimumBid(for: rental.offer), isBusy: isBusy,
            diskUsage: usage, now: self.fleet.clock())
    }

    func filters() async -> APIReply {
        let distinct = Set(
            await self.rows().map { row -> JSON in
                [
                    "actual_status": row["actual_status"] ?? nil, "verification": row["verification"] ?? nil,
                    "gpu_name": row["gpu_name"] ?? nil,
                ]
            })
        return .json(["filters": .array(distinct.sorted { $0.serialized < $1.serialized })])
    }

    // MARK: One instance

    func instance(
        _ method: String, _ path: [String], _ body: JSON, _ request: APIRequest
    ) async throws(VastError) -> APIReply {
        if let id = Int(path[0]) {
            switch (method, path.count > 1 ? path[1] : nil) {
            case ("GET", nil): return await self.show(id)
            case ("PUT", nil): return try await self.order(id, body)
            case ("DELETE", nil): return try await self.perform(id) { try await $0.destroy(id) }
            case (_, "ssh"?): return try await self.instanceKeys(method, id, Array(path.dropFirst(2)), body)
            default: throw .notFound
            }
        }
        guard path.count == 2, let id = Int(path[1]) else {
            throw .invalidArguments("invalid instance_id", ask: nil)
        }
        switch (method, path[0]) {
        case ("PUT", "reboot"): return try await self.perform(id) { try await $0.reboot(id) }
        case ("PUT", "recycle"):
            guard await self.fleet.rental(id) != nil else { throw .invalidID }
            return try await self.perform(id) { try await $0.recycle(id) }
        case ("PUT", "bid_price"):
            let price = body["price"]?.double
            if let price, price < 0.001 { throw .invalidRequest("Please set a bid price >= 0.001.") }
            return try await self.perform(id) { try await $0.setBid(price, of: id) }
        case ("PUT", "request_logs"): return try await self.logs(id, body, request)
        case ("PUT", "command"): return try await self.command(id, body, request)
        case ("GET", "balance"):
            guard await self.fleet.rental(id) != nil else { throw .noSuchInstance(id) }
            return .json([
                "success": true, "refundable_deposit": 0, "total_discount": 0, "discount_months": 0,
            ])
        default: throw .notFound
        }
    }

    private func show(_ id: Int) async -> APIReply {
        await self.fleet.refresh()
        guard let rental = await self.fleet.rental(id) else { return .json(["instances": nil]) }
        var row = await self.row(rental)
        // This member is only in the list.
        row["volume_info"] = nil
        return .json(["instances": .object(row)])
    }

    private func order(_ id: Int, _ body: JSON) async throws(VastError) -> APIReply {
        if let label = body["label"] {
            let text = label.text
            guard (text ?? "").utf8.count <= 1024 else { throw .labelTooLong }
            return try await self.perform(id) { try await $0.setLabel(text, of: id) }
        }
        switch body["state"]?.text {
        case "running": return try await self.perform(id) { try await $0.start(id) }
        case "stopped": return try await self.perform(id) { try await $0.stop(id) }
        default: throw .invalidArguments("nothing to change", ask: nil)
        }
    }

    private func perform(_ id: Int, _ order: (Fleet) async throws -> Void) async throws(VastError) -> APIReply
    {
        do {
            guard await self.fleet.rental(id) != nil else { throw VastError.noSuchInstance(id) }
            try await order(self.fleet)
            return .json(["success": true])
        } catch Fleet.Refusal.gpuUnavailable {
            throw .gpuUnavailable
        } catch Fleet.Refusal.noCredit {
            throw .noCredit
        } catch Fleet.Refusal.noSuchKey {
            throw .noSuchKey
        } catch {
            throw .noSuchInstance(id)
        }
    }

    func orderSeveral(_ body: JSON) async throws(VastError) -> APIReply {
        for id in body["ids"]?.elements?.compactMap(\.integer) ?? [] { _ = try await self.order(id, body) }
        return .json(["success": true])
    }

    /// The official client repeats this call even after success, so an id that is gone is no error.
    func destroySeveral(_ body: JSON) async throws(VastError) -> APIReply {
        let ids = body["instance_ids"]?.elements ?? body["ids"]?.elements ?? []
        for id in ids.compactMap(\.integer) where await self.fleet.rental(id) != nil {
            try? await self.fleet.destroy(id)
        }
        return .json(["success": true])
    }

    private func instanceKeys(
        _ method: String, _ id: Int, _ path: [String], _ body: JSON
    ) async throws(VastError) -> APIReply {
        guard let rental = await self.fleet.rental(id) else { throw .noSuchInstance(id) }
        switch (method, path.first) {
        case ("GET", nil):
            let keys = rental.keys.map { ["id": .int($0.id), "public_key": .string($0.text)] as JSON }
            // The array is sent as text inside the JSON.
            return .json(["success": true, "ssh_keys": .string(JSON.array(keys).serialized)])
        case ("POST", nil):
            guard let text = body["ssh_key"]?.text, text.hasPrefix("ssh") || text.hasPrefix("ecdsa") else {
                throw .noSSHKey
            }
            _ = try await self.perform(id) { try await $0.attachKey(text, to: id) }
            return .json(["success": true, "msg": "SSH key attached successfully"])
        case ("DELETE", let key?):
            _ = try await self.perform(id) { try await $0.detachKey(Int(key) ?? 0, from: id) }
            return .json(["success": true, "msg": "SSH key removed from instance."])
        default: throw .notFound
        }
    }

    // MARK: Logs and commands

    private func logs(_ id: Int, _ body: JSON, _ request: APIRequest) async throws(VastError) -> APIReply {
        guard let rental = await self.fleet.rental(id) else { throw .invalidID }
        let text =
            body["daemon_logs"]?.flag == true
            ? rental.platformLog.joined(separator: "\n") : await rental.instance.containerLog()
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        if let filter = body["filter"]?.text, !filter.isEmpty { lines = lines.filter { $0.contains(filter) } }
        let tail = body["tail"]?.integer ?? 1000
        return self.result(lines.suffix(max(0, tail)).map { $0 + "\n" }.joined(), request)
    }

    private func command(_ id: Int, _ body: JSON, _ request: APIRequest) async throws(VastError) -> APIReply {
        guard let rental = await self.fleet.rental(id) else { throw .noSuchInstance(id) }
        guard let command = body["command"]?.text, command.utf8.count <= 512,
            let words = Self.words(of: command), ["ls", "rm", "du"].contains(words.first ?? "")
        else { throw .invalidCommand() }
        let text = await rental.instance.look(words)
        return self.result(
            text, request, more: ["writeable_path": .string("/var/lib/docker/overlay2/\(id)/diff")])
    }

    /// Splits a command into words with simple quoting; nil if a shell would do more with it.
    private static func words(of command: String) -> [String]? {
        guard command.firstMatch(of: #/[;&|<>`$\\\n]/#) == nil else { return nil }
        return command.matches(of: #/"([^"]*)"|'([^']*)'|(\S+)/#).map {
            String($0.output.1 ?? $0.output.2 ?? $0.output.3 ?? "")
        }
    }

    private func result(_ text: String, _ request: APIRequest, more: [String: JSON] = [:]) -> APIReply {
        let path = self.results.add(text, readyAt: self.fleet.clock() + 1 / self.fleet.options.speed)
        var body: [String: JSON] = ["success": true, "result_url": .string("http://\(request.host)\(path)")]
        body["msg"] = "Logs will be available at the result url shortly."
        body.merge(more) { $1 }
        return .json(.object(body))
    }
}
