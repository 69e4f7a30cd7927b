import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

struct LocalScanTests {
    private func scan(_ folder: TemporaryFolder, ignores: [String] = []) throws -> Set<String> {
        let entries = try self.list(folder, ignores: ignores).files.filter { $0.value.kind != .folder }
        return Set(entries.keys.map { String(decoding: $0.bytes, as: UTF8.self) })
    }

    private func list(_ folder: TemporaryFolder, ignores: [String] = []) throws -> LocalScan.Listing {
        let workspace = Workspace(name: "p", localRoot: folder.path + "/project", extraIgnores: ignores)
        return try LocalScan(workspace: workspace, environment: ["HOME": folder.path]).scan()
    }

    private func make(_ names: [String], in folder: TemporaryFolder) throws {
        for name in names { try folder.write("x", to: "project/\(name)") }
    }

    @Test func patternsNestNegateAndAnchorAsInGit() async throws {
        try await TemporaryFolder.with { folder in
            try self.make(
                [
                    "a.log", "keep.log", "src/b.log", "src/c.py", "build/x", "src/build/y",
                    "deep/a/b/skip.txt",
                    "data/raw/1.bin", "data/raw/keep/2.bin", "trailing ", "#hash", "!bang",
                ], in: folder)
            try folder.write(
                "*.log\n!keep.log\n/build/\ndeep/**/skip.txt\n\\#hash\n\\!bang\n# comment\n",
                to: "project/.vpignore")
            try folder.write("raw/*\n!raw/keep/\n", to: "project/data/.vpignore")
            let found = try self.scan(folder)
            #expect(
                found == [
                    ".vpignore", "data/.vpignore", "keep.log", "src/c.py", "src/build/y",
                    "data/raw/keep/2.bin",
                    "trailing ",
                ])
        }
    }

    @Test func secretsAndJunkStayUnlessAskedForByName() async throws {
        try await TemporaryFolder.with { folder in
            let names = [
                ".env", ".env.local", "server.pem", "id_ed25519", "sub/id_rsa.pub", ".git/config",
                ".vp/config.yaml",
                "__pycache__/a.pyc", ".venv/bin/python", "train.py",
            ]
            try self.make(names, in: folder)
            #expect(try self.scan(folder) == ["train.py"])
            try folder.write("!.env\n", to: "project/.vpignore")
            #expect(try self.scan(folder) == ["train.py", ".vpignore", ".env"])
        }
    }

    @Test func theUsersOwnGitSettingsAndRepositoryDoNotMatter() async throws {
        try await TemporaryFolder.with { folder in
            try self.make(["a.txt", "tracked.txt", "sub/inner.txt"], in: folder)
            try folder.write("*.txt\n", to: "project/.gitignore")
            try self.make(["sub/.git/HEAD", ".git/HEAD"], in: folder)
            #expect(try self.scan(folder) == [".gitignore", "a.txt", "tracked.txt", "sub/inner.txt"])
            #expect(
                try self.scan(folder, ignores: ["a.*"]) == [
                    ".gitignore", "tracked.txt", "sub/inner.txt",
                ])
        }
    }

    @Test func namesOfEveryKindAreListed() async throws {
        try await TemporaryFolder.with { folder in
            let names: Set = [
                "a b", "new\nline", "tab\t", "日本🚀", "-x", "quote'\"", String(repeating: "n", count: 255),
            ]
            try self.make(Array(names), in: folder)
            #expect(try self.scan(folder) == names)
        }
    }

    @Test func homeAndRootAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("x", to: "me/project/a")
            let link = folder.path + "/link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/me")
            for root in ["/", folder.path, folder.path + "/me", folder.path + "/me/", link] {
                let scan = LocalScan(
                    workspace: Workspace(name: "p", localRoot: root),
                    environment: ["HOME": folder.path + "/me"])
                #expect(throws: EngineError.self, "\(root)") { try scan.scan() }
            }
            let scan = LocalScan(
                workspace: Workspace(name: "p", localRoot: folder.path + "/me/project"),
                environment: ["HOME": folder.path + "/me"])
            #expect(try scan.scan().files.keys.map(\.description) == ["a"])
        }
    }

    @Test func manifestsReadBackAndDamagedOnesReadAsEmpty() async throws {
        try await TemporaryFolder.with { folder in
            let store = ManifestStore(stateFolder: folder.path)
            let id = InstanceID(platform: .vast, rawValue: "1")
            let workspace = Workspace(name: "p", localRoot: "/p")
            let file = FileEntry(kind: .file, size: 1, modified: -5, mode: 0o755)
            let link = FileEntry(kind: .symbolicLink, size: 9, modified: 1 << 60, mode: 0o777)
            let empty = FileEntry(kind: .folder, size: 0, modified: 0, mode: 0o755)
            let tree: AgreedTree = [
                SyncPath([0x61, 0xff, 0x0a, 0x20]): AgreedEntry(here: file, there: link),
                SyncPath("link"): AgreedEntry(here: link, there: file, wasSent: true),
                SyncPath("folder"): AgreedEntry(here: empty, there: empty),
            ]
            try store.save(tree, instance: id, workspace: workspace)
            #expect(store.load(instance: id, workspace: workspace) == tree)
            #expect(store.load(instance: id, workspace: Workspace(name: "q", localRoot: "/q")) == [:])
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            let name = try #require(files.first { $0.hasPrefix("manifests/vast-1/") })
            let path = "\(folder.path)/\(name)"
            let whole = try #require(FileManager.default.contents(atPath: path))
            for length in stride(from: 0, to: whole.count - 1, by: 7) {
                try whole.prefix(length).write(to: URL(fileURLWithPath: path))
                #expect(store.load(instance: id, workspace: workspace) == [:])
            }
        }
    }
}
