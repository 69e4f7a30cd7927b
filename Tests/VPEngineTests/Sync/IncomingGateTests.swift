import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Which names may come from an instance, by tables: no file is looked at.
struct IncomingGateTests {
    private static let file = FileEntry(kind: .file, size: 1, modified: 1, mode: 0o644)

    /// What would become of the files `there`, where these are here and these were sent before.
    private static func plan(
        _ there: [String], here: [String] = [], sent: [String] = [], brought: [String] = [],
        accepting: [String] = []
    ) -> SyncPlan {
        var agreed: AgreedTree = [:]
        let older = FileEntry(kind: .file, size: 9, modified: 9, mode: 0o644)
        for name in sent {
            agreed[SyncPath(name)] = AgreedEntry(here: Self.file, there: older, wasSent: true)
        }
        for name in brought { agreed[SyncPath(name)] = AgreedEntry(here: Self.file, there: older) }
        var folders: Set<SyncPath> = []
        for name in here + sent + brought { folders.formUnion(SyncPath(name).ancestors) }
        let files = Set((here + sent + brought).map { SyncPath($0) })
        return SyncPlan.download(
            local: { path in
                folders.contains(path)
                    ? FileEntry(kind: .folder, size: 0, modified: 0, mode: 0o755)
                    : files.contains(path) ? Self.file : nil
            }, agreed: agreed,
            remote: FileTree(
                uniqueKeysWithValues: there.map {
                    (SyncPath($0), FileEntry(kind: .file, size: 2, modified: 2, mode: 0o644))
                }),
            gate: IncomingGate(accepting: accepting))
    }

    @Test(arguments: [
        "", ".", "..", "/etc/passwd", "a//b", "a/", "/", "../x", "a/../../x", "a/./b", "x/..",
    ])
    func noFileHasSuchAName(_ name: String) {
        #expect(IncomingGate.refusal(of: SyncPath(name))?.reason == .impossible)
    }

    @Test func aNameThatIsTooLongIsRefused() {
        let part = String(repeating: "n", count: 255)
        #expect(IncomingGate.refusal(of: SyncPath(part)) == nil)
        #expect(IncomingGate.refusal(of: SyncPath(part + "n"))?.reason == .tooLong)
        #expect(IncomingGate.refusal(of: SyncPath("a/\(part)n/b"))?.reason == .tooLong)
        let long = Array(repeating: part, count: 16).joined(separator: "/")
        #expect(IncomingGate.refusal(of: SyncPath(long))?.reason == nil)
        #expect(IncomingGate.refusal(of: SyncPath(long + "/aa"))?.reason == .tooLong)
    }

    /// Every spelling that some file system takes for one of the names that are never accepted.
    @Test(
        arguments: [
            (".git", .repository), (".GIT", .repository), (".Git", .repository), (".git ", .repository),
            (".git.", .repository), (".git . .", .repository), (".git::$INDEX_ALLOCATION", .repository),
            (".git:stream", .repository), ("git~1", .repository), ("GIT~2", .repository),
            (".g\u{200c}it", .repository), ("\u{feff}.git", .repository), (".git\u{206f}", .repository),
            (".g\u{ad}it", .repository), ("．ｇｉｔ", .repository), (".gıt", .repository), (".gİt", .repository),
            ("x\\.git", .repository), (".git\\config", .repository), (".gi\u{1f}t", .repository),
            (".vp", .ownFolder), (".VP", .ownFolder), (".vp ", .ownFolder), ("vp~1", .ownFolder),
            (".v\u{200d}p", .ownFolder), (".ｖｐ", .ownFolder), (".vp::$DATA", .ownFolder),
            (".vpignore", .ignoreFile), (".VPIgnore", .ignoreFile), (".vpignore.", .ignoreFile),
            ("VPIGNO~1", .ignoreFile), (".vpıgnore", .ignoreFile),
            (".vp-sync", .staging), (".vp-partial", .staging), (".VP-Sync", .staging),
        ] as [(String, IncomingGate.Reason)])
    func aSpellingIsRefusedAtAnyDepth(_ name: String, _ reason: IncomingGate.Reason) {
        for path in [name, "\(name)/config", "a/\(name)", "a/b/\(name)/hooks/x"] {
            #expect(IncomingGate.refusal(of: SyncPath(path))?.reason == reason, "\(path)")
            let plan = Self.plan([path, "result"])
            #expect(plan.transfers.map(\.path.description) == ["result"], "\(path)")
            #expect(plan.conflicts.isEmpty && plan.refused.map(\.reason) == [reason], "\(path)")
        }
    }

