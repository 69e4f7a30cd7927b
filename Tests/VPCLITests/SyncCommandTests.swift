import Foundation
import Glibc
import Testing
import VPTestSupport

/// Files, as a user moves and asks about them.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh")) struct SyncCommandTests {
    @Test func resultsGateTheEndOfAnInstance() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/a.txt", "a")
        let id = try await session.rent()
        #expect(try await harness.vp("sync").status == 0)
        #expect(try await harness.vp("--no-sync", "run", "--", "echo r > result.txt").status == 0)

        // Nobody answers: what is there cannot be brought, so it is not given up.
        try harness.writeProgram(
            "bin/ssh", "#!/bin/sh\necho 'ssh: connect: No route to host' >&2\nexit 255\n")
        let path = try #require(harness.environment["PATH"])
        let alone = try await harness.vp(
            "destroy-instance", id, "--json", environment: ["PATH": "\(harness.path("bin")):\(path)"])
        #expect(alone.status == 205, "\(alone)")
        #expect(try alone.error()["code"] == "unsafeResults")
        #expect(try alone.error()["advice"]?.contains("--discard-results") == true)
        // Nobody was there to be asked, so that it waits without its GPU, where that could be had.
        if try await harness.vp("ls").stdout.contains("stopped") {
            #expect(try await harness.vp("start", id).status == 0)
        }

        // More than this machine's disk holds.
        #expect(try await harness.vp("--no-sync", "run", "--", "truncate -s 8T huge.bin").status == 0)
        for words in [["download", id], ["run", "--", "true"]] {
            let output = try await harness.start(words).output()
            #expect(
                output.status == 205 && output.stderr.contains("there is room for"), "\(words): \(output)")
        }
        let full = try await harness.vp("destroy-instance", id)
        #expect(full.status == 205 && full.stderr.contains("there is room for"), "\(full)")
        #expect(try await harness.vp("ls").stdout.contains(id))
        // Nobody was there to be asked, so that it waits without its GPU.
        #expect(full.stderr.contains("it is stopped, and its disk costs"), "\(full)")
        #expect(try await harness.vp("start", id).status == 0)
        #expect(try await harness.vp("--no-sync", "run", "--", "rm huge.bin").status == 0)

        let gone = try await harness.vp("destroy-instance", id)
        #expect(gone.status == 0, "\(gone)")
        #expect(try harness.read("project/result.txt") == "r\n")
        try await session.end()
    }

    /// Every verb that is about one instance takes it by option too, and does not only swallow it.
    @Test func theInstanceCanBeNamedByOption() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/a.txt", "a")
        let ids = [try await session.rent(), try await session.rent()]
        for id in ids {
            #expect(try await harness.vp("sync", "-i", id).status == 0)
            let run = try await harness.vp(
                "run", "--no-sync", "-i", id, "--", "echo \(id) > \(id).txt; cat a.txt")
            #expect(run.stdout == "a", "\(run)")
        }
        // The other's file is not there.
        let diff = try await harness.vp("diff", "-i", ids[1], "--json")
        let changes = try #require(try diff.json()["changes"] as? [[String: Any]], "\(diff)")
        #expect(changes.compactMap { $0["path"] as? String } == ["\(ids[1]).txt"])
        #expect(try await harness.vp("-i", ids[1], "download").status == 0)
        #expect(harness.exists("project/\(ids[1]).txt") && !harness.exists("project/\(ids[0]).txt"))
        let shell = try await harness.vp("ssh", "-i", ids[0], "--", "ls", "/workspace")
        #expect(
            shell.stdout.contains("\(ids[0]).txt") || harness.environment["VP_WORKSPACE"] != nil, "\(shell)")
        let again = try await harness.vp("rerun", "-i", ids[0], "-1")
        #expect(again.status == 0, "\(again)")
        let jobs = try await harness.vp("jobs", "--json").json()["jobs"] as? [[String: Any]]
        #expect(jobs?.first?["instance"] as? String == ids[0])
        // Both ways at once have to mean the same.
        #expect(try await harness.vp("sync", ids[0], "-i", ids[1]).status == 64)
        let ignored = try await harness.vp("jobs", "-i", ids[0])
        #expect(ignored.status == 64, "\(ignored)")
        #expect(ignored.stderr.contains("`vp jobs` has no option -i."))
        try await session.end()
    }

    @Test func diffAndWhyTellBeforeAnythingMoves() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/a.txt", "a")
        try harness.write("project/data/big.bin", "12345")
        try harness.write("project/.vpignore", "data/\n")
        let id = try await session.rent()
        let diff = try await harness.vp("diff", "--json")
        let changes = try #require(try diff.json()["changes"] as? [[String: Any]], "\(diff)")
        #expect(Set(changes.compactMap { $0["path"] as? String }) == ["a.txt", ".vpignore"])
        #expect(changes.allSatisfy { $0["action"] as? String == "send" })
        let notSent = try #require(try diff.json()["not_sent"] as? [[String: Any]])
        #expect(notSent.first?["path"] as? String == "data/")
        let dry = try await harness.vp("sync", "--dry-run")
        #expect(dry.stdout.contains("send 2") && dry.stdout.contains("data/"), "\(dry)")
        // Paths select what is shown, as they select what is uploaded.
        let named = try await harness.vp("sync", "--dry-run", "a.txt")
        #expect(named.stdout.contains("send 1 (") && !named.stdout.contains("data/"), "\(named)")
        #expect(try await harness.vp("diff", "--json").json()["unchanged_files"] as? Int == 0)

        #expect(try await harness.vp("sync").status == 0)
        #expect(try await harness.vp("diff").stdout.contains("Nothing to do: 2 files unchanged."))
        let why = try await harness.vp("why", "data/big.bin")
        #expect(
            why.stdout == "data/big.bin is not synced: excluded by the rule `data/` (.vpignore:1).\n",
            "\(why)")
        let sent = try await harness.vp("why", "a.txt", "--json")
        #expect(try sent.json()["verdict"] as? String == "sent")
        #expect((try sent.json()["instances"] as? [[String: Any]])?.first?["id"] as? String == id, "\(sent)")
        let secret = try await harness.vp("why", ".env")
        #expect(secret.stdout.contains("the rule `.env` (built in)"), "\(secret)")

        #expect(try await harness.vp("--no-sync", "run", "--", "echo 1 > out.txt").status == 0)
        #expect(try await harness.vp("download", "--dry-run").stdout.contains("bring 1"))
        for words in [["a.txt"], [id, "a.txt"], ["--exclude", "out.*"]] {
            let none = try await harness.start(["download", "--dry-run"] + words).output()
            #expect(none.status == 0 && none.stdout.contains("Nothing to do"), "\(words): \(none)")
        }
        #expect(try await harness.vp("download", "--dry-run", "out.txt").stdout.contains("bring 1"))
        let verified = try await harness.vp("download", "--verify", "--json")
        #expect(try verified.json()["files"] as? Int == 1, "\(verified)")
        let refused = try await harness.vp("sync", "--bwlimit", "fast")
        #expect(refused.status == 64)
        try await session.end()
    }

    /// Results come while the command runs, and `kill -9` of vp leaves nothing half-written.
    @Test func aKilledTransferIsFinishedByTheNext() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        // Nothing that compresses: a limited rate is to take its time.
        var random = SeededGenerator(seed: 5)
        let text = (0..<200_000).map { _ in
            String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 36)
        }
        .joined()
        try harness.write("project/big.txt", text)
        let id = try await session.rent()
        let upload = try harness.start(["sync", "--bwlimit", "1MB"])
        try await waitUntil("rsync at work") {
            !((try? FileManager.default.contentsOfDirectory(
                atPath: harness.path(".local/state/variousplug/manifests")))?
                .isEmpty ?? true)
                && FileManager.default.enumerator(atPath: harness.path(".local/state/variousplug/manifests"))?
                    .contains { ($0 as? String)?.hasSuffix(".sending") == true } == true
        }
        upload.send(SIGKILL)
        _ = try await upload.output()
        let size = "test $(wc -c < big.txt) = \(text.utf8.count)"
        let there = try await harness.vp("--no-sync", "run", "-i", id, "--", "test ! -e big.txt || \(size)")
        #expect(there.status == 0, "\(there)")
        #expect(try await harness.vp("sync").status == 0)
        #expect(try await harness.vp("--no-sync", "run", "--", size).status == 0)

        #expect(try await harness.vp("--no-sync", "run", "--", "cp big.txt result.txt").status == 0)
        let download = try harness.start(["download", "--bwlimit", "1MB"])
        try await waitUntil("something staged") { harness.exists("project/.vp/incoming") }
        download.send(SIGKILL)
        _ = try await download.output()
        #expect(!harness.exists("project/result.txt"))
        #expect(try await harness.vp("download").status == 0)
        #expect(try harness.read("project/result.txt") == text)
        #expect(!harness.exists("project/.vp/incoming"))
        try await session.end()
    }

    @Test func resultsComeWhileTheCommandRuns() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/a.txt", "a")
        try harness.write("project/b.pt", "mine")
        _ = try await session.rent()
        func untilThere(_ name: String) -> String { "while [ ! -e \(name) ]; do sleep 0.05; done" }
        let command =
            "echo whole > a.pt; \(untilThere("go")); echo theirs > b.pt; \(untilThere("stop"))"
        let run = try harness.start(["run", "--pull-every", "1s", "--pull-only", "*.pt", "--", command])
        try await waitUntil("the mirrored checkpoint; \(run.errorText)") { harness.exists("project/a.pt") }
        #expect(run.isRunning)
        #expect(try harness.read("project/a.pt") == "whole\n")
        try harness.write("project/b.pt", "edited")
        #expect(try await harness.vp("--no-sync", "run", "--", "touch go").status == 0)
        try await waitUntil("the version beside; \(run.errorText)") {
            harness.exists("project/b.pt.remote-project-1")
        }
        #expect(try await harness.vp("--no-sync", "run", "--", "touch stop").status == 0)
        let ended = try await run.output()
        // It came long before the end, and is named there.
        #expect(ended.status == 0 && ended.stderr.contains("b.pt"), "\(ended)")
        #expect(try harness.read("project/b.pt") == "edited")
        #expect(try harness.read("project/b.pt.remote-project-1") == "theirs\n")
        try await session.end()
    }
}
