/// One pattern of an ignore file as git's wildmatch reads it, matched against bytes.
///
/// `*` and `?` stop at a slash, `**` between slashes does not, `[…]` knows ranges, classes and negation,
/// and a backslash takes the next byte as it is. A pattern with an unfinished set or escape matches nothing.
struct GlobPattern: Hashable, Sendable {
    private enum Token: Hashable {
        case byte(UInt8)
        /// `?`
        case one
        case set(ByteSet)
        /// `*`
        case run
        /// `**`
        case anything
        /// Consumes no byte: the next two tokens, `**` and its slash, may be skipped, so that `a/**/b`
        /// matches `a/b`.
        case optionalFolders
    }

    private let tokens: [Token]

    /// nil if the pattern is malformed.
    init?(_ pattern: ArraySlice<UInt8>) {
        var tokens: [Token] = []
        var index = pattern.startIndex
        let end = pattern.endIndex
        while index < end {
            switch pattern[index] {
            case UInt8(ascii: "\\"):
                guard index + 1 < end else { return nil }
                tokens.append(.byte(pattern[index + 1]))
                index += 2
            case UInt8(ascii: "?"):
                tokens.append(.one)
                index += 1
            case UInt8(ascii: "["):
                guard let (set, next) = ByteSet.parse(pattern, from: index + 1) else { return nil }
                tokens.append(.set(set))
                index = next
            case UInt8(ascii: "*"):
                let start = index
                while index < end, pattern[index] == UInt8(ascii: "*") { index += 1 }
                tokens += Self.stars(pattern, start..<index)
            default:
                tokens.append(.byte(pattern[index]))
                index += 1
            }
        }
        self.tokens = tokens
    }

    private static func stars(_ pattern: ArraySlice<UInt8>, _ range: Range<Int>) -> [Token] {
        let slash = SyncPath.slash
        let rest = pattern[range.upperBound...]
        let standsAlone =
            (range.lowerBound == pattern.startIndex || pattern[range.lowerBound - 1] == slash)
            && (rest.isEmpty || rest.first == slash || rest.starts(with: [UInt8(ascii: "\\"), slash]))
        guard range.count > 1, standsAlone else { return [.run] }
        return rest.first == slash ? [.optionalFolders, .anything] : [.anything]
    }

    func matches(_ text: ArraySlice<UInt8>) -> Bool {
        // The set of tokens that may come next is advanced byte by byte, so that no pattern can make matching
        // slow.
        var positions = Array(repeating: false, count: self.tokens.count + 1)
        positions[0] = true
        self.skipWhatMayBeEmpty(&positions)
        for byte in text {
            var next = Array(repeating: false, count: self.tokens.count + 1)
            var isAlive = false
            for (index, token) in self.tokens.enumerated() where positions[index] {
                switch token {
                case .byte(let expected): if byte == expected { next[index + 1] = true }
                case .one: if byte != SyncPath.slash { next[index + 1] = true }
                case .set(let set): if byte != SyncPath.slash, set.contains(byte) { next[index + 1] = true }
                case .run: if byte != SyncPath.slash { next[index] = true }
                case .anything: next[index] = true
                case .optionalFolders: break
                }
                isAlive = isAlive || next[index] || next[index + 1]
            }
            guard isAlive else { return false }
            self.skipWhatMayBeEmpty(&next)
            positions = next
        }
        return positions[self.tokens.count]
    }

    private func skipWhatMayBeEmpty(_ positions: inout [Bool]) {
        for (index, token) in self.tokens.enumerated() where positions[index] {
            switch token {
            case .run, .anything: positions[index + 1] = true
            case .optionalFolders:
                positions[index + 1] = true
                positions[index + 3] = true
            default: break
            }
        }
    }
}

