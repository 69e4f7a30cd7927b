import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// A project can bring a `.git/config` along that names programs. None of them runs.
@Suite(.requires("git")) struct ShadowRepositoryTests {
    private struct Repository {
        let folder: TemporaryFolder
        var path: String { "\(self.folder.path)/project" }
        var tripped: String { "\(self.folder.path)/tripped" }
        /// Leaves a trace of the program's name.
        func trip(_ name: String) -> String { "touch \(self.folder.path)/tripped-\(name)" }

        var environment: [String: String] {
            [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
                "HOME": "\(self.folder.path)/home", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
            ]
        }

        @discardableResult
        func git(_ words: String..., in place: String? = nil) async throws -> String {
            let command = ProcessCommand(
                "git", ["-C", place ?? self.path] + words, environment: self.environment)
            let result = try await SystemProcessRunner().run(command)
            try #require(
                result.isSuccess, "git \(words): \(String(decoding: result.errorOutput, as: UTF8.self))")
            return String(decoding: result.output, as: UTF8.self)
        }

        func write(_ text: String, to name: String) throws {
            try self.folder.write(text, to: "project/\(name)")
        }

        func open() async -> ShadowRepository? {
            await ShadowRepository.open(
                around: self.path, scratch: "\(self.folder.path)/scratch", environment: self.environment,
                runner: SystemProcessRunner())
        }

        /// Names of the programs that ran.
        var traces: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? [])
                .filter { $0.hasPrefix("tripped-") }.sorted()
        }
    }

    private func with(_ body: (Repository) async throws -> Void) async throws {
        try await TemporaryFolder.with { folder in
            let repository = Repository(folder: folder)
            for name in ["project", "home"] { mkdir("\(folder.path)/\(name)", 0o700) }
            try await repository.git("init", "-q", "-b", "main")
            try repository.write("one\n", to: "a.txt")
            try repository.write("*.txt filter=evil diff=evil merge=evil\n", to: ".gitattributes")
            try await repository.git("add", ".")
            try await repository.git("commit", "-q", "-m", "first")
            try await body(repository)
        }
    }

    private func look(_ repository: Repository) async throws -> (status: String, diff: String) {
        let shadow = try #require(await repository.open())
        defer { shadow.close() }
        let status = try #require(
            await shadow.run(["status", "--porcelain", "-z", "--ignore-submodules=dirty", "--", "."]))
        let diff = try #require(
            await shadow.run([
                "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary",
                "--ignore-submodules=dirty",
                "HEAD", "--", ".",
            ]))
        return (String(decoding: status, as: UTF8.self), String(decoding: diff, as: UTF8.self))
    }

    @Test func itSeesWhatGitSees() async throws {
        try await self.with { repository in
            let commit = try await repository.git("rev-parse", "HEAD").trimmingCharacters(in: .newlines)
            let shadow = try #require(await repository.open())
            #expect(shadow.commit == commit)
            shadow.close()
            #expect(try await self.look(repository) == ("", ""))
            try repository.write("two\n", to: "a.txt")
            try repository.write("new\n", to: "sub/b.txt")
            try repository.write("local.txt\n", to: ".git/info/exclude")
            try repository.write("x\n", to: "local.txt")
            let seen = try await self.look(repository)
            #expect(seen.status == " M a.txt\0?? sub/\0")
            #expect(seen.diff == (try await repository.git("diff", "--no-ext-diff", "--binary", "HEAD")))
            // Nothing is left of the look.
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(repository.folder.path)/scratch") == []
            )
        }
    }

    /// Every setting of git's that runs a program on the way to a status, a diff or a revision,
    /// and its relatives.
    @Test func noSettingOfTheRepositoryRunsAnything() async throws {
        try await self.with { repository in
            for key in [
                "core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand",
                "core.gitProxy",
                "core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv",
                "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.driver",
                "pager.status",
                "pager.diff", "interactive.diffFilter", "credential.helper", "gpg.program",
                "log.showSignature",
                "uploadpack.packObjectsHook", "remote.origin.uploadpack", "sequence.editor", "alias.status",
                "trace2.eventTarget", "http.proxy",
            ] {
                let name = key.replacingOccurrences(of: ".", with: "-")
                try await repository.git("config", key, repository.trip(name) + "; cat")
            }
            try await repository.git("config", "filter.evil.required", "true")
            try await repository.git("config", "core.hooksPath", "hooks")
            for hook in [
                "post-index-change", "fsmonitor-watchman", "post-checkout", "pre-auto-gc",
                "reference-transaction",
            ] {
                try repository.write("#!/bin/sh\n\(repository.trip("hook"))\n", to: "hooks/\(hook)")
                chmod("\(repository.path)/hooks/\(hook)", 0o755)
            }
            try repository.write("two\n", to: "a.txt")
            let seen = try await self.look(repository)
            #expect(seen.status.contains(" M a.txt"))
            #expect(seen.diff.contains("+two"))
            #expect(repository.traces == [])
        }
    }

    /// The judge's own proof: git as it is does run them.
    @Test func plainGitWouldRunThem() async throws {
        try await self.with { repository in
            try await repository.git("config", "core.fsmonitor", repository.trip("fsmonitor"))
            try await repository.git("config", "filter.evil.clean", repository.trip("clean") + "; cat")
            try repository.write("two\n", to: "a.txt")
            _ = try await repository.git("status", "--porcelain")
            #expect(repository.traces == ["tripped-clean", "tripped-fsmonitor"])
        }
    }

    @Test func includedSettingsRunNothingEither() async throws {
        try await self.with { repository in
            try repository.write(
                "[core]\n\tfsmonitor = \(repository.trip("included"))\n[filter \"evil\"]\n\tclean = \(repository.trip("clean"))\n",
                to: "more.config")
            try await repository.git("config", "include.path", "../more.config")
            try await repository.git("config", "includeIf.onbranch:main.path", "../more.config")
            try await repository.git("config", "extensions.worktreeConfig", "true")
            try repository.write(
                "[core]\n\tfsmonitor = \(repository.trip("worktree"))\n", to: ".git/config.worktree")
            try repository.write("two\n", to: "a.txt")
            #expect(try await self.look(repository).diff.contains("+two"))
            #expect(repository.traces == [])
        }
    }

    /// A submodule has a configuration of its own.
    @Test func aSubmoduleRunsNothing() async throws {
        try await self.with { repository in
            let inner = "\(repository.path)/inner"
            mkdir(inner, 0o700)
            try await repository.git("init", "-q", in: inner)
            try repository.write("x\n", to: "inner/x")
            try await repository.git("add", ".", in: inner)
            try await repository.git("commit", "-q", "-m", "inner", in: inner)
            try await repository.git("add", "inner")
            try await repository.git("commit", "-q", "-m", "with inner")
            try await repository.git("config", "core.fsmonitor", repository.trip("submodule"), in: inner)
            try repository.write("changed\n", to: "inner/x")
            try repository.write("two\n", to: "a.txt")
            _ = try await self.look(repository)
            #expect(repository.traces == [])
        }
    }

    /// `core.worktree` would have git read another folder, and a bare layout any folder of the project.
    @Test func whatTheRepositorySaysOfItsPlaceIsNotBelieved() async throws {
        try await self.with { repository in
            mkdir("\(repository.folder.path)/private", 0o700)
            try repository.folder.write("secret\n", to: "private/a.txt")
            try await repository.git("config", "core.worktree", "\(repository.folder.path)/private")
            let seen = try await self.look(repository)
            #expect(seen == ("", ""))
        }
    }

    @Test func aBareLayoutIsNoRepository() async throws {
        try await TemporaryFolder.with { folder in
            let repository = Repository(folder: folder)
            for name in ["project", "project/objects", "project/refs", "home"] {
                mkdir("\(folder.path)/\(name)", 0o700)
            }
            try repository.write("ref: refs/heads/main\n", to: "HEAD")
            try repository.write(
                "[core]\n\tbare = true\n\tfsmonitor = \(repository.trip("bare"))\n", to: "config")
            #expect(await repository.open() == nil)
            #expect(repository.traces == [])
        }
    }

    /// Filters of the user's own configuration count: files of git-lfs are no change.
    @Test func theUsersOwnFilterCounts() async throws {
        try await self.with { repository in
            try repository.folder.write("[filter \"evil\"]\n\tclean = tr a-z A-Z\n", to: "home/.gitconfig")
            try repository.write("two\n", to: "a.txt")
            #expect(try await self.look(repository).diff.contains("+TWO"))
        }
    }

    @Test func aWorktreeAndAnUnbornBranchAreUnderstood() async throws {
        try await self.with { repository in
            let tree = "\(repository.folder.path)/tree"
            try await repository.git("worktree", "add", "-q", "-b", "side", tree)
            try Data("two\n".utf8).write(to: URL(fileURLWithPath: "\(tree)/a.txt"))
            let shadow = try #require(
                await ShadowRepository.open(
                    around: tree, scratch: "\(repository.folder.path)/scratch",
                    environment: repository.environment,
                    runner: SystemProcessRunner()))
            let status = await shadow.run(["status", "--porcelain", "-z"])
            shadow.close()
            #expect(status.map { String(decoding: $0, as: UTF8.self) } == " M a.txt\0")
        }
        try await TemporaryFolder.with { folder in
            let repository = Repository(folder: folder)
            for name in ["project", "home"] { mkdir("\(folder.path)/\(name)", 0o700) }
            try await repository.git("init", "-q")
            #expect(await repository.open() == nil)
        }
    }
}
