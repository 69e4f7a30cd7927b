import Foundation
import Glibc
import VPScripts

/// One rented container: a real sshd in a bubblewrap sandbox with its own root, home, `/workspace` and
/// process space. The network is the host's, so its sshd listens on a port of its own.
///
/// If sandboxes are not allowed it is a plain sshd instead: same user and file system as ours, home and
/// workspace below the cloud's folder, processes found by a mark in their environment.
actor LoopbackInstance {
    nonisolated let files: SandboxFiles
    /// A mark in the environment of every session of a plain sshd.
    private let mark = UUID().uuidString
    private let offer: Offer
    private let seed: UInt64
    private let keygen: String
    private var guardian: Guardian?
    private var isErased = false
    private var keys: [String] = []
    private var admitsKeys = true
    private var usageLook: (time: ContinuousClock.Instant, gigabytes: Double?)?

    init(
        id: Int, folder: String, programs: HostPrograms, offer: Offer, seed: UInt64,
        manner: ContainerManner? = nil
    ) {
        self.files = SandboxFiles(
            folder: folder, programs: programs, manner: manner ?? .vast(instance: id))
        self.offer = offer
        self.seed = seed
        self.keygen = programs.sshKeygen
    }

    /// Recreates the container's files: at creation, and again when it is recycled.
    func prepare(onStart: String?, keys: [String]) async throws {
        try? FileManager.default.removeItem(atPath: self.files.root)
        try self.files.writeRoot(onStart: onStart)
        try self.files.writeControl(offer: self.offer, seed: self.seed, mark: self.mark)
        try self.setKeys(keys)
        if access(self.hostKey, F_OK) != 0 { try await self.makeHostKey() }
    }

    /// Wipes the container's own disk except for files below `volume`.
    func wipe(keeping volume: String?) async throws {
        await self.shutDown()
        let kept = self.files.folder + "/volume"
        let source = volume.map { self.files.path(inside: $0) }
        if let source, access(source, F_OK) == 0 {
            try FileManager.default.moveItem(atPath: source, toPath: kept)
        }
        try? FileManager.default.removeItem(atPath: self.files.root)
        try self.files.writeRoot(onStart: nil)
        guard let source, access(kept, F_OK) == 0 else { return }
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        try FileManager.default.removeItem(atPath: source)
        try FileManager.default.moveItem(atPath: kept, toPath: source)
    }

    private var hostKey: String { self.files.control + "/host_key" }

    /// Gives the container a new host key; sshd uses it after its next start.
    func makeHostKey() async throws {
        unlink(self.hostKey)
        unlink(self.hostKey + ".pub")
        let status = try await ChildProcess.run([
            self.keygen, "-q", "-t", "ed25519", "-N", "", "-C", "root@\(self.files.manner.hostName)", "-f",
            self.hostKey,
        ])
        guard status == 0 else { throw LoopbackCloud.StartError.hostKeyFailed }
    }

    func setKeys(_ keys: [String]) throws {
        self.keys = keys
        try self.writeKeys()
    }

    /// Makes sshd accept its keys, or none.
    func admitKeys(_ admits: Bool) throws {
        self.admitsKeys = admits
        try self.writeKeys()
    }

    private func writeKeys() throws {
        guard !self.isErased else { return }
        try self.files.writeKeys(self.admitsKeys ? self.keys : [], admitsOwn: self.admitsKeys)
    }

    /// Starts the container; sshd listens after `delay` seconds.
    func start(directPort: Int, proxyPort: Int, environment: [String: String], delay: Double) throws {
        guard self.guardian == nil, !self.isErased else { return }
        let isSandboxed = self.files.isSandboxed
        var environment = environment
        // Processes that `onstart.sh` leaves behind are found by this mark.
        if !isSandboxed { environment["VP_LOOPBACK_MARK"] = self.mark }
        try self.files.writeStart(directPort: directPort, proxyPort: proxyPort, environment: environment)
        try? Data().write(to: URL(fileURLWithPath: self.files.sandboxInfo))
        self.guardian = try Guardian(
            script: (isSandboxed ? ScriptFile.guardSandbox : .guardPlain).text,
            arguments: [isSandboxed ? self.files.sandboxInfo : self.mark] + self.files.command(delay: delay),
            output: self.files.containerLog)
    }

    /// Ends every process of the container and returns when none is left. Its files stay.
    func shutDown() async {
        guard let guardian = self.guardian else { return }
        self.guardian = nil
        await guardian.release()
    }

    /// `true` if the container was running and ended by itself.
    func hasDied() -> Bool {
        guard let guardian = self.guardian, ChildProcess.hasEnded(guardian.processID) else { return false }
        guardian.discard()
        self.guardian = nil
        return true
    }

    /// Ends the container and removes its files for good: a start in progress has no effect.
    func erase() async {
        self.isErased = true
        await self.shutDown()
        _ = try? await ChildProcess.run([
            "/bin/sh", "-c", "rm -rf --one-file-system \"$0\"", self.files.folder,
        ])
    }

    /// All processes of the container and the guardian above it, with the ids that they have on the host.
    func processIDs() -> [pid_t] { self.processIDs(in: ProcessTable()) }

    private func processIDs(in table: ProcessTable) -> [pid_t] {
        guard let guardian = self.guardian else { return [] }
        let tree = table.tree(below: guardian.processID)
        return self.files.isSandboxed ? tree : Array(Set(tree + table.marked(self.mark)))
    }

    /// Cuts every ssh connection as a lost network would: processes in them keep running.
    func cutConnections() {
        for process in self.processIDs() where ProcessTable.commandLine(of: process).hasPrefix("sshd: root") {
            kill(process, SIGKILL)
        }
    }

    /// `true` if a process that loads the GPU is running, or was a second ago.
    func isBusy() -> Bool {
        let table = ProcessTable.recent()
        return self.processIDs(in: table).contains { NvidiaSMI.isWorkload(table.name(of: $0)) }
    }

    /// The size of the container's own files, in GB.
    func diskUsage() async -> Double? {
        let now = ContinuousClock.now
        if let look = self.usageLook, now - look.time < .seconds(10) { return look.gigabytes }
        let text = await ChildProcess.output(of: ["/usr/bin/du", "-skx", self.files.root])
        let gigabytes = text.split(separator: "\t").first.flatMap { Double($0) }.map { $0 * 1024 / 1e9 }
        self.usageLook = (now, gigabytes)
        return gigabytes
    }

    /// Runs `ls`, `du` or `rm` on the container's files, running or not, without access to others.
    func look(_ words: [String]) async -> String {
        guard self.files.isSandboxed else { return "not available without sandboxes\n" }
        return await ChildProcess.output(of: self.files.lookCommand(words))
    }

    /// The container's output since its first start, including that of onstart.
    func containerLog() -> String {
        (try? String(contentsOfFile: self.files.containerLog, encoding: .utf8)) ?? ""
    }
}
