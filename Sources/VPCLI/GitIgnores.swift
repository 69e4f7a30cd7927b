import Foundation
import VPEngine

/// The rules of a git repository's `.gitignore` files, for a `.vpignore` with the same meaning.
enum GitIgnores {
    /// The maximum number of folders that are searched for `.gitignore` files.
    private static let folderLimit = 2000

    /// Rules relative to the project's own folder, in the order in which git reads them;
    /// none outside a repository.
    static func rules(in folder: String) -> [String] {
        guard ShadowRepository.top(around: folder) != nil else { return [] }
        var rules: [String] = []
        var pending = [""]
        var seen = 0
        while let place = pending.popLast(), seen < self.folderLimit {
            seen += 1
            let path = place.isEmpty ? folder : "\(folder)/\(place)"
            rules += self.lines(of: "\(path)/.gitignore").map { self.moved($0, below: place) }
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            for name in names.reversed() where !name.hasPrefix(".") {
                let inner = place.isEmpty ? name : "\(place)/\(name)"
                let kind = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(inner)")[.type]
                if kind as? FileAttributeType == .typeDirectory { pending.append(inner) }
            }
        }
        return self.lines(of: "\(folder)/.git/info/exclude") + rules
    }

    static func text(_ rules: [String]) -> String {
        "\n# From .gitignore. Remove rules for files that a job needs on the instance.\n"
            + rules.joined(separator: "\n") + "\n"
    }

    /// The file's rules, without comments and empty lines. Like git, it does not follow a symbolic link.
    private static func lines(of file: String) -> [String] {
        guard let text = SmallFile.text(at: file, followsLinks: false) else { return [] }
        return text.split(whereSeparator: \.isNewline).map(String.init)
            .filter { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
    }

    /// Rewrites a rule of the file in `folder` as a rule relative to the project's own folder.
    static func moved(_ rule: String, below folder: String) -> String {
        guard !folder.isEmpty else { return rule }
        let isNegated = rule.hasPrefix("!")
        let pattern = isNegated ? rule.dropFirst() : rule[...]
        let place = folder.map { "*?[]\\".contains($0) ? "\\\($0)" : String($0) }.joined()
        let isAnchored = pattern.dropLast().contains("/")
        let inner = pattern.hasPrefix("/") ? pattern.dropFirst() : pattern
        return "\(isNegated ? "!" : "")/\(place)/\(isAnchored ? "" : "**/")\(inner)"
    }
}
