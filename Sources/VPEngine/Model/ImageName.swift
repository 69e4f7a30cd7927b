/// The grammar of an image's name, as docker reads it.
public enum ImageName {
    /// Returns why `name` is no valid image name, as the end of a sentence; nil if such an image may exist.
    public static func problem(_ name: String) -> String? {
        guard !name.isEmpty else { return "it is empty" }
        guard name.utf8.count <= 1024 else { return "it is longer than 1024 characters" }
        if name.hasPrefix("-") { return "it begins with a hyphen, like an option" }
        guard name.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 }) else {
            return "it contains a space or another character that image names cannot have"
        }
        let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1, !Self.isDigest(parts[1]) {
            // vast.ai replaces this tag to match the machine's CUDA.
            guard parts[1] == "vastai-automatic-tag", parts[0].hasSuffix(":") else {
                return "the part after @ is not a digest"
            }
            return Self.problem(ofRepository: parts[0].dropLast())
        }
        var repository = parts[0]
        if let colon = repository.lastIndex(of: ":"), !repository[colon...].contains("/") {
            let tag = repository[repository.index(after: colon)...]
            guard !tag.isEmpty else { return "its tag is empty" }
            guard tag.count <= 128, let first = tag.first, first.isLetter || first.isNumber || first == "_",
                tag.allSatisfy({ $0.isLetter || $0.isNumber || "_.-".contains($0) })
            else { return "its tag \"\(tag)\" is not valid" }
            repository = repository[..<colon]
        }
        return Self.problem(ofRepository: repository)
    }

    private static func problem(ofRepository text: Substring) -> String? {
        var parts = text.split(separator: "/", omittingEmptySubsequences: false)
        // A registry's host may have capitals and a port.
        if parts.count > 1, let host = parts.first,
            host.contains(".") || host.contains(":") || host == "localhost"
        {
            guard Self.isHost(host) else { return "its registry \"\(host)\" is not valid" }
            parts.removeFirst()
        }
        for part in parts {
            guard !part.isEmpty else { return "a part of it is empty" }
            guard !part.contains(where: \.isUppercase) else { return "its repository has capital letters" }
            guard Self.isComponent(part) else { return "its part \"\(part)\" is not valid" }
        }
        return parts.isEmpty ? "it is empty" : nil
    }

    private static func isHost(_ host: Substring) -> Bool {
        let pieces = host.split(separator: ":", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let name = pieces.first, !name.isEmpty, name.first != "-" else {
            return false
        }
        if pieces.count == 2 {
            guard let port = UInt16(pieces[1]), port > 0 else { return false }
        }
        return name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
    }

    /// True for letters and digits, with `.`, `_`, `__` or any number of `-` between them.
    private static func isComponent(_ part: Substring) -> Bool {
        guard let first = part.first, let last = part.last, first.isLetter || first.isNumber,
            last.isLetter || last.isNumber
        else { return false }
        var run = ""
        for character in part {
            if character.isLetter || character.isNumber {
                guard run.isEmpty || run == "." || run == "_" || run == "__" || run.allSatisfy({ $0 == "-" })
                else { return false }
                run = ""
            } else {
                guard "._-".contains(character) else { return false }
                run.append(character)
            }
        }
        return true
    }

    private static func isDigest(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].count >= 32 else { return false }
        return parts[0].allSatisfy { $0.isLetter || $0.isNumber || "+._-".contains($0) }
            && parts[1].allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
}
