import ArgumentParser
import Foundation

@testable import VPTUICore
@testable import vp

/// The places that know verbs, each with the verbs that it knows.
///
/// A verb is added to the parser; every other place is listed here, so that a place which misses the verb,
/// or has one that the parser lacks, is named.
struct VerbPlace {
    /// The file to change, or the words for a place that follows the parser by itself.
    var name: String
    var verbs: Set<String>
    /// Whether the place has a row for an alias of a verb as well.
    var hasAliases = false

    static func all() throws -> [VerbPlace] {
        let tests = (#filePath as NSString).deletingLastPathComponent
        let root = ((tests as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent
        var places = [
            VerbPlace(
                name: "OptionTable.verbs (the words sorted before parsing)", verbs: OptionTable.verbs,
                hasAliases: true),
            VerbPlace(
                name: "Sources/VPTUI/Core/Actions/PaletteVerb.swift (palette and --plain)",
                verbs: Set(PaletteVerb.rows.keys).subtracting(PaletteVerb.own), hasAliases: true),
            VerbPlace(
                name: "`vp --help`",
                verbs: Self.names(in: VP.helpMessage(), between: "\n  ", and: [" ", ",", "\n"])
                    .union(["help"])),
            VerbPlace(
                name: "Tests/VPCLITests/Goldens/help-VERB.txt",
                verbs: try Self.files(in: "\(tests)/Goldens", prefix: "help-", suffix: ".txt")
                    .union(["help"])),
        ]
        for (shell, before, after) in [
            (CompletionShell.bash, "_vp_", ["()"]), (.zsh, "_vp_", ["()"]),
            (.fish, " -eq 1' -fa '", ["'"]),
        ] {
            places.append(
                VerbPlace(
                    name: "the completions for \(shell.rawValue)",
                    verbs: Self.names(
                        in: VP.completionScript(for: shell), between: before, and: after)))
        }
        let manual = "\(root)/man"
        if FileManager.default.fileExists(atPath: manual) {
            places.append(
                VerbPlace(
                    name: "man/vp-VERB.1",
                    verbs: try Self.files(in: manual, prefix: "vp-", suffix: ".1").union(["help"])))
        }
        return places
    }

    /// The verbs of `wanted` that this place lacks.
    func missing(of wanted: [VerbPage]) -> [String] {
        wanted.flatMap { self.hasAliases ? $0.names : [$0.commandName] }
            .filter { !self.verbs.contains($0) }
    }

    /// Words of `text` that stand between `before` and one of `after`.
    private static func names(in text: String, between before: String, and after: [String]) -> Set<String> {
        var names: Set<String> = []
        for part in text.components(separatedBy: before).dropFirst() {
            let word = part.prefix { $0 == "-" || ("a"..."z").contains($0) }
            if after.contains(where: part.dropFirst(word.count).hasPrefix) { names.insert(String(word)) }
        }
        return names
    }

    private static func files(in folder: String, prefix: String, suffix: String) throws -> Set<String> {
        Set(
            try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }
                .map { String($0.dropFirst(prefix.count).dropLast(suffix.count)) })
    }
}
