import Foundation
import GRDB
import Testing
import VPTestSupport

@testable import VPEngine

struct StoreTests {
    private static let id = InstanceID(platform: .vast, rawValue: "31415")

    private static func entry(_ name: String) -> LedgerEntry {
        LedgerEntry(
            name: name, platform: .vast, instance: nil, state: .intended, gpuName: "RTX 4090",
            dollarsPerHour: 0.4, image: "i", machineID: "7", workspaceRoot: "/p", remoteRoot: "/workspace",
            createdAt: Date(timeIntervalSince1970: 1_795_000_000))
    }

    private static func job(_ id: JobID) -> Job {
        Job(
            id: id, instance: Self.id, command: .arguments(["python", "a b.py"]),
            createdAt: Date(timeIntervalSince1970: 1_795_000_000), workspacePath: "/p", logPath: "/l")
    }

    /// Two dashboards started at once make one history, not two halves of one.
    @Test func programsThatStartAtOnceMakeOneHistory() async throws {
        for round in 0..<10 {
            try await TemporaryFolder.with { folder in
                try await withThrowingTaskGroup { group in
                    for program in 0..<6 {
                        group.addTask {
                            let history = try Store(stateFolder: folder.path)
                            try history.insert(Self.entry("vp-\(round)-\(program)"))
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try Store(stateFolder: folder.path).openLedgerEntries().count == 6)
            }
        }
    }

    @Test func aRentalIsOpenUntilItIsConfirmedGone() async throws {
        try await TemporaryFolder.with { folder in
            let history = try Store(stateFolder: folder.path)
            try history.insert(Self.entry("vp-p-1"))
            #expect(try history.openLedgerEntries().map(\.state) == [.intended])
            try history.update("vp-p-1", state: .rented, instance: Self.id)
            try history.update("vp-p-1", state: .destroying)
            #expect(try history.openLedgerEntries().map(\.instance) == [Self.id])
            #expect(try history.ledgerEntry(for: Self.id)?.name == "vp-p-1")
            try history.update("vp-p-1", state: .gone)
            #expect(try history.openLedgerEntries() == [])
        }
    }

    /// Reasons were sentences among the steps once; a store of that time keeps them.
    @Test(arguments: LedgerEntry.EndReason.allCases)
    func theReasonOfAnEndIsKept(reason: LedgerEntry.EndReason) async throws {
        try await TemporaryFolder.with { folder in
            do {
                let store = try Store(stateFolder: folder.path)
                try store.insert(Self.entry("vp-p-1"))
                try store.update("vp-p-1", state: .rented, instance: Self.id)
                try store.update("vp-p-1", state: .gone, because: reason)
                #expect(try store.ledgerEntry(for: Self.id)?.endReason == reason)
            }
            let database = try DatabaseQueue(path: "\(folder.path)/history.sqlite")
            try await database.write { database in
                try database.execute(
                    sql: """
                        ALTER TABLE ledger DROP COLUMN endReason;
                        DELETE FROM grdb_migrations WHERE identifier = '5 end reasons';
                        """)
            }
            try database.close()
            let store = try Store(stateFolder: folder.path)
            #expect(try store.ledgerEntry(for: Self.id)?.endReason == reason)
            #expect(try store.recentlyLost(since: .distantPast) == (reason == .lost ? [Self.id] : []))
        }
    }

    @Test func jobsAreNumberedAndReadBackByAnotherProgram() async throws {
        try await TemporaryFolder.with { folder in
            let history = try Store(stateFolder: folder.path)
            let inserted = try history.insertJob(workspaceName: "p", make: Self.job)
            let second = try history.insertJob(workspaceName: "p", make: Self.job)
            #expect([inserted.id.rawValue, second.id.rawValue] == ["p-1", "p-2"])
            let first = try history.change(inserted.id) { job in
                job.end(JobEnd(outcome: .signalled(9)), tail: [], now: Date(timeIntervalSince1970: 5))
            }
            let other = try Store(stateFolder: folder.path)
            #expect(try other.jobs(limit: 10) == [second, first])
            #expect(try other.job(inserted.id)?.outcome == .signalled(9))
        }
    }

    /// What an end may lose, and what is still to be followed, does not depend on how much was done since.
    @Test func anOldJobIsFoundBehindManyNewerOnes() async throws {
        try await TemporaryFolder.with { folder in
            let store = try Store(stateFolder: folder.path)
            let old = try store.insertJob(workspaceName: "p", make: Self.job)
            let other = InstanceID(platform: .runpod, rawValue: Self.id.rawValue)
            let done = try store.insertJob(workspaceName: "p") { id in
                var job = Self.job(id)
                job.instance = other
                return job
            }
            try store.change(done.id) { $0.end(JobEnd(outcome: .exited(0)), tail: [], now: Date()) }
            let database = try DatabaseQueue(path: folder.path + "/history.sqlite")
            try await database.write { database in
                try database.execute(
                    sql: """
                        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
                        INSERT INTO job (id, document)
                        SELECT 'q-' || i, (SELECT document FROM job WHERE id = 'p-2') FROM n;
                        INSERT INTO job (id, document) VALUES ('damaged', '{"state":');
                        """)
            }
            #expect(try store.hasJobs(on: Self.id))
            #expect(try store.jobs(on: Self.id) == [old])
            #expect(try store.openJobs() == [old])
            #expect(try store.openJobs(on: Self.id) == [old])
            #expect(try store.openJobs(on: other).isEmpty)
            #expect(try store.jobs(on: other).count == 12_001)
            #expect(try store.jobs(beginningWith: "p-", limit: 6).count == 2)
            #expect(try store.jobs(beginningWith: "p_", limit: 6).isEmpty)
            #expect(try !store.hasJobs(on: InstanceID(platform: .vast, rawValue: "1")))
        }
    }

    /// What an earlier version wrote, without all that was added since.
    @Test func anOldDatabaseIsRead() async throws {
        try await TemporaryFolder.with { folder in
            let job = try Store(stateFolder: folder.path).insertJob(workspaceName: "p", make: Self.job)
            let old = """
                {"id":{"rawValue":"p-1"},"instance":{"platform":"vast","rawValue":"31415"},"command":{"shell":{"_0":"true"}},
                "state":"succeeded","outcome":{"exited":{"_0":0}},"createdAt":1795000000,"startedAt":1795000001,
                "endedAt":1795000002,"dollars":0.25,"workspacePath":"/p","logPath":"/l"}
                """
            let database = try DatabaseQueue(path: folder.path + "/history.sqlite")
            try await database.write { database in
                try database.execute(sql: "UPDATE job SET document = ?", arguments: [old])
            }
            let history = try Store(stateFolder: folder.path)
            let read = try #require(try history.job(job.id))
            #expect(read.outcome == .exited(0))
            #expect(read.record == nil)
            try history.change(job.id) { $0.record = JobRecord() }
            #expect(try history.job(job.id)?.record == JobRecord())
        }
    }

    /// `vp` and `vp-tui` write at the same time.
    @Test func twoWritersLoseNothing() async throws {
        try await TemporaryFolder.with { folder in
            let histories = [
                try Store(stateFolder: folder.path), try Store(stateFolder: folder.path),
            ]
            try await withThrowingTaskGroup { group in
                for history in histories {
                    group.addTask {
                        for _ in 0..<50 { _ = try history.insertJob(workspaceName: "p", make: Self.job) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(Set(try histories[0].jobs(limit: 1000).map(\.id)).count == 100)
        }
    }

    @Test func onlyTheOwnerCanReadTheState() async throws {
        try await TemporaryFolder.with { folder in
            _ = try Store(stateFolder: folder.path + "/state")
            var information = stat()
            #expect(stat(folder.path + "/state", &information) == 0 && information.st_mode & 0o777 == 0o700)
            #expect(
                stat(folder.path + "/state/history.sqlite", &information) == 0
                    && information.st_mode & 0o777 == 0o600)
        }
    }
}
