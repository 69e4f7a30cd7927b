import Testing
import VPEngine

@Suite("vast.ai: searching offers")
struct VastOffersTests {
    @Test func theDocumentedRowDecodes() async throws {
        let bench = VastBench(VastSamples.offers(VastSamples.offer))
        let offers = try await bench.client.offers(OfferQuery())
        #expect(
            offers == [
                Offer(
                    id: OfferID(platform: .vast, rawValue: "31234567"), gpuName: "RTX 4090", gpuCount: 1,
                    gpuMemoryBytes: 24_564_000_000, price: HourlyPrice(dollarsPerHour: 0.3541), cpuCores: 12,
                    memoryBytes: 257_650_000_000, diskBytes: 812_400_000_000,
                    storageDollarsPerGBMonth: 0.1333, uploadDollarsPerGB: 0.0039,
                    downloadDollarsPerGB: 0.0026,
                    uploadMbps: 812.3, downloadMbps: 934.8, reliability: 0.9981, location: "Quebec, CA",
                    cudaVersion: 12.8, isInterruptible: false, machineID: "28811", isVerified: true)
            ])
    }

    @Test func everyFilterIsSent() async throws {
        let bench = VastBench(VastSamples.offers())
        var query = OfferQuery(
            gpu: "rtx_3090", gpuCount: 2, minimumReliability: 0.98, countries: ["us", "CA"])
        query.maximumPrice = HourlyPrice(dollarsPerHour: 0.6)
        query.minimumGPUMemoryBytes = 24_000_000_000
        query.minimumCUDA = 12.4
        query.limit = 10
        _ = try await bench.client.offers(query)
        #expect(bench.lines == ["POST /api/v0/bundles/"])
        #expect(
            bench.bodies[0] == [
                "verified": ["eq": true], "external": ["eq": false], "rentable": ["eq": true],
                "rented": ["eq": false], "direct_port_count": ["gte": 1], "num_gpus": ["eq": 2],
                "gpu_name": ["in": ["RTX 3090"]], "gpu_ram": ["gte": 22320], "disk_space": ["gte": 40],
                "reliability": ["gte": 0.98], "cuda_max_good": ["gte": 12.4], "dph_total": ["lte": 0.6],
                "geolocation": ["in": ["US", "CA"]], "order": [["dph_total", "asc"]], "type": "on-demand",
                "limit": 10, "allocated_storage": 40,
            ])
        let headers = bench.transport.requests[0].headers
        #expect(headers["Authorization"] == "Bearer \(VastBench.key)")
        #expect(headers["Content-Type"] == "application/json")
    }

    @Test func aFamilyAsksForAllItsModels() async throws {
        let bench = VastBench(VastSamples.offers())
        _ = try await bench.client.offers(OfferQuery(gpu: "a100 80gb"))
        #expect(bench.bodies[0]["gpu_name"]["in"] == ["A100 SXM4", "A100 PCIE"])
        #expect(bench.bodies[0]["gpu_ram"]["gte"] == 74400)
    }

    @Test func interruptibleOffersAreSearchedAsBids() async throws {
        let bench = VastBench(VastSamples.offers(VastSamples.offer))
        let offers = try await bench.client.offers(OfferQuery(isInterruptible: true))
        #expect(bench.bodies[0]["type"] == "bid")
        #expect(offers.map(\.isInterruptible) == [true])
    }

    @Test(arguments: [
        (OfferQuery.Order.price, "dph_total", "asc"), (.memory, "gpu_ram", "desc"),
        (.reliability, "reliability", "desc"), (.download, "inet_down", "desc"),
    ])
    func ordersBecomeFields(order: OfferQuery.Order, field: String, direction: String) async throws {
        let bench = VastBench(VastSamples.offers())
        _ = try await bench.client.offers(OfferQuery(order: order))
        #expect(bench.bodies[0]["order"] == [[.string(field), .string(direction)]])
    }

    @Test func longListsAreFetchedByPriceUntilNothingNewComes() async throws {
        func page(_ ids: Range<Int>) -> ScriptedTransport.Step {
            let rows = ids.map { id in
                VastSamples.edit(
                    VastSamples.offer,
                    [
                        "id": .number(Double(id)), "ask_contract_id": .number(Double(id)),
                        "dph_total": .number(Double(id) / 100),
                    ])
            }
            return .ok(#"{"offers":[\#(rows.joined(separator: ","))]}"#)
        }
        // The second page starts at the price that ended the first, so one row comes twice.
        let bench = VastBench([page(1..<65), page(64..<128), page(127..<150)])
        let offers = try await bench.client.offers(OfferQuery(limit: 300))
        #expect(offers.map(\.id.rawValue) == (1..<150).map(String.init))
        #expect(bench.bodies.map { $0["dph_total"]["gte"] } == [.null, 0.64, 1.27])
    }

    @Test func anAnswerCutAtTheSamePriceEnds() async throws {
        let rows = (0..<64).map {
            VastSamples.edit(VastSamples.offer, ["ask_contract_id": .number(Double($0))])
        }
        let body = #"{"offers":[\#(rows.joined(separator: ","))]}"#
        let bench = VastBench([.ok(body)], repeatsLast: true)
        let offers = try await bench.client.offers(OfferQuery(limit: 500))
        #expect(offers.count == 64)
        #expect(bench.lines.count == 2)
    }

    @Test func filtersThatTheServerIgnoredAreApplied() async throws {
        let changes: [[String: JSONValue?]] = [
            ["dph_total": 0.7], ["reliability": 0.5], ["cuda_max_good": 11.8], ["num_gpus": 2],
            ["gpu_ram": 10240], ["gpu_name": "RTX 4080"], ["geolocation": "Norway, NO"],
            ["verification": "deverified"], ["disk_space": 12.0], ["reliability": nil, "reliability2": nil],
            ["geolocation": nil], ["verification": "unverified"],
        ]
        let rows = [VastSamples.offer] + changes.map { VastSamples.edit(VastSamples.offer, $0) }
        let bench = VastBench(#"{"offers":[\#(rows.joined(separator: ","))]}"#)
        var query = OfferQuery(gpu: "4090", minimumReliability: 0.98, countries: ["CA"])
        query.maximumPrice = HourlyPrice(dollarsPerHour: 0.6)
        query.minimumGPUMemoryBytes = 24_000_000_000
        query.minimumCUDA = 12.4
        // All rows have the same id, and it is the first that fits.
        #expect(try await bench.client.offers(query).count == 1)
        for row in rows.dropFirst() {
            let bench = VastBench(VastSamples.offers(row))
            #expect(try await bench.client.offers(query).isEmpty)
        }
    }

    /// What the platform does not tell, or tells in a new word, hides no offer:
    /// the driver is looked at once the instance is there.
    @Test(
        arguments: [
            ("cuda_max_good", nil), ("cuda_max_good", .null), ("verification", "semi-verified"),
            ("verification", nil), ("verification", "Verified"),
        ] as [(String, JSONValue?)])
    func whatIsNotToldHidesNoOffer(field: String, value: JSONValue?) async throws {
        let change: [String: JSONValue?] = [field: value]
        let row = VastSamples.edit(VastSamples.offer, change)
        let bench = VastBench(VastSamples.offers(row))
        #expect(try await bench.client.offers(OfferQuery(gpu: "4090", minimumCUDA: 12.8)).count == 1)
    }

    @Test func aGPUThatOnlyThePlatformKnowsIsFound() async throws {
        let row = VastSamples.edit(VastSamples.offer, ["gpu_name": "RTX 6090"])
        let bench = VastBench([
            .ok(#"{"gpu_names":["RTX 4090","RTX 6090"]}"#), .ok(VastSamples.offers(row)),
        ])
        let offers = try await bench.client.offers(OfferQuery(gpu: "rtx6090"))
        #expect(bench.lines == ["GET /api/v0/gpu_names/unique/", "POST /api/v0/bundles/"])
        #expect(bench.bodies[1]["gpu_name"]["in"] == ["RTX 6090"])
        #expect(offers.map(\.gpuName) == ["RTX 6090"])
    }

    @Test func aGPUThatThePlatformDoesNotHaveIsNotAskedFor() async throws {
        let without = VastBench([.ok(#"{"gpu_names":["RTX 4090","RTX 4000Ada"]}"#)])
        #expect(try await without.client.offers(OfferQuery(gpu: "RTX 4000 SFF Ada")).isEmpty)
        #expect(without.lines == ["GET /api/v0/gpu_names/unique/"])
    }

    /// A model that we know, under a name that we do not know yet.
    @Test func aGPUThatThePlatformHasByNowIsFound() async throws {
        let row = VastSamples.edit(VastSamples.offer, ["gpu_name": "RTX 4000 SFF Ada"])
        let bench = VastBench([
            .ok(#"{"gpu_names":["RTX 4000 SFF Ada"]}"#), .ok(VastSamples.offers(row)),
        ])
        #expect(try await bench.client.offers(OfferQuery(gpu: "4000 sff ada")).count == 1)
    }

    @Test func anUnknownGPUIsAnErrorWithTheNearestNames() async throws {
        let bench = VastBench([.ok(#"{"gpu_names":["RTX 4090","RTX 6090"]}"#)])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.offers(OfferQuery(gpu: "RTX 4099"))
        }
        #expect(error?.code == .unknownGPU)
        #expect(error?.suggestions.first == "RTX 4090")
        #expect(bench.lines.count == 1)
    }

    @Test func stringsForNumbersAndNullsInRowsSurvive() async throws {
        let row = VastSamples.edit(
            VastSamples.offer,
            [
                "ask_contract_id": "31234567", "dph_total": "0.3541", "num_gpus": "1", "gpu_ram": "24564",
                "reliability": "0.9981", "machine_id": "28811", "cpu_cores": nil, "geolocation": nil,
                "a_new_field": ["x": [1, 2, 3]],
            ])
        let offers = try await VastBench(VastSamples.offers(row)).client.offers(OfferQuery())
        #expect(offers.map(\.price.dollarsPerHour) == [0.3541])
        #expect(offers[0].gpuMemoryBytes == 24_564_000_000)
    }

    @Test(arguments: [
        "{}", #"{"offers":null}"#, #"{"offers":{}}"#, #"{"offers":[{}]}"#, #"{"offers":[null]}"#, "[]",
    ])
    func whatIsNoListOfOffersIsNeverEmpty(body: String) async {
        let bench = VastBench(body)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.offers(OfferQuery())
        }
        #expect(error?.code == .badResponse)
    }
}
