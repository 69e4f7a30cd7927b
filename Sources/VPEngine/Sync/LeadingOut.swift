import Foundation

/// A local link that leads to something outside the project, which is not uploaded with it.
struct LeadingOut: Hashable {
    let path: SyncPath
    let target: String

    /// Folders that exist on every machine.
    private static let everywhere = ["/dev/", "/proc/", "/usr/", "/bin/", "/lib/"]

    /// nil if the link at `path` stays in the project, is dangling here as well, or leads to something that
    /// every machine has.
    init?(_ path: SyncPath, root: String) {
        let target = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = path.withAbsolutePath(below: root) { link in
                buffer.withMemoryRebound(to: CChar.self) { max(0, readlink(link, $0.baseAddress!, $0.count)) }
            }
        }
        var information = stat()
        let leadsSomewhere = path.withAbsolutePath(below: root) { stat($0, &information) == 0 }
        guard !target.isEmpty, leadsSomewhere, Self.leavesProject(target, from: path) else { return nil }
        let words = String(decoding: target, as: UTF8.self)
        guard !Self.everywhere.contains(where: words.hasPrefix) else { return nil }
        self.path = path
        self.target = SyncPath(target).description
    }

    /// `true` if the target leads out of the project, judged by its text alone: an absolute path is a
    /// different place on the instance, even if it leads into the project here.
    static func leavesProject(_ target: [UInt8], from path: SyncPath) -> Bool {
        if target.first == SyncPath.slash { return true }
        var depth = Array(path.ancestors).count
        for part in target.split(separator: SyncPath.slash) {
            if part.elementsEqual("..".utf8) {
                depth -= 1
            } else if !part.elementsEqual(".".utf8) {
                depth += 1
            }
            if depth < 0 { return true }
        }
        return false
    }

    static func notice(_ links: [LeadingOut]) -> String {
        let names = links.prefix(5).map { "\($0.path) -> \($0.target)" }.joined(separator: ", ")
        let rest = links.count > 5 ? " and \(links.count - 5) more" : ""
        return links.count == 1
            ? "A link leads out of the project, so its target is not uploaded: \(names). Replace it with a copy "
                + "(`cp -rL`), or exclude it with a line in .vpignore."
            : "\(links.count) links lead out of the project, so their targets are not uploaded: \(names)\(rest). "
                + "Replace them with copies (`cp -rL`), or exclude them with lines in .vpignore."
    }
}
