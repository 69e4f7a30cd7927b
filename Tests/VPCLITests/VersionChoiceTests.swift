import Foundation
import Testing
import VPEngine
import VPTestSupport

@testable import vp

/// What a command runs with, where, and for which project.
@Suite(.startsCloud, .ownThread, .requires("sshd", "rsync", "ssh")) struct VersionChoiceTests {
    private func conflict(_ harness: CLIHarness, _ id: String, _ number: Int) async throws {
        let edit = try await harness.vp(
            "--no-sync", "run", "-i", id, "--", "echo theirs-\(number) > main.txt")
        #expect(edit.status == 0, "\(edit)")
        try harness.write("project/main.txt", "mine-\(number)\n")
    }

    @Test func aCommandDoesNotRunWithAnotherVersionUnasked() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/main.txt", "first\n")
        try harness.write("project/sub/x", "x\n")
        try harness.write("project/.vp/config.yaml", "name: project\n")
        let id = try await session.rent()
        // From a folder of the project, there.
        let folder = try await harness.vp(
            "run", "--", "cat x; cat ../main.txt", in: harness.path("project/sub"))
        #expect(folder.status == 0 && folder.stdout == "x\nfirst\n", "\(folder)")

        try await self.conflict(harness, id, 1)
        for words in [["run", "--", "cat main.txt"], ["run", "--detach", "--", "cat main.txt"]] {
            let refused = try await harness.start(words).output()
            #expect(refused.status == 204 && refused.stdout.isEmpty, "\(refused)")
            #expect(refused.stderr.contains("main.txt") && refused.stderr.contains("--mine"), "\(refused)")
        }
        let theirs = try await harness.vp("run", "--theirs", "--", "cat main.txt")
        #expect(theirs.status == 0 && theirs.stdout == "theirs-1\n", "\(theirs)")
        #expect(try harness.read("project/main.txt") == "mine-1\n")

        try await self.conflict(harness, id, 2)
        let mine = try await harness.vp("run", "--mine", "--", "cat main.txt main.txt.remote-*")
        #expect(mine.status == 0 && mine.stdout == "mine-2\ntheirs-2\n", "\(mine)")
        #expect(try harness.read("project/main.txt.remote-\(id)") == "theirs-2\n")

        // On a terminal it is a question.
        for (number, key, status) in [(3, "n", Int32(204)), (3, "m", 0)] {
            if key == "n" { try await self.conflict(harness, id, number) }
            let asked = try PTYSession(
                CLIHarness.products + "/vp", ["run", "--", "cat main.txt"], width: 160,
                environment: harness.environment, directory: harness.project)
            try asked.wait(for: "[t]heirs")
            #expect(asked.screen.contains("main.txt"))
            asked.type("\(key)\r")
            #expect(try asked.waitForEnd() == .exited(status), "\(asked.screen.text)")
            if key == "m" { #expect(asked.screen.contains("mine-3"), "\(asked.screen.text)") }
        }

        // What was removed there is not pushed back, and said before the command runs.
        #expect(try await harness.vp("--no-sync", "run", "--", "rm sub/x").status == 0)
        let gone = try await harness.vp("run", "--", "test ! -e sub/x")
        #expect(gone.status == 0 && gone.stderr.contains("sub/x was deleted on the instance"), "\(gone)")
        #expect(try await harness.vp("sync", "sub/x").stdout.hasPrefix("uploaded 1 file"))
        // And what was removed here can be had again.
        try FileManager.default.removeItem(atPath: harness.path("project/main.txt.remote-\(id)"))
        let down = try await harness.vp("download", "--exclude", "*.pt")
        #expect(down.status == 0 && !down.stdout.contains("everything is downloaded"), "\(down)")
        #expect(down.stderr.contains("main.txt.remote-\(id)"), "\(down)")
        let again = try await harness.vp("download", "main.txt.remote-\(id)")
        #expect(again.stdout.hasPrefix("downloaded 1 file"), "\(again)")
        #expect(try await harness.vp("download").stdout.contains("everything is downloaded"))
        let missing = try await harness.vp("download", "no/such")
        #expect(missing.status == 205 && missing.stderr.contains("no/such"), "\(missing)")
        try await session.end()
    }

    @Test func projectsOnOneInstanceAreKeptApart() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/a.txt", "a")
        try harness.write("project/.vp/config.yaml", "name: project\n")
        try harness.write("other/o.txt", "o")
        let id = try await session.rent()
        #expect(try await harness.vp("run", "--", "echo r > r.txt").status == 0)
        let other = harness.path("other")
        for words in [
            ["run", "-i", id, "--", "ls"], ["sync", "-i", id], ["download", "-i", id], ["diff", id],
        ] {
            let refused = try await harness.start(words, in: other).output()
            #expect(refused.status == 201 && refused.stderr.contains("--own-folder"), "\(words): \(refused)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: other) == ["o.txt"])
        let own = try await harness.vp(
            "run", "--own-folder", "-i", id, "--", "ls; echo 1 > result", in: other)
        #expect(own.status == 0 && own.stdout == "o.txt\n", "\(own)")
        #expect(try harness.read("other/result") == "1\n" && !harness.exists("other/a.txt"))

        // A clone, by the id that it has in common, gets its own unasked.
        let id1 = try harness.read("project/.vp/id")
        try harness.write("clone/.vp/id", id1)
        try harness.write("clone/c.txt", "c")
        let clone = harness.path("clone")
        let ran = try await harness.vp("run", "-i", id, "--", "ls", in: clone)
        #expect(ran.status == 0 && ran.stdout == "c.txt\n", "\(ran)")
        let left = try await harness.vp("--no-sync", "run", "-i", id, "--", "echo late > late.txt", in: clone)
        #expect(left.status == 0, "\(left)")

        // The first one sees none of it, and an end brings all of it.
        #expect(try await harness.vp("download").stdout.contains("everything is downloaded"))
        let end = try await harness.vp("destroy-instance", id)
        #expect(end.status == 0, "\(end)")
        #expect(try harness.read("clone/late.txt") == "late\n")
        #expect(!harness.exists("project/late.txt") && !harness.exists("project/c.txt"))
        try await session.end()
    }
}

