import Foundation
import GRDB
import Testing
import VPTestSupport

@testable import VPEngine

/// Rows that an earlier version has stored, before anything was checked,
/// pass the same reader as what comes new.
@Suite("Stored numbers")
struct StoredNumbersTests {
    private static let absurd = ["9e999", "-9e999", "1e300", "-1e300", "-1", "'many'", "x'00ff'"]
    private static let epoch = 0.0...1e11

    private static func history(
        in folder: TemporaryFolder, _ statements: [String]
    ) throws -> Store {
        _ = try Store(stateFolder: folder.path)
        let queue = try DatabaseQueue(path: folder.path + "/history.sqlite")
        try queue.write { database in
            for statement in statements { try database.execute(sql: statement) }
        }
        try queue.close()
        return try Store(stateFolder: folder.path)
    }

    private static func lease(idle: String, end: String, cap: String) -> String {
        """
        {"terms":{"seconds":43200,"maximumSeconds":1e300,"ending":"destroy","keepsUnsafeResults":true,\
        "idleSeconds":1e300,"idleEnding":"stop"},"guardian":"instance","endsAt":\(end),"capEndsAt":\(cap),\
        "heardAt":1e300,"parkedAt":-1e300,"use":{"idle":{"_0":\(idle)}}}
        """
    }

