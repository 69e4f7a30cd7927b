import Foundation

/// GraphQL, which the platform is retiring and its Python SDK still uses: the account, GPU types and data
/// centers, and a pod's whole life.
extension RunPodAPI {
    /// An error of a resolver. It is sent with status 200.
    private struct Refusal: Error {
        var message: String
        var code = "RUNPOD"
    }

    func answerGraphQL(_ request: APIRequest) async -> APIReply {
        if await self.fleet.isRetired(.graphQLRetired) {
            return .json(["errors": [["message": .string(RunPodWords.retired)]]], status: 410)
        }
        guard request.method == "POST" else { return Self.failure("Must provide query string.") }
        let key = request.bearer ?? request.query["api_key"] ?? ""
        guard let caller = await self.caller(withKey: key), case .account = caller else {
            return .json(["errors": [["message": "Unauthorized"]]], status: 401)
        }
        if await self.fleet.takeFault(.rateLimited, FaultEvent(.runPod, request: request.line)) != nil {
            return .json(["errors": [["message": "Too many requests"]]], status: 429)
        }
        guard let body = request.json, let query = body["query"]?.text else {
            return Self.failure("Must provide query string.")
        }
        let document: GraphQLDocument
        do {
            document = try GraphQLDocument(parsing: query)
        } catch {
            return Self.failure(error.message)
        }
        await self.fleet.refresh()
        var data: [String: JSON] = [:]
        var errors: [JSON] = []
        for field in document.fields {
            let arguments = field.arguments.mapValues { $0.resolved(body["variables"]?.members ?? [:]) }
            do throws(Refusal) {
                let known = try await self.resolve(field, arguments["input"] ?? [:], document.isMutation)
                guard let known else {
                    let kind = document.isMutation ? "Mutation" : "Query"
                    return Self.failure("Cannot query field \"\(field.name)\" on type \"\(kind)\".")
                }
                do throws(GraphQLDocument.Failure) {
                    data[field.alias] = try Self.select(field.selection, from: known, field.name)
                } catch {
                    return Self.failure(error.message)
                }
            } catch {
                data[field.alias] = .null
                errors.append([
                    "message": .string(error.message), "path": [.string(field.alias)],
                    "extensions": ["code": .string(error.code)],
                ])
            }
        }
        var answer: [String: JSON] = ["data": .object(data)]
        if !errors.isEmpty { answer["errors"] = .array(errors) }
        return .json(.object(answer))
    }

    /// The answer to an invalid document, as opposed to a refused one.
    private static func failure(_ message: String) -> APIReply {
        .json(
            [
                "errors": [
                    ["message": .string(message), "extensions": ["code": "GRAPHQL_VALIDATION_FAILED"]]
                ]
            ], status: 400)
    }

    /// Returns the requested parts of `value`.
    private static func select(
        _ fields: [GraphQLDocument.Field], from value: JSON, _ place: String
    ) throws(GraphQLDocument.Failure) -> JSON {
        switch value {
        case .array(let elements):
            var selected: [JSON] = []
            for element in elements { selected.append(try Self.select(fields, from: element, place)) }
            return .array(selected)
        case .object(let members):
            guard !fields.isEmpty else {
                throw .init(message: "Field \"\(place)\" must have a selection of subfields.")
            }
            var selected: [String: JSON] = [:]
            for field in fields where field.name != "__typename" {
                guard let member = members[field.name] else {
                    throw .init(message: "Cannot query field \"\(field.name)\" on \"\(place)\".")
                }
                selected[field.alias] = try Self.select(field.selection, from: member, field.name)
            }
            return .object(selected)
        default: return value
        }
    }

