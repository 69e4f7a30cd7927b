import Foundation
import Testing
import VPScripts
import VPTestSupport

@testable import VPEngine

/// The scripts beside those of jobs, on the shells that instances have: each is run, by dash,
/// by bash as `sh` and by busybox with its own programs.
@Suite(.requires("dash", "bash", "busybox"), .timeLimit(.minutes(5)))
struct InstanceScriptTests {
    private static let shells: [JobShell.Kind] = [.dash, .bash, .busybox]
    private static let key = "0123456789abcdef"

    private func write(_ text: String, to path: String) throws {
        let file = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    // MARK: Questions

    @Test(arguments: Self.shells) func jobsThatRunAreListed(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let jobs = shell.home + "/.vp/jobs"
            let stat = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
            let born = try #require(stat.split(separator: ")").last?.split(separator: " ")[19])
            let ours = "\(getpid()) \(born)\n"
            for (name, supervisor) in [
                ("runs 1", ours), ("waits", ours), ("over", ours), ("lost", "\(getpid()) 7\n"), ("new", ""),
            ] {
                try self.write(supervisor, to: "\(jobs)/\(name)/supervisor")
            }
            try self.write("7 \(Int(Date().timeIntervalSince1970) - 70)\n", to: jobs + "/runs 1/pid")
            try self.write("code=0\n", to: jobs + "/over/status")
            let result = try await shell.result(of: LiveJobs.script)
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let live = LiveJobs.parse(result.output)
            #expect(live.map(\.id) == ["runs 1", "waits"])
            #expect(live.last?.seconds == nil)
            #expect(abs((live.first?.seconds ?? 0) - 70) < 30)
        }
    }

