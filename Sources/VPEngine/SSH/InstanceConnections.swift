import Foundation
import Synchronization

/// Finds the route to an instance: the address that answers, over a shared connection that is kept open.
package final class InstanceConnections: Sendable {
    private struct State {
        var instances: [InstanceID: Instance] = [:]
        var shells: [InstanceID: RemoteShell] = [:]
    }

    private let configuration: EngineConfiguration
    private let runner: any ProcessRunner
    private let patience: Patience
    private let state = Mutex(State())

    package init(
        configuration: EngineConfiguration, runner: any ProcessRunner, patience: Patience = Patience()
    ) {
        self.configuration = configuration
        self.patience = patience
        self.runner = runner
    }

    /// Remembers the current addresses of `instances`.
    package func note(_ instances: [Instance]) {
        self.state.withLock { state in
            for instance in instances {
                if let old = state.instances[instance.id], old.addresses != instance.addresses {
                    state.shells[instance.id] = nil
                }
                state.instances[instance.id] = instance
            }
        }
    }

    package func known(_ id: InstanceID) -> Instance? {
        self.state.withLock { $0.instances[id] }
    }

    /// Forgets `id` and removes the files that were written for ssh.
    package func forget(_ id: InstanceID) {
        let instance = self.state.withLock { state in
            state.shells[id] = nil
            return state.instances.removeValue(forKey: id)
        }
        for target in instance.map(self.targets) ?? [] { unlink(target.configurationFile) }
        self.forgetHostKey(of: id)
    }

    /// Lets the next connection accept any host key, as the first one does.
    package func forgetHostKey(of id: InstanceID) {
        let target = SSHTarget(
            instance: id, address: SSHAddress(host: "", port: 0), identityFile: nil,
            paths: self.configuration.paths)
        unlink(target.knownHostsFile)
    }

    /// True if ssh has ever reached `id` from here: the host key that it found is kept.
    package func hasAnswered(_ id: InstanceID) -> Bool {
        let target = SSHTarget(
            instance: id, address: SSHAddress(host: "", port: 0), identityFile: nil,
            paths: self.configuration.paths)
        var information = stat()
        return stat(target.knownHostsFile, &information) == 0 && information.st_size > 0
    }

    /// True if a connection to `instance` is open, so that the next command costs one round trip.
    package func isWarm(_ instance: Instance) -> Bool {
        self.targets(instance).contains { access($0.controlPath, F_OK) == 0 }
    }

    /// Returns a shell on `instance`, at the first address that answers.
    ///
    /// Throws ssh's error about the last address, `.instanceNotRunning` if the instance does not run, and
    /// `.hostKeyChanged` at once: another address would raise the same doubt.
    package func shell(for instance: Instance) async throws(EngineError) -> RemoteShell {
        self.note([instance])
        if let shell = self.state.withLock({ $0.shells[instance.id] }) { return shell }
        let targets = self.targets(instance)
        let activity = EngineError.Activity(
            "connecting", platform: instance.id.platform, subject: instance.id.rawValue)
        guard self.configuration.identityFile != nil || self.configuration.environment["SSH_AUTH_SOCK"] != nil
        else { throw EngineError(.missingIdentity, activity) }
        guard !targets.isEmpty else {
            // A running instance may have no address for a while: its host is away, or has just started it.
            let runs = instance.status == .running
            throw EngineError(
                runs ? .unreachable : .instanceNotRunning, activity,
                detail: runs
                    ? "\(instance.id.platform.displayName) names no address for ssh"
                    : instance.statusMessage ?? instance.status.rawValue)
        }
        let warm = targets.first { access($0.controlPath, F_OK) == 0 }
        if let target = warm ?? (targets.count == 1 ? targets[0] : nil) {
            return self.keep(self.makeShell(target), for: instance.id)
        }
        var failure: EngineError?
        for target in targets {
            let shell = self.makeShell(target)
            do {
                _ = try await shell.run("exit 0\n")
                return self.keep(shell, for: instance.id)
            } catch {
                if error.code == .cancelled || error.code == .hostKeyChanged { throw error }
                // The direct port is tried first, and its refusal of the key is more informative than a
                // silent proxy.
                if failure == nil || failure?.code == .unreachable { failure = error }
            }
        }
        throw failure!
    }

    /// Forgets the route to `id`, after a connection failed.
    package func reset(_ id: InstanceID) {
        self.state.withLock { $0.shells[id] = nil }
    }

    /// Ends the shared connections that this object used.
    package func closeAll() async {
        let shells = self.state.withLock { state in
            defer { state.shells = [:] }
            return Array(state.shells.values)
        }
        for shell in shells { await shell.close() }
    }

    package func close(_ id: InstanceID) async {
        let shell = self.state.withLock { state in state.shells.removeValue(forKey: id) }
        await shell?.close()
    }

    private func keep(_ shell: RemoteShell, for id: InstanceID) -> RemoteShell {
        self.state.withLock { $0.shells[id] = shell }
        return shell
    }

    private func makeShell(_ target: SSHTarget) -> RemoteShell {
        var shell = RemoteShell(
            target: target, runner: self.runner, environment: self.configuration.environment)
        shell.patience = self.patience
        return shell
    }

    private func targets(_ instance: Instance) -> [SSHTarget] {
        instance.addresses.map { address in
            var address = address
            address.user = self.configuration.sshUser ?? address.user
            return SSHTarget(
                instance: instance.id, address: address, identityFile: self.configuration.identityFile,
                paths: self.configuration.paths)
        }
    }
}
