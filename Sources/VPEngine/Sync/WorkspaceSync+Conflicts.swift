import Foundation
import VPScripts

extension WorkspaceSync {
    /// Renames the files that are in the way of `items` on the instance to names that no file has, so that
    /// the next download saves them beside the local versions.
    func moveBeside(_ items: [SyncPlan.Item]) async throws(EngineError) {
        var script = ScriptFile.moveBeside.bytes([
            "root": self.workspace.remoteRoot, "suffix": "remote-\(self.instance.rawValue)",
        ])
        for item in items { script += ScriptFile.call("beside", item.path.shellWord) }
        let result = try await self.shell.run(script + Array("exit 0\n".utf8))
        guard result.isSuccess else {
            throw EngineError(
                .uploadFailed, .init("keeping the instance's versions", subject: self.instance.rawValue),
                detail: result.lastErrorLine)
        }
    }

    /// Returns the files that the instance no longer has and that are not uploaded again, each once.
    func nameRemoved(_ plan: SyncPlan, _ local: FileTree) -> [String] {
        let paths = plan.removedThere.filter { local[$0]?.kind != .folder }
        let known = self.manifests.loadNamed(.removed, instance: self.instance, workspace: self.workspace)
        var named: FileTree = [:]
        for path in paths { named[path] = FileEntry(kind: .other, size: 0, modified: 0, mode: 0) }
        if named != known {
            self.manifests.saveNamed(
                named, .removed, instance: self.instance, workspace: self.workspace)
        }
        return paths.filter { known[$0] == nil }.map(\.description)
    }
}

extension SyncSummary {
    /// Joins the first `count` names, and tells how many more there are.
    static func list(_ names: [String], first count: Int = 5) -> String {
        let rest = names.count - count
        return names.prefix(count).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