/// A set of bytes, such as a pattern's `[a-z]`.
struct ByteSet: Hashable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    func contains(_ byte: UInt8) -> Bool {
        let bit = UInt64(1) << UInt64(byte & 63)
        return switch byte >> 6 {
        case 0: self.words.0 & bit != 0
        case 1: self.words.1 & bit != 0
        case 2: self.words.2 & bit != 0
        default: self.words.3 & bit != 0
        }
    }

    mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: self.words.0 |= bit
        case 1: self.words.1 |= bit
        case 2: self.words.2 |= bit
        default: self.words.3 |= bit
        }
    }

    private mutating func invert() {
        self.words = (~self.words.0, ~self.words.1, ~self.words.2, ~self.words.3)
    }

    static func == (lhs: Self, rhs: Self) -> Bool { lhs.words == rhs.words }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
        hasher.combine(self.words.1)
        hasher.combine(self.words.2)
        hasher.combine(self.words.3)
    }

    /// Parses the set whose first byte after `[` is at `start`, and returns it with the index at which the
    /// pattern continues.
    ///
    /// nil if the set is unterminated or names an unknown class.
    static func parse(_ pattern: ArraySlice<UInt8>, from start: Int) -> (ByteSet, Int)? {
        func byte(_ index: Int) -> UInt8? { index < pattern.endIndex ? pattern[index] : nil }
        var set = ByteSet()
        var index = start
        let isNegated = byte(index) == UInt8(ascii: "!") || byte(index) == UInt8(ascii: "^")
        if isNegated { index += 1 }
        // The byte that a range would begin with; nil directly after a range or class.
        var lower: UInt8?
        var isFirst = true
        while true {
            guard var current = byte(index) else { return nil }
            if current == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            if current == UInt8(ascii: "-"), let from = lower, let next = byte(index + 1),
                next != UInt8(ascii: "]")
            {
                index += 1
                current = next
                if current == UInt8(ascii: "\\") {
                    index += 1
                    guard let escaped = byte(index) else { return nil }
                    current = escaped
                }
                if from <= current { for member in from...current { set.insert(member) } }
                lower = nil
            } else if current == UInt8(ascii: "["), byte(index + 1) == UInt8(ascii: ":"),
                let end = pattern[min(index + 2, pattern.endIndex)...].firstIndex(of: UInt8(ascii: "]")),
                end > index + 2, pattern[end - 1] == UInt8(ascii: ":")
            {
                let name = String(decoding: pattern[(index + 2)..<(end - 1)], as: UTF8.self)
                guard let belongs = Self.classes[name] else { return nil }
                for member in UInt8(0)...127 where belongs(member) { set.insert(member) }
                index = end
                lower = nil
            } else {
                if current == UInt8(ascii: "["), byte(index + 1) == UInt8(ascii: ":"),
                    !pattern[min(index + 2, pattern.endIndex)...].contains(UInt8(ascii: "]"))
                {
                    return nil
                }
                if current == UInt8(ascii: "\\") {
                    index += 1
                    guard let escaped = byte(index) else { return nil }
                    current = escaped
                }
                set.insert(current)
                lower = current
            }
            index += 1
        }
        if isNegated { set.invert() }
        return (set, index + 1)
    }

    private static let classes: [String: @Sendable (UInt8) -> Bool] = {
        let isUpper: @Sendable (UInt8) -> Bool = { (0x41...0x5a).contains($0) }
        let isLower: @Sendable (UInt8) -> Bool = { (0x61...0x7a).contains($0) }
        let isDigit: @Sendable (UInt8) -> Bool = { (0x30...0x39).contains($0) }
        let isAlpha: @Sendable (UInt8) -> Bool = { isUpper($0) || isLower($0) }
        return [
            "upper": isUpper, "lower": isLower, "digit": isDigit, "alpha": isAlpha,
            "alnum": { isAlpha($0) || isDigit($0) },
            "blank": { $0 == 0x20 || $0 == 0x09 },
            "cntrl": { $0 < 0x20 || $0 == 0x7f },
            "graph": { (0x21...0x7e).contains($0) },
            "print": { (0x20...0x7e).contains($0) },
            "punct": { (0x21...0x7e).contains($0) && !isAlpha($0) && !isDigit($0) },
            "space": { $0 == 0x20 || (0x09...0x0d).contains($0) },
            "xdigit": { isDigit($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0) },
        ]
    }()
}
