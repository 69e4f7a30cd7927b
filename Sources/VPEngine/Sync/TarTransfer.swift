import Foundation
import Synchronization
import VPScripts

/// Moves an exact list of files with tar over an instance's shared ssh connection: many small files that are
/// new on the instance, which takes tar a third of rsync's time, and all files if rsync is not available.
///
/// Every file is transferred whole, an interrupted one from its start again, and the rate cannot be limited.
/// The guarantees for names are the same: uploads arrive in a folder of ours and are moved into place by a
/// rename, and files that they replace or remove are moved aside to be judged.
struct TarTransfer {
    var direction: SyncPlan.Direction
    var paths: [SyncPath]
    var totalBytes: Int64
    /// The workspace for uploads, or the folder that receives the files for downloads.
    var localRoot: String
    var remoteRoot: String

    /// The size of a tar record, the unit in which tar reports progress.
    private static let recordBytes: Int64 = 10_240
    /// The prefix of lines on standard error that are meant for us alone.
    private static let mark = "vp-tar "

    /// Moves the files and reports progress. Returns the error lines.
    func run(
        through shell: RemoteShell, onProgress: @escaping @Sendable (TransferProgress) -> Void
    ) async throws(EngineError) -> [String] {
        guard !self.paths.isEmpty else { return [] }
        try shell.target.prepare()
        switch self.direction {
        case .down:
            return try await self.stream(self.sendScript, try self.receiveCommand(shell), shell, onProgress)
        case .up:
            let here = Set(self.paths.filter { FileEntry(at: $0, below: self.localRoot) != nil })
            // Their parent folders are included, so that these keep their modes.
            let sent = here.union(here.flatMap(\.ancestors)).sorted()
            var list: [UInt8] = []
            for path in sent { TreeRecords.write(path, to: &list) }
            var complaints: [String] = []
            if !here.isEmpty {
                complaints = try await self.stream(list, try self.sendCommand(shell), shell, onProgress)
            }
            let placed = try await shell.run(self.placeScript(here))
            guard placed.isSuccess else {
                throw EngineError(
                    .uploadFailed, self.activity(shell), detail: placed.lastErrorLine)
            }
            return complaints + Self.lines(placed.errorOutput)
        }
    }

    // MARK: The words

    /// tar prints this with the number of records, every hundred records.
    private static let checkpoint = "\(Self.mark)%u"

    /// Returns a command that reads a list of NUL-terminated paths, and sends the files to tar on the
    /// instance.
    private func sendCommand(_ shell: RemoteShell) throws(EngineError) -> ProcessCommand {
        let temporary = ShellQuoting.quoted("\(self.remoteRoot)/\(TransferFolder.temporary)")
        return try self.command(
            shell, ScriptFile.tarSend.text(["mode": Umask.chmodWords, "checkpoint": Self.checkpoint]),
            // Files left by an earlier attempt are incomplete.
            remote: "rm -rf \(temporary) && mkdir -p \(temporary) && cd \(temporary) && exec tar -xpof -")
    }

    /// Returns a command that reads a script for the instance, and unpacks the output of tar there.
    private func receiveCommand(_ shell: RemoteShell) throws(EngineError) -> ProcessCommand {
        let script = ScriptFile.tarReceive.text([
            "limit": String(self.archiveLimit), "mark": Self.mark, "checkpoint": Self.checkpoint,
        ])
        return try self.command(shell, script, remote: "exec sh -s")
    }

    /// The maximum size of the archive, in bytes. Logs may have grown meanwhile; an endless archive is cut
    /// off.
    private var archiveLimit: Int64 {
        RsyncTransfer.limit(
            self.totalBytes, files: self.paths.count, allowance: EngineConfiguration.Sync.defaultAllowance)
    }

    private func command(
        _ shell: RemoteShell, _ script: String, remote: String
    ) throws(EngineError) -> ProcessCommand {
        var environment = shell.environment
        environment["LC_ALL"] = "C"
        let words = try shell.words(running: remote)
        return ProcessCommand(
            "sh", ["-c", script, "vp-tar", self.localRoot] + words,
            environment: environment)
    }

