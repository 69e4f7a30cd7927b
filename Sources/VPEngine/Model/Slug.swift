/// A name that is fit for a path, a label and a line of shell, whatever text it was made from.
public enum Slug {
    /// Returns 1 to 40 of `A-Z a-z 0-9 . _ -`, with a letter or digit first and last. All other characters
    /// become hyphens.
    public static func of(_ name: String) -> String {
        var slug = ""
        for scalar in name.unicodeScalars.prefix(400) {
            let character = Character(scalar)
            let isPlain = Self.isPlain(scalar)
            // Several of them in a row become one hyphen.
            if !isPlain, slug.last == "-" { continue }
            slug.append(isPlain ? character : "-")
        }
        let head = slug.drop { !Self.isEnd($0) }.prefix(40)
        let tail = head.reversed().drop { !Self.isEnd($0) }
        return tail.isEmpty ? "project" : String(tail.reversed())
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (Self.isEnd(Character(scalar)) || "._-".unicodeScalars.contains(scalar))
    }

    private static func isEnd(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber)
    }
}

extension Workspace {
    /// The project's name in paths, labels and names of instances. `name` is the form that people see.
    public var slug: String { Slug.of(self.name) }
}

extension JobID {
    /// The id as one part of a path, here and on an instance. Current ids are safe already; an id that an
    /// earlier version stored can contain any character of its project's name.
    package var pathComponent: String {
        let safe = self.rawValue.unicodeScalars.map { scalar -> Character in
            let isPlain =
                scalar.isASCII
                ? scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || " ._-".unicodeScalars.contains(scalar)
                : scalar.properties.generalCategory != .control && !scalar.properties.isWhitespace
            return isPlain ? Character(scalar) : "_"
        }
        let text = String(safe)
        return text.hasPrefix(".") || text.isEmpty ? "_" + text.dropFirst() : text
    }
}
