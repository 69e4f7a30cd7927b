/// Select Graphic Rendition: the effect of `ESC [ … m` on a style.
enum SGR {
    static func applied(_ parameters: [UInt8], to style: Style) -> Style {
        // Private sequences such as `ESC [ > 4 m` do not set colours.
        guard parameters.allSatisfy({ 0x30...0x3B ~= $0 }) else { return style }
        var numbers = parameters.split(
            separator: UInt8(ascii: ";"), omittingEmptySubsequences: false
        ).map { Int(String(decoding: $0.prefix(5), as: UTF8.self)) ?? 0 }[...]
        var style = style
        while let number = numbers.popFirst() {
            switch number {
            case 0: style = .plain
            case 1: style.attributes.insert(.bold)
            case 2: style.attributes.insert(.dim)
            case 3: style.attributes.insert(.italic)
            case 4: style.attributes.insert(.underline)
            case 7: style.attributes.insert(.reverse)
            case 21, 22: style.attributes.subtract([.bold, .dim])
            case 23: style.attributes.remove(.italic)
            case 24: style.attributes.remove(.underline)
            case 27: style.attributes.remove(.reverse)
            case 30...37: style.role = .ansi(number - 30)
            case 38: Self.extended(&numbers).map { style.role = $0 }
            case 39: style.role = .plain
            case 90...97: style.role = .ansi(number - 90 + 8)
            // Backgrounds are left to the theme: a log that sets both colours could hide its own text.
            case 48: _ = Self.extended(&numbers)
            default: break
            }
        }
        return style
    }

    private static func extended(_ numbers: inout ArraySlice<Int>) -> Role? {
        switch numbers.popFirst() {
        case 5:
            guard let index = numbers.popFirst() else { return nil }
            if index < 16 { return .ansi(index) }
            if index >= 232 { return index < 244 ? .brightBlack : .white }
            let cube = max(0, min(215, index - 16))
            return Self.nearest(red: cube / 36 * 51, green: cube / 6 % 6 * 51, blue: cube % 6 * 51)
        case 2:
            guard let red = numbers.popFirst(), let green = numbers.popFirst(),
                let blue = numbers.popFirst()
            else { return nil }
            return Self.nearest(red: red, green: green, blue: blue)
        default: return nil
        }
    }

    /// Returns the classic colour with the same strong components; the theme makes it readable.
    private static func nearest(red: Int, green: Int, blue: Int) -> Role {
        let strongest = max(red, green, blue)
        if strongest - min(red, green, blue) < 40 {
            return strongest < 96 ? .brightBlack : strongest < 220 ? .white : .brightWhite
        }
        let half = strongest * 6 / 10
        let bits = (red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0)
        return .ansi(bits + (strongest > 200 ? 8 : 0))
    }
}
