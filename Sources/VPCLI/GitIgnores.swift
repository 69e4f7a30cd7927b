import Foundation
import VPEngine

/// What a git repository's `.gitignore` files exclude, for a `.vpignore` of the same meaning.
enum GitIgnores {
    /// Folders that are looked into for further files, at most.
    private static let folderLimit = 2000

    /// Rules for the project's own folder, in the order in which git reads them;
    /// none where it is in no repository.
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
        "\n# From .gitignore. What a job needs on the instance must not stand here.\n"
            + rules.joined(separator: "\n") + "\n"
    }

    /// Without comments and empty lines. As for git, a link is no such file.
    private static func lines(of file: String) -> [String] {
        guard let text = SmallFile.text(at: file, followsLinks: false) else { return [] }
        return text.split(whereSeparator: \.isNewline).map(String.init)
            .filter { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
    }

    /// A rule of the file in `folder`, as one of the project's own folder.
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
