/// Checks of values in a project's file, which become parts of paths, of shell text and of argument vectors.
/// Each answer is a predicate, such as "must be an absolute path", or nil if the value is fine.
enum ProjectValue {
    /// Checks a folder on the instance.
    static func problem(ofRemoteFolder path: String) -> String? {
        guard path.hasPrefix("/") else { return "must be an absolute path" }
        guard path.utf8.count <= 1024 else { return "is too long" }
        guard !path.split(separator: "/").contains("..") else { return "must not contain .." }
        if let character = Self.unusual(in: path, beside: "/ ._-+@=,:~") {
            return "must not contain \(character)"
        }
        return nil
    }

    /// Checks a folder inside the project.
    static func problem(ofFolderInside path: String) -> String? {
        if path.hasPrefix("/") || path.hasPrefix("~") { return "is not inside the project" }
        if path.split(separator: "/").contains("..") { return "leads out of the project" }
        if path.hasPrefix("-") { return "begins with a hyphen" }
        return path.unicodeScalars.contains(where: Self.isControl) ? "contains a control character" : nil
    }

    /// Checks a container image: `registry:5000/name:tag@sha256:…`.
    static func problem(ofImage name: String) -> String? {
        guard name.utf8.count <= 512 else { return "has a name that is too long" }
        guard let first = name.unicodeScalars.first, first.isASCII,
            first.properties.isAlphabetic || first.isFigure
        else { return "must begin with a letter or a digit" }
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.isFigure
                    || "._-/:@+".unicodeScalars.contains(scalar))
        }
        return isPlain
            ? nil : "\(Self.shown(name)) is not valid: a name has only letters, digits and . _ - / : @"
    }

    static func isVariable(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, !first.isFigure else { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            scalar == "_" || scalar.isASCII && (scalar.properties.isAlphabetic || scalar.isFigure)
        }
    }

    /// Returns at most sixty characters of `text`, without control characters.
    static func shown(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(60).map { Self.isControl($0) ? "?" : Character($0) }
        return "“\(String(scalars))”"
    }

    /// Returns the first character that is neither a letter nor a digit of any script nor one of `others`, as
    /// words.
    private static func unusual(in text: String, beside others: String) -> String? {
        let found = text.unicodeScalars.first { scalar in
            if scalar.isASCII {
                return !scalar.properties.isAlphabetic && !scalar.isFigure
                    && !others.unicodeScalars.contains(scalar)
            }
            return Self.isControl(scalar)
        }
        return found.map { Self.isControl($0) ? "a control character" : "\(Character($0))" }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isFigure: Bool { ("0"..."9").contains(self) }
}