    /// The supervisor writes how the job ended and is gone, between two looks of the same script.
    @Test(arguments: Self.shells) func anEndWrittenDuringALookIsSeen(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let job = shell.home + "/.vp/jobs/train-1"
            try self.write("", to: job + "/log")
            let script = JobScript.look(at: [JobID("train-1")]).replacingOccurrences(
                of: "report() {",
                with: """
                    alive() {
                    echo 'code=0 start=1 lasted=2 bytes=0' >"$job/status"
                    return 1
                    }
                    report() {
                    """)
            let result = try await shell.result(of: script)
            guard case .ended(let end) = JobReport.all(in: result.errorOutput).last else {
                Issue.record("\(result.errorOutput)")
                return
            }
            #expect(end.outcome == .exited(0))
        }
    }

    @Test(arguments: Self.shells) func theLastLookFindsWhatAListingDoesNot(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let (root, set) = (shell.home + "/it's here", shell.home + "/a set")
            try self.write("x", to: set + "/x.bin")
            try self.write("x", to: shell.home + "/far/y.bin")
            try self.write("x", to: root + "/venv/pyvenv.cfg")
            try self.write("x", to: root + "/env/data")
            try self.write("x", to: root + "/made/CACHEDIR.TAG")
            symlink(set, root + "/set")
            symlink(shell.home + "/far", set + "/behind")
            symlink("x", root + "/inner")
            // What holds the workspace is no folder of results.
            symlink("/", root + "/all")
            let script = LastLook.script(root: root, folders: [set, root + "/env", "/no such"])
            let result = try await shell.result(of: script)
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let findings = try #require(LastLook.parse(result.output))
            #expect(Set(findings.links.map(\.path.description)) == ["set", "set/behind"])
            #expect(findings.links.allSatisfy { $0.isFolder })
            #expect(findings.folders.map(\.description) == [set])
            #expect(Set(findings.remade.map(\.path.description)) == ["venv", "made"])
            #expect(findings.repositories.isEmpty)
        }
    }

    @Test(arguments: Self.shells) func whatLiesBehindLinksIsMeasured(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let (root, set) = (shell.home + "/work", shell.home + "/set")
            try self.write("", to: shell.home + "/.vp/since")
            try await self.writeLater(than: shell.home + "/.vp/since", to: set + "/x")
            try self.write("", to: root + "/z")
            symlink(set, root + "/s e t")
            symlink("/", root + "/all")
            let result = try await shell.result(of: LastLook.sizes(root: root))
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let sizes = try #require(LastLook.parseSizes(result.output))
            #expect(sizes.keys.map(\.description) == ["s e t"])
            #expect((sizes.values.first ?? 0) >= 50_000)
        }
    }

    @Test(arguments: Self.shells) func aListingNamesFilesAndLinks(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let root = shell.home + "/it's here"
            for name in [
                "a", "b c/d", "two\nlines", "node_modules/x", "venv/pyvenv.cfg", "env/y",
                ".vp-sync/temporary/z",
            ] {
                try self.write("text", to: "\(root)/\(name)")
            }
            try self.write("{}", to: root + "/package.json")
            symlink("some\nwhere", root + "/link")
            let scan = RemoteScan(shell: self.remoteShell(shell), remoteRoot: root)
            let script = scan.script(makesRoot: true, clearsTemporaries: true)
            let result = try await shell.result(of: script)
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let end = try #require(result.output.dropLast().lastIndex(of: 0)) + 1
            #expect(String(decoding: result.output[end...], as: UTF8.self).hasPrefix("end "))
            let contents = try #require(RemoteScan.parse(result.output[..<end]))
            let names = ["a", "b c", "b c/d", "two\nlines", "env", "env/y", "package.json", "link"]
            #expect(Set(contents.tree.keys) == Set(names.map { SyncPath($0) }))
            #expect(contents.targets[SyncPath("link")] == Array("some\nwhere".utf8))
            let missing = RemoteScan(shell: scan.shell, remoteRoot: root + "/none")
            let nothing = try await shell.result(of: missing.script(makesRoot: false))
            #expect(nothing.isSuccess && nothing.output == Array("end \0".utf8))
        }
    }

    /// What comes from behind links is what changed since the instance came up.
    @Test(arguments: Self.shells) func aListingOfWhatIsNewHasIt(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let root = shell.home + "/set"
            try self.write("old", to: root + "/old")
            try await self.writeLater(than: root + "/old", to: shell.home + "/.vp/since")
            try await self.writeLater(than: shell.home + "/.vp/since", to: root + "/new")
            symlink("new", root + "/link")
            var scan = RemoteScan(shell: self.remoteShell(shell), remoteRoot: root)
            scan.isNewerOnly = true
            let result = try await shell.result(of: scan.script(makesRoot: false))
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let end = try #require(result.output.dropLast().lastIndex(of: 0)) + 1
            var names = Set(try #require(RemoteScan.parse(result.output[..<end])).tree.keys)
            // busybox counts minutes.
            if kind == .busybox { names.remove(SyncPath("old")) }
            #expect(names == [SyncPath("new"), SyncPath("link")])
        }
    }

    /// busybox before its version 1.35.
    @Test func aFindThatKnowsNoTimeOfChangesTellsOfContents() async throws {
        try await JobShell.with(.busybox) { shell in
            let busybox = try #require(JobShell.find("busybox"))
            try shell.install(
                "find",
                "case \" $* \" in *' -cnewer '* | *' -cmin '*) exit 1 ;; esac; exec \(busybox) find \"$@\"")
            let root = shell.home + "/set"
            try self.write("old", to: root + "/old")
            try await self.writeLater(than: root + "/old", to: shell.home + "/.vp/since")
            try await self.writeLater(than: shell.home + "/.vp/since", to: root + "/new")
            var scan = RemoteScan(shell: self.remoteShell(shell), remoteRoot: root)
            scan.isNewerOnly = true
            let result = try await shell.result(of: scan.script(makesRoot: false))
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let end = try #require(result.output.dropLast().lastIndex(of: 0)) + 1
            let tree = try #require(RemoteScan.parse(result.output[..<end])).tree
            #expect(tree[SyncPath("new")] != nil)
        }
    }

    private func remoteShell(_ shell: JobShell) -> RemoteShell {
        let target = SSHTarget(
            instance: InstanceID(platform: .vast, rawValue: "1"),
            address: SSHAddress(host: "127.0.0.1", port: 1), identityFile: nil,
            paths: .init(
                userConfigurationFile: shell.home + "/c", stateFolder: shell.home + "/state",
                cacheFolder: shell.home + "/cache", socketFolder: shell.home + "/sockets"))
        return RemoteShell(target: target, runner: SystemProcessRunner(), environment: [:])
    }

    /// Writes until the file is newer than `other`: a file system may keep times of a hundredth of a second.
    private func writeLater(than other: String, to path: String) async throws {
        func changed(_ path: String) throws -> (Int, Int) {
            var status = stat()
            try #require(stat(path, &status) == 0)
            return (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
        }
        try await wait(for: "a later time") {
            try self.write(String(repeating: "x", count: 50_000), to: path)
            return try changed(path) > changed(other) ? true : nil
        }
    }

    /// One sample, whose end would wait for the next.
    @Test(arguments: Self.shells) func theLoadIsTold(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let script = ScriptFile.load.text(["root": shell.home, "interval": "2"])
            let result = try await shell.result(of: "sleep() { exit 0; }\n" + script)
            #expect(result.isSuccess)
            var output = result.output
            let sample = try #require(TelemetrySampler.take(from: &output).first)
            #expect(sample.totalTicks > 0 && sample.totalMemoryBytes > 0 && sample.totalDiskBytes > 0)
        }
    }

    /// Each write wakes the reader, here and, through the connection, on the laptop.
    /// A socket of packets keeps them apart.
    @Test(arguments: ["dash", "bash", "busybox"]) func theLoadIsToldInOneWrite(shell: String) async throws {
        let path = try #require(Programs.path(of: shell))
        let script = "sleep() { exit; }\n" + ScriptFile.load.text(["root": "/", "interval": "2"])
        let count = """
            import socket, subprocess, sys
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            subprocess.run(sys.argv[1:], stdout=theirs)
            theirs.close()
            print(sum(1 for _ in iter(lambda: ours.recv(1 << 16), b"")))
            """
        let words = shell == "busybox" ? [path, "sh"] : [path]
        let result = try await SystemProcessRunner().run(
            ProcessCommand(
                try #require(Programs.path(of: "python3")), ["-c", count] + words + ["-c", script],
                environment: ["PATH": "/usr/bin:/bin"]))
        #expect(String(decoding: result.output, as: UTF8.self) == "1\n")
    }

    // MARK: Ends

    /// A container whose first process knows the key, and whose `curl` notes what it is asked for, then does
    /// `after`.
    private func inContainer(
        _ kind: JobShell.Kind, after: String, _ body: (JobShell) async throws -> Void
    ) async throws {
        try await JobShell.with(kind) { shell in
            var shell = shell
            let keys = [
                "CONTAINER_API_KEY": Self.key, "CONTAINER_ID": "7", "RUNPOD_API_KEY": Self.key,
                "RUNPOD_POD_ID": "7",
            ]
            shell.sandbox =
                [
                    try #require(Programs.path(of: "bwrap")), "--dev-bind", "/", "/", "--unshare-pid",
                    "--as-pid-1", "--proc", "/proc", "--die-with-parent",
                ] + keys.sorted { $0.key < $1.key }.flatMap { ["--setenv", $0.key, $0.value] } + ["--"]
            try shell.install(
                "curl", "read -r header; echo \"$header $*\" >> \"$HOME/asked\"; printf 200; \(after)")
            try shell.install("sleep", ":")
            try await body(shell)
        }
    }

    private func asked(_ shell: JobShell) -> [String] {
        ((try? String(contentsOfFile: shell.home + "/asked", encoding: .utf8)) ?? "")
            .split(separator: "\n").map(String.init)
    }

    @Test(.requires("bwrap"), arguments: Self.shells, Platform.allCases)
    func theBootGuardEndsAnInstanceThatNobodyCameTo(kind: JobShell.Kind, platform: VPEngine.Platform)
        async throws
    {
        try await self.inContainer(kind, after: "echo x > \"$HOME/.vp/lease/settings\"") { shell in
            let terms = LeaseTerms(seconds: 60, ending: platform == .vast ? .destroy : .stop)
            let text = try #require(
                BootGuard.text(terms, on: platform, apiBase: "http://api", workspace: shell.home + "/none"))
            let result = try await shell.result(of: text + "wait\n")
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let order =
                platform == .vast
                ? "-X DELETE -H Content-Type: application/json -d {} http://api/api/v0/instances/7/"
                : "-X POST -H Content-Type: application/json -d {\"action\":\"stop\"} http://api/pods/7/action"
            #expect(self.asked(shell).count == 1)
            #expect(self.asked(shell).first?.hasSuffix(order) == true, "\(self.asked(shell))")
            #expect(self.asked(shell).first?.contains("Bearer \(Self.key)") == true)
        }
    }

    @Test(.requires("bwrap"), arguments: Self.shells, Platform.allCases)
    func theWatchdogEndsAnInstanceWhoseLeaseIsOver(kind: JobShell.Kind, platform: VPEngine.Platform)
        async throws
    {
        // The answer of the platform finds the lease renewed, and another watchdog in its place.
        let after = "cd \"$HOME/.vp/lease\"; echo none > end; echo 1000000 > pid"
        try await self.inContainer(kind, after: after) { shell in
            let lease = shell.home + "/.vp/lease"
            let settings = WatchdogScript.Settings(
                platform: platform, instance: "7", apiBase: "http://api", workspace: shell.home + "/none",
                seconds: 60, capSeconds: 0, ending: .stop, keepsUnsafeResults: true)
            try self.write(settings.text, to: lease + "/settings")
            try self.write(WatchdogScript.watchdog, to: lease + "/watchdog")
            try self.write("1000\n", to: lease + "/end")
            let result = try await shell.result(of: "sh \"$HOME/.vp/lease/watchdog\" \"$HOME/.vp/lease\"")
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            let order =
                platform == .vast
                ? "-X PUT -H Content-Type: application/json -d {\"state\":\"stopped\"} http://api/api/v0/instances/7/"
                : "-X POST -H Content-Type: application/json -d {\"action\":\"stop\"} http://api/pods/7/action"
            #expect(self.asked(shell).count == 1)
            #expect(self.asked(shell).first?.hasSuffix(order) == true, "\(self.asked(shell))")
            let log = try String(contentsOfFile: lease + "/log", encoding: .utf8)
            #expect(log.contains("the lease of this instance has run out: stop"))
            #expect(log.contains("the lease was renewed"))
        }
    }

    @Test(.requires("bwrap"), arguments: Self.shells, [true, false])
    func aResultThatNobodyHasMakesADestroyAStop(kind: JobShell.Kind, isBehindALink: Bool) async throws {
        let after = "cd \"$HOME/.vp/lease\"; echo none > end; echo 1000000 > pid"
        try await self.inContainer(kind, after: after) { shell in
            let (lease, root) = (shell.home + "/.vp/lease", shell.home + "/work")
            let settings = WatchdogScript.Settings(
                platform: .vast, instance: "7", apiBase: "http://api", workspace: root,
                seconds: 60, capSeconds: 0, ending: .destroy, keepsUnsafeResults: true)
            try self.write(settings.text, to: lease + "/settings")
            try self.write(WatchdogScript.watchdog, to: lease + "/watchdog")
            try self.write("1000\n", to: lease + "/end")
            let set = "/var/tmp/vp-set-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: set) }
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            if isBehindALink { symlink(set, root + "/set") }
            // The link itself is as old as what is elsewhere.
            try await self.writeLater(than: root, to: lease + "/safe")
            try await self.writeLater(than: lease + "/safe", to: (isBehindALink ? set : root) + "/model.pt")
            let result = try await shell.result(of: "sh \"$HOME/.vp/lease/watchdog\" \"$HOME/.vp/lease\"")
            #expect(result.isSuccess && result.errorOutput.isEmpty)
            #expect(self.asked(shell).map { $0.contains("-X PUT") } == [true], "\(self.asked(shell))")
        }
    }

    @Test(arguments: Self.shells) func aLeaseIsArmedAndTold(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let settings = WatchdogScript.Settings(
                platform: .runpod, instance: "7", apiBase: "http://127.0.0.1:1", workspace: "/it's here",
                seconds: 3600, capSeconds: 0, ending: .destroy, keepsUnsafeResults: true)
            func reports(_ text: String) async throws -> [LeaseReport] {
                let result = try await shell.result(of: text)
                return String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n")
                    .compactMap { LeaseReport(line: $0) }
            }
            #expect(try await reports(WatchdogScript.look) == [.absent])
            for text in [WatchdogScript.arm(settings), WatchdogScript.renew, WatchdogScript.look] {
                let found = try await reports(text)
                guard case .state(let now, let end?, nil, _, _) = found.first else {
                    Issue.record("\(found)")
                    return
                }
                #expect(abs(end - now - 3600) < 60)
                #expect(found.last == .guarded(weakness: "the instance has no key of its own"))
            }
        }
    }
}
