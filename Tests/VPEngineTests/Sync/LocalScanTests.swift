import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

@Suite(.requires("git"))
struct LocalScanTests {
    private func scan(_ folder: TemporaryFolder, ignores: [String] = []) async throws -> Set<String> {
        let workspace = Workspace(name: "p", localRoot: folder.path + "/project", extraIgnores: ignores)
        let scan = LocalScan(
            workspace: workspace, runner: SystemProcessRunner(),
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": folder.path],
            stateFolder: folder.path + "/state")
        return Set(try await scan.scan().keys.map { String(decoding: $0.bytes, as: UTF8.self) })
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
            let found = try await self.scan(folder)
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
            #expect(try await self.scan(folder) == ["train.py"])
            try folder.write("!.env\n", to: "project/.vpignore")
            #expect(try await self.scan(folder) == ["train.py", ".vpignore", ".env"])
        }
    }

    @Test func theUsersOwnGitSettingsAndRepositoryDoNotMatter() async throws {
        try await TemporaryFolder.with { folder in
            try self.make(["a.txt", "tracked.txt", "sub/inner.txt"], in: folder)
            try folder.write("*.txt\n", to: "project/.gitignore")
            let setUp = "git init -q && git add -f tracked.txt && git -C sub init -q"
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    "sh", ["-c", setUp],
                    environment: [
                        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": folder.path,
                    ],
                    workingDirectory: folder.path + "/project"))
            #expect(result.isSuccess)
            #expect(try await self.scan(folder) == [".gitignore", "a.txt", "tracked.txt", "sub/inner.txt"])
            #expect(
                try await self.scan(folder, ignores: ["a.*"]) == [
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
            #expect(try await self.scan(folder) == names)
        }
    }

    @Test func homeAndRootAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            for root in ["/", folder.path] {
                let scan = LocalScan(
                    workspace: Workspace(name: "p", localRoot: root), runner: SystemProcessRunner(),
                    environment: ["HOME": folder.path], stateFolder: folder.path + "/state")
                await #expect { try await scan.scan() } throws: { error in
                    (error as? EngineError)?.code == .workspaceRefused
                }
            }
        }
    }

    @Test func manifestsReadBackAndDamagedOnesReadAsEmpty() async throws {
        try await TemporaryFolder.with { folder in
            let store = ManifestStore(stateFolder: folder.path)
            let id = InstanceID(platform: .vast, rawValue: "1")
            let workspace = Workspace(name: "p", localRoot: "/p")
            let tree: FileTree = [
                SyncPath([0x61, 0xff, 0x0a, 0x20]): FileEntry(
                    kind: .file, size: 1, modified: -5, mode: 0o755),
                SyncPath("link"): FileEntry(kind: .symbolicLink, size: 9, modified: 1 << 60, mode: 0o777),
            ]
            try store.save(tree, instance: id, workspace: workspace)
            #expect(store.load(instance: id, workspace: workspace) == tree)
            #expect(store.load(instance: id, workspace: Workspace(name: "q", localRoot: "/q")) == [:])
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            let file = try #require(files.first { $0.hasPrefix("manifests/vast-1/") })
            let path = "\(folder.path)/\(file)"
            let whole = try #require(FileManager.default.contents(atPath: path))
            for length in stride(from: 0, to: whole.count - 1, by: 7) {
                try whole.prefix(length).write(to: URL(fileURLWithPath: path))
                #expect(store.load(instance: id, workspace: workspace) == [:])
            }
        }
    }
}
