import Foundation
import VPTestSupport

@testable import VPEngine

/// What a session does with an instance beyond a sync: the last look before an end, jobs, the load,
/// two at a time.
extension HostileInstance {
    mutating func perform(_ action: String) async throws(EngineError) {
        let settings = EngineConfiguration.Sync(bulkFiles: self.chance(2) ? 1 : 200)
        let sync = self.instance.sync(settings: settings, patience: Self.patience)
        switch action {
        case "upload": self.count(try await sync.upload())
        case "hold": _ = try await sync.holdRefused()
        case "end": try await self.end(settings)
        case "jobs": try await self.look()
        case "load": await self.watchLoad(sync.shell)
        case "both": await self.downloadFromBoth(settings)
        default:
            self.count(
                try await sync.download(conflictSuffix: "7", verifiesContents: action == "verify"))
        }
    }

    /// In a round nothing is waited for long; a hang must not make an hour of it.
    private static let patience = Patience(.seconds(1))

    private mutating func count(_ summary: SyncSummary?) {
        self.moved += (summary?.transferredFiles ?? 0) + (summary?.conflicts.count ?? 0)
    }

    // MARK: An end

    private func engine(_ settings: EngineConfiguration.Sync) throws(EngineError) -> (Engine, Instance) {
        let sync = self.instance.sync()
        var configuration = EngineConfiguration(
            endpoints: [],
            paths: .init(
                userConfigurationFile: "\(self.folder)/config.yaml", stateFolder: "\(self.folder)/state",
                cacheFolder: "\(self.folder)/cache", socketFolder: "\(self.folder)/sockets"),
            identityFile: "\(self.folder)/home/.ssh/id_ed25519", workspace: sync.workspace,
            environment: self.instance.environment)
        configuration.sync = settings
        configuration.timeScale = 0.001
        let engine = try Engine(
            configuration: configuration, clients: [], runner: SystemProcessRunner(), flush: { _ in },
            patience: Self.patience)
        let instance = Instance(
            id: self.instance.id, name: "vp-p-1", status: .running, gpuName: "RTX 4090",
            price: HourlyPrice(dollarsPerHour: 1), addresses: [SSHAddress(host: "127.0.0.1", port: 1)])
        engine.context.connections.note([instance])
        if try engine.context.store.ledgerEntry(for: instance.id) == nil {
            try engine.context.store.insert(
                LedgerEntry(
                    name: "vp-p-1", platform: .vast, instance: instance.id, state: .rented,
                    gpuName: "RTX 4090", dollarsPerHour: 1, image: "x", machineID: nil,
                    workspaceRoot: sync.workspace.localRoot, remoteRoot: sync.workspace.remoteRoot,
                    createdAt: Date()))
        }
        return (engine, instance)
    }

    /// All that stands before an end, with the last look.
    private mutating func end(_ settings: EngineConfiguration.Sync) async throws(EngineError) {
        // Without a sandbox its home would be the user's.
        guard !self.sandbox.isEmpty else { return }
        for _ in 0..<self.pick(1...3) {
            _ = await Self.run("\(self.sandbox)/bin/sh -c \(ShellQuoting.quoted(self.harm()))")
        }
        let (engine, instance) = try self.engine(settings)
        let secure = SecureResults(
            context: engine.context, instance: instance, words: "destroying it", progress: { _ in },
            patience: 0.001)
        do throws(EngineError) {
            self.count(try await secure.run())
        } catch {
            await engine.shutDown()
            throw error
        }
        await engine.shutDown()
    }

    /// Links that lead out, and repositories.
    private mutating func harm() -> String {
        let elsewhere = ShellQuoting.quoted("\(self.folder)/elsewhere")
        let remote = ShellQuoting.quoted(self.remote)
        let name = ShellQuoting.quoted(self.pick(Self.outsideNames))
        let number = self.serial
        self.serial += 1
        let text = ShellQuoting.quoted(
            self.pick(Self.texts).replacing("TRIPWIRE", with: self.tripwire) + "#\(number)\n")
        self.history.append("outside \(name)")
        let clear = "cd \(remote) && rm -rf \(name); mkdir -p \"$(dirname \(name))\" 2>/dev/null"
        switch self.pick(0...4) {
        case 0, 1:
            let inner = ShellQuoting.quoted(self.pick(Self.outsideNames))
            return "\(clear); o=\(elsewhere)/out-\(number % 5); mkdir -p \"$o/$(dirname \(inner))\"; "
                + "printf %s \(text) > \"$o\"/\(inner); ln -s \"$o\" \(name)"
        case 2:
            return "\(clear); printf %s \(text) > \(elsewhere)/file-\(number % 5); "
                + "ln -s \(elsewhere)/file-\(number % 5) \(name)"
        case 3:
            return """
                cd \(remote) && rm -rf clone && git init -q clone && cd clone && echo \(number) > f && git add f && \
                git -c user.name=a -c user.email=a@example.org commit -qm x; printf %s \(text) >> .git/config
                """
        default:
            return "\(clear); ln -s \(ShellQuoting.quoted(self.pick(self.targets))) \(name)"
        }
    }

    private static let outsideNames = [
        "data", "out", "out/deep", ".vscode", ".envrc", ".idea/x", "sub/.gitattributes", "bare/objects",
        "bare/refs",
        "bare/HEAD", "HEAD", "objects", "refs", "checkpoints", "a", "src", "src/train.py", ".vpignore",
        "x.remote-7",
        "clone", "clone.remote-7.bundle", "new\nline", ".gitmodules", "results",
    ]

