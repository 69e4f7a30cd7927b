import Foundation

/// Downloads results that would be lost with the instance and that the workspace's listing does not show:
/// data behind links that lead out of it, folders of jobs that ran elsewhere, and repositories.
struct OutsideResults {
    let context: EngineContext
    let instance: InstanceID
    let workspace: Workspace
    let shell: RemoteShell
    let progress: @Sendable (ActionProgress) -> Void
    /// The remote paths of the folders behind links, keyed by their local names.
    private var roots: [SyncPath: String] = [:]

    init(
        context: EngineContext, instance: InstanceID, workspace: Workspace, shell: RemoteShell,
        progress: @escaping @Sendable (ActionProgress) -> Void
    ) {
        self.context = context
        self.instance = instance
        self.workspace = workspace
        self.shell = shell
        self.progress = progress
    }

    /// Downloads the results and returns a summary, in which `left` lists what stays on the instance for a
    /// reason and `missing` what could not be downloaded. Also returns the `.git` folders that no bundle can
    /// contain, for archiving them as they are.
    mutating func bring() async throws(EngineError) -> (SyncSummary, inert: [SyncPath]) {
        var summary = SyncSummary(direction: .down)
        let findings = try await self.look()
        for link in findings.links where link.isFolder {
            self.roots[link.path] = String(validating: link.target.bytes, as: UTF8.self)
        }
        // Links may form circles, and several may have one target: each target is downloaded once.
        var seen: Set<SyncPath> = []
        for link in findings.links where seen.insert(link.target).inserted {
            try await self.bring(link, into: &summary)
        }
        for folder in findings.folders { try await self.bring(folder, into: &summary) }
        let inert = try await self.bring(findings.repositories, into: &summary)
        for folder in findings.remade where folder.bytes > 0 {
            summary.left.append("\(folder.path) (\(ByteCount.text(folder.bytes))): it can be recreated")
        }
        return (summary, inert)
    }

    private func look() async throws(EngineError) -> LastLook.Findings {
        let folders = try Set(
            self.context.store.jobs(on: self.instance).compactMap { $0.record?.workingDirectory })
        let outside = folders.filter { $0.hasPrefix("/") || $0.hasPrefix("..") || $0.contains("/..") }
            .sorted()
        let result = try await self.shell.run(
            LastLook.script(root: self.workspace.remoteRoot, folders: outside))
        guard result.isSuccess, let findings = LastLook.parse(result.output) else {
            throw EngineError(
                .downloadFailed, .init("looking for results", subject: self.instance.rawValue),
                detail: result.lastErrorLine ?? "the answer was cut short")
        }
        return findings
    }

    /// The remote home folder; empty if the instance does not report it.
    private func home() async -> String {
        let result = try? await self.shell.run("cd && printf %s \"$(pwd -P)\"")
        return result.map { String(decoding: $0.output, as: UTF8.self) } ?? ""
    }

    var limit: Int64 { self.context.configuration.sync.uploadLimit?.bytes ?? .max }

    // MARK: Behind links

    private func bring(_ link: LastLook.Findings.Link, into summary: inout SyncSummary)
        async throws(EngineError)
    {
        guard !self.context.configuration.sync.keepsThere(link.path) else {
            summary.left.append("\(link.path): sync.keep_there")
            return
        }
        if link.isFolder {
            try await self.bring(folder: link.target, called: link.path, into: &summary)
        } else {
            let path = self.place(for: link.path, takesFolder: false)
            try await self.fetch(
                LastLook.file(link.target, limit: self.limit), to: path, named: link.path, into: &summary)
        }
    }

    /// Downloads a job's folder outside the workspace under its own name, with a suffix that names the
    /// instance.
    private func bring(_ folder: SyncPath, into summary: inout SyncSummary) async throws(EngineError) {
        let name =
            folder.bytes.split(separator: SyncPath.slash).last.map { SyncPath($0) } ?? SyncPath("folder")
        try await self.bring(folder: folder, called: name.beside(self.instance.rawValue), into: &summary)
    }

    /// Downloads the files in `folder` that changed since the instance came up, in the same way as all other
    /// files.
    private func bring(
        folder: SyncPath, called name: SyncPath, into summary: inout SyncSummary
    ) async throws(EngineError) {
        guard let remoteRoot = String(validating: folder.bytes, as: UTF8.self) else {
            summary.missing.append("\(name): the name of the folder behind it is not valid UTF-8")
            return
        }
        let place = self.place(for: name, takesFolder: true)
        guard let localName = String(validating: place.bytes, as: UTF8.self) else {
            summary.missing.append("\(name): no file on this computer can have this name")
            return
        }
        let pruned = [self.workspace.remoteRoot, "\(await self.home())/.vp"].compactMap { inner in
            inner.hasPrefix(remoteRoot + "/") ? SyncPath(String(inner.dropFirst(remoteRoot.count + 1))) : nil
        }
        func sync(to folder: String) -> WorkspaceSync {
            var sync = WorkspaceSync(
                self.context, self.instance,
                Workspace(
                    name: self.workspace.name, localRoot: "\(self.workspace.localRoot)/\(folder)",
                    remoteRoot: remoteRoot), self.shell, self.progress)
            sync.isNewerOnly = true
            sync.prunedPaths = pruned
            return sync
        }
        // The downloaded link may lead to a local folder that only happens to have the same path. The data
        // behind the link is not that folder's, and is compared with nothing.
        let isLink = FileEntry(at: place, below: self.workspace.localRoot)?.kind == .symbolicLink
        let compared = sync(to: isLink ? ".vp/nothing-\(UUID().uuidString)" : localName)
        let plan = try await compared.outstanding()
        let items = (plan.transfers + plan.conflicts).filter { $0.entry.kind != .folder }
        let bytes = items.saturatedSum(of: \.size)
        guard !items.isEmpty || !plan.refused.isEmpty else { return }
        guard bytes <= self.limit else {
            summary.missing.append(
                "\(name): \(items.count) files, \(ByteCount.text(bytes)), are behind it in \(folder), which is more than "
                    + "sync.limit; `sync.keep_there: [\(name)]` leaves them on the instance")
            return
        }
        if !plan.refused.isEmpty, let held = try await compared.holdRefused() {
            summary.left.append(
                "\(name)/\(held.names[0]) and others are saved on this machine: `\(held.command)` lists them")
        }
        guard !items.isEmpty else { return }
        try self.makeFolder(place, called: name)
        // No later sync cleans up after an interrupted transfer in a folder that is not a project.
        defer {
            if let folder = try? BeneathFolder("\(self.workspace.localRoot)/\(localName)") {
                StagingFolder.discard(in: folder, name: SSHTarget.alias(for: self.instance))
            }
        }
        let brought = try await sync(to: localName).download(conflictSuffix: self.instance.rawValue)
        summary.transferredFiles += brought.transferredFiles
        summary.transferredBytes += brought.transferredBytes
        summary.conflicts += brought.conflicts.map { "\(place)/\($0)" }
        summary.missing += brought.missing.map { "\(place)/\($0)" }
        summary.changing += brought.changing.map { "\(place)/\($0)" }
        summary.later += brought.later.map { "\(place)/\($0)" }
        summary.refused += brought.refused.map { "\(place)/\($0)" }
    }