    /// Returns nil for a field that does not exist.
    private func resolve(
        _ field: GraphQLDocument.Field, _ input: JSON, _ isMutation: Bool
    ) async throws(Refusal) -> JSON? {
        switch (isMutation, field.name) {
        case (false, "myself"): return await self.account()
        case (false, "pod"):
            guard let rental = await self.fleet.pod(input["podId"]?.text ?? "") else { return .null }
            var row = self.graphRow(rental).members ?? [:]
            if rental.terms.bid != nil {
                let bid = await self.fleet.minimumBid(for: rental.offer)
                row["lowestBidPriceToResume"] = .number(bid / Double(rental.offer.gpuCount))
            }
            return .object(row)
        case (false, "gpuTypes"): return await self.gpuTypes(field, input)
        case (false, "dataCenters"): return await self.dataCenters()
        case (false, "countryCodes"): return ["US", "CA", "SE", "BG", "CZ", nil]
        case (true, "podFindAndDeployOnDemand"): return try await self.deploy(input)
        case (true, "podRentInterruptable"):
            guard let bid = input["bidPerGpu"]?.double else {
                throw Refusal(message: RunPodWords.somethingWrong, code: "INTERNAL_SERVER_ERROR")
            }
            return try await self.deploy(input, bidPerGPU: bid)
        case (true, "podBidResume"):
            let bid = input["bidPerGpu"]?.double
            return try await self.order(input) { fleet, id in
                if let bid { try await fleet.setPodBid(bid, of: id) }
                if RunPodRows.mayStart(await fleet.pod(id)) { try await fleet.startPod(id) }
            }
        case (true, "podStop"): return try await self.order(input) { try await $0.stopPod($1) }
        case (true, "podResume"):
            return try await self.order(input) { fleet, id in
                if RunPodRows.mayStart(await fleet.pod(id)) { try await fleet.startPod(id) }
            }
        case (true, "podTerminate"):
            guard (try? await self.fleet.terminatePod(input["podId"]?.text ?? "")) != nil else {
                throw Refusal(message: RunPodWords.nothingToTerminate, code: "POD_NOT_FOUND")
            }
            return .null
        case (true, "saveRegistryAuth"):
            return await self.fleet.addRegistryLogin(name: input["name"]?.text ?? "").row
        case (true, "deleteRegistryAuth"):
            let id = field.arguments["registryAuthId"]?.resolved([:]).text ?? ""
            guard let login = await self.fleet.registryLogin(id), await !self.fleet.isInUse(login) else {
                throw Refusal(message: "Registry auth not found")
            }
            await self.fleet.removeRegistryLogin(id)
            return .bool(true)
        case (true, "updateUserSettings"):
            // The text has one key a line, and often empty lines in between.
            let lines = (input["pubKey"]?.text ?? "").split(separator: "\n")
                .map { $0.trimmingCharacters(in: .whitespaces) }
            await self.fleet.setPodKeys(lines.filter { !$0.isEmpty })
            return await self.account()
        default: return nil
        }
    }

    private func order(
        _ input: JSON, _ order: (Fleet, String) async throws -> Void
    ) async throws(Refusal) -> JSON {
        let id = input["podId"]?.text ?? ""
        do {
            try await order(self.fleet, id)
        } catch Fleet.Refusal.gpuUnavailable {
            throw Refusal(message: RunPodWords.hostBusy)
        } catch Fleet.Refusal.noCredit {
            throw Refusal(message: RunPodError.noCredit.detail)
        } catch {
            throw Refusal(message: "pod not found")
        }
        guard let rental = await self.fleet.pod(id) else { throw Refusal(message: "pod not found") }
        return self.graphRow(rental)
    }

