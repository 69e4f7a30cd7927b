import Foundation
import VPScripts

/// Finds results that a workspace's listing does not show and that would be lost with the instance, in one
/// round trip.
package enum LastLook {
    /// The results that the last look found on the instance.
    package struct Findings: Hashable, Sendable {
        /// A link that leads out of the workspace.
        package struct Link: Hashable, Sendable {
            package var path: SyncPath
            /// Absolute and resolved.
            package var target: SyncPath
            package var isFolder: Bool
        }

        /// A repository whose history contains commits that none of its remotes has.
        package struct Repository: Hashable, Sendable {
            /// The folder that holds its `.git`; empty for the workspace itself.
            package var path: SyncPath
            /// `false` if a bundle cannot contain it: git is missing on the instance, the clone is shallow,
            /// or it has git-lfs objects.
            package var canBeBundled: Bool
            /// Hashes of the commits that the bundle would bring.
            package var tips: [String]
        }

        /// A folder that every machine can recreate.
        package struct Remade: Hashable, Sendable {
            package var path: SyncPath
            package var bytes: Int64
        }

        package var links: [Link] = []
        package var repositories: [Repository] = []
        package var remade: [Remade] = []
        /// Folders outside the workspace in which jobs ran, absolute and resolved.
        package var folders: [SyncPath] = []

        package init() {}
    }

    /// The maximum number of rows of one kind that are read; a user who has more must look for himself.
    private static let limit = 1000
    /// How many links in a row are followed.
    private static let depth = 3

    /// Returns a script that prints records of words, each terminated by NUL.
    ///
    /// - Parameter folders: the folders in which jobs ran, as they were requested.
    package static func script(root: String, folders: [String]) -> String {
        ScriptFile.lastLook.text(
            [
                "root": root, "folders": folders.map(ShellQuoting.quoted).joined(separator: " "),
                "depth": String(Self.depth), "sort": ScriptFile.lastLookLinks.text,
                "remade": ScriptFile.lastLookRemade.text,
                "repository": ScriptFile.lastLookRepository.text,
            ], arguments: RemoteScan.remade)
    }

    /// Returns a script that prints, for each link that leads out of the workspace, how many bytes were
    /// written behind it since the instance came up. Used while a job runs.
    package static func sizes(root: String) -> String {
        ScriptFile.behindLinks.text(["root": root, "measure": ScriptFile.behindLinksSize.text])
    }

    /// Parses the output of `sizes`, in bytes; nil if the answer was truncated.
    package static func parseSizes(_ output: [UInt8]) -> [SyncPath: Int64]? {
        let words = output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        guard words.last?.elementsEqual("end".utf8) == true else { return nil }
        var sizes: [SyncPath: Int64] = [:]
        var rest = words.dropLast()
        while !rest.isEmpty {
            let record = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            guard record.count == 3, record[0].elementsEqual("behind".utf8), sizes.count < Self.limit,
                let kilobytes = NumberRange.bytes.read(String(decoding: record[2], as: UTF8.self)),
                kilobytes >= 0
            else { return nil }
            let path = SyncPath(record[1])
            if Self.isAccepted(path) { sizes[path] = kilobytes.multipliedSaturated(by: 1024) }
        }
        return sizes
    }

    /// Returns a script that prints a bundle of the commits that no remote of the repository in `path` has,
    /// and writes its size to standard error.
    package static func bundle(root: String, path: SyncPath, limit: Int64) -> [UInt8] {
        ScriptFile.bundle.bytes(
            ["root": root, "limit": String(limit)],
            words: [path.bytes.isEmpty ? Array("./".utf8) : path.shellWord])
    }

    /// Returns a script that prints the file at `target`, after writing its size to standard error.
    package static func file(_ target: SyncPath, limit: Int64) -> [UInt8] {
        ScriptFile.printFile.bytes(
            ["limit": String(limit)],
            words: [SyncPath(target.bytes.drop { $0 == SyncPath.slash }).shellWord])
    }

    /// `true` if a link of that name may be looked behind. A link may have a name that is refused here: the
    /// data behind it is saved beside that name. No local file is looked for below such a name.
    private static func isPossible(_ path: SyncPath) -> Bool {
        guard let (reason, place) = IncomingGate.refusal(of: path) else { return true }
        switch reason {
        case .impossible, .tooLong: return false
        case .kind, .ownFolder, .repository, .bareRepository, .ignoreFile, .staging: return place == path
        }
    }

    /// `true` if a name from the instance may be looked at on this computer at all; the gate judges it once
    /// more before the file is downloaded.
    private static func isAccepted(_ path: SyncPath, mayBeEmpty: Bool = false) -> Bool {
        path.bytes.isEmpty ? mayBeEmpty : IncomingGate.refusal(of: path) == nil
    }

    package static let sizeMark = "vp-size "

    /// Parses the output of `script`; nil if the answer was truncated.
    package static func parse(_ output: [UInt8]) -> Findings? {
        let words = output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        guard words.last?.elementsEqual("end".utf8) == true else { return nil }
        var findings = Findings()
        var rest = words.dropLast()
        func take(_ count: Int) -> [ArraySlice<UInt8>]? {
            guard rest.count > count else { return nil }
            defer { rest = rest.dropFirst(count + 1) }
            return Array(rest.dropFirst().prefix(count))
        }
        while let kind = rest.first {
            switch String(decoding: kind, as: UTF8.self) {
            case "link":
                guard let words = take(3), Self.isPossible(SyncPath(words[0])),
                    words[1].first == SyncPath.slash
                else { return nil }
                findings.links.append(
                    .init(
                        path: SyncPath(words[0]), target: SyncPath(words[1]),
                        isFolder: words[2].elementsEqual("d".utf8)))
            case "folder":
                guard let words = take(1), words[0].first == SyncPath.slash else { return nil }
                findings.folders.append(SyncPath(words[0]))
            case "remade":
                guard let words = take(2) else { return nil }
                let kilobytes = NumberRange.bytes.read(String(decoding: words[1], as: UTF8.self)) ?? 0
                findings.remade.append(
                    .init(path: SyncPath(words[0]), bytes: min(max(0, kilobytes), 1 << 50) * 1024))
            case "git":
                guard let words = take(3), Self.isAccepted(SyncPath(words[0]), mayBeEmpty: true) else {
                    return nil
                }
                let tips = String(decoding: words[2], as: UTF8.self).split(separator: " ").map(String.init)
                findings.repositories.append(
                    .init(
                        path: SyncPath(words[0]), canBeBundled: words[1].elementsEqual("bundle".utf8),
                        tips: tips.filter { $0.count >= 40 && $0.allSatisfy(\.isHexDigit) }))
            default: return nil
            }
            guard findings.links.count + findings.repositories.count + findings.remade.count < Self.limit * 10
            else { return nil }
        }
        return findings
    }
}
