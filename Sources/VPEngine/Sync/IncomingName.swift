import Foundation

/// How the programs and file systems on this computer would interpret one component of a path.
enum IncomingName: Hashable, Sendable {
    case ordinary
    /// Never accepted from an instance.
    case refused(IncomingReason)
    /// Programs on this computer act on it as soon as it is in a folder.
    case acting

    /// `HEAD`, `objects`, `refs` and `commondir`: git takes a folder that contains them for a repository.
    struct RepositoryParts: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        static let head = RepositoryParts(rawValue: 1)
        static let objects = RepositoryParts(rawValue: 2)
        static let refs = RepositoryParts(rawValue: 4)
        /// Names another folder that has the objects and refs.
        static let commonFolder = RepositoryParts(rawValue: 8)

        /// `true` if git would find a repository, as its `is_git_directory` decides.
        var isComplete: Bool {
            self.contains(.head) && (self.contains([.objects, .refs]) || self.contains(.commonFolder))
        }

        static let names: [(name: String, part: RepositoryParts)] = [
            ("HEAD", .head), ("objects", .objects), ("refs", .refs), ("commondir", .commonFolder),
        ]
    }

    init(_ part: ArraySlice<UInt8>) {
        guard Self.mayBeSpecial(part) else {
            self = .ordinary
            return
        }
        var isActing = false
        for name in Self.readings(of: part) {
            if let reason = Self.refusedNames[name] ?? Self.refusedShortName(name) {
                self = .refused(reason)
                return
            }
            if Self.actingNames.contains(name) || Self.isShort(name, of: Self.actingShortNames) {
                isActing = true
            }
        }
        self = isActing ? .acting : .ordinary
    }

    /// Returns which part of a repository's layout a name is; empty for other names.
    static func repositoryPart(_ part: ArraySlice<UInt8>) -> RepositoryParts {
        guard let first = part.first, first >= 0x80 || "hHoOrRcC".utf8.contains(first) else { return [] }
        var parts: RepositoryParts = []
        for name in self.readings(of: part) {
            switch name {
            case "head": parts.insert(.head)
            case "objects": parts.insert(.objects)
            case "refs": parts.insert(.refs)
            case "commondir": parts.insert(.commonFolder)
            default: break
            }
        }
        return parts
    }

    /// `true` for names that git uses inside a repository's own folder.
    static func isRepositoryContent(_ part: ArraySlice<UInt8>) -> Bool {
        self.readings(of: part).contains { self.repositoryContents.contains($0) }
    }

    private static let repositoryContents: Set<String> = [
        "head", "objects", "refs", "commondir", "config", "config.worktree", "hooks", "info", "packed-refs",
        "logs", "modules", "worktrees", "index", "description", "branches", "remotes", "shallow", "gitdir",
        "fetch_head", "orig_head", "merge_head", "rr-cache", "lfs", "common", "reftable",
    ]

    private static let refusedNames: [String: IncomingReason] = [
        ".git": .repository, ".vp": .ownFolder, ".vpignore": .ignoreFile,
        TransferFolder.own: .staging, TransferFolder.partial: .staging,
        TransferFolder.project: .staging, TransferFolder.projects: .staging,
    ]

    private static let actingNames: Set<String> = [
        ".gitattributes", ".gitmodules", ".envrc", ".vscode", ".idea",
    ]

    /// The short names that Windows file systems generate for the long ones; those with digits come from the
    /// second scheme.
    private static let actingShortNames = ["gitatt", "gitmod", "gi7d29", "gi7eba", "vscode", "envrc", "idea"]

    private static func refusedShortName(_ name: String) -> IncomingReason? {
        if self.isShort(name, of: ["git"]) { return .repository }
        if self.isShort(name, of: ["vp"]) { return .ownFolder }
        if self.isShort(name, of: ["vpigno"]) { return .ignoreFile }
        return self.isShort(name, of: ["vp-syn", "vp-par"]) ? .staging : nil
    }

    private static func isShort(_ name: String, of stems: [String]) -> Bool {
        guard let tilde = name.lastIndex(of: "~") else { return false }
        let number = name[name.index(after: tilde)...]
        return !number.isEmpty && number.allSatisfy(\.isNumber) && stems.contains(String(name[..<tilde]))
    }

    /// `false` for nearly all names, after a look at their bytes alone: every special name begins with a dot,
    /// is the short form of one that does, or contains something other than ASCII letters.
    private static func mayBeSpecial(_ part: ArraySlice<UInt8>) -> Bool {
        part.first == UInt8(ascii: ".")
            || part.contains { byte in
                byte >= 0x80 || byte < 0x20 || byte == UInt8(ascii: "~") || byte == UInt8(ascii: "\\")
                    || byte == UInt8(ascii: ":")
            }
    }

    /// Returns the names that some file system would take `part` for, in one spelling each.
    ///
    /// Folds case and compatible characters, removes code points that are ignored (HFS+, ext4 and ZFS with
    /// folding), and removes trailing dots, blanks and stream names (NTFS). A backslash separates names, as
    /// on NTFS.
    static func readings(of part: ArraySlice<UInt8>) -> [String] {
        String(decoding: part, as: UTF8.self).split(separator: "\\").map { piece in
            let folded = piece.precomposedStringWithCompatibilityMapping.lowercased()
                .decomposedStringWithCompatibilityMapping.lowercased()
            var scalars = String.UnicodeScalarView()
            for scalar in folded.unicodeScalars {
                // The colon starts a stream's name, such as `:$INDEX_ALLOCATION`.
                if scalar == ":" { break }
                if scalar.properties.isDefaultIgnorableCodePoint || scalar.value < 0x20 { continue }
                // A Turkish capital or small i is reduced to the plain letter.
                if scalar.value == 0x307 { continue }
                scalars.append(scalar.value == 0x131 ? "i" : scalar)
            }
            while let last = scalars.last, last == "." || last == " " { scalars.removeLast() }
            return String(scalars)
        }
    }
}

/// The reason why a file never comes into the project.
package enum IncomingReason: String, Hashable, Sendable, CaseIterable {
    /// No file can have such a path, so nothing is lost.
    case impossible
    case tooLong
    case kind
    case ownFolder
    case repository
    case bareRepository
    case ignoreFile
    case staging
}