    @Test(arguments: [
        "git", ".gitignore", ".gitkeep", ".github/workflows/x.yml", "vp", ".vpx", "vpignore", ".vpignore2",
        "x.git", "git~", "git~a", "HEAD", "refs/x", "objects/y", "config", "hooks/pre-commit", ".env", "..a",
        "...", "a.", "a ", "é", "日本", "new\nline", "back\\slash", "colon:name", ".config", "a~1",
        ".vp-kept/x",
        "vp~/x", "repo.remote-7",
    ])
    func anOrdinaryNameComes(_ name: String) {
        let plan = Self.plan([name])
        #expect(plan.transfers.count == 1 && plan.refused.isEmpty && plan.conflicts.isEmpty)
    }

    /// git takes a folder for a repository by four names, and runs what its configuration says.
    @Test func aRepositoryWithoutAFolderOfItsOwnIsRefused() {
        let layout = ["HEAD", "config", "objects/info/packs", "refs/heads/x"]
        for folder in ["", "sub/", "a/b.git/"] {
            let plan = Self.plan(layout.map { folder + $0 } + [folder + "result.txt"])
            #expect(plan.transfers.map(\.path.description) == [folder + "result.txt"], "\(folder)")
            #expect(plan.refused.count == 4 && plan.refused.allSatisfy { $0.reason == .bareRepository })
        }
        #expect(Self.plan(["r/head", "r/Objects/x", "r/REFS/x", "r/config"]).transfers.isEmpty)
        #expect(Self.plan(["r/HEAD", "r/commondir", "r/config"]).transfers.isEmpty)
    }

    /// The rest of it may be here already, from an earlier download or the user's own.
    @Test func aRepositoryIsNotPutTogetherByAndBy() {
        for (here, there) in [
            (["r/HEAD", "r/objects/x"], "r/refs/x"), (["r/refs/x", "r/objects/x"], "r/HEAD"),
            (["r/HEAD", "r/refs/x"], "r/objects/x"), (["HEAD", "refs/x"], "objects/x"),
            (["r/HEAD"], "r/commondir"), (["r/HEAD", "r/objects/x", "r/refs/x"], "r/HEAD"),
        ] {
            let plan = Self.plan([there], brought: here)
            #expect(plan.transfers.isEmpty && plan.conflicts.isEmpty, "\(there)")
            #expect(plan.refused.map(\.reason) == [.bareRepository], "\(there)")
        }
        // What is here alone, and changed there, is named by what git reads in it.
        let plan = Self.plan(
            ["r/config", "r/HEAD", "r/notes.txt"], here: ["r/objects/x", "r/refs/x"], brought: ["r/HEAD"])
        #expect(plan.transfers.map(\.path.description) == ["r/notes.txt"])
        #expect(Self.plan(["r/HEAD", "r/objects/x"]).transfers.count == 2)
    }

    /// Programs here act on these as soon as they stand in a folder.
    @Test(arguments: [
        ".gitattributes", ".gitmodules", ".envrc", ".vscode/tasks.json", ".idea/x.xml", ".VSCode/x",
    ])
    func whatIsActedOnGoesBesideOrStays(_ name: String) {
        #expect(Self.plan([name], sent: [name]).conflicts.map(\.path.description) == [name])
        #expect(Self.plan([name]).conflicts.map(\.path.description) == [name])
        // In a folder of this project.
        #expect(Self.plan(["src/\(name)"], sent: ["src/a.py"]).conflicts.count == 1)
        #expect(Self.plan(["src/\(name)"], here: ["src/a.py"]).conflicts.count == 1)
        // In a clone that was made there: at once, and once its files are here.
        for brought in [[], ["clone/a.py"]] {
            let plan = Self.plan(["clone/\(name)", "clone/a.py", "clone/deep/\(name)"], brought: brought)
            #expect(plan.transfers.map(\.path.description) == ["clone/a.py"], "\(brought)")
            #expect(plan.conflicts.isEmpty && plan.refused.count == 2, "\(brought)")
            #expect(plan.refused.allSatisfy { $0.reason == nil }, "\(brought)")
        }
    }

