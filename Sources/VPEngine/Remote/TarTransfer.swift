import Foundation

/// Moves an exact list of files by tar over ssh, for an instance that has no rsync and can get none.
///
/// Slower, since whole files travel and a cut begins anew, but as careful: what comes down is staged, and what
/// an upload replaces or removes is moved aside first, as rsync does it.
package struct TarTransfer: Sendable {
    package var direction: SyncPlan.Direction
    package var paths: [SyncPath]
    package var localRoot: String
    package var remoteRoot: String

    package init(
        direction: SyncPlan.Direction, paths: [SyncPath], localRoot: String, remoteRoot: String
    ) {
        self.direction = direction
        self.paths = paths
        self.localRoot = localRoot
        self.remoteRoot = remoteRoot
    }

    private static let incomingFolder = RsyncTransfer.temporaryFolder + "/incoming"

    /// Returns what the programs complained of; whether everything arrived is for the caller to verify.
    package func run(through shell: RemoteShell) async throws(EngineError) -> [String] {
        try shell.target.prepare()
        // A path that is not here is to go there.
        let present =
            self.direction == .down
            ? self.paths : self.paths.filter { FileEntry(at: $0, below: self.localRoot) != nil }
        var complaints: [String] = []
        if !present.isEmpty { complaints = try await self.move(present, shell) }
        guard self.direction == .up else { return complaints }
        let absent = Set(self.paths).subtracting(present)
        let result = try await shell.run(self.placing(absent.sorted()))
        return complaints + Self.lines(result.errorOutput)
    }

    private func move(_ paths: [SyncPath], _ shell: RemoteShell) async throws(EngineError) -> [String] {
        var list: [UInt8] = []
        for path in paths { list += Array("./".utf8) + path.bytes + [0] }
        let listFile = "\(shell.target.controlPath).\(UInt32.random(in: 0...UInt32.max)).list"
        try PrivateFolder.write(list, to: listFile)
        defer { unlink(listFile) }
        let root = ShellQuoting.quoted(self.remoteRoot)
        let local = ShellQuoting.quoted(self.localRoot)
        let file = ShellQuoting.quoted(listFile)
        // GNU's own archive form: what busybox reads is no other.
        let pipeline: String
        switch self.direction {
        case .up:
            let incoming = ShellQuoting.quoted("\(self.remoteRoot)/\(Self.incomingFolder)")
            let there = "mkdir -p \(incoming) && cd \(incoming) && exec tar -xopf -"
            let words = shell.target.command(there).map(ShellQuoting.quoted).joined(separator: " ")
            pipeline = "tar -C \(local) --null --no-recursion --format=gnu -T \(file) -cf - | \(words)"
        case .down:
            let there = "cd \(root) && exec xargs -0 tar -cf -"
            let words = shell.target.command(there).map(ShellQuoting.quoted).joined(separator: " ")
            // xargs may have started tar more than once.
            pipeline = "\(words) < \(file) | tar -C \(local) --ignore-zeros --no-same-owner -xpf -"
        }
        let result = try await shell.runner.run(
            ProcessCommand("sh", ["-c", pipeline], environment: shell.environment))
        if case .exited(RemoteShell.sshFailure) = result.ending {
            throw shell.connectionError(result.errorOutput)
        }
        return Self.lines(result.errorOutput)
    }

    /// Moves each file that arrived to its place, and what was in that place aside.
    private func placing(_ absent: [SyncPath]) -> [UInt8] {
        let aside = RsyncTransfer.asideFolder
        var script = Array(
            """
            cd \(ShellQuoting.quoted(self.remoteRoot)) || exit 3
            aside() {
            case $1 in */*) mkdir -p "\(aside)/${1%/*}";; *) mkdir -p \(aside);; esac
            mv -- "./$1" "\(aside)/$1"
            }
            place() {
            if [ -d "./$1" ] && [ ! -L "./$1" ]; then rmdir -- "./$1" || return
            elif [ -e "./$1" ] || [ -L "./$1" ]; then aside "$1" || return
            fi
            case $1 in */*) mkdir -p "./${1%/*}" || return;; esac
            mv -- "\(Self.incomingFolder)/$1" "./$1"
            }

            """.utf8)
        for path in self.paths where !absent.contains(path) {
            let isFolder = FileEntry(at: path, below: self.localRoot)?.kind == .folder
            script += Array((isFolder ? "mkdir -p " : "place ").utf8) + Self.word(path, isFolder) + [0x0a]
        }
        for path in absent { script += Array("aside ".utf8) + Self.word(path, false) + [0x0a] }
        return script + Array("rm -rf \(RsyncTransfer.temporaryFolder)\nexit 0\n".utf8)
    }

    /// The functions put `./` in front themselves.
    private static func word(_ path: SyncPath, _ keepsDot: Bool) -> [UInt8] {
        let word = path.shellWord
        return keepsDot ? word : [word[0]] + word.dropFirst(3)
    }

    private static func lines(_ output: [UInt8]) -> [String] {
        String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).map {
            String($0.prefix(300))
        }
    }
}
