import Foundation

extension WorkspaceSync {
    /// What `plan` keeps on the instance and was not named before,
    /// one line for each file or folder of which all is kept.
    func nameRefused(_ plan: SyncPlan, _ remote: RemoteScan.Listing) -> [String] {
        let known = self.manifests.loadNamed(.refused, instance: self.instance, workspace: self.workspace)
        var named: FileTree = [:]
        var lines: [String] = []
        for (place, refusals) in Dictionary(grouping: plan.refused, by: \.place).sorted(by: {
            $0.key < $1.key
        }) {
            let isWhole = refusals.count == 1 && refusals[0].item.path == place
            // Of a folder only that it is there is remembered: what changes in it is no news.
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
        let words = reason?.words ?? "programs here act on it unasked; sync.accept lets it come"
        return "\(name): \(words)"
    }
}

/// What was put away of an instance's files that must not come into the project.
package struct HeldFiles: Hashable, Sendable {
    /// An archive of tar's, which is never unpacked by us.
    package var archive: String
    package var files: Int
    /// Of the files, in bytes.
    package var bytes: Int64
    /// Largest first.
    package var names: [String]

    /// The command that lists what is in it.
    package var command: String { "tar tvf \(ShellQuoting.quoted(self.archive))" }
}

extension WorkspaceSync {
    /// Keeps what the gate refuses, inert, in one archive of the state folder:
    /// for an instance that is about to end.
    ///
    /// Looks at the instance, so that nothing that is refused now is missed. `paths` are kept as well,
    /// with all that is in them. Nil where there is nothing to keep. Throws `.unsafeResults` where it is more
    /// than `sync.limit` or cannot be had whole; then nothing has been kept.
    package func holdRefused(also paths: [SyncPath] = []) async throws(EngineError) -> HeldFiles? {
        let plan = try await self.outstanding()
        let items = plan.refused.map(\.item).filter { $0.entry.kind != .folder && $0.entry.kind != .other }
        guard !items.isEmpty || !paths.isEmpty else { return nil }
        let activity = EngineError.Activity(
            "keeping files that must not come here", platform: self.instance.platform,
            subject: self.instance.rawValue)
        let limit = self.settings.heldLimit
        let largest = items.sorted { $0.size > $1.size }.map(\.path.description) + paths.map(\.description)
        func unsafe(_ detail: String) -> EngineError {
            EngineError(.unsafeResults, activity, detail: detail, suggestions: largest)
        }
        let bytes = items.totalSize
        let limitWords =
            "more than the \(ByteCount.text(limit)) that are kept of files that must not come here"
        guard bytes <= limit else { throw unsafe(limitWords) }
        let folder = "\(self.manifests.stateFolder)/held"
        try PrivateFolder.make(folder)
        let archive = try HeldArchive(
            in: folder, name: SSHTarget.alias(for: self.instance), activity,
            // Headers and padding of each file, and what grew since the look.
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
            throw unsafe("\(archive.complaint ?? "the archive was cut"); these could not be kept")
        }
        return HeldFiles(
            archive: try archive.finish(), files: items.count + paths.count, bytes: bytes, names: largest)
    }
}
