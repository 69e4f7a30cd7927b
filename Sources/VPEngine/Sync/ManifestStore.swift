import Foundation

/// Keeps, for each instance and workspace, the files that both sides last agreed on.
///
/// A manifest that is lost or damaged reads as empty: then every difference is a conflict, and nothing is
/// overwritten or deleted on its word.
package struct ManifestStore: Sendable {
    package let stateFolder: String

    package init(stateFolder: String) {
        self.stateFolder = stateFolder
    }

    private static let header = Array("variousplug manifest 1\0".utf8)
    private static let footer = Array("end\0".utf8)

    package func load(instance: InstanceID, workspace: Workspace) -> FileTree {
        guard let data = FileManager.default.contents(atPath: self.path(instance, workspace)) else {
            return [:]
        }
        let bytes = [UInt8](data)
        guard bytes.starts(with: Self.header), bytes.suffix(Self.footer.count).elementsEqual(Self.footer)
        else {
            return [:]
        }
        let records = bytes.dropFirst(Self.header.count).dropLast(Self.footer.count)
        var tree: FileTree = [:]
        for record in records.split(separator: 0) {
            let fields = record.split(
                separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: false)
            guard fields.count == 5, let type = fields[0].first, let kind = FileEntry.Kind(rawValue: type),
                let size = Int64(String(decoding: fields[1], as: UTF8.self)),
                let modified = Int64(String(decoding: fields[2], as: UTF8.self)),
                let mode = UInt32(String(decoding: fields[3], as: UTF8.self), radix: 8)
            else { return [:] }
            tree[SyncPath(fields[4])] = FileEntry(kind: kind, size: size, modified: modified, mode: mode)
        }
        return tree
    }

    package func save(_ tree: FileTree, instance: InstanceID, workspace: Workspace) throws(EngineError) {
        var bytes = Self.header
        for (path, entry) in tree {
            bytes.append(entry.kind.rawValue)
            bytes.append(
                contentsOf: " \(entry.size) \(entry.modified) \(String(entry.mode, radix: 8)) ".utf8)
            bytes.append(contentsOf: path.bytes)
            bytes.append(0)
        }
        bytes.append(contentsOf: Self.footer)
        try PrivateFolder.make(self.folder(instance))
        try PrivateFolder.write(bytes, to: self.path(instance, workspace))
    }

    package func remove(instance: InstanceID) {
        try? FileManager.default.removeItem(atPath: self.folder(instance))
    }

    private func folder(_ instance: InstanceID) -> String {
        "\(self.stateFolder)/manifests/\(SSHTarget.alias(for: instance))"
    }

    private func path(_ instance: InstanceID, _ workspace: Workspace) -> String {
        // Both roots name the pair: two projects may share an instance, each with its own remote folder.
        let name = StableDigest.hex("\(workspace.localRoot)\n\(workspace.remoteRoot)")
        return "\(self.folder(instance))/\(name)"
    }
}
