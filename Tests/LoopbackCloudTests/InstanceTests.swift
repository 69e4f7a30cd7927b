import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

/// What a rented instance is: a login, files and processes of its own.
@Suite(.requires("sshd", "ssh", "ssh-keygen", "bwrap", "rsync", "python3"))
struct InstanceTests {
    @Test(.loopbackCloud()) func aRentedInstanceLetsItsOwnerLogIn() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        let command = "id -un; pwd; hostname; python3 -c 'print(6*7)'; python --version"
        let outcome = try await Shell.login(cloud, row, command)
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("root\n/root\nC.\(row["id"] ?? 0)\n42\nPython 3"), "\(outcome)")
    }

    /// The proxy address reaches the same instance, and a terminal can be had.
    @Test(.loopbackCloud()) func theProxyAddressWorksToo() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        _ = try await Shell.login(cloud, row, "true")
        #expect(row["ssh_host"] as? String == "127.0.0.1")
        let port = try #require(row["ssh_port"] as? Int)
        let arguments =
            Shell.sshOptions(cloud) + [
                "-tt", "-p", String(port), "root@127.0.0.1", "tty; stty size; echo $PWD",
            ]
        let outcome = try await Shell.run("ssh", arguments)
        #expect(outcome.output.contains("/dev/pts/"), "\(outcome)")
        #expect(outcome.output.contains("/root"))
    }

    /// What `vastai copy` does once it is told where: an rsync server behind ssh,
    /// with a module for the instance.
    @Test(.loopbackCloud(LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)))
    func filesAreCopiedAsTheOfficialClientDoes() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent()
        let asked =
            #"{"client_id":"me","src_id":"local","dst_id":"\#(id)","src_path":"a","dst_path":"/workspace/"}"#
        #expect(
            try await client.put("/api/v0/commands/copy_direct/", asked).status == 400, "it does not run yet")
        let row = try await client.running(id)
        _ = try await Shell.login(cloud, row, "true")
        let up = try await client.put("/api/v0/commands/copy_direct/", asked)
        let port = try #require(up["dst_port"] as? Int, "\(up)")
        try await TemporaryFolder.with { folder in
            let file = try folder.write("hello\n", to: "a")
            func rsync(_ from: String, _ to: String) async throws -> Shell.Outcome {
                let ssh = (["ssh"] + Shell.sshOptions(cloud) + ["-p", String(port)]).joined(separator: " ")
                return try await Shell.run("rsync", ["-arz", "-v", "--rsh=ssh", "-e", ssh, from, to])
            }
            let sent = try await rsync(file, "vastai_kaalia@127.0.0.1::\(id)/workspace/")
            #expect(sent.status == 0, "\(sent)")
            #expect(try await Shell.login(cloud, row, "cat /workspace/a").output == "hello\n")
            let down = try await client.put(
                "/api/v0/commands/rsync/",
                #"{"src_id":"C.\#(id)","dst_id":null,"src_path":"/x","dst_path":"b"}"#)
            #expect(down["src_port"] as? Int == port && down["src_addr"] as? String == "127.0.0.1", "\(down)")
            let brought = try await rsync("vastai_kaalia@127.0.0.1::\(id)/workspace/a", folder.path + "/b")
            #expect(brought.status == 0, "\(brought)")
            #expect(try folder.read("b") == "hello\n")
            #expect(try await rsync(file, "vastai_kaalia@127.0.0.1::\(id + 1)/workspace/").status != 0)
        }
        for body in [#"{"src_id":"\#(id)","dst_id":"\#(id)"}"#, #"{"src_id":"s3.1","dst_id":"\#(id)"}"#] {
            #expect(try await client.put("/api/v0/commands/copy_direct/", body).status == 400)
        }
        let unknown = #"{"src_id":"local","dst_id":"1"}"#
        #expect(try await client.put("/api/v0/commands/copy_direct/", unknown).status == 404)
    }

    /// Provider's words before the login, on the client's stderr.
    @Test(.loopbackCloud()) func theBannerIsShown() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        _ = try await Shell.login(cloud, row, "true")
        let port = try #require(Shell.directPort(row))
        var options = Shell.sshOptions(cloud)
        options.replace(["LogLevel=ERROR"], with: ["LogLevel=INFO"])
        let outcome = try await Shell.run(
            "ssh", options + ["-p", String(port), "root@127.0.0.1", "echo out"])
        #expect(outcome.output == "out\n")
        #expect(outcome.errors.contains("Welcome to vast.ai. If authentication fails"))
    }

    @Test(.loopbackCloud()) func instancesDoNotSeeEachOther() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let first = try await client.rent(0)
        let second = try await client.rent(2)
        let one = try await client.running(first)
        let other = try await client.running(second)
        _ = try await Shell.login(
            cloud, one,
            "echo secret >/workspace/mine; echo x >/tmp/mine; setsid sleep 4241 >/dev/null 2>&1 & true")
        let look = "ls -A /workspace /tmp; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; hostname"
        let seen = try await Shell.login(cloud, other, look)
        #expect(!seen.output.contains("mine"), "\(seen)")
        #expect(!seen.output.contains("sleep 4241"))
        #expect(seen.output.hasSuffix("C.\(second)\n"))
        let own = try await Shell.login(cloud, one, look)
        #expect(own.output.contains("mine") && own.output.contains("sleep 4241"))
        #expect(
            try await Shell.login(cloud, one, "ls \(cloud.folder) \(NSHomeDirectory())/.ssh/id_rsa").status
                != 0)
    }

    @Test(.loopbackCloud()) func rsyncGoesBothWays() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        _ = try await Shell.login(cloud, row, "true")
        let port = try #require(Shell.directPort(row))
        let remote = (["ssh"] + Shell.sshOptions(cloud) + ["-p", String(port)]).joined(separator: " ")
        try await TemporaryFolder.with { folder in
            try folder.write("payload\n", to: "up/a file")
            let target = "root@127.0.0.1:/workspace/"
            let up = try await Shell.run("rsync", ["-a", "-e", remote, folder.path + "/up/", target])
            #expect(up.status == 0, "\(up)")
            _ = try await Shell.login(cloud, row, "cp '/workspace/a file' /workspace/result")
            let down = try await Shell.run("rsync", ["-a", "-e", remote, target, folder.path + "/down/"])
            #expect(down.status == 0, "\(down)")
            #expect(try folder.read("down/result") == "payload\n")
        }
    }

    @Test(.loopbackCloud()) func stoppingEndsProcessesAndKeepsFiles() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent(0, #","onstart":"echo started >>/workspace/starts""#)
        let row = try await client.running(id)
        _ = try await Shell.login(
            cloud, row, "echo kept >/workspace/kept; setsid sleep 4242 >/dev/null 2>&1 & true")
        #expect(
            try await client.put("/api/v0/instances/\(id)/", #"{"state":"stopped"}"#)["success"] as? Bool
                == true)
        let stopped = try await wait(for: "the stop") { () -> [String: Any]? in
            guard let row = try await client.instance(id), row["cur_state"] as? String == "stopped" else {
                return nil
            }
            return row
        }
        #expect(stopped["actual_status"] as? String == "exited")
        #expect(stopped["intended_status"] as? String == "stopped")
        #expect(stopped["ports"] == nil)
        #expect(await cloud.processIDs.isEmpty)

        _ = try await client.put("/api/v0/instances/\(id)/", #"{"state":"running"}"#)
        let again = try await client.running(id)
        let seen = try await Shell.login(
            cloud, again, "cat /workspace/kept /workspace/starts; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        #expect(seen.output.hasPrefix("kept\nstarted\nstarted\n"), "\(seen)")
        #expect(!seen.output.contains("sleep 4242"))
    }

    @Test(.loopbackCloud()) func destroyingLeavesNothing() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent()
        let row = try await client.running(id)
        _ = try await Shell.login(
            cloud, row, "setsid sh -c 'trap \"\" TERM HUP; sleep 4243' >/dev/null 2>&1 & true")
        let processes = await cloud.processIDs
        #expect(processes.count >= 4)
        #expect(try await client.delete("/api/v0/instances/\(id)/")["success"] as? Bool == true)
        try await wait(for: "the end of the row") { try await client.instance(id) == nil ? true : nil }
        #expect(Self.alive(processes).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "\(cloud.folder)/instances/\(id)"))
        #expect(await cloud.instanceCount == 0)
        // Whoever asked as often as that for the end of the row may be told to wait.
        let gone = try await wait(for: "an answer") { () -> TestClient.Answer? in
            let answer = try await client.delete("/api/v0/instances/\(id)/")
            return answer.status == 429 ? nil : answer
        }
        #expect(gone.status == 404 && gone["error"] as? String == "no_such_instance", "\(gone.text)")
    }

    /// Variables given at creation reach the container and its onstart, not its sessions, unless put into
    /// /etc/environment.
    @Test(.loopbackCloud()) func variablesReachSessionsOnlyThroughTheEnvironmentFile() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let plain = try await client.rent(
            0, #","env":{"FOO":"it's","-p 8000:8000":"1"},"onstart":"echo $FOO >/tmp/foo""#)
        let shared = try await client.rent(
            2, #","env":{"FOO":"bar"},"onstart":"env >>/etc/environment; touch /tmp/done""#)
        let first = try await client.running(plain)
        #expect((first["extra_env"] as? [[String]])?.contains(["FOO", "it's"]) == true)
        try await wait(for: "onstart") {
            try await Shell.login(cloud, first, "cat /tmp/foo").output == "it's\n" ? true : nil
        }
        #expect(try await Shell.login(cloud, first, "echo \"[$FOO$CONTAINER_ID]\"").output == "[]\n")
        let second = try await client.running(shared)
        try await wait(for: "onstart") {
            try await Shell.login(cloud, second, "test -e /tmp/done").status == 0 ? true : nil
        }
        let seen = try await Shell.login(
            cloud, second, "echo \"$FOO $CONTAINER_ID $VAST_CONTAINERLABEL\"; which nvidia-smi")
        #expect(seen.output == "bar \(shared) C.\(shared)\n/opt/instance/bin/nvidia-smi\n")
    }

    /// Children that live while an instance is written inherit what is open then; the kernel runs no file
    /// that anybody has open for writing.
    @Test(.loopbackCloud()) func itsProgramsRunWhateverElseIsStarted() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let children = Mutex([pid_t]())
        defer {
            for child in children.withLock({ $0 }) {
                kill(child, SIGKILL)
                waitpid(child, nil, 0)
            }
        }
        let starter = Task.detached {
            while !Task.isCancelled && children.withLock({ $0.count }) < 1000 {
                var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("600"), nil]
                defer { for word in words { free(word) } }
                var child: pid_t = 0
                guard posix_spawn(&child, "/bin/sleep", nil, nil, &words, environ) == 0 else { return }
                children.withLock { $0.append(child) }
                await Task.yield()
            }
        }
        let row = try await client.running(try await client.rent())
        starter.cancel()
        _ = await starter.result
        let started = children.withLock { $0.count }
        #expect(started > 10, "\(started) children lived meanwhile")
        let outcome = try await Shell.login(cloud, row, "python3 -c 'print(6*7)' && nvidia-smi -L")
        #expect(outcome.status == 0 && outcome.output.hasPrefix("42\n"), "\(outcome)")
    }

    @Test(.loopbackCloud()) func theGPUFollowsTheWork() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        let query =
            "nvidia-smi --query-gpu=index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw "
            + "--format=csv,noheader,nounits"
        func look() async throws -> [String] {
            let text = try await Shell.login(cloud, row, query).output
            return text.components(separatedBy: "\n")[0].components(separatedBy: ", ")
        }
        let idle = try await look()
        #expect(idle.count == 7, "\(idle)")
        #expect(idle[2] == "0")
        #expect(Int(idle[4]) == row["gpu_ram"] as? Int)
        _ = try await Shell.login(
            cloud, row, "cd /workspace; python3 -c 'import time; time.sleep(600)' >/dev/null 2>&1 & true")
        let busy = try await wait(for: "load") {
            let figures = try await look()
            return (Int(figures[2]) ?? 0) > 50 ? figures : nil
        }
        #expect(try #require(Double(busy[6])) > (try #require(Double(idle[6]))) * 2)
        let table = try await Shell.login(cloud, row, "nvidia-smi")
        #expect(table.status == 0 && table.output.contains("Driver Version"), "\(table)")
        let lines = table.output.components(separatedBy: "\n").dropFirst().filter { !$0.isEmpty }
        #expect(Set(lines.map(\.count)) == [91], "\(table.output)")
        #expect(try await Shell.login(cloud, row, "nvidia-smi -L").output.hasPrefix("GPU 0: "))
        #expect(try await Shell.login(cloud, row, "nvidia-smi --query-gpu=nonsense --format=csv").status == 2)
    }

    /// Those of `processes` that still run; one that only waits to be reaped does not.
    static func alive(_ processes: [Int32]) -> [Int32] {
        processes.filter { process in
            let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            guard let end = text.lastIndex(of: ")") else { return false }
            return !text[end...].hasPrefix(") Z")
        }
    }
}

