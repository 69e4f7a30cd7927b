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

    private static func agreed(_ versions: [String: Int64]) -> AgreedTree {
        Self.tree(versions).mapValues { AgreedEntry(here: $0, there: $0, wasSent: true) }
    }

    private static func upload(_ local: FileTree, _ agreed: AgreedTree, _ remote: FileTree) -> SyncPlan {
        SyncPlan.upload(local: local, entry: { local[$0] }, agreed: agreed, remote: remote)
    }

    private static func paths(_ items: [SyncPlan.Item]) -> [String] { items.map(\.path.description) }

    /// One file's three versions, and what an upload must do with it.
    @Test(
        arguments: [
            // local, agreed, remote
            (1, nil, nil, "send"), (2, 1, 1, "send"), (1, 1, 1, "same"), (1, nil, 1, "conflict"),
            (1, 1, 2, "keep"), (2, 1, 3, "conflict"), (1, nil, 2, "conflict"), (1, 1, nil, "removed"),
            (2, 1, nil, "send"),
            (nil, 1, 1, "delete"), (nil, 1, 2, "nothing"), (nil, nil, 2, "nothing"), (nil, 1, nil, "nothing"),
        ] as [(Int64?, Int64?, Int64?, String)])
    func uploadDecidesByAllThreeVersions(local: Int64?, agreed: Int64?, remote: Int64?, expected: String) {
        let name = "f"
        func tree(_ version: Int64?) -> FileTree { Self.tree(version.map { [name: $0] } ?? [:]) }
        let base = Self.agreed(agreed.map { [name: $0] } ?? [:])
        let plan = SyncPlan.upload(
            local: tree(local), entry: { tree(local)[$0] }, agreed: base, remote: tree(remote),
            isSameDisk: true)
        #expect(plan.removedThere == (expected == "removed" ? [SyncPath(name)] : []))
        let path = SyncPath(name)
        #expect(Self.paths(plan.transfers) == (expected == "send" ? [name] : []))
        #expect(plan.deletions.map(\.path) == (expected == "delete" ? [path] : []))
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
        let base = Self.agreed(agreed.map { [name: $0] } ?? [:])
        let plan = SyncPlan.download(local: { here[$0] }, agreed: base, remote: tree(remote))
        #expect(Self.paths(plan.transfers) == (expected == "bring" ? [name] : []))
        #expect(plan.deletions.isEmpty)
        #expect(Self.paths(plan.conflicts) == (expected == "conflict" ? [name] : []))
        #expect(plan.keptOnOtherSide == (expected == "keep" ? [SyncPath(name)] : []))
        #expect(plan.unchangedFiles == (expected == "same" ? 1 : 0))
    }

    @Test func aLostManifestOverwritesAndDeletesNothing() {
        let local = Self.tree(["a": 1, "b": 2])
        let remote = Self.tree(["a": 9, "c": 3])
        let up = Self.upload(local, [:], remote)
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
        // NTFS, exFAT and FAT keep 100 ns, 10 ms and 2 s.
        for (step, isSame) in [(100, true), (10_000_000, true), (2_000_000_000, true), (300, false)] {
            let step = Int64(step)
            let kept = FileEntry(
                kind: .file, size: 5, modified: exact.modified / step * step, mode: 0o644)
            #expect(
                exact.isSameVersion(as: kept) == isSame && kept.isSameVersion(as: exact) == isSame, "\(step)")
        }
    }

    /// Each side is compared with what it looked like itself when both agreed: a file system that drops
    /// fractions or permission bits is no change.
    @Test func aSideThatShowsAFileDifferentlyIsNoChange() {
        let here = FileEntry(kind: .file, size: 5, modified: 1_000_000_500, mode: 0o755)
        let there = FileEntry(kind: .file, size: 5, modified: 1_000_000_000, mode: 0o600)
        let path = SyncPath("f")
        let agreed: AgreedTree = [path: AgreedEntry(here: here, there: there)]
        #expect(Self.upload([path: here], agreed, [path: there]).isEmpty)
        let down = SyncPlan.download(local: { _ in here }, agreed: agreed, remote: [path: there])
        #expect(down.isEmpty)
    }

    @Test func aChangeOfPermissionsTravels() {
        let before = FileEntry(kind: .file, size: 5, modified: 1, mode: 0o644)
        var after = before
        after.mode = 0o755
        let path = SyncPath("run.sh")
        let agreed: AgreedTree = [path: AgreedEntry(here: before, there: before)]
        #expect(Self.paths(Self.upload([path: after], agreed, [path: before]).transfers) == ["run.sh"])
        // What was written there meanwhile is more than a bit.
        let written = FileEntry(kind: .file, size: 6, modified: 2, mode: 0o644)
        let plan = Self.upload([path: after], agreed, [path: written])
        #expect(plan.keptOnOtherSide == [path] && plan.isEmpty)
    }

    /// A result that was brought and then deleted here stays on the instance, which made it.
    @Test func whatWasBornThereIsNotDeletedThere() {
        let path = SyncPath("result")
        let entry = Self.entry(1)
        let agreed = [path: AgreedEntry(here: entry, there: entry, wasSent: false)]
        #expect(Self.upload([:], agreed, [path: entry]).isEmpty)
    }

    @Test func whatIsIgnoredSinceItWasSentIsNotGone() {
        let path = SyncPath("data.bin")
        let entry = Self.entry(1)
        let plan = SyncPlan.upload(
            local: [:], entry: { _ in entry }, agreed: [path: AgreedEntry(here: entry, there: entry)],
            remote: [path: entry])
        #expect(plan.isEmpty)
    }

    /// A file here and a folder there of the same name, and the other way round.
    @Test func filesAndFoldersOfOneNameConflict() {
        let file = Self.tree(["a": 1])
        let inFolder = Self.tree(["a/b": 2])
        #expect(
            Self.paths(
                SyncPlan.upload(
                    local: file, entry: { file[$0] }, agreed: [:], remote: inFolder,
                    remoteFolders: [SyncPath("a")]
                ).conflicts) == ["a"])
        #expect(Self.paths(Self.upload(inFolder, [:], file).conflicts) == ["a/b"])
        #expect(
            Self.paths(SyncPlan.download(local: { file[$0] }, agreed: [:], remote: inFolder).conflicts)
                == ["a/b"])
        let folder = FileEntry(kind: .folder, size: 0, modified: 0, mode: 0o755)
        #expect(
            Self.paths(SyncPlan.download(local: { _ in folder }, agreed: [:], remote: file).conflicts) == [
                "a"
            ])
    }
}