    @Test(arguments: Self.absurd) func theLedgerIsReadWhateverItHolds(_ value: String) async throws {
        try await TemporaryFolder.with { folder in
            let lease = Self.lease(idle: "1e300", end: "1e300", cap: "-1e300")
            let history = try Self.history(
                in: folder,
                ["rented", "destroying", "gone"].map { state in
                    """
                    INSERT INTO ledger (name, platform, instance, state, gpu, dollarsPerHour, image, machine,
                        workspaceRoot, remoteRoot, createdAt, updatedAt, goneAt, lease)
                    VALUES ('vp-\(state)', 'vast', '31415', '\(state)', 'RTX', \(value), 'i', '7', '/p', '/w',
                        \(value), \(value), \(value), '\(lease)')
                    """
                } + ["INSERT INTO ledgerStep (name, step, at) VALUES ('vp-gone', 'gone: x', \(value))"])
            let id = InstanceID(platform: .vast, rawValue: "31415")
            var entries = try history.openLedgerEntries() + history.ledgerEntries(since: .distantPast)
            #expect(entries.count >= 4, "no row is lost")
            entries += [try #require(try history.ledgerEntry(for: id))]
            _ = try history.recentlyLost(since: .distantPast)
            for entry in entries {
                #expect((0...100_000).contains(entry.dollarsPerHour))
                #expect(Self.epoch.contains(entry.createdAt.timeIntervalSince1970))
                #expect(Self.epoch.contains(entry.updatedAt.timeIntervalSince1970))
                let lease = try #require(entry.lease)
                // A lease whose end cannot be read has one all the same.
                #expect(Self.epoch.contains(try #require(lease.endsAt).timeIntervalSince1970))
                #expect(Self.epoch.contains((lease.capEndsAt ?? Date()).timeIntervalSince1970))
                #expect((0...4e9).contains(lease.terms.idleSeconds ?? 0))
                #expect((0...4e9).contains(lease.terms.maximumSeconds ?? 0))
                if case .idle(let seconds)? = lease.use { #expect((0...4e9).contains(seconds)) }
            }
        }
    }

    @Test(arguments: Self.absurd) func whatThingsCostIsReadWhateverItHolds(_ value: String) async throws {
        try await TemporaryFolder.with { folder in
            let day = 1_795_046_400.0
            let history = try Self.history(
                in: folder,
                [
                    """
                    INSERT INTO meter (platform, instance, gpu, startedAt, seenAt, dollarsPerHour, isOver)
                    VALUES ('vast', '1', 'RTX', \(value), \(value), \(value), 0)
                    """,
                    """
                    INSERT INTO meter (platform, instance, gpu, startedAt, seenAt, dollarsPerHour, isOver)
                    VALUES ('vast', '2', 'RTX', \(day), \(day + 3600), 0.5, 0)
                    """,
                    """
                    INSERT INTO charge (platform, instance, day, dollars, countedUntil)
                    VALUES ('vast', '1', \(day), \(value), \(value))
                    """,
                ])
            let now = Date(timeIntervalSince1970: day + 7200)
            let start = Date(timeIntervalSince1970: day)
            let book = CostBook(
                spans: try history.meterSpans(since: .distantPast),
                charges: try history.charges(since: .distantPast), now: now)
            for grouping in CostBook.Grouping.allCases {
                for line in book.lines(by: grouping, from: start, to: now) {
                    #expect(line.dollars.isFinite && abs(line.dollars) < 1e9)
                }
            }
            let other = InstanceID(platform: .vast, rawValue: "2")
            #expect(abs(book.cost(of: other, from: start, to: now).dollars - 1) < 1e-9)
            #expect(book.total(from: start, to: now).dollars.isFinite)
            // A time before all others must not be walked through day by day.
            for span in book.spans { #expect(Self.epoch.contains(span.startedAt.timeIntervalSince1970)) }
        }
    }

    @Test(arguments: ["1e300", "-1e300"]) func jobsAreReadWhateverTheyHold(_ value: String) async throws {
        try await TemporaryFolder.with { folder in
            let document = """
                {"id":{"rawValue":"p-1"},"instance":{"platform":"vast","rawValue":"7"},
                "command":{"shell":{"_0":"x"}},"state":"failed","outcome":{"signalled":{"_0":2147483647}},
                "createdAt":\(value),"startedAt":\(value),"endedAt":\(value),"dollars":\(value),
                "workspacePath":"/p","logPath":"/l",
                "record":{"maximumCost":\(value),"peakBytes":9223372036854775807,"logBytes":-5,
                "errorBytes":-9223372036854775808,
                "results":{"files":-9223372036854775808,"bytes":-1,"conflicts":0,"missing":0,"at":\(value)},
                "hardware":{"gpuName":"RTX","gpuCount":9223372036854775807,"dollarsPerHour":\(value),
                "isInterruptible":false}}}
                """
            let history = try Self.history(
                in: folder, ["INSERT INTO job (id, document) VALUES ('p-1', '\(document)')"])
            let job = try #require(try history.job(JobID("p-1")))
            #expect(try history.jobs(limit: 10) == [job])
            #expect((0..<1000).contains(job.outcome?.exitStatus ?? 0))
            for date in [job.createdAt, job.startedAt, job.endedAt].compactMap(\.self) {
                #expect(Self.epoch.contains(date.timeIntervalSince1970))
            }
            #expect(job.dollars == nil && job.record?.maximumCost == nil)
            #expect((0...(1 << 62)).contains(job.record?.peakBytes ?? 0))
            #expect((0...(1 << 62)).contains(job.record?.logBytes ?? 0))
            #expect((0...1_000_000).contains(job.record?.hardware?.gpuCount ?? 0))
            #expect((0...100_000).contains(job.record?.hardware?.dollarsPerHour ?? 0))
            #expect((0...2_000_000_000).contains(job.record?.results?.files ?? 0))
            // It can be changed and written as well.
            #expect(try history.change(JobID("p-1")) { $0.cause = "known" }?.cause == "known")
        }
    }

    /// What would not be JSON must not keep the end of a job from being written down.
    @Test func aJobWhoseCostIsNoNumberIsStored() async throws {
        try await TemporaryFolder.with { folder in
            let history = try Store(stateFolder: folder.path)
            let job = try history.insertJob(workspaceName: "p") { id in
                Job(
                    id: id, instance: InstanceID(platform: .vast, rawValue: "7"), command: .shell("x"),
                    createdAt: Date(timeIntervalSince1970: 1_795_000_000), workspacePath: "/p", logPath: "/l")
            }
            let changed = try history.change(job.id) {
                $0.dollars = .infinity
                $0.endedAt = Date(timeIntervalSince1970: .nan)
                $0.state = .failed
            }
            #expect(changed?.state == .failed)
            #expect(try history.job(job.id)?.dollars == nil)
        }
    }

    @Test func cachesAreReadWhateverTheyHold() async throws {
        try await TemporaryFolder.with { folder in
            let cache = PlatformCache(folder: folder.path)
            let value = "1e300"
            try folder.write(
                """
                {"fetchedAt":\(value),"values":[{"id":{"platform":"vast","rawValue":"31415"},
                "status":"running","gpuName":"RTX","gpuCount":9223372036854775807,
                "gpuMemoryBytes":9223372036854775807,"price":{"dollarsPerHour":\(value)},"createdAt":\(value),
                "addresses":[{"host":"-oProxyCommand=x","port":-1,"user":"root"},
                {"host":"h","port":22,"user":"root"}],
                "diskBytes":-9223372036854775808,"isInterruptible":false}]}
                """, to: "instances.json")
            let instances = try #require(cache.load(.instances, of: Instance.self))
            let instance = try #require(instances.values.first)
            #expect((0...100_000).contains(instance.price.dollarsPerHour))
            #expect((0...1_000_000).contains(instance.gpuCount))
            #expect((0...(1 << 62)).contains(instance.gpuMemoryBytes ?? 0))
            #expect((0...(1 << 62)).contains(instance.diskBytes ?? 0))
            #expect(instance.createdAt.map { Self.epoch.contains($0.timeIntervalSince1970) } ?? true)
            #expect(instance.addresses.map(\.host) == ["h"])
            #expect(Self.epoch.contains(instances.fetchedAt.timeIntervalSince1970))
            try folder.write(
                #"{"fetchedAt":0,"values":[{"platform":"vast","dollars":1e300}]}"#, to: "balances.json")
            #expect(cache.load(.balances, of: Balance.self)?.values.isEmpty ?? true)
        }
    }

    /// An id that names no file and no word of a shell was never an instance's.
    @Test func anIdThatIsAPathIsNotReadBack() async throws {
        try await TemporaryFolder.with { folder in
            let history = try Self.history(
                in: folder,
                ["../../x", "a\nb", "%s%n", "-o", "."].enumerated().map { number, id in
                    """
                    INSERT INTO ledger (name, platform, instance, state, gpu, dollarsPerHour, image,
                        workspaceRoot, remoteRoot, createdAt)
                    VALUES ('vp-\(number)', 'vast', '\(id)', 'rented', 'RTX', 1, 'i', '/p', '/w', 1795000000)
                    """
                })
            let entries = try history.openLedgerEntries()
            #expect(entries.count == 5)
            #expect(entries.allSatisfy { $0.instance == nil })
        }
    }
}
