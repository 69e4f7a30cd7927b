import Foundation
import Synchronization

/// One rsync over an instance's shared ssh connection that moves an exact list of files.
package struct RsyncTransfer: Sendable {
    package var direction: SyncPlan.Direction
    package var paths: [SyncPath]
    package var totalBytes: Int64
    /// The workspace for uploads, or the folder that receives the files for downloads.
    package var localRoot: String
    package var remoteRoot: String
    /// A local folder with earlier versions, so that a download transfers only the differences.
    package var basisFolder: String?
    /// In bytes per second; nil means unlimited.
    package var bandwidthLimit: Int64?
    /// `true` to recreate holes in sparse files. Looking for runs of zeros costs the receiving side a quarter
    /// of its speed.
    package var keepsHoles: Bool
    /// Seconds without a byte after which the connection counts as lost.
    package var silentSeconds: Int64 = 60
    /// How many bytes may arrive beyond the listed sizes; see `limit`.
    package var allowance = EngineConfiguration.Sync.defaultAllowance

    package init(
        direction: SyncPlan.Direction, paths: [SyncPath], totalBytes: Int64, localRoot: String,
        remoteRoot: String, basisFolder: String? = nil, bandwidthLimit: Int64? = nil, keepsHoles: Bool = true
    ) {
        self.direction = direction
        self.paths = paths
        self.totalBytes = totalBytes
        self.localRoot = localRoot
        self.remoteRoot = remoteRoot
        self.basisFolder = basisFolder
        self.bandwidthLimit = bandwidthLimit
        self.keepsHoles = keepsHoles
    }

    /// Exit statuses of rsync(1) that we distinguish.
    private enum ExitStatus {
        static let partial: Int32 = 23
        static let sourceVanished: Int32 = 24
        static let timedOut: Int32 = 30
    }

    /// - Parameter remoteShell: the command that rsync uses as ssh; nil means the plain program.
    package func arguments(for target: SSHTarget, remoteShell: String? = nil) -> [String] {
        let remote = "\(target.alias):\(self.remoteRoot)/"
        let local = "\(self.localRoot)/"
        var arguments = [
            "--perms", "--chmod=\(Umask.chmodWords)", "--times", "--omit-dir-times", "--no-owner",
            "--no-group",
            "--from0", "--files-from=-", "--protect-args",
            // The plan has already decided which files differ. rsync's own check compares whole seconds, and
            // would skip a file that was written twice within one second and kept its size.
            "--ignore-times",
            // Times are compared to the nanosecond: a link that is less than a second off would keep the
            // wrong time.
            "--modify-window=-1",
            "--partial-dir=\(TransferFolder.partial)",
            // A silent connection must end the transfer, so that it can be resumed.
            "--timeout=\(self.silentSeconds)",
            "--info=progress2,name0,flist0,stats0", "--no-human-readable", "--outbuf=L",
            "-e", remoteShell ?? "ssh -F \(target.configurationFile)",
        ]
        if self.keepsHoles { arguments.append("--sparse") }
        if let limit = self.bandwidthLimit {
            // A user who limits the rate has a slow line, on which compression pays; elsewhere it only costs
            // time.
            arguments += ["--bwlimit=\(max(1, limit / 1024))", "--compress"]
        }
        switch self.direction {
        case .up:
            let temporaries = ShellQuoting.quoted("\(self.remoteRoot)/\(TransferFolder.temporary)")
            arguments += [
                "--links", "--backup", "--backup-dir=\(TransferFolder.aside)",
                "--temp-dir=\(TransferFolder.temporary)",
                // A listed path that does not exist here is deleted on the instance.
                "--delete-missing-args",
                "--rsync-path=mkdir -p \(temporaries) && rsync",
                local, remote,
            ]
        case .down:
            // No links: a link that arrives during the transfer could be written through.
            if let basis = self.basisFolder { arguments.append("--compare-dest=\(basis)") }
            arguments += [remote, local]
        }
        return arguments
    }

    /// The maximum number of bytes that one download may transfer; a machine that never stops sending is cut
    /// off.
    package static func limit(_ totalBytes: Int64, files: Int, allowance: Int64) -> Int64 {
        totalBytes.addingSaturated(allowance).addingSaturated(
            Int64(clamping: files).multipliedSaturated(by: 16_384))
    }

    /// Moves the files and reports progress. Returns rsync's error lines.
    ///
    /// A file that vanished between the plan and the copy is no error: training that rotates its checkpoints
    /// causes this all the time. A file that cannot be copied does not keep the others from arriving. The
    /// caller must verify that everything arrived.
    package func run(
        through shell: RemoteShell, onProgress: @escaping @Sendable (TransferProgress) -> Void
    ) async throws(EngineError) -> [String] {
        guard !self.paths.isEmpty else { return [] }
        try shell.target.prepare()
        let remoteShell = try shell.rsyncShell()
        var input: [UInt8] = []
        for path in self.paths {
            // The prefix `./` is needed because a line that begins with # or ; would be a comment.
            input.append(contentsOf: [UInt8(ascii: "."), SyncPath.slash])
            input.append(contentsOf: path.bytes)
            input.append(0)
        }
        var environment = shell.environment
        // Progress is parsed, and rsync's numbers follow the locale.
        environment["LC_ALL"] = "C"
        environment["RSYNC_RSH"] = nil
        let meter = ProgressMeter(totalBytes: self.totalBytes, totalFiles: self.paths.count)
        let errors = ByteCollector()
        let command = ProcessCommand(
            "rsync", self.arguments(for: shell.target, remoteShell: remoteShell), environment: environment,
            input: input)
        let guardian = VolumeGuard(
            limit: self.direction == .up
                ? .max : Self.limit(self.totalBytes, files: self.paths.count, allowance: self.allowance))
        let ending = try await guardian.watch { () async throws(EngineError) in
            try await shell.runner.run(
                command,
                onOutput: { bytes in
                    guard let progress = meter.take(bytes) else { return }
                    onProgress(progress)
                    guardian.note(progress.bytes)
                },
                onErrorOutput: { errors.append($0) })
        }
        guard let ending else { return [Self.tooMuch] }
        let lines = String(decoding: errors.bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { !$0.allSatisfy(\.isWhitespace) }.map { String($0.prefix(300)) }
        switch ending {
        case .exited(0), .exited(ExitStatus.sourceVanished): return []
        case .exited(ExitStatus.partial) where !Self.isDiskFull(lines): return lines
        default: throw self.failure(ending, lines, errors.bytes, shell)
        }
    }

    static let tooMuch = "the instance sent more data than it had listed"

    /// `true` if an error line of rsync or tar reports a full disk: both print the system's message.
    static func isDiskFull(_ lines: [String]) -> Bool {
        lines.contains { $0.contains("No space left on device") || $0.contains("Disk quota exceeded") }
    }

    private func failure(
        _ ending: ProcessEnding, _ lines: [String], _ errorOutput: [UInt8], _ shell: RemoteShell
    ) -> EngineError {
        let activity = EngineError.Activity(
            self.direction == .up ? "uploading" : "downloading", platform: shell.target.instance.platform,
            subject: shell.target.instance.rawValue)
        // rsync's last line only summarizes the failure; the first names the file and the reason.
        let detail = lines.first
        let text = lines.joined(separator: "\n")
        // Only the receiving side writes, so the full disk is the receiver's.
        if Self.isDiskFull(lines) {
            return EngineError(
                self.direction == .up ? .remoteDiskFull : .localDiskFull, activity, detail: detail)
        }
        // A failure of the `mkdir` before rsync starts looks like a connection failure.
        if let line = lines.first(where: {
            $0.contains("Read-only file system") || $0.contains("mkdir:") && $0.contains("Permission denied")
        }) {
            return EngineError(
                self.direction == .up ? .uploadFailed : .downloadFailed, activity, detail: line)
        }
        switch ending {
        case .exited(ExitStatus.timedOut):
            return EngineError(.unreachable, activity, detail: "no data has arrived for a minute")
        case .exited(127):
            return EngineError(.missingProgram, activity, detail: "rsync on the instance")
        case .exited(RemoteShell.sshFailure): return shell.connectionError(errorOutput)
        default: break
        }
        if text.contains("Permission denied (publickey") || text.contains("Host key verification failed")
            || text.contains("connection unexpectedly closed") || text.contains("Broken pipe")
        {
            return shell.connectionError(errorOutput)
        }
        return EngineError(self.direction == .up ? .uploadFailed : .downloadFailed, activity, detail: detail)
    }
}

/// Reads rsync's `--info=progress2` lines, such as
/// `    32,768,000  45%   12.34MB/s    0:00:03 (xfr#5, to-chk=3/10)`.
final class ProgressMeter: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var files = 0
    }

    private static let lineLimit = 65_536

    private let totalBytes: Int64
    private let totalFiles: Int
    private let state = Mutex(State())

    init(totalBytes: Int64, totalFiles: Int) {
        self.totalBytes = totalBytes
        self.totalFiles = totalFiles
    }

    /// The newest progress in the output so far, or nil if no line is complete.
    func take(_ bytes: [UInt8]) -> TransferProgress? {
        self.state.withLock { state in
            state.pending.append(contentsOf: bytes)
            let isLineEnd = { (byte: UInt8) in byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") }
            guard let end = state.pending.lastIndex(where: isLineEnd) else {
                // None of our lines is that long: unknown output must not grow without limit.
                if state.pending.count > Self.lineLimit { state.pending.removeAll() }
                return nil
            }
            let lines = state.pending[..<end].split(whereSeparator: isLineEnd)
            state.pending.removeSubrange(...end)
            var newest: TransferProgress?
            for line in lines {
                if let progress = self.parse(String(decoding: line, as: UTF8.self), files: &state.files) {
                    newest = progress
                }
            }
            return newest
        }
    }

    private func parse(_ line: String, files: inout Int) -> TransferProgress? {
        let words = line.split(separator: " ")
        guard words.count >= 4, words[1].hasSuffix("%"),
            let bytes = NumberRange.bytes.read(words[0].filter { $0 != "," })
        else { return nil }
        if let transferred = line.range(of: "xfr#") {
            files = NumberRange.count.read(line[transferred.upperBound...].prefix(while: \.isNumber)) ?? files
        }
        return TransferProgress(
            bytes: min(bytes, max(self.totalBytes, bytes)), totalBytes: max(self.totalBytes, bytes),
            files: files, totalFiles: self.totalFiles, bytesPerSecond: Self.rate(words[2]))
    }

    /// Parses `12.34MB/s` as bytes per second; rsync counts in units of 1024.
    private static func rate(_ word: Substring) -> Double? {
        let units: [(String, Double)] = [
            ("GB/s", 1_073_741_824), ("MB/s", 1_048_576), ("kB/s", 1024), ("B/s", 1),
        ]
        for (suffix, factor) in units where word.hasSuffix(suffix) {
            return NumberRange.rate.check(Double(word.dropLast(suffix.count)).map { $0 * factor })
        }
        return nil
    }
}
