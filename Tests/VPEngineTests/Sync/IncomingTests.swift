import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// What an instance makes of its workspace to have files removed, read or written here, and what comes of it.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct IncomingTests {
    /// The instance's root replaces what is a folder here by something else.
    @Test(
        arguments: ["link", "file", "link-to-folder"],
        ["ignored", "results", "inside-ignored", "empty-below"])
    func aFolderHereIsNeverReplaced(by kind: String, _ content: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            switch content {
            case "ignored":
                try folder.write("data/\n", to: "project/.vpignore")
                try folder.write("only copy", to: "project/data/set")
            case "inside-ignored":
                try folder.write("data/*\n", to: "project/.vpignore")
                try folder.write("only copy", to: "project/data/set")
            case "empty-below":
                try FileManager.default.createDirectory(
                    atPath: "\(instance.project)/data/deep", withIntermediateDirectories: true)
            default:
                let other = try LocalInstance(in: folder.path, id: "8")
                try folder.write("only copy", to: "instance-8/data/set")
                #expect(try await other.sync().download(conflictSuffix: "8").isWhole)
            }
            _ = try await instance.sync().upload()
            // The folder is there as well, empty, and so agreed upon.
            try? FileManager.default.removeItem(atPath: "\(instance.remote)/data")
            mkdir("\(instance.remote)/data", 0o755)
            _ = try await instance.sync().download(conflictSuffix: "7")
            rmdir("\(instance.remote)/data")
            switch kind {
            case "file": try folder.write("theirs", to: "instance/data")
            case "link": symlink("/nowhere", "\(instance.remote)/data")
            default:
                try folder.write("x", to: "instance/elsewhere/x")
                symlink("elsewhere", "\(instance.remote)/data")
            }
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.conflicts == ["data"], "\(down)")
            if content == "empty-below" {
                #expect(folder.exists("project/data/deep"))
            } else {
                #expect(try folder.read("project/data/set") == "only copy")
            }
            #expect(FileEntry(at: SyncPath("data.remote-7"), below: instance.project) != nil)
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.isWhole && again.transferredFiles == 0, "\(again)")
            #expect(!folder.exists("project/.vp"))
        }
    }

    @Test func anEmptyFolderMakesRoom() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            for name in ["a", "b"] { mkdir("\(instance.project)/\(name)", 0o755) }
            _ = try await instance.sync().upload()
            for name in ["a", "b"] { rmdir("\(instance.remote)/\(name)") }
            symlink("nowhere", "\(instance.remote)/a")
            try folder.write("theirs", to: "instance/b")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.conflicts.isEmpty, "\(down)")
            #expect(FileEntry(at: SyncPath("a"), below: instance.project)?.kind == .symbolicLink)
            #expect(try folder.read("project/b") == "theirs")
        }
    }

    /// What decides about the next upload, about git and about vp itself never comes.
    @Test func whatWouldBeBelievedHereStaysThere() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("*.log\n", to: "project/.vpignore")
            try folder.write("KEY=secret", to: "project/.env")
            try folder.write("secret", to: "project/server.pem")
            _ = try await instance.sync().upload()
            try folder.write("!.env\n!*.pem\n", to: "instance/.vpignore")
            try folder.write("!.env\n", to: "instance/sub/.vpignore")
            try folder.write("ssh: {identity: \"x\\\"\\n\"}\n", to: "instance/.vp/config.yaml")
            for name in ["HEAD", "config", "objects/x", "refs/x"] {
                try folder.write("[core] fsmonitor = evil", to: "instance/bare/\(name)")
            }
            try folder.write("gitdir: /x", to: "instance/.git")
            try folder.write("result", to: "instance/out/result")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.conflicts.isEmpty && down.transferredFiles == 1, "\(down)")
            #expect(try folder.read("project/.vpignore") == "*.log\n")
            #expect(try folder.read("project/out/result") == "result")
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: instance.project))
            #expect(names == [".vpignore", ".env", "server.pem", "out"])
            #expect(down.refused.count == 5, "\(down.refused)")
            #expect(down.refused.contains { $0.hasPrefix("bare/: ") })
            // Named once; and the next upload sends what it would have.
            #expect(try await instance.sync().download(conflictSuffix: "7").refused.isEmpty)
            _ = try await instance.sync().upload()
            #expect(!folder.exists("instance/.env") && !folder.exists("instance/server.pem"))
            let outstanding = try await instance.sync().outstanding()
            #expect(outstanding.isEmpty && outstanding.refused.count == 8)

            let held = try #require(try await instance.sync().holdRefused())
            #expect(held.archive == "\(folder.path)/state/held/vast-7.tar" && held.files == 8, "\(held)")
            let listed = try await SystemProcessRunner().run(
                ProcessCommand("tar", ["tf", held.archive], environment: instance.environment))
            let members = String(decoding: listed.output, as: UTF8.self)
            for name in [".vpignore", "bare/config", ".vp/config.yaml", ".git"] {
                #expect(members.contains("./\(name)\n"), "\(members)")
            }
            #expect(try await instance.sync().holdRefused()?.archive.hasSuffix("vast-7-2.tar") == true)
            let small = instance.sync(settings: .init(heldLimit: 10))
            await #expect { try await small.holdRefused() } throws: {
                ($0 as? EngineError)?.code == .unsafeResults
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/state/held").count == 2)
        }
    }

    /// A folder of such a name may come, and what takes its place there may not.
    @Test(arguments: [".envrc", ".gitattributes", "sub/.envrc", "sub/.gitmodules", ".vscode/tasks.json"])
    func anEmptyFolderIsNoWayIn(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("mine", to: "project/sub/a")
            _ = try await instance.sync().upload()
            let there = "\(instance.remote)/\(name)"
            try FileManager.default.createDirectory(atPath: there, withIntermediateDirectories: true)
            _ = try await instance.sync().download(conflictSuffix: "7")
            rmdir(there)
            try folder.write("theirs", to: "instance/\(name)")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.conflicts == [name], "\(down)")
            #expect(FileEntry(at: SyncPath(name), below: instance.project)?.kind != .file)
            #expect(try folder.read("project/\(name).remote-7") == "theirs")
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.isWhole && again.transferredFiles == 0, "\(again)")
        }
    }

    /// A folder of such a name is nobody's result, and stays there,
    /// also where it is below others or in a clone.
    @Test(arguments: [".envrc", ".vscode", ".idea/deep", "sub/.gitmodules", "born/.gitattributes"])
    func anEmptyFolderThatIsActedOnStaysThere(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("text", to: "project/sub/a")
            _ = try await instance.sync().upload()
            try FileManager.default.createDirectory(
                atPath: "\(instance.remote)/\(name)", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: "\(instance.remote)/plain", withIntermediateDirectories: true)
            for _ in 0..<2 {
                let down = try await instance.sync().download(conflictSuffix: "7")
                #expect(down.isWhole && down.conflicts.isEmpty, "\(down)")
                #expect(!folder.exists("project/\(name)") && folder.exists("project/plain"))
            }
            let accepted = try await instance.sync(settings: .init(accept: [name])).download(
                conflictSuffix: "7")
            #expect(accepted.isWhole && folder.exists("project/\(name)"), "\(accepted)")
        }
    }

    /// Editors and git act on these: what is changed there is put beside,
    /// and a clone made there keeps its own.
    @Test func whatIsActedOnGoesBeside() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("mine", to: "project/.gitattributes")
            _ = try await instance.sync().upload()
            try folder.write("* filter=evil", to: "instance/.gitattributes")
            try folder.write("tasks", to: "instance/.vscode/tasks.json")
            try folder.write("tasks", to: "instance/clone/.vscode/tasks.json")
            try folder.write("code", to: "instance/clone/a.py")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(
                down.isWhole && Set(down.conflicts) == [".gitattributes", ".vscode/tasks.json"], "\(down)")
            #expect(down.refused.count == 1 && down.refused[0].hasPrefix("clone/.vscode/: "), "\(down)")
            #expect(try folder.read("project/.gitattributes") == "mine")
            #expect(try folder.read("project/.gitattributes.remote-7") == "* filter=evil")
            #expect(try folder.read("project/.vscode/tasks.json.remote-7") == "tasks")
            #expect(
                try folder.read("project/clone/a.py") == "code" && !folder.exists("project/clone/.vscode"))
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.transferredFiles == 0 && again.refused.isEmpty, "\(again)")
            // Conflict copies are never sent.
            let up = try await instance.sync().upload()
            #expect(up.isWhole && !folder.exists("instance/.gitattributes.remote-7"), "\(up)")
            let asked = instance.sync(settings: .init(accept: ["**/.vscode/**"]))
            #expect(try await asked.download(conflictSuffix: "7").isWhole)
            #expect(try folder.read("project/clone/.vscode/tasks.json") == "tasks")
        }
    }

    /// Each transfer has a folder of its own; what the dead have left goes, what is in use stays.
    @Test func downloadsOfTwoInstancesDoNotDisturbEachOther() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            let other = InstanceID(platform: .vast, rawValue: "8")
            var staged: StagedFiles? = try StagedFiles(
                localRoot: instance.project, instance: other, suffix: "8")
            let busy = try #require(staged?.folder)
            try "half".write(toFile: "\(busy)/file", atomically: true, encoding: .utf8)
            for dead in ["vast-9-dead", "vast-7-dead"] {
                try folder.write("part", to: "project/.vp/incoming/\(dead)/files/.vp-partial/big")
            }
            symlink(folder.path, "\(instance.project)/.vp/incoming/vast-9-dead/link")
            try folder.write("whole", to: "instance/big")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 1, "\(down)")
            #expect(try folder.read("project/big") == "whole")
            #expect(try String(contentsOfFile: "\(busy)/file", encoding: .utf8) == "half")
            let left = try FileManager.default.contentsOfDirectory(atPath: "\(instance.project)/.vp/incoming")
            #expect(left.count == 1 && left[0].hasPrefix("vast-8-"), "\(left)")
            let attributes = try FileManager.default.attributesOfItem(atPath: busy)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
            staged?.remove()
            staged = nil
            #expect(!folder.exists("project/.vp"))
        }
    }

    /// While one download is on its way, another transfer of this project begins, and ends or breaks.
    @Test(arguments: ["download", "cut", "upload"])
    func whatIsOnItsWayOutlivesAnotherTransfer(_ other: String) async throws {
        try await TemporaryFolder.with { folder in
            let first = try LocalInstance(in: folder.path)
            let second = try LocalInstance(in: folder.path, id: "8")
            for number in 0..<20 {
                try folder.write("first \(number)", to: "instance/a/\(number)")
                try folder.write("second \(number)", to: "instance-8/b/\(number)")
            }
            try folder.write("mine", to: "project/mine")
            try first.meanwhileBeforeRsync(
                """
                rm -f "$VP_TEST_FOLDER/meanwhile-rsync"; : > "$VP_TEST_FOLDER/started"
                until [ -e "$VP_TEST_FOLDER/go" ]; do sleep 0.05; done
                """)
            async let down = first.sync().download(conflictSuffix: "7")
            try await wait(for: "the first transfer") { folder.exists("started") ? true : nil }
            if other == "cut" { try second.cut(.down, after: 3000) }
            let sync = second.sync()
            if other == "upload" {
                _ = try? await sync.upload()
            } else {
                _ = try? await sync.download(conflictSuffix: "8")
            }
            try second.cut(after: nil)
            try folder.write("", to: "go")
            let summary = try await down
            #expect(summary.isWhole && summary.transferredFiles == 20, "\(summary)")
            #expect(try await second.sync().download(conflictSuffix: "8").isWhole)
            for number in 0..<20 {
                #expect(try folder.read("project/a/\(number)") == "first \(number)")
                #expect(try folder.read("project/b/\(number)") == "second \(number)")
            }
        }
    }

    /// What an ignore file asks for by `!` travels, is found there again, and is nobody's missing result.
    @Test(arguments: [
        ("!*.pyc", "pkg/m.pyc"), ("!__pycache__/\n!*.pyc", "pkg/__pycache__/m.pyc"), ("!venv/", "venv/bin/x"),
        ("!node_modules/", "js/node_modules/x/i.js"), ("!.env", ".env"), ("!.mypy_cache/", ".mypy_cache/a"),
    ])
    func whatIsAskedForByNegationIsWhole(_ rule: String, _ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("\(rule)\n", to: "project/.vpignore")
            try folder.write("asked for", to: "project/\(name)")
            if name.hasPrefix("js/") { try folder.write("{}", to: "project/js/package.json") }
            if name.hasPrefix("venv/") { try folder.write("", to: "project/venv/pyvenv.cfg") }
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.conflicts.isEmpty, "\(up)")
            #expect(try folder.read("instance/\(name)") == "asked for")
            for _ in 0..<2 {
                #expect(try await instance.sync().upload().transferredFiles == 0)
                let down = try await instance.sync().download(conflictSuffix: "7")
                #expect(down.isWhole && down.conflicts.isEmpty && down.transferredFiles == 0, "\(down)")
            }
        }
    }

    /// A link in the project's own folder would have files written wherever it leads.
    @Test(arguments: [".vp", ".vp/incoming"]) func stagingFollowsNoLink(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/elsewhere", withIntermediateDirectories: true)
            if name != ".vp" { mkdir("\(instance.project)/.vp", 0o700) }
            symlink("\(folder.path)/elsewhere", "\(instance.project)/\(name)")
            try folder.write("x", to: "instance/result")
            await #expect { try await instance.sync().download(conflictSuffix: "7") } throws: {
                ($0 as? EngineError)?.code == .fileSystem
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/elsewhere").isEmpty)
        }
    }

    /// Links come last and are made here: no way down writes through one, whatever the other side sends.
    @Test(arguments: [true, false]) func aLinkIsNeverWrittenThrough(byTar: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("kept", to: "outside/file")
            if byTar { try Self.leaveTar(on: instance, folder, evil: "\(folder.path)/outside") }
            symlink("\(folder.path)/outside", "\(instance.remote)/out")
            try folder.write("x", to: "instance/a")
            let first = try await instance.sync().download(conflictSuffix: "7")
            #expect(first.isWhole, "\(first)")
            #expect(FileEntry(at: SyncPath("out"), below: instance.project)?.kind == .symbolicLink)
            unlink("\(instance.remote)/out")
            try folder.write("written", to: "instance/out/file")
            let second = try await instance.sync().download(conflictSuffix: "7")
            #expect(second.isWhole && second.conflicts == ["out/file"], "\(second)")
            #expect(try folder.read("outside/file") == "kept")
            #expect(try folder.read("project/out.remote-7/file") == "written")
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: instance.project))
            #expect(names == ["a", "out", "out.remote-7"])
        }
    }

    /// What one round of a download has left is no way for the next.
    @Test func aLinkOfTheRoundBeforeIsNotWrittenThrough() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("kept", to: "outside/file")
            try Self.leaveTar(on: instance, folder, evil: "\(folder.path)/outside", isAlone: true)
            try folder.write("written", to: "instance/out/file")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole, "\(down)")
            #expect(folder.exists("evil-was"))
            #expect(try folder.read("outside/file") == "kept")
            #expect(try folder.read("project/out/file") == "written")
        }
    }

    /// No rsync there, and a tar that, the first time, puts links and files nobody asked for before what was
    /// asked for, or in place of it.
    private static func leaveTar(
        on instance: LocalInstance, _ folder: TemporaryFolder, evil: String, isAlone: Bool = false
    ) throws {
        var programs: [String: String] = [:]
        for name in ["sh", "find", "mkdir", "rm", "rmdir", "mv", "df", "tail", "sha256sum", "cat", "stat"] {
            programs[name] = Programs.path(of: name)
        }
        let tar = try #require(Programs.path(of: "tar"))
        let ln = try #require(Programs.path(of: "ln"))
        try folder.writeProgram(
            """
            #!/bin/sh
            d=\(folder.path)/evil
            \(try #require(Programs.path(of: "rm"))) -rf $d
            \(try #require(Programs.path(of: "mkdir"))) -p $d
            if [ ! -e $d-was ]; then
            : > $d-was
            \(ln) -s \(evil) $d/out
            \(ln) -s \(evil) $d/a
            echo unasked > $d/unasked
            (cd $d && \(tar) -cf - out a unasked)
            \(isAlone ? "exit 0" : ":")
            fi
            exec \(tar) "$@"
            """, to: "evil-tar")
        programs["tar"] = "\(folder.path)/evil-tar"
        try instance.limitRemotePrograms(to: programs)
    }

    @Test(arguments: [true, false]) func modesOfAnotherMachineAreLimited(byTar: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            if byTar {
                var programs: [String: String] = [:]
                for name in ["sh", "find", "mkdir", "rm", "rmdir", "mv", "df", "tail", "tar", "sha256sum"] {
                    programs[name] = Programs.path(of: name)
                }
                try instance.limitRemotePrograms(to: programs)
            }
            try folder.write("x", to: "instance/down")
            chmod("\(instance.remote)/down", 0o6777)
            try folder.write("x", to: "instance/sub/x")
            chmod("\(instance.remote)/sub", 0o3777)
            #expect(try await instance.sync().download(conflictSuffix: "7").isWhole)
            try folder.write("x", to: "project/up")
            chmod("\(instance.project)/up", 0o6755)
            #expect(try await instance.sync().upload().isWhole)
            func mode(_ path: String) -> mode_t {
                var information = stat()
                stat("\(folder.path)/\(path)", &information)
                return information.st_mode & 0o7777
            }
            #expect(mode("project/down") == Umask.limit(0o777))
            #expect(mode("project/sub") & 0o7000 == 0)
            #expect(mode("instance/up") == Umask.limit(0o755))
            #expect(try await instance.sync().upload().transferredFiles == 0)
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 0)
        }
    }
}
