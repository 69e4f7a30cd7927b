import Foundation
import Synchronization
import VPScripts

/// Moves an exact list of files by tar over an instance's shared ssh connection:
/// many small ones that are new there, which takes tar a third of rsync's time,
/// and all where rsync cannot be had.
///
/// Every file travels whole, a cut one from its start again, and rates cannot be limited.
/// What is promised of names is the same: what goes up arrives in a folder of ours and takes its place by a
/// rename, and what it replaces or removes is put aside to be judged.
struct TarTransfer {
    var direction: SyncPlan.Direction
    var paths: [SyncPath]
    var totalBytes: Int64
    /// Upward, the workspace; downward, the folder that files are brought into.
    var localRoot: String
    var remoteRoot: String

    /// A record of tar's, in which it counts.
    private static let recordBytes: Int64 = 10_240
    /// Stands before what is said on standard error for us alone.
    private static let mark = "vp-tar "

    /// Moves the files and reports how far it is. Returns what was complained of.
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
            // With the folders that they are in, which keep their modes so.
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

    /// tar says it with a number in it, every hundred records.
    private static let checkpoint = "\(Self.mark)%u"

    /// Reads a list of paths, each ended by NUL, and sends the files to tar on the instance.
    private func sendCommand(_ shell: RemoteShell) throws(EngineError) -> ProcessCommand {
        let temporary = ShellQuoting.quoted("\(self.remoteRoot)/\(TransferFolder.temporary)")
        return try self.command(
            shell, ScriptFile.tarSend.text(["mode": Umask.chmodWords, "checkpoint": Self.checkpoint]),
            // What was left of an attempt before was cut.
            remote: "rm -rf \(temporary) && mkdir -p \(temporary) && cd \(temporary) && exec tar -xpof -")
    }

    /// Reads a script for the instance, and takes what tar there prints by it.
    private func receiveCommand(_ shell: RemoteShell) throws(EngineError) -> ProcessCommand {
        let script = ScriptFile.tarReceive.text([
            "limit": String(self.archiveLimit), "mark": Self.mark, "checkpoint": Self.checkpoint,
        ])
        return try self.command(shell, script, remote: "exec sh -s")
    }

    /// Of an archive with what was asked for, in bytes. Logs may have grown meanwhile;
    /// one without end is cut.
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

    /// Prints archives one after the other, since no command may have more than some words.
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
        // What vanished since it was listed is no failure of the others.
        return script + Array("exit 0\n".utf8)
    }

    /// Lets what has arrived take its place. A folder that is new there is moved with all that is in it.
    private func placeScript(_ here: Set<SyncPath>) -> [UInt8] {
        var script = ScriptFile.place.bytes([
            "root": self.remoteRoot, "temporary": TransferFolder.temporary, "aside": TransferFolder.aside,
        ])
        // What goes makes room first.
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
        // tar says how far it is every megabyte, no matter how slow the line is.
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
        // An archive that ends too soon has half a file at its end.
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
        // Whether everything arrived is for the caller to verify, file by file.
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

    /// The last number of records in `bytes`; nil where there is none.
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
