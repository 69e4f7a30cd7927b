import Foundation

extension WorkspaceSync {
    /// Returns one line for each file that `plan` keeps on the instance and that was not reported before; a
    /// folder that is kept as a whole gets a single line.
    func nameRefused(_ plan: SyncPlan, _ remote: RemoteScan.Listing) -> [String] {
        let known = self.manifests.loadNamed(.refused, instance: self.instance, workspace: self.workspace)
        var named: FileTree = [:]
        var lines: [String] = []
        for (place, refusals) in Dictionary(grouping: plan.refused, by: \.place).sorted(by: {
            $0.key < $1.key
        }) {
            let isWhole = refusals.count == 1 && refusals[0].item.path == place
            // For a folder only its presence is remembered: later changes in it are not reported.
            let version =
                isWhole
                ? refusals[0].item.entry.withoutInode
                : FileEntry(kind: .folder, size: 0, modified: 0, mode: 0)
            named[place] = version
            if known[place] == version { continue }
            lines.append(
                Self.words(place, isFolder: !isWhole, refusals[0].reason, refusals.map(\.item).totalSize))
        }
        for path in remote.impossible.sorted() {
            named[path] = FileEntry(kind: .other, size: 0, modified: 0, mode: 0)
            if known[path] == nil {
                lines.append("\(path): \(IncomingGate.Reason.impossible.words)")
            }
        }
        if named != known {
            self.manifests.saveNamed(named, .refused, instance: self.instance, workspace: self.workspace)
        }
        return lines
    }

    private static func words(
        _ place: SyncPath, isFolder: Bool, _ reason: IncomingGate.Reason?, _ bytes: Int64
    ) -> String {
        let name = "\(place)\(isFolder ? "/" : "")"
        let words = reason?.words ?? "programs on this machine act on it automatically; sync.accept allows it"
        return "\(name): \(words)"
    }
}

/// The archive of an instance's files that must not come into the project.
package struct HeldFiles: Hashable, Sendable {
    /// The path of a tar archive, which we never unpack.
    package var archive: String
    package var files: Int
    /// Total size of the files, in bytes.
    package var bytes: Int64
    /// Largest first.
    package var names: [String]

    /// The command that lists the contents of the archive.
    package var command: String { "tar tvf \(ShellQuoting.quoted(self.archive))" }
}

extension WorkspaceSync {
    /// Saves the files that the gate refuses in one inert archive in the state folder, for an instance that
    /// is about to end.
    ///
    /// Looks at the instance first, so that no newly refused file is missed. `paths` are saved as well, with
    /// everything in them. Returns nil if there is nothing to save. Throws `.unsafeResults` if the files
    /// exceed `sync.limit` or cannot be read completely; then nothing has been saved.
    package func holdRefused(also paths: [SyncPath] = []) async throws(EngineError) -> HeldFiles? {
        let plan = try await self.outstanding()
        let items = plan.refused.map(\.item).filter { $0.entry.kind != .folder && $0.entry.kind != .other }
        guard !items.isEmpty || !paths.isEmpty else { return nil }
        let activity = EngineError.Activity(
            "saving files that must not enter the project", platform: self.instance.platform,
            subject: self.instance.rawValue)
        let limit = self.settings.heldLimit
        let largest = items.sorted { $0.size > $1.size }.map(\.path.description) + paths.map(\.description)
        func unsafe(_ detail: String) -> EngineError {
            EngineError(.unsafeResults, activity, detail: detail, suggestions: largest)
        }
        let bytes = items.totalSize
        let limitWords =
            "the files that must not enter the project exceed the limit of \(ByteCount.text(limit)) for saving them"
        guard bytes <= limit else { throw unsafe(limitWords) }
        let folder = "\(self.manifests.stateFolder)/held"
        try PrivateFolder.make(folder)
        let archive = try HeldArchive(
            in: folder, name: SSHTarget.alias(for: self.instance), activity,
            // The limit allows for headers and padding of each file, and for growth since the look.
            limit: limit.addingReportingOverflow(Int64(items.count) * 8192 + 1_000_000).partialValue)
        defer { archive.discard() }
        let places = Set(plan.refused.map(\.place)).filter(\.isPlain)
        let script = HeldArchive.script(places.sorted() + paths, root: self.workspace.remoteRoot)
        let shell = self.shell
        let sending = Task { () -> Result<ProcessEnding, EngineError> in
            do throws(EngineError) {
                return .success(
                    try await StallLimit(time: shell.patience.listing).watch(activity) {
                        alive async throws(EngineError) in
                        try await shell.stream(
                            script,
                            onOutput: {
                                alive()
                                archive.append($0)
                            }, onErrorOutput: { archive.complain($0) })
                    })
            } catch {
                return .failure(error)
            }
        }
        archive.whenOver { sending.cancel() }
        let answer = await withTaskCancellationHandler {
            await sending.value
        } onCancel: {
            sending.cancel()
        }
        if archive.isOver { throw unsafe(limitWords) }
        if let failure = archive.failure { throw failure }
        guard try answer.get() == .exited(0), archive.bytes >= bytes else {
            throw unsafe("\(archive.complaint ?? "the archive was cut"); these files could not be saved")
        }
        return HeldFiles(
            archive: try archive.finish(), files: items.count + paths.count, bytes: bytes, names: largest)
    }
}