    /// - Parameter bidPerGPU: the bid in dollars an hour; nil rents on demand.
    private func deploy(_ input: JSON, bidPerGPU: Double? = nil) async throws(Refusal) -> JSON {
        guard let kind = input["gpuTypeId"]?.text.flatMap(RunPodStock.kind),
            let image = input["imageName"]?.text, !image.isEmpty
        else { throw Refusal(message: RunPodWords.somethingWrong, code: "INTERNAL_SERVER_ERROR") }
        var environment: [String: String] = [:]
        for pair in input["env"]?.elements ?? [] {
            if let key = pair["key"]?.text { environment[key] = pair["value"]?.text ?? "" }
        }
        if input["startSsh"]?.flag == true, environment["PUBLIC_KEY"] == nil {
            let keys = await self.fleet.podKeys
            // Without any key the platform writes this word.
            environment["PUBLIC_KEY"] = keys.isEmpty ? "null" : keys.joined(separator: "\n")
        }
        let clouds: [RunPodStock.Cloud] =
            switch input["cloudType"]?.text {
            case "SECURE": [.secure]
            case "COMMUNITY": [.community]
            default: [.secure, .community]
            }
        let center = input["dataCenterId"]?.text ?? ""
        let size = input["volumeInGb"]?.integer ?? 0
        let path = input["volumeMountPath"]?.text ?? ""
        let count = max(1, input["gpuCount"]?.integer ?? 1)
        let order = PodOrder(
            name: input["name"]?.text ?? "my pod", image: image, arguments: input["dockerArgs"]?.text ?? "",
            kind: kind, gpuCount: count, clouds: clouds,
            dataCenters: center.isEmpty ? [] : [center],
            countries: input["countryCode"]?.text.map { [$0] } ?? [],
            minimumCUDA: input["minCudaVersion"]?.text.flatMap(Double.init),
            allowedCUDA: input["allowedCudaVersions"]?.elements?.compactMap(\.text) ?? [],
            containerDisk: input["containerDiskInGb"]?.integer ?? 20,
            volume: size > 0
                ? Pod.Volume(size: size, path: path.hasPrefix("/") ? path : "/workspace") : nil,
            ports: (input["ports"]?.text ?? "").split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            },
            environment: environment, registry: input["containerRegistryAuthId"]?.text,
            bid: bidPerGPU.map { $0 * Double(count) },
            wantsPublicAddress: input["supportPublicIp"]?.flag ?? true)
        do {
            let rental = try await self.fleet.deploy(order)
            let event = FaultEvent(.runPod, at: rental.offer.machine)
            if await self.fleet.takeFault(.serverErrorAfterCreate, event) != nil {
                throw Refusal(message: RunPodWords.somethingWrong, code: "INTERNAL_SERVER_ERROR")
            }
            return self.graphRow(rental)
        } catch Fleet.Refusal.noCredit {
            throw Refusal(message: RunPodError.noCredit.detail)
        } catch let refusal as Refusal {
            throw refusal
        } catch Fleet.Refusal.offerTaken {
            throw Refusal(message: RunPodWords.otherMachine)
        } catch {
            throw Refusal(message: bidPerGPU == nil ? RunPodWords.noCapacity : RunPodWords.noSpotCapacity)
        }
    }

    // MARK: Rows

    private func account() async -> JSON {
        let keys = await self.fleet.podKeys
        let pods = await self.fleet.pods()
        let credit = await self.fleet.currentCredit(.runPod)
        let volumes = await self.fleet.networkVolumes
        let logins = await self.fleet.registryLogins
        return [
            "id": "user_loopback0123456789012345", "email": "loopback@example.com",
            "pubKey": keys.isEmpty ? nil : .string(keys.joined(separator: "\n")),
            "clientBalance": .rounded(credit, 6),
            "currentSpendPerHr": .rounded(pods.reduce(0) { $0 + $1.currentPrice }, 4), "spendLimit": 80,
            "notifyPodsStale": true, "notifyPodsGeneral": true, "notifyLowBalance": true,
            "pods": .array(pods.map(self.graphRow)), "networkVolumes": .array(volumes.map(\.graphRow)),
            "containerRegistryCreds": .array(logins.map(\.row)), "podTemplates": [],
            "endpoints": [],
        ]
    }

    private func graphRow(_ rental: Rental) -> JSON {
        guard let pod = rental.pod else { return .null }
        let status = RunPodRows.status(rental)
        let now = self.fleet.clock()
        // The member shows the order, not the state: it is RUNNING from the first moment.
        let desired = ["EXITED", "TERMINATED"].contains(status) ? status : "RUNNING"
        var runtime: JSON = nil
        if status == "RUNNING" {
            let gpu: JSON = ["id": "GPU-0", "gpuUtilPercent": 0, "memoryUtilPercent": 0]
            runtime = [
                "uptimeInSeconds": .int(RunPodRows.uptime(pod, now: now)),
                "ports": .array(
                    RunPodRows.ports(rental).map { port in
                        [
                            "ip": .string(port.address), "isIpPublic": .bool(port.type == "tcp"),
                            "privatePort": .int(port.inner), "publicPort": .int(port.outer),
                            "type": .string(port.type),
                        ]
                    }), "gpus": .array(Array(repeating: gpu, count: pod.gpuCount)),
                "container": ["cpuPercent": 0, "memoryPercent": 0],
            ]
        }
        let date = Date(timeIntervalSince1970: rental.createdAt)
        return [
            "id": .string(pod.id), "name": .string(pod.name), "imageName": .string(pod.image),
            "desiredStatus": .string(desired),
            "podType": rental.terms.bid == nil ? "RESERVED" : "INTERRUPTABLE",
            "machineId": .string("m\(rental.offer.machine.id)"), "dockerId": nil,
            "containerRegistryAuthId": .optional(pod.registry), "dockerArgs": .string(pod.arguments),
            "lastStatusChange": .string("Rented by User: \(date)"),
            "volumeMountPath": .string(pod.volume?.path ?? "/workspace"), "clusterIp": nil,
            "networkVolumeId": .optional(pod.networkVolume?.id), "templateId": nil,
            "costPerHr": .rounded(RunPodRows.cost(rental), 4), "lowestBidPriceToResume": nil,
            "gpuCount": .int(pod.gpuCount), "containerDiskInGb": .int(pod.containerDisk),
            "volumeInGb": .int(pod.volume?.size ?? 0), "memoryInGb": .int(125 * pod.gpuCount),
            "vcpuCount": .int(16 * pod.gpuCount), "ports": .string(pod.ports.joined(separator: ",")),
            "port": nil, "uptimeSeconds": 0, "createdAt": RunPodRows.date(rental.createdAt),
            "env": .array(
                pod.environment.sorted { $0.key < $1.key }.map { .string("\($0.key)=\($0.value)") }),
            "runtime": runtime,
            "latestTelemetry": [
                "state": .string(status == "RUNNING" ? "running" : "exited"), "time": RunPodRows.date(now),
            ],
            "machine": [
                "podHostId": .string(pod.hostID), "gpuDisplayName": .string(pod.host.kind.name),
                "location": .string(pod.host.country),
                "dataCenterId": .optional(pod.host.dataCenter?.id),
                "costPerHr": .rounded(rental.gpuPrice, 4),
            ],
        ]
    }

    private func gpuTypes(_ field: GraphQLDocument.Field, _ input: JSON) async -> JSON {
        let free = await self.fleet.freeGPUs()
        let stock = self.fleet.stock
        let wanted = input["id"]?.text
        let kinds = RunPodStock.kinds.filter { wanted == nil || $0.id == wanted }
        let asked = field.selection.first { $0.name == "lowestPrice" }
        let terms = asked?.arguments["input"]?.resolved([:])
        let count = terms?["gpuCount"]?.integer ?? 1
        let minimumCUDA = terms?["minCudaVersion"]?.text.flatMap(Double.init) ?? 0
        let cloud = terms?["secureCloud"]?.flag.map { $0 ? RunPodStock.Cloud.secure : .community }
        return .array(
            kinds.map { kind in
                let hosts = stock.hosts.filter {
                    $0.kind == kind && free[$0.machine.id, default: 0] >= count
                        && (cloud == nil || $0.cloud == cloud) && $0.machine.cudaVersion >= minimumCUDA
                }
                let price = hosts.map(\.machine.gpuPrice).min()
                let bid = hosts.map { $0.machine.gpuPrice * $0.machine.minimumBidFraction }.min()
                let level = hosts.isEmpty ? nil : Self.level(hosts.count).capitalized
                let secure = stock.maximumCount(kind, on: .secure)
                let community = stock.maximumCount(kind, on: .community)
                return [
                    "id": .string(kind.id), "displayName": .string(kind.name), "manufacturer": "Nvidia",
                    "memoryInGb": .int(kind.memory), "cudaCores": 0,
                    "secureCloud": .bool(kind.securePrice > 0),
                    "communityCloud": .bool(kind.communityPrice > 0),
                    "securePrice": .number(kind.securePrice),
                    "communityPrice": .number(kind.communityPrice),
                    "secureSpotPrice": .number(kind.securePrice / 2),
                    "communitySpotPrice": .number(kind.communityPrice / 2), "oneWeekPrice": nil,
                    "oneMonthPrice": nil,
                    "threeMonthPrice": nil, "sixMonthPrice": nil, "clusterPrice": nil,
                    "maxGpuCount": .int(max(secure, community)), "maxGpuCountSecureCloud": .int(secure),
                    "maxGpuCountCommunityCloud": .int(community), "minPodGpuCount": 1,
                    "nodeGroupDatacenters": [],
                    "lowestPrice": [
                        "gpuName": .string(kind.name), "gpuTypeId": .string(kind.id),
                        "minimumBidPrice": .optional(bid),
                        "uninterruptablePrice": .optional(price),
                        "minVcpu": price == nil ? nil : 16, "minMemory": price == nil ? nil : 125,
                        "stockStatus": .optional(level), "availableGpuCounts": [.int(count)],
                        "countryCode": nil, "compliance": nil,
                    ],
                ]
            })
    }

    private func dataCenters() async -> JSON {
        let free = await self.fleet.freeGPUs()
        return .array(
            RunPodStock.dataCenters.map { center in
                let availability = RunPodStock.kinds.compactMap { kind -> JSON? in
                    let own = self.fleet.stock.hosts.filter {
                        $0.kind == kind && $0.dataCenter == center && free[$0.machine.id, default: 0] > 0
                    }
                    guard !own.isEmpty else { return nil }
                    return [
                        "gpuTypeId": .string(kind.id), "displayName": .string(kind.name),
                        "stockStatus": .string(Self.level(own.count).capitalized),
                    ]
                }
                return [
                    "id": .string(center.id), "name": .string(center.name),
                    "location": .string(center.country), "listed": true,
                    "gpuAvailability": .array(availability),
                ]
            })
    }
}
