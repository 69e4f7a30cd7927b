import Foundation

extension OutsideResults {
    /// Downloads the commits that remote repositories have and ours do not, each as a bundle beside its
    /// folder. Returns the `.git` folders of the repositories that git cannot bundle.
    func bring(
        _ repositories: [LastLook.Findings.Repository], into summary: inout SyncSummary
    ) async throws(EngineError) -> [SyncPath] {
        var inert: [SyncPath] = []
        for repository in repositories where !(await self.hasAll(repository)) {
            let git = SyncPath(
                repository.path.bytes + Array(repository.path.bytes.isEmpty ? ".git".utf8 : "/.git".utf8))
            guard repository.canBeBundled else {
                inert.append(git)
                continue
            }
            let name = repository.path.bytes.isEmpty ? SyncPath(self.workspace.name) : repository.path
            let bundle = SyncPath(
                name.beside(self.instance.rawValue).bytes + Array(".bundle".utf8))
            let script = LastLook.bundle(
                root: self.workspace.remoteRoot, path: repository.path, limit: self.limit)
            let before = summary.missing.count
            try await self.fetch(script, to: bundle, named: repository.path, into: &summary)
            if summary.missing.count > before {
                summary.missing.removeLast(summary.missing.count - before)
                inert.append(git)
            }
        }
        return inert
    }

    /// `true` if a local repository in the same folder has every commit of `repository`.
    private func hasAll(_ repository: LastLook.Findings.Repository) async -> Bool {
        guard !repository.tips.isEmpty, let path = String(validating: repository.path.bytes, as: UTF8.self)
        else { return false }
        let folder = path.isEmpty ? self.workspace.localRoot : "\(self.workspace.localRoot)/\(path)"
        guard FileManager.default.fileExists(atPath: "\(folder)/.git") else { return false }
        var environment = self.shell.environment
        environment["GIT_OPTIONAL_LOCKS"] = "0"
        let input = repository.tips.map { "\($0)^{commit}\n" }.joined()
        let command = ProcessCommand(
            "git",
            [
                "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", folder, "cat-file",
                "--batch-check",
            ], environment: environment, input: Array(input.utf8))
        guard let result = try? await self.shell.runner.run(command), result.isSuccess else { return false }
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        return lines.count == repository.tips.count && lines.allSatisfy { $0.contains(" commit ") }
    }

    // MARK: Bytes

    /// Saves the output of `script` as `path` of the project, or under a numbered name if that one is taken.
    func fetch(
        _ script: [UInt8], to path: SyncPath, named name: SyncPath, into summary: inout SyncSummary
    ) async throws(EngineError) {
        let what = name.bytes.isEmpty ? ".git" : name.description
        let folder = "\(self.context.configuration.paths.stateFolder)/held"
        try PrivateFolder.make(folder)
        let temporary = "\(folder)/\(SSHTarget.alias(for: self.instance)).part"
        defer { unlink(temporary) }
        if let problem = try await self.save(script, to: temporary) {
            summary.missing.append("\(what): \(problem)")
            return
        }
        var place = path
        for number in 2...1000 {
            if let entry = FileEntry(at: place, below: self.workspace.localRoot) {
                // A file that an earlier attempt downloaded is not saved twice.
                if entry.kind == .file, self.isSame(temporary, place) { return }
                if entry.kind == .symbolicLink, self.isOurs(place, entry) {
                    _ = place.withAbsolutePath(below: self.workspace.localRoot) { unlink($0) }
                    break
                }
                place = SyncPath(path.bytes + Array("-\(number)".utf8))
            } else {
                break
            }
        }
        if let parent = place.parent { try self.makeFolder(parent, called: parent) }
        let isWritten = try self.guarding(place) {
            place.withAbsolutePath(below: self.workspace.localRoot, { Self.copy(temporary, to: $0) })
        }
        guard isWritten else {
            throw PrivateFolder.failure(.init("writing \(place)", subject: place.description))
        }
        summary.transferredFiles += 1
        summary.transferredBytes += FileEntry(at: place, below: self.workspace.localRoot)?.size ?? 0
    }

    private func isSame(_ file: String, _ place: SyncPath) -> Bool {
        place.withAbsolutePath(below: self.workspace.localRoot) { path in
            FileManager.default.contentsEqual(atPath: file, andPath: String(cString: path))
        }
    }

    /// Copies `source` to a new file; fails if the file exists.
    private static func copy(_ source: String, to target: UnsafePointer<CChar>) -> Bool {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { return false }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard output >= 0 else { return false }
        defer { close(output) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(input, &buffer, buffer.count)
            if count == 0 { return true }
            guard count > 0 else { return false }
            guard StandardStreams.write(buffer[..<count], to: output) else { return false }
        }
    }

    /// Saves the output of `script` as `path`, up to the limit. Returns what went wrong on the instance, or
    /// nil.
    private func save(_ script: [UInt8], to path: String) async throws(EngineError) -> String? {
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PrivateFolder.failure(.init("writing \(path)", subject: path))
        }
        let file = OutsideFile(descriptor, limit: self.limit)
        let errors = ByteCollector()
        self.progress(ActionProgress(.downloading))
        let shell = self.shell
        // A bundle sends no bytes until it is complete, hence the patience of a listing.
        let limit = StallLimit(time: shell.patience.listing)
        let activity = EngineError.Activity("downloading results", subject: self.instance.rawValue)
        let reading = Task { () -> Result<ProcessEnding, EngineError> in
            do throws(EngineError) {
                return .success(
                    try await limit.watch(activity) { alive async throws(EngineError) in
                        try await shell.stream(
                            script,
                            onOutput: {
                                alive()
                                file.write($0)
                            }, onErrorOutput: { errors.append($0) })
                    })
            } catch {
                return .failure(error)
            }
        }
        file.whenBroken { reading.cancel() }
        let answer = await withTaskCancellationHandler {
            await reading.value
        } onCancel: {
            reading.cancel()
        }
        if let problem = file.problem {
            _ = file.close()
            unlink(path)
            return problem
        }
        let ending = try answer.get()
        let text = String(decoding: errors.bytes, as: UTF8.self)
        let size = file.close()
        let lines = text.split(whereSeparator: \.isNewline)
        let word = lines.first { $0.hasPrefix(LastLook.sizeMark) }?.dropFirst(LastLook.sizeMark.count)
        let isWhole =
            ending == .exited(0) && size != nil
            && (word.flatMap { Int64($0) }.map { $0 == size } ?? false)
        guard !isWhole else { return nil }
        unlink(path)
        return lines.last { !$0.hasPrefix(LastLook.sizeMark) }.map { String($0.prefix(200)) }
            ?? "it was cut short"
    }
}
