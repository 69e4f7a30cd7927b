import Foundation

/// Searching offers and renting them.
extension VastAPI {
    func gpuNames() -> APIReply {
        .json([
            "gpu_names": .array(Set(self.fleet.catalogue.offers.map(\.gpu.name)).sorted().map(JSON.string))
        ])
    }

    func search(_ query: JSON) async throws(VastError) -> APIReply {
        let rows = try await self.offers(query, defaultOrder: nil)
        return .json(["offers": .array(rows.map(JSON.object))])
    }

    private func offers(_ query: JSON, defaultOrder: JSON?) async throws(VastError) -> [[String: JSON]] {
        guard let members = query.members else { throw .invalidRequest("Invalid json body") }
        if let reset = await self.fleet.searchesClosedUntil() { throw .searchQuota(reset: reset) }
        let search: VastSearch
        do {
            search = try VastSearch(filters: VastSearch.withDefaults(members))
        } catch {
            throw .invalidRequest(error.message)
        }
        let isBid = ["bid", "interruptible"].contains(members["type"]?.text ?? "")
        let storage = members["allocated_storage"]?.double ?? 8
        let available = await self.fleet.availableOffers()
        let own = await self.fleet.ownOffers()
        let floors = await self.fleet.bidFloors
        let rows = self.fleet.catalogue.offers.map { offer in
            VastRows.offer(
                offer, storage: storage, isBid: isBid, isRentable: available.contains(offer.id),
                isRented: own.contains(offer.id), minimumBid: max(offer.minimumBid, floors[offer.id] ?? 0),
                startedAt: self.fleet.startedAt)
        }.filter { search.matches($0) }
        let sorted = VastSearch.sort(rows, by: members["order"] ?? defaultOrder ?? [["score", "desc"]])
        let limit = members["limit"]?.integer ?? VastSearch.mostRows
        return Array(sorted.prefix(max(0, min(limit, VastSearch.mostRows))))
    }

    func rent(offer id: Int, _ body: JSON) async throws(VastError) -> APIReply {
        let rental = try await self.rental(offer: id, body)
        let event = FaultEvent(.vast, at: rental.offer.machine)
        if await self.fleet.takeFault(.serverErrorAfterCreate, event) != nil { return Self.gatewayError }
        return .json([
            "success": true, "new_contract": .int(rental.id), "instance_api_key": .string(rental.apiKey),
        ])
    }

    func rentSeveral(_ body: JSON) async throws(VastError) -> APIReply {
        var answers: [JSON] = []
        for id in body["ids"]?.elements?.compactMap(\.integer) ?? [] {
            do {
                let rental = try await self.rental(offer: id, body)
                answers.append(["success": true, "ask_id": .int(id), "new_contract": .int(rental.id)])
            } catch {
                answers.append(JSON(parsing: error.reply.body) ?? .null)
            }
        }
        return .json(["success": true, "results": .array(answers)])
    }

    /// Searches and rents in one call: the best offer that is still available.
    func launch(_ body: JSON) async throws(VastError) -> APIReply {
        let rows = try await self.offers(body["q"] ?? [:], defaultOrder: [["score", "desc"]])
        for row in rows.prefix(3) {
            guard let id = row["id"]?.integer, let reply = try? await self.rent(offer: id, body) else {
                continue
            }
            return reply
        }
        throw .noSuchAsk(rows.first?["id"]?.integer ?? 0)
    }

    private func rental(offer id: Int, _ body: JSON) async throws(VastError) -> Rental {
        let terms = try Self.terms(body, offer: id)
        do {
            return try await self.fleet.rent(offer: id, terms: terms)
        } catch .noCredit {
            throw .noCredit
        } catch .offerTaken {
            throw .askTaken(id)
        } catch .noCapacity {
            throw .noCapacity(id)
        } catch .bidTooLow(let contract) {
            throw .bidTooLow(id, contract: contract)
        } catch .failed {
            throw .serverError
        } catch {
            throw .noSuchAsk(id)
        }
    }

    private static func terms(_ body: JSON, offer id: Int) throws(VastError) -> RentalTerms {
        let hasTemplate = body["template_hash_id"]?.text != nil || body["template_id"]?.integer != nil
        let image = body["image"]?.text ?? (hasTemplate ? "vastai/base-image:cuda-12.8.1-auto" : "")
        guard !image.isEmpty, image.utf8.count <= 1024 else {
            throw .invalidArguments("image is required", ask: id)
        }
        let disk = body["disk"]?.double ?? 10
        guard disk >= 8 else { throw .invalidArguments("disk must be at least 8 GB", ask: id) }
        let label = body["label"]?.text
        guard (label ?? "").utf8.count <= 256 else { throw .labelTooLong }
        let onStart = body["onstart"]?.text
        guard (onStart ?? "").utf8.count <= 4096 else {
            throw .invalidArguments("onstart is too long", ask: id)
        }
        let bid = body["price"]?.double
        if let bid, !(0.001...128).contains(bid) {
            throw .invalidArguments("price must be between 0.001 and 128", ask: id)
        }
        var options: [(name: String, value: String)] = []
        var environment: [String: String] = [:]
        if let env = body["env"], !env.isNull {
            guard let members = env.members else { throw .invalidArguments("env must be an object", ask: id) }
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                let text = value.text ?? value.serialized
                options.append((name, text))
                // Port mappings, host names and volumes are sent among the variables.
                if !name.hasPrefix("-"), name.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_]*/#) != nil {
                    environment[name] = text
                }
            }
        }
        return RentalTerms(
            image: image, disk: disk, label: label, options: options, environment: environment,
            onStart: onStart,
            runtype: body["runtype"]?.text ?? "ssh_direc ssh_proxy", bid: bid,
            startsStopped: body["target_state"]?.text == "stopped",
            // The default is `true` unless the request is a bid.
            cancelsWhenUnavailable: body["cancel_unavail"]?.flag ?? (bid == nil))
    }
}
