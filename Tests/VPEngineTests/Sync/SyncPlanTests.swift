import Testing
import VPTestSupport

@testable import VPEngine

struct SyncPlanTests {
    private static func entry(_ version: Int64) -> FileEntry {
        FileEntry(kind: .file, size: version, modified: version * 1_000, mode: 0o644)
    }

    private static func tree(_ versions: [String: Int64]) -> FileTree {
        FileTree(uniqueKeysWithValues: versions.map { (SyncPath($0.key), Self.entry($0.value)) })
    }

    private static func paths(_ items: [SyncPlan.Item]) -> [String] { items.map(\.path.description) }

    /// One file's three versions, and what an upload must do with it.
    @Test(
        arguments: [
            // local, agreed, remote
            (1, nil, nil, "send"), (2, 1, 1, "send"), (1, 1, 1, "same"), (1, nil, 1, "same"),
            (1, 1, 2, "keep"), (2, 1, 3, "conflict"), (1, nil, 2, "conflict"), (1, 1, nil, "send"),
            (nil, 1, 1, "delete"), (nil, 1, 2, "nothing"), (nil, nil, 2, "nothing"), (nil, 1, nil, "nothing"),
        ] as [(Int64?, Int64?, Int64?, String)])
    func uploadDecidesByAllThreeVersions(local: Int64?, agreed: Int64?, remote: Int64?, expected: String) {
        let name = "f"
        func tree(_ version: Int64?) -> FileTree { Self.tree(version.map { [name: $0] } ?? [:]) }
        let plan = SyncPlan.upload(local: tree(local), agreed: tree(agreed), remote: tree(remote))
        let path = SyncPath(name)
        #expect(Self.paths(plan.transfers) == (expected == "send" ? [name] : []))
        #expect(plan.deletions == (expected == "delete" ? [path] : []))
        #expect(Self.paths(plan.conflicts) == (expected == "conflict" ? [name] : []))
        #expect(plan.keptOnOtherSide == (expected == "keep" ? [path] : []))
        #expect(plan.unchangedFiles == (expected == "same" ? 1 : 0))
    }

    @Test(
        arguments: [
            (nil, nil, 1, "bring"), (1, 1, 2, "bring"), (1, 1, 1, "same"), (2, 1, 1, "keep"),
            (2, 1, 3, "conflict"), (1, nil, 2, "conflict"), (nil, 1, 1, "nothing"), (nil, 1, 2, "bring"),
            (1, 1, nil, "nothing"), (1, nil, nil, "nothing"),
        ] as [(Int64?, Int64?, Int64?, String)])
    func downloadDecidesByAllThreeVersions(local: Int64?, agreed: Int64?, remote: Int64?, expected: String) {
        let name = "f"
        func tree(_ version: Int64?) -> FileTree { Self.tree(version.map { [name: $0] } ?? [:]) }
        let here = tree(local)
        let plan = SyncPlan.download(local: { here[$0] }, agreed: tree(agreed), remote: tree(remote))
        #expect(Self.paths(plan.transfers) == (expected == "bring" ? [name] : []))
        #expect(plan.deletions.isEmpty)
        #expect(Self.paths(plan.conflicts) == (expected == "conflict" ? [name] : []))
        #expect(plan.keptOnOtherSide == (expected == "keep" ? [SyncPath(name)] : []))
        #expect(plan.unchangedFiles == (expected == "same" ? 1 : 0))
    }

    @Test func aLostManifestOverwritesAndDeletesNothing() {
        let local = Self.tree(["a": 1, "b": 2])
        let remote = Self.tree(["a": 9, "c": 3])
        let up = SyncPlan.upload(local: local, agreed: [:], remote: remote)
        #expect(Self.paths(up.transfers) == ["b"])
        #expect(Self.paths(up.conflicts) == ["a"])
        #expect(up.deletions.isEmpty)
        let down = SyncPlan.download(local: { local[$0] }, agreed: [:], remote: remote)
        #expect(Self.paths(down.transfers) == ["c"])
        #expect(Self.paths(down.conflicts) == ["a"])
    }

    @Test func aFileSystemOfWholeSecondsIsNoChange() {
        let exact = FileEntry(kind: .file, size: 5, modified: 1_795_000_000_123_456_789, mode: 0o644)
        let whole = FileEntry(kind: .file, size: 5, modified: 1_795_000_000_000_000_000, mode: 0o644)
        let later = FileEntry(kind: .file, size: 5, modified: 1_795_000_001_000_000_000, mode: 0o644)
        #expect(exact.isSameVersion(as: whole))
        #expect(!exact.isSameVersion(as: later))
    }

    /// Random edits on both sides over many rounds. The judge knows only what was there before and after a
    /// step, not how the plan decides.
    @Test(arguments: 0..<200)
    func randomRoundsLoseNothing(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) &+ 1)
        var local: [String: Int64] = [:]
        var remote: [String: Int64] = [:]
        var agreed: [String: Int64] = [:]
        var version: Int64 = 0
        let names = (0..<6).map { "file\($0)" }
        for _ in 0..<30 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let name = names.randomElement(using: &random)!
                version += 1
                switch Int.random(in: 0...5, using: &random) {
                case 0: local[name] = nil
                case 1: remote[name] = nil
                case 2, 3: local[name] = version
                default: remote[name] = version
                }
            }
            if Bool.random(using: &random) {
                let before = remote
                let plan = SyncPlan.upload(
                    local: Self.tree(local), agreed: Self.tree(agreed), remote: Self.tree(remote))
                for path in plan.deletions.map(\.description) { remote[path] = nil }
                for path in Self.paths(plan.transfers) { remote[path] = local[path] }
                for (name, old) in before where remote[name] != old {
                    #expect(old == agreed[name], "an upload replaced what the instance had changed")
                    #expect(remote[name] == local[name])
                }
                for name in names where local[name] != nil && local[name] == remote[name] {
                    agreed[name] = local[name]
                }
                for path in plan.deletions.map(\.description) { agreed[path] = nil }
            } else {
                let before = local
                var copies: [String: Int64] = [:]
                let plan = SyncPlan.download(
                    local: { Self.tree(local)[$0] }, agreed: Self.tree(agreed), remote: Self.tree(remote))
                for path in Self.paths(plan.transfers) { local[path] = remote[path] }
                for path in Self.paths(plan.conflicts) { copies[path] = remote[path] }
                for (name, old) in before where local[name] != old {
                    #expect(old == agreed[name], "a download replaced what was changed here")
                }
                for (name, there) in remote {
                    let isHere = local[name] == there || copies[name] == there
                    #expect(isHere || there == agreed[name], "a result was not brought")
                }
                for name in names where local[name] != nil && local[name] == remote[name] {
                    agreed[name] = local[name]
                }
                for (name, copy) in copies { agreed[name] = copy }
            }
        }
    }
}
