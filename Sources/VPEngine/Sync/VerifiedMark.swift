import Foundation

/// What an instance itself keeps of the last time that all its results were known to be elsewhere:
/// a digest of its workspace, where they are, and since when.
/// So it can be believed also from another machine.
struct VerifiedMark {
    let shell: RemoteShell
    /// Of the workspace.
    let root: String

    private var scan: RemoteScan { RemoteScan(shell: self.shell, remoteRoot: self.root) }
    private static let path = "\"$HOME/.vp/verified\""

    /// Notes that what is there now is elsewhere.
    func set(at now: Date) async {
        guard let digest = try? await self.scan.digest(.versions) else { return }
        let host = ProcessInfo.processInfo.hostName.prefix(100)
        let line = ShellQuoting.quoted("\(digest) \(Int(saturating: now.timeIntervalSince1970)) \(host)")
        _ = try? await self.shell.run("umask 077; mkdir -p \"$HOME/.vp\" && echo \(line) > \(Self.path)\n")
    }

    /// Whether what is there now is what was elsewhere then.
    func holds() async -> Bool {
        guard let result = try? await self.shell.run("cat \(Self.path)\n"), result.isSuccess,
            let digest = try? await self.scan.digest(.versions), digest.utf8.count == 64
        else { return false }
        return result.output.starts(with: Array("\(digest) ".utf8))
    }
}
