import Foundation

/// A link here that leads to something outside the project, which is not sent with it.
struct LeadingOut: Hashable {
    let path: SyncPath
    let target: String

    /// Folders that every machine has.
    private static let everywhere = ["/dev/", "/proc/", "/usr/", "/bin/", "/lib/"]

    /// nil where the link at `path` stays in the project, leads nowhere here either,
    /// or to what every machine has.
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

    /// By its words alone: an absolute path is another one on the instance,
    /// also where it leads into the project.
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
            ? "A link leads out of the project, and what it leads to is not sent: \(names). Put a copy in its place "
                + "(`cp -rL`), or leave it out by a line in .vpignore."
            : "\(links.count) links lead out of the project, and what they lead to is not sent: \(names)\(rest). Put "
                + "copies in their places (`cp -rL`), or leave them out by lines in .vpignore."
    }
}
