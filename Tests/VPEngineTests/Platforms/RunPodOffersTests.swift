import Testing
import VPEngine

@Suite("RunPod: searching offers")
struct RunPodOffersTests {
    @Test func theDocumentedRowBecomesAnOffer() async throws {
        let bench = RunPodBench(RunPodSamples.catalogue(RunPodSamples.gpu))
        let offers = try await bench.client.offers(OfferQuery(gpu: "rtx_4090", gpuCount: 2))
        #expect(
            bench.lines == ["GET /v2/catalog/gpus?include=AVAILABILITY&product=POD&count=2&cloud=SECURE"])
        let offer = try #require(offers.first)
        #expect(offers.count == 1)
        #expect(offer.id == OfferID(platform: .runpod, rawValue: "NVIDIA GeForce RTX 4090"))
        #expect(offer.gpuName == "RTX 4090")
        #expect(offer.gpuCount == 2)
        #expect(offer.gpuMemoryBytes == 24_576_000_000)
        #expect(offer.cudaVersion == 12.8)
        #expect(offer.location == "US RO")
        // Two GPUs, 40 GB of volume and 20 GB of container disk at ten cents a month.
        #expect(abs(offer.price.dollarsPerHour - (0.88 + 60 * 0.10 / 720)) < 1e-9)
    }

    @Test func countriesNameTheDataCenters() async throws {
        let bench = RunPodBench(RunPodSamples.catalogue(RunPodSamples.gpu))
        let offers = try await bench.client.offers(OfferQuery(countries: ["us"], minimumCUDA: 12.4))
        #expect(bench.lines[0].hasSuffix("&countryCodes=US&minCudaVersion=12.4"))
        #expect(offers.map(\.id.rawValue) == ["NVIDIA GeForce RTX 4090@US-KS-2,US-TX-3"])
        // The Czech one has none to rent.
        let czech = RunPodBench(RunPodSamples.catalogue(RunPodSamples.gpu))
        #expect(try await czech.client.offers(OfferQuery(countries: ["CZ"])).isEmpty)
    }

    private static let unfit: [[String: JSONValue?]] = [
        ["availability": "NONE"], ["availability": .none], ["secure": false], ["memory": 16],
        ["price": ["secure": 0, "community": 0.31]], ["maxCount": ["secure": 0]], ["id": "NVIDIA L4"],
        ["price": ["secure": 5]], ["cudaVersions": [["version": "11.8", "available": true]]],
    ]

    @Test(arguments: RunPodOffersTests.unfit)
    func whatDoesNotFitIsLeftOut(changes: [String: JSONValue?]) async throws {
        var row = VastSamples.edit(RunPodSamples.gpu, changes)
        if changes["id"] != nil { row = VastSamples.edit(row, ["name": "L4"]) }
        let bench = RunPodBench(RunPodSamples.catalogue(row))
        var query = OfferQuery(gpu: "4090", minimumCUDA: 12.0)
        query.maximumPrice = HourlyPrice(dollarsPerHour: 1)
        query.minimumGPUMemoryBytes = 24_000_000_000
        #expect(try await bench.client.offers(query).isEmpty)
    }

    @Test func aGPUThatOnlyTheCatalogueKnowsIsFound() async throws {
        let row = VastSamples.edit(RunPodSamples.gpu, ["id": "NVIDIA Next 9", "name": "Next 9"])
        let bench = RunPodBench([.ok(RunPodSamples.catalogue(RunPodSamples.gpu, row))], repeatsLast: true)
        #expect(try await bench.client.offers(OfferQuery(gpu: "next9")).map(\.gpuName) == ["Next 9"])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.offers(OfferQuery(gpu: "next 8"))
        }
        #expect(error?.code == .unknownGPU)
        #expect(error?.suggestions.contains("Next 9") == true)
    }

    @Test func interruptiblePodsAreTheCataloguesAtTheLowestBid() async throws {
        let other = VastSamples.edit(RunPodSamples.gpu, ["id": "NVIDIA L4", "name": "L4"])
        let bids = """
            {"data":{"gpuTypes":[{"id":"unknown","lowestPrice":null},
             {"id":"NVIDIA GeForce RTX 4090","lowestPrice":{"minimumBidPrice":0.22}},
             {"id":"NVIDIA L4","lowestPrice":{"minimumBidPrice":null}}]}}
            """
        let bench = RunPodBench([.ok(bids), .ok(RunPodSamples.catalogue(RunPodSamples.gpu, other))])
        let offers = try await bench.client.offers(
            OfferQuery(gpuCount: 2, minimumCUDA: 12.4, isInterruptible: true))
        #expect(bench.lines[0] == "POST /graphql")
        #expect(
            bench.bodies[0]["query"].text?.contains(
                #"lowestPrice(input: {gpuCount: 2, secureCloud: true, minCudaVersion: "12.4"})"#) == true)
        let offer = try #require(offers.first)
        // Nobody bids for what is not free.
        #expect(offers.count == 1 && offer.isInterruptible && offer.location == "US RO")
        #expect(abs(offer.price.dollarsPerHour - (2 * 0.2201 + 60 * 0.10 / 720)) < 1e-9)
    }

    @Test func withoutGraphQLNoInterruptiblePodsAreClaimedToBeNone() async {
        let bench = RunPodBench([.json(410, #"{"errors":[{"message":"gone"}]}"#)])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.offers(OfferQuery(isInterruptible: true))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.detail?.contains("retired GraphQL") == true)
    }

    @Test(arguments: [
        (200, "{}", EngineError.Code.badResponse), (200, #"{"data":{"gpuTypes":null}}"#, .badResponse),
        (200, #"{"data":{"gpuTypes":[{}]}}"#, .badResponse), (200, "<html>", .badResponse),
        (200, #"{"errors":[{"message":"no"}],"data":null}"#, .badRequest), (401, "{}", .unauthorized),
    ])
    func whatAreNoBidsIsNeverEmpty(status: Int, body: String, code: EngineError.Code) async {
        let bench = RunPodBench([.json(status, body)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.offers(OfferQuery(isInterruptible: true))
        }
        #expect(error?.code == code)
    }

    @Test(arguments: ["{}", "[]", #"{"gpus":null}"#, #"{"gpus":[{}]}"#, #"{"gpus":[null]}"#, "", "<html>"])
    func whatIsNoCatalogueIsNeverEmpty(body: String) async {
        let bench = RunPodBench(body)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.offers(OfferQuery())
        }
        #expect(error?.code == .badResponse)
    }
}