    /// Prints several archives one after the other, since a command line has a maximum length.
    private var sendScript: [UInt8] {
        var script = ScriptFile.archive.bytes(["root": self.remoteRoot])
        var batch: [[UInt8]] = []
        var size = 0
        for path in self.paths {
            let word = path.shellWord
            batch.append(word)
            size += word.count + 1
            if size > 60_000 {
                script += ScriptFile.call("archive", batch)
                batch = []
                size = 0
            }
        }
        if !batch.isEmpty { script += ScriptFile.call("archive", batch) }
        // A file that vanished since the listing does not fail the others.
        return script + Array("exit 0\n".utf8)
    }

    /// Moves the arrived files into place. A folder that is new on the instance is moved as a whole.
    private func placeScript(_ here: Set<SyncPath>) -> [UInt8] {
        var script = ScriptFile.place.bytes([
            "root": self.remoteRoot, "temporary": TransferFolder.temporary, "aside": TransferFolder.aside,
        ])
        // Deletions come first, to make room.
        for path in self.paths.sorted() where !here.contains(path) {
            script += ScriptFile.call("drop", path.shellWord)
        }
        return script + Array("merge ''\nexit 0\n".utf8)
    }

    // MARK: Running

    private func stream(
        _ input: [UInt8], _ command: ProcessCommand, _ shell: RemoteShell,
        _ onProgress: @escaping @Sendable (TransferProgress) -> Void
    ) async throws(EngineError) -> [String] {
        var command = command
        command.input = input
        let errors = ByteCollector()
        let (totalBytes, totalFiles) = (self.totalBytes, self.paths.count)
        let started = command
        // tar reports progress every megabyte, no matter how slow the connection is.
        let ending = try await StallLimit(time: shell.patience.silence * 4).watch(self.activity(shell)) {
            alive async throws(EngineError) in
            try await shell.runner.run(
                started, onOutput: { _ in alive() },
                onErrorOutput: { bytes in
                    alive()
                    errors.append(bytes)
                    guard let records = Self.records(in: bytes) else { return }
                    onProgress(
                        TransferProgress(
                            bytes: min(records.multipliedSaturated(by: Self.recordBytes), totalBytes),
                            totalBytes: totalBytes, files: 0, totalFiles: totalFiles))
                })
        }
        let lines = Self.lines(errors.bytes)
        let sshStatus = Self.sshStatus(in: errors.bytes) ?? ending
        // An archive that ends too soon ends with half a file.
        let isCut = lines.contains { $0.contains("Unexpected EOF") || $0.contains("short read") }
        if isCut || sshStatus == .exited(RemoteShell.sshFailure) { throw shell.connectionError(errors.bytes) }
        if RsyncTransfer.isDiskFull(lines) {
            throw EngineError(
                self.direction == .up ? .remoteDiskFull : .localDiskFull, self.activity(shell),
                detail: lines.first)
        }
        if sshStatus == .exited(127) || lines.contains(where: { $0.contains("tar: not found") }) {
            throw EngineError(
                .missingProgram, self.activity(shell), detail: "neither rsync nor tar on the instance")
        }
        // The caller verifies file by file that everything arrived.
        return lines
    }

    private func activity(_ shell: RemoteShell) -> EngineError.Activity {
        EngineError.Activity(
            self.direction == .up ? "uploading" : "downloading", platform: shell.target.instance.platform,
            subject: shell.target.instance.rawValue)
    }

    private static func lines(_ output: [UInt8]) -> [String] {
        String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { !$0.contains(Self.mark) && !$0.allSatisfy(\.isWhitespace) }.map {
                String($0.prefix(300))
            }
    }

    /// The last number of records in `bytes`, or nil if there is none.
    private static func records(in bytes: [UInt8]) -> Int64? {
        String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).reversed().lazy
            .compactMap { line in
                line.range(of: Self.mark).flatMap { NumberRange.count.read(line[$0.upperBound...]) }
                    .map(Int64.init)
            }.first
    }

    private static func sshStatus(in output: [UInt8]) -> ProcessEnding? {
        String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).lazy
            .compactMap { line in
                line.range(of: Self.mark + "ssh ").flatMap {
                    NumberRange.exitCode.read(line[$0.upperBound...])
                }
            }.first.map { .exited($0) }
    }
}