    /// The local path for what the instance calls `name`: the same one, unless something else is in the way
    /// or programs on this computer would act on it.
    ///
    /// A dangling link that a download created counts as nothing; any other link is the user's, and nothing
    /// is written through it.
    private func place(for name: SyncPath, takesFolder: Bool) -> SyncPath {
        for folder in name.ancestors {
            if let entry = FileEntry(at: folder, below: self.workspace.localRoot), entry.kind != .folder {
                return self.beside(SyncPath(name.description.replacing("/", with: "_")), takesFolder)
            }
        }
        let gate = IncomingGate(accepting: self.context.configuration.sync.accept)
        let local = LocalScan(workspace: self.workspace, environment: self.shell.environment).lookup()
        let verdict = gate.verdict(on: name, takesFolder ? .folder : .file, local: local)
        guard verdict == .accepted else {
            // A name beside it would still create the folders above it, and one of those may be the refused
            // one.
            return self.beside(SyncPath(name.description.replacing("/", with: "_")), takesFolder)
        }
        guard let entry = FileEntry(at: name, below: self.workspace.localRoot) else { return name }
        if takesFolder, entry.kind == .folder { return name }
        if entry.kind == .symbolicLink, self.isOurs(name, entry) { return name }
        return self.beside(name, takesFolder)
    }

    /// The first name beside `name` that is free or can take more files; never a link, which may lead
    /// anywhere.
    private func beside(_ name: SyncPath, _ takesFolder: Bool) -> SyncPath {
        var number = 1
        while true {
            let path = name.beside(self.instance.rawValue + (number == 1 ? "" : "-\(number)"))
            guard let entry = FileEntry(at: path, below: self.workspace.localRoot) else { return path }
            if entry.kind == (takesFolder ? .folder : .file) { return path }
            number += 1
        }
    }

    /// `true` if the local link `name` was downloaded from the instance, either from the workspace or from a
    /// folder behind a link.
    func isOurs(_ name: SyncPath, _ entry: FileEntry) -> Bool {
        func isBrought(_ path: SyncPath, to folder: SyncPath?, from remoteRoot: String) -> Bool {
            let root = self.workspace.localRoot
            let workspace = Workspace(
                name: self.workspace.name, localRoot: folder.map { "\(root)/\($0)" } ?? root,
                remoteRoot: remoteRoot)
            let agreed = ManifestStore(self.context).load(instance: self.instance, workspace: workspace)[path]
            return agreed.map { !$0.wasSent && $0.here == entry } ?? false
        }
        if isBrought(name, to: nil, from: self.workspace.remoteRoot) { return true }
        return name.ancestors.contains { folder in
            guard let root = self.roots[folder] else { return false }
            return isBrought(
                SyncPath(name.bytes.dropFirst(folder.bytes.count + 1)), to: folder, from: root)
        }
    }

    /// Runs `body`; returns `false` if that would complete a repository together with files that others have
    /// put there meanwhile.
    func guarding(_ path: SyncPath, _ body: () -> Bool) throws(EngineError) -> Bool {
        do throws(BeneathFolder.Failure) {
            let folder = try BeneathFolder(self.workspace.localRoot)
            return RepositoryGuard(folder: folder).placing(path, body) ?? false
        } catch {
            throw EngineError(
                .fileSystem, .init("opening the project's folder", subject: self.workspace.localRoot),
                detail: error.words)
        }
    }

    func makeFolder(_ place: SyncPath, called name: SyncPath) throws(EngineError) {
        if place == name, FileEntry(at: name, below: self.workspace.localRoot)?.kind == .symbolicLink {
            _ = name.withAbsolutePath(below: self.workspace.localRoot) { unlink($0) }
        }
        for folder in Array(place.ancestors).sorted() + [place] {
            let isMade = try self.guarding(folder) {
                folder.withAbsolutePath(below: self.workspace.localRoot) { mkdir($0, 0o777) } == 0
            }
            guard isMade || FileEntry(at: folder, below: self.workspace.localRoot)?.kind == .folder else {
                throw PrivateFolder.failure(.init("making \(folder)", subject: folder.description))
            }
        }
    }
}