/// Instances where sandboxes are not allowed: a plain sshd each, with a home below the cloud's folder.
@Suite(.requires("sshd", "ssh", "ssh-keygen"))
struct PlainInstanceTests {
    private static let plain = LoopbackCloud.Options(speed: 100, usesSandboxes: false)

    @Test(.loopbackCloud(plain)) func aPlainInstanceHasItsOwnHomeAndEndsWhole() async throws {
        let cloud = try #require(CloudTrait.current)
        #expect(!cloud.isSandboxed && cloud.workspace == "workspace")
        let client = TestClient(cloud)
        let id = try await client.rent()
        let row = try await client.running(id)
        let command =
            "pwd; echo $HOME; cd \(cloud.workspace) && nvidia-smi -L; setsid sleep 4244 >/dev/null 2>&1 & sleep 0"
        let outcome = try await Shell.login(cloud, row, command)
        let home = "\(cloud.folder)/instances/\(id)/root/root"
        #expect(outcome.output.hasPrefix("\(home)\n\(home)\n"), "\(outcome)")
        try await wait(for: "a process that left its session") {
            await cloud.processIDs.contains { Self.commandLine($0).hasPrefix("sleep 4244") } ? true : nil
        }
        let processes = await cloud.processIDs
        _ = try await client.delete("/api/v0/instances/\(id)/")
        try await wait(for: "the end of the row") { try await client.instance(id) == nil ? true : nil }
        #expect(InstanceTests.alive(processes).map { Self.commandLine($0) } == [])
    }

    private static func commandLine(_ process: Int32) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }
}