    @Test func whoEditsThereNamesWhatToAccept() {
        let names = [".vscode/tasks.json", ".envrc", "a/.vscode/b/c"]
        let plan = Self.plan(names, accepting: [".vscode/"])
        #expect(plan.transfers.map(\.path.description) == [".vscode/tasks.json", "a/.vscode/b/c"])
        #expect(plan.conflicts.map(\.path.description) == [".envrc"])
        #expect(Self.plan([".vscode/x"], accepting: [".vscode/**"]).transfers.count == 1)
        // What is never accepted cannot be asked for.
        let never = [".git/config", ".vp/config.yaml", ".vpignore", "a/.vp-sync/x"]
        #expect(Self.plan(never, accepting: ["*", "**", ".git/**", ".vp/", ".vpignore"]).refused.count == 4)
    }

    @Test func whatWasSentAndDidNotChangeIsNoNews() {
        let entry = Self.file
        let path = SyncPath(".vpignore")
        let plan = SyncPlan.download(
            local: { _ in entry }, agreed: [path: AgreedEntry(here: entry, there: entry, wasSent: true)],
            remote: [path: entry])
        #expect(plan.isEmpty && plan.refused.isEmpty && plan.unchangedFiles == 1)
        // The manifest is lost: it is compared first.
        let lost = SyncPlan.download(local: { _ in entry }, agreed: [:], remote: [path: entry])
        #expect(lost.isEmpty && lost.refused.map(\.item.replaced) == [entry])
    }

    @Test func whatIsNeitherFileNorFolderNorLinkIsRefused() {
        let entry = FileEntry(kind: .other, size: 0, modified: 0, mode: 0)
        let plan = SyncPlan.download(local: { _ in nil }, agreed: [:], remote: [SyncPath("x"): entry])
        #expect(plan.refused.map(\.reason) == [.kind] && plan.isEmpty)
    }

    /// A listing may claim any size.
    @Test func sumsOfSizesDoNotOverflow() {
        let entry = FileEntry(kind: .file, size: .max, modified: 1, mode: 0o644)
        let remote = FileTree(uniqueKeysWithValues: (0..<3).map { (SyncPath("\($0)"), entry) })
        let plan = SyncPlan.download(local: { _ in nil }, agreed: [:], remote: remote)
        #expect(plan.totalBytes == .max && UnsafeResults(plan).bytes == .max)
    }

    @Test func listingsThatLieAreRead() throws {
        func parse(_ text: String) -> RemoteScan.Contents? { RemoteScan.parse(Array(text.utf8)[...]) }
        let contents = try #require(
            parse(
                "f 1 5.0 644 a\0f 2 6.0 644 a\0f 3 1.0 644 a/b\0d 0 0.0 755 ../up\0l x\0/etc\0f 1 1.0 644 x\0"
                    + "f 9223372036854775807 1.0 644 big\0f 1 1.0 7777 suid\0f 1 1.0 644 /etc/passwd\0"))
        #expect(contents.tree[SyncPath("a")]?.size == 2)
        #expect(contents.tree[SyncPath("a/b")] != nil)
        #expect(contents.tree[SyncPath("x")]?.kind == .file && contents.targets[SyncPath("x")] == nil)
        #expect(Set(contents.impossible.map(\.description)) == ["../up", "/etc/passwd"])
        for broken in [
            "f -1 1.0 644 a\0", "o 1 1.0 644 a\0", "f 99999999999999999999 1.0 644 a\0", "f 1 1.0 644 a",
        ] {
            #expect(parse(broken) == nil, "\(broken)")
        }
    }

    @Test func modesKeepWhatTheOwnerMaySay() {
        for (mode, umask, expected) in [
            (0o7777, 0o022, 0o755), (0o4755, 0o022, 0o755), (0o2775, 0o002, 0o775), (0o1777, 0o077, 0o700),
            (0o640, 0o022, 0o640), (0o600, 0, 0o600), (0o666, 0o027, 0o640),
        ] as [(mode_t, mode_t, mode_t)] {
            #expect(Umask.limit(mode, by: umask) == expected)
        }
    }
}
