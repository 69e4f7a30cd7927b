import Foundation

/// The note that an instance itself keeps of the last time that all its results were known to be stored
/// elsewhere: a digest of its workspace, where the results are, and since when. This makes it valid from
/// another machine as well.
struct VerifiedMark {
    let shell: RemoteShell
    /// The root of the workspace.
    let root: String

    private var scan: RemoteScan { RemoteScan(shell: self.shell, remoteRoot: self.root) }
    private static let path = "\"$HOME/.vp/verified\""

    /// Records that the instance's current files are stored elsewhere.
    func set(at now: Date) async {
        guard let digest = try? await self.scan.digest(.versions) else { return }
        let host = ProcessInfo.processInfo.hostName.prefix(100)
        let line = ShellQuoting.quoted("\(digest) \(Int(saturating: now.timeIntervalSince1970)) \(host)")
        _ = try? await self.shell.run("umask 077; mkdir -p \"$HOME/.vp\" && echo \(line) > \(Self.path)\n")
    }

    /// `true` if the instance's files are still the ones that were recorded.
    func holds() async -> Bool {
        guard let result = try? await self.shell.run("cat \(Self.path)\n"), result.isSuccess,
            let digest = try? await self.scan.digest(.versions), digest.utf8.count == 64
        else { return false }
        return result.output.starts(with: Array("\(digest) ".utf8))
    }
}
