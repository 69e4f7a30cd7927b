/// Tells whether a terminal's background is light, from what the terminal reports.
enum TerminalBackground {
    /// Reads `COLORFGBG`, which some terminals set: `15;0`, `0;default;15`. Returns
    /// nil if it has no usable value.
    static func isLight(environment: [String: String]) -> Bool? {
        guard let last = environment["COLORFGBG"]?.split(separator: ";").last, let index = Int(last) else {
            return nil
        }
        return index == 7 || (9...15).contains(index)
    }

    /// Reads an answer to OSC 11: `rgb:ffff/ffff/ffff`, with one to four digits per component.
    static func isLight(_ answer: String) -> Bool? {
        guard let colon = answer.firstIndex(of: ":") else { return nil }
        let parts = answer[answer.index(after: colon)...].split(separator: "/").prefix(3)
        let shares = parts.compactMap { part -> Double? in
            guard let value = UInt32(part, radix: 16), (1...4).contains(part.count) else { return nil }
            return Double(value) / Double((1 << (4 * part.count)) - 1)
        }
        guard shares.count == 3 else { return nil }
        // The brightness that the eye perceives (ITU-R BT.709).
        return 0.2126 * shares[0] + 0.7152 * shares[1] + 0.0722 * shares[2] > 0.5
    }
}