/// `vp` in a folder below the project's.
@Suite(.ownThread) struct FolderBelowTests {
    @Test func aFolderBelowIsPartOfTheProjectOnceItIsSetUp() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/sub/x", "x")
        let below = harness.path("project/sub")
        _ = try await session.rent()
        // Nothing marks the folder above: what runs may not be guessed.
        let refused = try await harness.vp("run", "--", "pwd", in: below)
        #expect(refused.status == 201 && refused.stderr.contains("`vp init` in it"), "\(refused)")
        #expect(try await harness.vp("init").status == 0)
        let ran = try await harness.vp("run", "--", "pwd; cat x; echo r > r.txt", in: below)
        #expect(ran.status == 0 && ran.stdout.hasSuffix("/sub\nx"), "\(ran)")
        #expect(try harness.read("project/sub/r.txt") == "r\n")
        try await session.end()
    }
}

/// Sentences about a sync, and the beginning of a project's ignore file.
@Suite(.ownThread) struct SyncWordsTests {
    /// "Everything is here" is said of nothing less.
    @Test func sentencesDoNotContradictEachOther() {
        let whole = SyncSummary(direction: .down, unchangedFiles: 3)
        #expect(SyncReport.line(for: whole) == "nothing to download, everything is downloaded (3 files)")
        let parts: [WritableKeyPath<SyncSummary, [String]>] = [
            \.missing, \.conflicts, \.changing, \.later, \.refused, \.left, \.removedHere,
        ]
        for part in parts {
            var summary = whole
            summary[keyPath: part] = ["a"]
            #expect(SyncReport.line(for: summary) == "downloaded nothing, 3 files unchanged")
        }
        var up = SyncSummary(direction: .up, unchangedFiles: 1)
        #expect(SyncReport.line(for: up) == "nothing to upload, the instance has everything (1 file)")
        up.removedThere = ["a"]
        #expect(SyncReport.line(for: up) == "uploaded nothing, 1 file unchanged")
    }

    @Test func anIgnoreFileBeginsWithWhatGitExcludes() async throws {
        let harness = try CLIHarness()
        for name in ["project/.git/HEAD", "project/sub/deep/x"] { try harness.write(name, "x") }
        try harness.write("project/.gitignore", "# text\n\n*.ckpt\n!keep.ckpt\n/out/\n")
        try harness.write("project/sub/.gitignore", "*.tmp\n/here\na/b\n!x.tmp\ndir/\n")
        try harness.write("project/.git/info/exclude", "private\n")
        let plain = try await harness.vp("--init", "--yes")
        #expect(plain.status == 0 && plain.stdout.contains("--gitignore"), "\(plain)")
        #expect(try !harness.read("project/.vpignore").contains("ckpt"))
        try FileManager.default.removeItem(atPath: harness.path("project/.vpignore"))
        #expect(try await harness.vp("--init", "--yes", "--gitignore").status == 0)
        let text = try harness.read("project/.vpignore")
        let rules = [
            "private", "*.ckpt", "!keep.ckpt", "/out/", "/sub/**/*.tmp", "/sub/here", "/sub/a/b",
            "!/sub/**/x.tmp", "/sub/**/dir/",
        ]
        #expect(text.hasSuffix(rules.joined(separator: "\n") + "\n"), "\(text)")

        // On a terminal it is offered.
        try FileManager.default.removeItem(atPath: harness.path("project/.vpignore"))
        let asked = try PTYSession(
            CLIHarness.products + "/vp", ["--init", "--vast-api-key", "k", "--runpod-api-key", "k"],
            width: 160,
            environment: harness.environment, directory: harness.project)
        try asked.wait(for: "from .gitignore to .vpignore?")
        asked.type("y\r")
        #expect(try asked.waitForEnd() == .exited(0), "\(asked.screen.text)")
        #expect(try harness.read("project/.vpignore") == text)

        // Elsewhere nothing is said of it.
        try harness.write("plain/.gitignore", "*.ckpt\n")
        let outside = try await harness.vp("--init", "--yes", in: harness.path("plain"))
        #expect(!outside.stdout.contains("gitignore"), "\(outside)")

        // What a cloned project has in its place neither holds up nor fills the memory.
        for name in ["hostile/.git/HEAD", "hostile/pipe/x"] { try harness.write(name, "x") }
        symlink("/dev/zero", harness.path("hostile/.gitignore"))
        mkfifo(harness.path("hostile/pipe/.gitignore"), 0o600)
        let hostile = try await harness.vp("--init", "--yes", "--gitignore", in: harness.path("hostile"))
        #expect(hostile.status == 0, "\(hostile)")
        #expect(try !harness.read("hostile/.vpignore").contains("/pipe/"))
    }
}
