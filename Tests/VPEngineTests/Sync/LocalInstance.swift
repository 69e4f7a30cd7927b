import Foundation
import VPTestSupport

@testable import VPEngine

/// A project and an "instance" that is a folder beside it, joined by the engine's own scripts and the real
/// rsync.
///
/// Only `ssh` is not the real one: a program of that name stands first in PATH, leaves out the connection and
/// runs the remote words here. So thousands of rounds take minutes; that ssh itself carries them is what the
/// tests on the loopback cloud are for.
struct LocalInstance: Sendable {
    let folder: String
    let environment: [String: String]
    let id: InstanceID

    var project: String { "\(self.folder)/project" }
    var remote: String { "\(self.folder)/instance\(self.id.rawValue == "7" ? "" : "-" + self.id.rawValue)" }
    /// Holds how many bytes a connection carries before it breaks; absent, it holds.
    private var cutFile: String { "\(self.folder)/cut" }
    private var remotePath: String { "\(self.folder)/remote-bin" }

    /// Instances of one folder and different ids have their project in common.
    init(in folder: String, id: String = "7") throws {
        self.folder = folder
        self.id = InstanceID(platform: .vast, rawValue: id)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let names = ["project", "instance", "bin", "home", "remote-bin"].map { "\(folder)/\($0)" }
        for name in names + ["\(folder)/instance\(id == "7" ? "" : "-" + id)"] {
            try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
        }
        self.environment = [
            "PATH": "\(folder)/bin:\(path)", "HOME": "\(folder)/home", "VP_TEST_FOLDER": folder,
        ]
        try ProgramFile.write(Self.program, to: "\(folder)/bin/ssh")
    }

    private static let program = """
        #!/bin/sh
        while :; do
        case $1 in
        -F|-O|-o|-l|-p) shift 2 ;;
        -*) shift ;;
        *) break ;;
        esac
        done
        shift
        if [ -e "$VP_TEST_FOLDER/remote-bin/only" ]; then PATH=$VP_TEST_FOLDER/remote-bin; export PATH; fi
        read -r calls 2>/dev/null < "$VP_TEST_FOLDER/calls"
        calls=$((${calls:-0} + 1))
        echo $calls > "$VP_TEST_FOLDER/calls"
        # Once, and whole: a question that is no longer needed is ended while it runs.
        if mv "$VP_TEST_FOLDER/meanwhile-$calls" "$VP_TEST_FOLDER/meanwhile-now" 2>/dev/null; then
        trap '' TERM
        . "$VP_TEST_FOLDER/meanwhile-now"
        trap - TERM
        fi
        case $* in
        *rsync*)
        if read -r delay 2>/dev/null < "$VP_TEST_FOLDER/rsync-delay"; then sleep "$delay"; fi
        if [ -e "$VP_TEST_FOLDER/meanwhile-rsync" ]; then
        . "$VP_TEST_FOLDER/meanwhile-rsync"
        rm "$VP_TEST_FOLDER/meanwhile-rsync"
        fi ;;
        esac
        if read -r way bytes 2>/dev/null < "$VP_TEST_FOLDER/cut"; then
        case $way in
        up) head -c "$bytes" | /bin/sh -c "$*" ;;
        *) /bin/sh -c "$*" | head -c "$bytes" ;;
        esac
        echo 'client_loop: send disconnect: Broken pipe' >&2
        exit 255
        fi
        exec /bin/sh -c "$*"

        """

    enum Way: String { case up, down }

    /// From now on every connection breaks after that many bytes in one direction; nil ends this.
    func cut(_ way: Way = .down, after bytes: Int?) throws {
        guard let bytes else {
            unlink(self.cutFile)
            return
        }
        try Data("\(way.rawValue) \(bytes)\n".utf8).write(to: URL(fileURLWithPath: self.cutFile))
    }

    /// Runs shell text between the steps of the next sync: just before its connection number `call`, from 1.
    func meanwhile(_ script: String, beforeCall call: Int) throws {
        unlink("\(self.folder)/calls")
        try Data("\(script)\n".utf8).write(to: URL(fileURLWithPath: "\(self.folder)/meanwhile-\(call)"))
    }

    /// Runs shell text, once, in the next sync between its look and its copy.
    func meanwhileBeforeRsync(_ script: String) throws {
        try Data("\(script)\n".utf8).write(to: URL(fileURLWithPath: "\(self.folder)/meanwhile-rsync"))
    }

    /// From now on every rsync begins that many seconds late, as over a slow line; nil ends this.
    func delayRsync(_ seconds: Double?) throws {
        let path = "\(self.folder)/rsync-delay"
        guard let seconds else {
            unlink(path)
            return
        }
        try Data("\(seconds)\n".utf8).write(to: URL(fileURLWithPath: path))
    }

    /// Ends what `meanwhile` has set up.
    func endMeanwhile() {
        for call in 1...9 { unlink("\(self.folder)/meanwhile-\(call)") }
    }

    /// How many connections were opened since this was asked the last time.
    func connections() -> Int {
        defer { unlink("\(self.folder)/calls") }
        let text = try? String(contentsOfFile: "\(self.folder)/calls", encoding: .utf8)
        return text.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    /// Lets the instance have these programs and no others.
    func limitRemotePrograms(to programs: [String: String]) throws {
        for (name, target) in programs {
            try FileManager.default.createSymbolicLink(
                atPath: "\(self.remotePath)/\(name)", withDestinationPath: target)
        }
        try Data().write(to: URL(fileURLWithPath: "\(self.remotePath)/only"))
    }

    func sync(
        settings: EngineConfiguration.Sync = .init(), patience: Patience = Patience(),
        report: @escaping @Sendable (ActionProgress) -> Void = { _ in }
    ) -> WorkspaceSync {
        let workspace = Workspace(name: "p", localRoot: self.project, remoteRoot: self.remote)
        let paths = EngineConfiguration.Paths(
            userConfigurationFile: "\(self.folder)/config.yaml", stateFolder: "\(self.folder)/state",
            cacheFolder: "\(self.folder)/cache", socketFolder: "\(self.folder)/sockets")
        let target = SSHTarget(
            instance: self.id, address: SSHAddress(host: "127.0.0.1", port: 1), identityFile: nil,
            paths: paths)
        var shell = RemoteShell(
            target: target, runner: SystemProcessRunner(), environment: self.environment)
        shell.patience = patience
        return WorkspaceSync(
            instance: self.id, workspace: workspace, shell: shell,
            localScan: LocalScan(workspace: workspace, environment: self.environment),
            manifests: ManifestStore(stateFolder: paths.stateFolder), settings: settings, report: report)
    }

    /// Forgets what both sides agreed on.
    func loseManifest() { try? FileManager.default.removeItem(atPath: "\(self.folder)/state/manifests") }
}
