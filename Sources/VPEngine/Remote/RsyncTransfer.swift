import Foundation
import Synchronization

/// One rsync over an instance's shared ssh connection that moves an exact list of files.
package struct RsyncTransfer: Sendable {
    package enum Direction: Sendable { case up, down }

    package var direction: Direction
    package var paths: [SyncPath]
    package var totalBytes: Int64
    package var localRoot: String
    package var remoteRoot: String

    package init(
        direction: Direction, paths: [SyncPath], totalBytes: Int64, localRoot: String, remoteRoot: String
    ) {
        self.direction = direction
        self.paths = paths
        self.totalBytes = totalBytes
        self.localRoot = localRoot
        self.remoteRoot = remoteRoot
    }

    /// Where an interrupted file waits for the next attempt, relative to its folder.
    package static let partialFolder = ".vp-partial"

    /// Exit statuses of rsync(1) that we tell apart.
    private enum ExitStatus {
        static let partial: Int32 = 23
        static let sourceVanished: Int32 = 24
        static let timedOut: Int32 = 30
        static let fileIO: Int32 = 11
    }

    package func arguments(for target: SSHTarget) -> [String] {
        let remote = "\(target.alias):\(self.remoteRoot)/"
        let local = "\(self.localRoot)/"
        return [
            "--links", "--perms", "--times", "--sparse", "--omit-dir-times", "--no-owner", "--no-group",
            "--from0", "--files-from=-", "--protect-args",
            // The plan has decided what differs. rsync's own look compares whole seconds, and would leave out
            // a file that was written twice within one and kept its size.
            "--ignore-times",
            "--partial-dir=\(Self.partialFolder)",
            // A link that went silent must end the transfer, so that it can be resumed.
            "--timeout=60",
            "--info=progress2,name0,flist0,stats0", "--no-human-readable", "--outbuf=L",
            "-e", "ssh -F \(target.configurationFile)",
            self.direction == .up ? local : remote,
            self.direction == .up ? remote : local,
        ]
    }

    /// Moves the files and reports how far it is.
    ///
    /// A file that vanished between the plan and the copy is no error: training that rotates its checkpoints
    /// does this all the time. Whether everything arrived is for the caller to verify.
    package func run(
        through shell: RemoteShell, onProgress: @escaping @Sendable (TransferProgress) -> Void
    ) async throws(EngineError) {
        guard !self.paths.isEmpty else { return }
        try shell.target.prepare()
        var input: [UInt8] = []
        for path in self.paths {
            input.append(contentsOf: path.bytes)
            input.append(0)
        }
        var environment = shell.environment
        // Progress is parsed, and rsync's numbers follow the locale.
        environment["LC_ALL"] = "C"
        environment["RSYNC_RSH"] = nil
        let meter = ProgressMeter(totalBytes: self.totalBytes, totalFiles: self.paths.count)
        let errors = ByteCollector()
        let ending = try await shell.runner.run(
            ProcessCommand(
                "rsync", self.arguments(for: shell.target), environment: environment, input: input),
            onOutput: { bytes in
                if let progress = meter.take(bytes) { onProgress(progress) }
            },
            onErrorOutput: { errors.append($0) })
        switch ending {
        case .exited(0), .exited(ExitStatus.sourceVanished): return
        default: throw self.failure(ending, errors.bytes, shell)
        }
    }

    private func failure(_ ending: ProcessEnding, _ errorOutput: [UInt8], _ shell: RemoteShell) -> EngineError
    {
        let text = String(decoding: errorOutput, as: UTF8.self)
        let activity = EngineError.Activity(
            self.direction == .up ? "uploading" : "downloading", platform: shell.target.instance.platform,
            subject: shell.target.instance.rawValue)
        // rsync's last line is a summary of what failed; the first names the file and the reason.
        let detail = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) }
            .map { String($0.prefix(300)) }
        if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
            let isThere =
                text.contains("[receiver") == (self.direction == .up) || text.contains("[Receiver")
            return EngineError(
                isThere && self.direction == .up ? .remoteDiskFull : .localDiskFull, activity, detail: detail)
        }
        if case .exited(RemoteShell.sshFailure) = ending { return shell.connectionError(errorOutput) }
        if text.contains("Permission denied (publickey") || text.contains("Host key verification failed")
            || text.contains("connection unexpectedly closed")
        {
            return shell.connectionError(errorOutput)
        }
        if case .exited(127) = ending, text.contains("rsync") {
            return EngineError(.missingProgram, activity, detail: "rsync on the instance")
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

    private let totalBytes: Int64
    private let totalFiles: Int
    private let state = Mutex(State())

    init(totalBytes: Int64, totalFiles: Int) {
        self.totalBytes = totalBytes
        self.totalFiles = totalFiles
    }

    /// The newest figure in what has arrived so far, or nil when no line has ended.
    func take(_ bytes: [UInt8]) -> TransferProgress? {
        self.state.withLock { state in
            state.pending.append(contentsOf: bytes)
            let isLineEnd = { (byte: UInt8) in byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") }
            guard let end = state.pending.lastIndex(where: isLineEnd) else { return nil }
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
            let bytes = Int64(words[0].filter { $0 != "," })
        else { return nil }
        if let transferred = line.range(of: "xfr#") {
            files = Int(line[transferred.upperBound...].prefix(while: \.isNumber)) ?? files
        }
        return TransferProgress(
            bytes: min(bytes, max(self.totalBytes, bytes)), totalBytes: max(self.totalBytes, bytes),
            files: files, totalFiles: self.totalFiles, bytesPerSecond: Self.rate(words[2]))
    }

    /// `12.34MB/s` in bytes a second; rsync counts in units of 1024.
    private static func rate(_ word: Substring) -> Double? {
        let units: [(String, Double)] = [
            ("GB/s", 1_073_741_824), ("MB/s", 1_048_576), ("kB/s", 1024), ("B/s", 1),
        ]
        for (suffix, factor) in units where word.hasSuffix(suffix) {
            return Double(word.dropLast(suffix.count)).map { $0 * factor }
        }
        return nil
    }
}
