import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Offers, searches, money and limits.
@Suite(.requires("sshd", "ssh-keygen"))
struct MarketTests {
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    @Test(.loopbackCloud(free)) func theMarketIsLargeAndTheSameForASeed() async throws {
        let cloud = try #require(CloudTrait.current)
        #expect(cloud.offerCount >= 320)
        let here = try await TestClient(cloud).offer()
        let there = try await withLoopbackCloud(Self.free) { try await TestClient($0).offer() }
        #expect(here["id"] as? Int == there["id"] as? Int)
        var seeded = Self.free
        seeded.seed = 7
        let other = try await withLoopbackCloud(seeded) { try await TestClient($0).offer() }
        #expect(here["id"] as? Int != other["id"] as? Int)
    }

    @Test(
        .loopbackCloud(free),
        arguments: [
            #""gpu_name":{"eq":"RTX 4090"}"#, #""gpu_name":{"in":["RTX 3090","H100 SXM"]}"#,
            #""num_gpus":{"eq":"1"}"#, #""dph_total":{"lt":"0.5"}"#, #""gpu_ram":{"gte":24000,"lte":50000}"#,
            #""geolocation":{"in":["US","CA"]}"#, #""reliability":{"gt":0.98}"#,
            #""geolocation":{"notin":["US"]}"#,
            #""verified":{"eq":false}"#, #""nonsense":{"eq":1}"#,
        ])
    func filtersSelect(_ filter: String) async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let rows = try await client.post("/api/v0/bundles", "{\(filter),\"order\":[[\"dph_total\",\"asc\"]]}")
            .rows("offers")
        #expect(!rows.isEmpty && rows.count <= 64)
        let prices = rows.compactMap { $0["dph_total"] as? Double }
        #expect(prices == prices.sorted())
        for row in rows {
            let country = (row["geolocation"] as? String ?? "").suffix(2)
            switch filter {
            case #""gpu_name":{"eq":"RTX 4090"}"#: #expect(row["gpu_name"] as? String == "RTX 4090")
            case #""num_gpus":{"eq":"1"}"#: #expect(row["num_gpus"] as? Int == 1)
            case #""dph_total":{"lt":"0.5"}"#: #expect((row["dph_total"] as? Double ?? 9) < 0.5)
            case #""gpu_ram":{"gte":24000,"lte":50000}"#:
                #expect((24000...50000).contains(row["gpu_ram"] as? Int ?? 0))
            case #""geolocation":{"in":["US","CA"]}"#: #expect(["US", "CA"].contains(country))
            case #""geolocation":{"notin":["US"]}"#: #expect(country != "US")
            case #""reliability":{"gt":0.98}"#: #expect((row["reliability"] as? Double ?? 0) > 0.98)
            case #""verified":{"eq":false}"#: #expect(row["verification"] as? String != "verified")
            default: #expect(row["verification"] as? String == "verified")
            }
            #expect(row["rentable"] as? Bool == true)
        }
    }

    /// The three ways to search answer alike, rows are capped, and `id` is no column to ask for.
    @Test(.loopbackCloud(free)) func searchesAgree() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let body = #"{"num_gpus":{"eq":1},"limit":1000,"order":[["dph_total","asc"]]}"#
        let posted = try await client.post("/api/v0/bundles/", body).rows("offers")
        let put = try await client.put("/api/v0/search/asks/", #"{"select_cols":["*"],"q":\#(body)}"#).rows(
            "offers")
        let encoded = body.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let got = try await client.get("/api/v0/bundles?q=\(encoded)").rows("offers")
        #expect(posted.count == 64)
        let ids = posted.map { $0["id"] as? Int }
        #expect(put.map { $0["id"] as? Int } == ids && got.map { $0["id"] as? Int } == ids)
        let first = try #require(ids[0])
        #expect(try await client.post("/api/v0/bundles/", #"{"id":{"eq":\#(first)}}"#).rows("offers").isEmpty)
        let asked = #"{"ask_contract_id":{"eq":\#(first)}}"#
        #expect(try await client.post("/api/v0/bundles/", asked).rows("offers").count == 1)
    }

    @Test(.loopbackCloud(free)) func pricesIncludeTheDiskAskedFor() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let ask = try #require(try await client.offer()["id"] as? Int)
        func row(_ more: String) async throws -> [String: Any] {
            let body = #"{"ask_contract_id":{"eq":\#(ask)}\#(more)}"#
            return try #require(try await client.post("/api/v0/bundles/", body).rows("offers").first)
        }
        let small = try await row(#","allocated_storage":10"#)
        let large = try await row(#","allocated_storage":1000"#)
        let cost = try #require(small["storage_cost"] as? Double)
        let difference = (large["dph_total"] as? Double ?? 0) - (small["dph_total"] as? Double ?? 0)
        #expect(abs(difference - 990 * cost / 720) < 0.001)
        let bid = try await row(#","type":"bid""#)
        #expect((bid["dph_base"] as? Double ?? 9) < (small["dph_base"] as? Double ?? 0))
        #expect(bid["is_bid"] as? Bool == true)
    }

    /// GPUs are paid for while the container runs, the disk as long as the contract exists.
    @Test(.loopbackCloud(free)) func moneyIsCounted() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let dear = try await client.post("/api/v0/bundles/", #"{"order":[["dph_total","desc"]],"limit":1}"#)
        let ask = try #require(dear.rows("offers").first?["id"] as? Int)
        let body = #"{"image":"x:1","disk":400,"label":"dear"}"#
        let id = try #require(try await client.put("/api/v0/asks/\(ask)/", body)["new_contract"] as? Int)
        let row = try await client.running(id)
        let price = try #require(row["dph_total"] as? Double)
        let clock = ContinuousClock()
        let start = clock.now
        let before = await cloud.credit
        try await wait(for: "some cents") { await cloud.credit < before - 0.003 ? true : nil }
        let spent = before - (await cloud.credit)
        let expected = price / 3600 * ((clock.now - start) / .seconds(1))
        #expect(abs(spent - expected) < expected * 0.2, "\(spent) for \(expected)")
        let shown = try await client.get("/api/v0/users/current")
        #expect(shown["credit"] as? Double ?? 99 < before)
        #expect(shown["api_key"] is String)

        _ = try await client.put("/api/v0/instances/\(id)/", #"{"state":"stopped"}"#)
        let stopped = try await wait(for: "the stop") { () -> [String: Any]? in
            guard let row = try await client.instance(id), row["cur_state"] as? String == "stopped" else {
                return nil
            }
            return row
        }
        let now = try #require(stopped["instance"] as? [String: Any])
        #expect(now["gpuCostPerHour"] as? Double == 0)
        #expect((now["totalHour"] as? Double ?? 0) > 0)
    }

    @Test(.loopbackCloud(free)) func withoutMoneyEverythingStops() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent()
        _ = try await client.running(id)
        await cloud.inject(.balanceZero)
        try await wait(for: "the stop") {
            try await client.instance(id)?["cur_state"] as? String == "stopped" ? true : nil
        }
        let ask = try #require(try await client.offer(3)["id"] as? Int)
        let refused = try await client.put("/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16}"#)
        #expect(refused.status == 400 && refused["error"] as? String == "insufficient_credit")
    }

    /// A rented offer is off the market, and with it those that share its GPUs.
    @Test(.loopbackCloud(free)) func aRentedOfferIsGone() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let body = #"{"num_gpus":{"eq":1},"order":[["dph_total","asc"]],"limit":1}"#
        let row = try #require(try await client.post("/api/v0/bundles/", body).rows("offers").first)
        let ask = try #require(row["id"] as? Int)
        let id = try #require(
            try await client.put("/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16}"#)["new_contract"]
                as? Int)
        let search = #"{"ask_contract_id":{"eq":\#(ask)}}"#
        #expect(try await client.post("/api/v0/bundles/", search).rows("offers").isEmpty)
        #expect(try await client.put("/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16}"#).status == 404)
        _ = try await client.delete("/api/v0/instances/\(id)/")
        try await wait(for: "the offer's return") {
            try await client.post("/api/v0/bundles/", search).rows("offers").count == 1 ? true : nil
        }
    }

    /// Calls too close to each other are refused in plain text, and pass after the pause.
    @Test(.loopbackCloud(.init(speed: 1))) func limitsAreEnforced() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let answers = try await withThrowingTaskGroup(of: TestClient.Answer.self) { group in
            for _ in 0..<6 { group.addTask { try await client.get("/api/v1/instances/") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let refused = answers.filter { $0.status != 200 }
        #expect((1..<6).contains(refused.count))
        #expect(refused.allSatisfy { $0.status == 429 && $0.text.hasPrefix("API requests too frequent") })
        try await wait(for: "the limit's end") {
            try await client.get("/api/v1/instances/").status == 200 ? true : nil
        }
        var statuses: [Int] = []
        for _ in 0..<12 { statuses.append(try await client.post("/api/v0/bundles/", #"{"limit":1}"#).status) }
        #expect(statuses.prefix(10).allSatisfy { $0 == 200 } && statuses.last == 429)
    }
}