    /// The answer to the last look, made up.
    mutating func lyingLastLook(_ honest: String) -> String {
        let paths = Self.outsideNames + [".git/x", "../x", "/x", "a/../../x", "", ".vp/y", "-rf"]
        let targets =
            self.targets + ["/", "/etc", "/proc/self", "\(self.folder)/elsewhere/set", "x", "/../.."]
        let records = (0..<self.pick(1...4)).map { _ -> String in
            let path = self.pick(paths)
            return switch self.pick(0...3) {
            case 0: "link\0\(path)\0\(self.pick(targets))\0\(self.pick(["d", "f", ""]))\0"
            case 1: "folder\0\(self.pick(targets))\0"
            case 2: "remade\0\(path)\0\(self.pick(["3", "1e300", "-5", "99999999999999999999"]))\0"
            default:
                "git\0\(path)\0\(self.pick(["bundle", "raw", ""]))\0\(String(repeating: "a", count: 40)) \0"
            }
        }
        let text = records.joined().replacing("\\", with: "").replacing("\0", with: "\\0")
        return "case $* in *vp-sync*) printf \(ShellQuoting.quoted(text));; esac\n\(honest)"
    }

    // MARK: Answers

    /// In place of a script its answer is made up, behind the line that says that it begins.
    mutating func lyingAnswer() -> String {
        let words = (0..<self.pick(1...6)).map { _ in self.pick(Self.answers) }.joined(separator: "; ")
        let ending = self.pick(["exit 0", "exit 1", "exit 255", "sleep 600", "kill -9 $$", "exec cat"])
        return "read -r begin && case $begin in *vp-start*) eval \"$begin\"; \(words); \(ending);; esac"
    }

    static let garbage = [
        "echo nan, inf, -1, 1e300, %s%n", "yes 99999999999999999999 | head -c 300000", "exit 9",
        "head -c 3000 /dev/urandom", "printf '%s\\n' 100 -5 '' 'a, b' '[N/A], 1, 1, 1, 1'",
    ]

    private static let answers =
        garbage + [
            "echo 'vp-job ended code=0 start=1e300 lasted=1e300 bytes=99999999999999999999 sum=1 peak=-1' >&2",
            "echo 'vp-job ended signal=999 start=nan lasted=-5 bytes=5 sum=4294967296' >&2",
            "echo 'vp-job about ../../x' >&2", "echo 'vp-job lost' >&2", "echo 'vp-job absent' >&2",
            "echo 'vp-job following 1e999' >&2", "echo 'vp-job child 1 99999999999 x' >&2",
            "echo 'vp-job failed %n%s' >&2", "yes 'vp-job queued' | head -c 200000 >&2",
            "printf 'f 5 1795000000.0 644 .git/config\\0end 1\\0'", "printf 'known \\0'", "printf 'end\\0'",
            "printf 'end 99999999999999999999\\0'", "head -c 200000 /dev/zero",
            "printf '\\033[2J\\033]0;x\\007'",
            "printf 'gpu,nan, inf, 1e300, -1, x\\ncpu 1 2 99999999999999999999 4 5\\nload 1e999\\nend\\n'",
            "printf 'net eth0 99999999999999999999 1\\ndisk 9999999999999999999 1\\nend\\n'",
        ]

    /// How its jobs stand, and their logs.
    private mutating func look() async throws(EngineError) {
        let (engine, instance) = try self.engine(.init())
        if try engine.context.store.jobs(limit: 5).count < 3 {
            let project = self.instance.project
            _ = try engine.context.store.insertJob(workspaceName: "p") { id in
                Job(
                    id: id, instance: instance.id, command: .shell("true"), state: .running,
                    createdAt: Date(),
                    workspacePath: project, logPath: JobLogs(engine.context).path(id))
            }
        }
        // An open connection, so that no platform is asked.
        let path = SSHTarget(
            instance: instance.id, address: instance.addresses[0], identityFile: nil,
            paths: engine.configuration.paths
        ).controlPath
        try PrivateFolder.make((path as NSString).deletingLastPathComponent)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        defer { unlink(path) }
        try await engine.lookAtJobs()
        for job in try engine.context.store.jobs(limit: 3) { _ = try? await engine.catchUp(job.id) }
        await engine.shutDown()
    }

    private func watchLoad(_ shell: RemoteShell) async {
        let remote = self.remote
        let watching = Task {
            try? await TelemetrySampler(shell: shell, remoteRoot: remote).run { sample in
                _ = String(describing: sample)
                _ = try? JSONEncoder().encode(sample.gpus.map { String(describing: $0) })
            }
        }
        try? await Task.sleep(for: .milliseconds(150))
        watching.cancel()
        await watching.value
    }

    // MARK: Two at a time

    private mutating func downloadFromBoth(_ settings: EngineConfiguration.Sync) async {
        let other = self.second.remote
        for _ in 0..<2 {
            _ = await Self.run(
                "\(self.sandbox)/bin/sh -c \(ShellQuoting.quoted(self.edit().replacing(self.remote + "/", with: other + "/")))"
            )
        }
        let first = self.instance.sync(settings: settings, patience: Self.patience)
        let second = self.second.sync(settings: settings, patience: Self.patience)
        async let one = try? first.download(conflictSuffix: "7")
        async let two = try? second.download(conflictSuffix: "8")
        self.count(await one)
        self.count(await two)
    }

    // MARK: What is kept

    /// What a round has stored is read once more, as every later start does; nil where that goes well.
    func storeComplaint() throws -> String? {
        guard FileManager.default.fileExists(atPath: "\(self.folder)/state/history.sqlite") else {
            return nil
        }
        let (engine, _) = try self.engine(.init())
        let report = try engine.moneyReport()
        for job in try engine.jobs() {
            guard (try? JSONEncoder().encode(job)) != nil else { return "job \(job.id) cannot be written" }
        }
        return report.spentToday.isFinite ? nil : "more was spent than there is"
    }
}
