import Foundation
import Testing

@testable import VPEngine

/// Prices, sums and sizes that a platform or an instance states, in arithmetic and in words.
@Suite("Hostile amounts")
struct HostileAmountTests {
    private static func instance(_ id: String, price: Double = 0.4) -> Instance {
        Instance(
            id: InstanceID(platform: .vast, rawValue: id), status: .running, gpuName: "RTX 4090",
            price: HourlyPrice(dollarsPerHour: price))
    }

    private static func entry(_ size: Int64) -> FileEntry {
        FileEntry(kind: .file, size: size, modified: 0, mode: 0o644)
    }

    @Test(arguments: ["1e300", "-1e300", "nan", "\"1e999\"", "\"inf\""])
    func aBalanceThatIsNoneIsAnError(_ value: String) async {
        for (body, client) in [
            (VastSamples.user.replacing(#""credit": 25.0"#, with: #""credit": \#(value)"#), Platform.vast),
            (#"{"data":{"myself":{"clientBalance":\#(value)}}}"#, .runpod),
        ] {
            let error = await failure { () async throws(EngineError) in
                switch client {
                case .vast: _ = try await VastBench(body).client.balance()
                case .runpod: _ = try await RunPodBench([.ok(body)]).client.balance()
                }
            }
            #expect(error?.code == .badResponse, "\(client) \(value)")
        }
    }

    /// It would stand first in every order by cost, and be the one that is rented.
    @Test(arguments: ["inet_up_cost", "inet_down_cost", "storage_cost", "dph_total"])
    func aNegativeOrAbsurdPriceIsNoOffer(_ field: String) async throws {
        for value: JSONValue in [-1, 1e300, -1e300, "-0.5", "1e999", "NaN"] {
            let bad = VastSamples.edit(
                VastSamples.offer, ["id": 1, "ask_contract_id": 1, field: value, "search": nil])
            var query = OfferQuery(order: .cost)
            query.job = JobEstimate(hours: 1, sentBytes: 1 << 40, receivedBytes: 1 << 40)
            let found = try await VastBench(VastSamples.offers(bad, VastSamples.offer)).client.offers(query)
            #expect(found.map(\.id.rawValue) == ["31234567"], "\(field) \(value)")
        }
    }

    /// The same of what an earlier version has kept.
    @Test(arguments: [-1, 1e300, -1e300, Double.nan, .infinity])
    func aKeptOfferOfSuchAPriceIsNone(_ value: Double) {
        let offer = Offer(
            id: OfferID(platform: .runpod, rawValue: "1"), gpuName: "RTX 4090", gpuCount: 1,
            gpuMemoryBytes: 24 << 30, price: HourlyPrice(dollarsPerHour: 0.4))
        #expect(offer.bounded() != nil)
        let changes: [(inout Offer) -> Void] = [
            { $0.price = HourlyPrice(dollarsPerHour: value) }, { $0.storageDollarsPerGBMonth = value },
            { $0.uploadDollarsPerGB = value }, { $0.downloadDollarsPerGB = value },
        ]
        for (index, change) in changes.enumerated() {
            var bad = offer
            change(&bad)
            #expect(bad.bounded() == nil, "price \(index)")
        }
    }

    @Test func costsStayFiniteWhateverThePrices() {
        let instances = [Self.instance("1", price: 1e-300), Self.instance("2", price: 0)]
        for dollars in [25.0, 1e300, -1e300] {
            let report = MoneyReport(
                instances: instances, balances: [Balance(platform: .vast, dollars: dollars)], spentToday: 0,
                dollarsPerDay: nil, alarms: [], asOf: Date(timeIntervalSince1970: 0))
            #expect((report.hoursLeft ?? 0) <= 100 * 366 * 24)
        }
    }

    @Test func sizesThatOverflowWhenAddedSaturate() {
        var plan = SyncPlan(.down)
        plan.transfers = [1 << 62, 1 << 62, 1 << 62, .max].enumerated().map { number, size in
            SyncPlan.Item(path: SyncPath("f\(number)"), entry: Self.entry(size))
        }
        plan.conflicts = plan.transfers
        #expect(plan.totalBytes > 1 << 62)
        #expect(UnsafeResults(plan).bytes > 1 << 62)
        let preview = SyncPreview(
            changes: plan.transfers.map {
                .init(action: .bring, path: "x", bytes: $0.size, reason: .newThere)
            }, unchangedFiles: 0, notSent: [])
        #expect(preview.bytes(of: .bring) > 1 << 62)
    }

    @Test func timesBeyondTheCalendarAreKept() throws {
        for seconds in [Int.max, Int.min, 16_725_225_600, -16_725_225_600, 9_300_000_000] {
            var information = stat()
            information.st_mode = S_IFREG | 0o644
            information.st_size = 5
            information.st_mtim.tv_sec = seconds
            information.st_mtim.tv_nsec = 999_999_999
            let entry = FileEntry(information)
            var bytes: [UInt8] = []
            TreeRecords.write(entry, to: &bytes)
            var reader = TreeRecords.Reader(bytes[...])
            #expect(reader.entry() == entry, "\(seconds)")
            // What find prints of the same file is the same version.
            var other = TreeRecords.Reader(Array("f 5 \(seconds).999999999 644 ".utf8)[...])
            #expect(other.entry() == entry, "\(seconds)")
        }
    }

    @Test(arguments: ["-1", "99999999999999999999"])
    func aSizeThatIsNoneIsRefused(_ size: String) {
        var reader = TreeRecords.Reader(Array("f \(size) 1795000000.5 644 ".utf8)[...])
        #expect(reader.entry() == nil)
    }

    /// A sparse file may be as long as a file system can say, and one such file must not hide all others.
    @Test func theLongestFileIsTheSameOnBothSides() {
        var information = stat()
        information.st_mode = S_IFREG | 0o644
        information.st_size = .max
        information.st_mtim.tv_sec = 5
        var reader = TreeRecords.Reader(Array("f 9223372036854775807 5.0 644 ".utf8)[...])
        #expect(reader.entry() == FileEntry(information))
    }

    @Test(arguments: ["1e300", "-5", "9223372036854775807", "99999999999999999999"])
    func busyboxSizesAndTimesStayWithinBounds(_ word: String) {
        for line in [
            "81a4 \(word) 1795000000 2026-11-18 12:00:00.5 +0000|./a\n",
            "81a4 5 \(word) 2026-11-18 12:00:00.5 +0000|./a\n",
        ] {
            let tree = RemoteScan.parseStat(Array(line.utf8)[...])
            for entry in tree?.values ?? [:].values { #expect((0...(1 << 62)).contains(entry.size)) }
        }
    }

    @Test func theFormOfAWordIsNoFormat() throws {
        // Alarms are made of ids and of what platforms say of them.
        let id = InstanceID(platform: .vast, rawValue: "%s%n%@")
        var lease = Lease(
            terms: LeaseTerms(), guardian: .local, endsAt: Date(timeIntervalSince1970: 1_795_000_000),
            weakness: "%s%s%s")
        lease.use = .idle(4000)
        let instance = Instance(
            id: id, status: .running, gpuName: "%s", price: HourlyPrice(dollarsPerHour: 0.4))
        let alarms = MoneyWatch.alarms(of: lease, on: instance, Date(timeIntervalSince1970: 1_795_000_000))
        #expect(
            alarms.contains {
                $0.words == "%s%n%@ has been idle for 67 min: you are paying $0.40/h for nothing"
            })
    }
}
