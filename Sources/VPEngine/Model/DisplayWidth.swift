/// The number of terminal columns that text takes: the one table by which both front ends measure, cut, draw
/// and wrap text.
public enum DisplayWidth {
    /// Returns the columns of one grapheme cluster: 0, 1 or 2.
    ///
    /// Scalars count by East Asian width, marks and format characters count nothing, and a cluster that asks
    /// to be shown as an emoji (VS16, ZWJ, flag, skin tone) counts two. No cluster counts more: a terminal
    /// that would draw it wider gets its first scalar only.
    public static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        if scalars.count == 1 { return Self.of(first) }
        var sum = 0
        for scalar in scalars {
            switch scalar.value {
            case 0xFE0F where Self.of(first) > 0 && first.properties.isEmoji: return 2
            case 0x1F1E6...0x1F1FF, 0x1F3FB...0x1F3FF: return 2
            // A terminal merges the scalar after a joiner with the one before it.
            case 0x200D: return min(2, max(sum, Self.of(first)))
            default: sum += Self.of(scalar)
            }
        }
        return min(2, sum)
    }

    public static func of(_ text: some StringProtocol) -> Int {
        var utf8 = 0
        var isPlain = true
        for byte in text.utf8 {
            utf8 += 1
            if byte < 0x20 || byte >= 0x7F {
                isPlain = false
                break
            }
        }
        return isPlain ? utf8 : text.reduce(0) { $0 + Self.of($1) }
    }

    /// Cuts `text` to at most `width` columns; a wide character is dropped rather than halved.
    public static func cut(_ text: String, to width: Int) -> String {
        var result = ""
        var used = 0
        for character in text {
            used += Self.of(character)
            if used > width { break }
            result.append(character)
        }
        return result
    }

    public static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x7F { return value < 0x20 ? 0 : 1 }
        if value < 0xA0 { return 0 }
        if value < 0x300 { return value == 0xAD ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control, .surrogate, .lineSeparator,
            .paragraphSeparator:
            return 0
        default: break
        }
        // Vowels and finals of conjoining Hangul are drawn inside the leading consonant's two columns.
        if 0x1160...0x11FF ~= value || 0xD7B0...0xD7FF ~= value { return 0 }
        if value < Self.wide[0].0 { return 1 }
        var low = 0
        var high = Self.wide.count - 1
        while low <= high {
            let middle = (low + high) / 2
            let (start, end) = Self.wide[middle]
            if value < start {
                high = middle - 1
            } else if value > end {
                low = middle + 1
            } else {
                return 2
            }
        }
        return 1
    }

    /// Ranges whose East Asian width is Wide or Fullwidth (UAX #11), gaps of unassigned code points included.
    private static let wide: [(UInt32, UInt32)] = [
        (0x1100, 0x115F), (0x231A, 0x231B), (0x2329, 0x232A), (0x23E9, 0x23EC), (0x23F0, 0x23F0),
        (0x23F3, 0x23F3), (0x25FD, 0x25FE), (0x2614, 0x2615), (0x2648, 0x2653), (0x267F, 0x267F),
        (0x2693, 0x2693), (0x26A1, 0x26A1), (0x26AA, 0x26AB), (0x26BD, 0x26BE), (0x26C4, 0x26C5),
        (0x26CE, 0x26CE), (0x26D4, 0x26D4), (0x26EA, 0x26EA), (0x26F2, 0x26F3), (0x26F5, 0x26F5),
        (0x26FA, 0x26FA), (0x26FD, 0x26FD), (0x2705, 0x2705), (0x270A, 0x270B), (0x2728, 0x2728),
        (0x274C, 0x274C), (0x274E, 0x274E), (0x2753, 0x2755), (0x2757, 0x2757), (0x2795, 0x2797),
        (0x27B0, 0x27B0), (0x27BF, 0x27BF), (0x2B1B, 0x2B1C), (0x2B50, 0x2B50), (0x2B55, 0x2B55),
        (0x2E80, 0x303E), (0x3041, 0x3247), (0x3250, 0x4DBF), (0x4E00, 0xA4C6), (0xA960, 0xA97C),
        (0xAC00, 0xD7A3), (0xF900, 0xFAD9), (0xFE10, 0xFE19), (0xFE30, 0xFE6B), (0xFF01, 0xFF60),
        (0xFFE0, 0xFFE6), (0x16FE0, 0x18D08), (0x1AFF0, 0x1B2FB), (0x1F004, 0x1F004), (0x1F0CF, 0x1F0CF),
        (0x1F18E, 0x1F18E), (0x1F191, 0x1F19A), (0x1F200, 0x1F265), (0x1F300, 0x1F320),
        (0x1F32D, 0x1F335), (0x1F337, 0x1F37C), (0x1F37E, 0x1F393), (0x1F3A0, 0x1F3CA),
        (0x1F3CF, 0x1F3D3), (0x1F3E0, 0x1F3F0), (0x1F3F4, 0x1F3F4), (0x1F3F8, 0x1F43E),
        (0x1F440, 0x1F440), (0x1F442, 0x1F4FC), (0x1F4FF, 0x1F53D), (0x1F54B, 0x1F54E),
        (0x1F550, 0x1F567), (0x1F57A, 0x1F57A), (0x1F595, 0x1F596), (0x1F5A4, 0x1F5A4),
        (0x1F5FB, 0x1F64F), (0x1F680, 0x1F6C5), (0x1F6CC, 0x1F6CC), (0x1F6D0, 0x1F6D2),
        (0x1F6D5, 0x1F6DF), (0x1F6EB, 0x1F6EC), (0x1F6F4, 0x1F6FC), (0x1F7E0, 0x1F7F0),
        (0x1F90C, 0x1F93A), (0x1F93C, 0x1F945), (0x1F947, 0x1F9FF), (0x1FA70, 0x1FAF6),
        (0x20000, 0x3FFFD),
    ]
}
