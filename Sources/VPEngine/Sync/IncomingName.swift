import Foundation

/// What one part of a path would be taken for by the programs and file systems here.
enum IncomingName: Hashable, Sendable {
    case ordinary
    /// Never accepted from an instance.
    case refused(IncomingReason)
    /// Programs here act on it as soon as it stands in a folder.
    case acting

    /// `HEAD`, `objects`, `refs` and `commondir`: git takes a folder that has them for a repository.
    struct RepositoryParts: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        static let head = RepositoryParts(rawValue: 1)
        static let objects = RepositoryParts(rawValue: 2)
        static let refs = RepositoryParts(rawValue: 4)
        /// Names another folder that has the objects and refs.
        static let commonFolder = RepositoryParts(rawValue: 8)

        /// True where git would find a repository, as its `is_git_directory` decides.
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

    /// Which part of a repository's layout a name is; empty for others.
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

    /// True for what git keeps in a repository's own folder.
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

    /// The names Windows' file systems give beside the long ones; those with digits are of its second way.
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

    /// False for nearly all names, at the cost of a look at their bytes: every special one begins with a dot,
    /// is short for one that does, or is written with something else than ASCII letters.
    private static func mayBeSpecial(_ part: ArraySlice<UInt8>) -> Bool {
        part.first == UInt8(ascii: ".")
            || part.contains { byte in
                byte >= 0x80 || byte < 0x20 || byte == UInt8(ascii: "~") || byte == UInt8(ascii: "\\")
                    || byte == UInt8(ascii: ":")
            }
    }

    /// The names that some file system would take `part` for, in one spelling each.
    ///
    /// Case and compatible characters are folded, code points that stand for nothing left out (HFS+,
    /// ext4 and ZFS with folding), trailing dots and blanks and the names of streams too (NTFS), where a
    /// backslash parts names.
    static func readings(of part: ArraySlice<UInt8>) -> [String] {
        String(decoding: part, as: UTF8.self).split(separator: "\\").map { piece in
            let folded = piece.precomposedStringWithCompatibilityMapping.lowercased()
                .decomposedStringWithCompatibilityMapping.lowercased()
            var scalars = String.UnicodeScalarView()
            for scalar in folded.unicodeScalars {
                // A stream's name, such as `:$INDEX_ALLOCATION`.
                if scalar == ":" { break }
                if scalar.properties.isDefaultIgnorableCodePoint || scalar.value < 0x20 { continue }
                // Of a Turkish capital and small i nothing but the letter stays.
                if scalar.value == 0x307 { continue }
                scalars.append(scalar.value == 0x131 ? "i" : scalar)
            }
            while let last = scalars.last, last == "." || last == " " { scalars.removeLast() }
            return String(scalars)
        }
    }
}

/// Why a file never comes into the project.
package enum IncomingReason: String, Hashable, Sendable, CaseIterable {
    /// No file can have such a path, so that none is lost.
    case impossible
    case tooLong
    case kind
    case ownFolder
    case repository
    case bareRepository
    case ignoreFile
    case staging
}
