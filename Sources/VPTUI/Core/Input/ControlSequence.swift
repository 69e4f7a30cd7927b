/// A complete control sequence of a terminal, parsed: `1;5A` of `ESC [ 1 ; 5 A`.
struct ControlSequence: Hashable, Sendable {
    private let final: UInt8
    /// `<`, `=`, `>` or `?`: with such a prefix the sequence is not a key.
    private let prefix: UInt8?
    private let hasIntermediates: Bool
    /// nil if a parameter is not a plain number.
    private let parameters: [Int]?

    /// - Parameter bytes: the bytes after the introducer, including the last.
    init(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)
        self.final = rest.popLast() ?? 0
        if let first = rest.first, (0x3C...0x3F).contains(first) {
            self.prefix = first
            rest.removeFirst()
        } else {
            self.prefix = nil
        }
        let intermediates = rest.firstIndex { $0 < 0x30 }
        self.hasIntermediates = intermediates != nil
        self.parameters = Self.numbers(in: rest[..<(intermediates ?? rest.endIndex)])
    }

    private static func numbers(in digits: ArraySlice<UInt8>) -> [Int]? {
        if digits.isEmpty { return [] }
        var numbers: [Int] = []
        for part in digits.split(separator: 0x3B, omittingEmptySubsequences: false) {
            guard part.count < 8, let number = Int(part.isEmpty ? "0" : String(decoding: part, as: UTF8.self))
            else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// The sequence is an answer to a question, or a mouse report.
    var isAnswer: Bool { self.prefix != nil || self.hasIntermediates }

    var isPasteBegin: Bool { self.isPlain && self.final == 0x7E && self.parameters == [200] }

    /// `CSI ? 62 ; 22 c`
    var isDeviceAttributes: Bool { self.prefix == 0x3F && self.final == 0x63 && !self.hasIntermediates }

    private var isPlain: Bool { self.prefix == nil && !self.hasIntermediates }

    /// The mouse event: the wheel up or down, or a press of the first button (SGR encoding).
    var mouse: MouseEvent? {
        guard self.prefix == 0x3C, !self.hasIntermediates, self.final == 0x4D, let values = self.parameters,
            values.count == 3
        else { return nil }
        return Self.mouse(button: values[0], column: values[1], row: values[2])
    }

    /// - Parameter column, row: counted from 1.
    static func mouse(button: Int, column: Int, row: Int) -> MouseEvent? {
        guard column > 0, row > 0 else { return nil }
        let point = Point(x: column - 1, y: row - 1)
        switch button {
        case 0: return MouseEvent(.press, at: point)
        case 64: return MouseEvent(.wheelUp, at: point)
        case 65: return MouseEvent(.wheelDown, at: point)
        default: return nil
        }
    }

    /// The key, if it was pressed without a modifier. With Shift, Alt or Ctrl these keys do
    /// nothing in the dashboard.
    var key: Key? {
        guard self.isPlain, let parameters = self.parameters else { return nil }
        if self.final == 0x7E {
            guard let number = parameters.first, Self.isUnmodified(parameters.dropFirst()) else { return nil }
            return Self.numberedKeys[number]
        }
        if self.final == 0x5A { return parameters.isEmpty ? .backTab : nil }
        guard (parameters.first ?? 1) == 1, Self.isUnmodified(parameters.dropFirst()) else { return nil }
        return Self.letterKeys[self.final]
    }

    private static func isUnmodified(_ parameters: ArraySlice<Int>) -> Bool {
        parameters.isEmpty || Array(parameters) == [1]
    }

    private static let letterKeys: [UInt8: Key] = [
        0x41: .up, 0x42: .down, 0x43: .right, 0x44: .left, 0x46: .end, 0x48: .home,
    ]

    static let ss3Keys: [UInt8: Key] = letterKeys.merging([
        0x50: .function(1), 0x51: .function(2), 0x52: .function(3), 0x53: .function(4),
    ]) { first, _ in first }

    private static let numberedKeys: [Int: Key] = [
        1: .home, 3: .delete, 4: .end, 5: .pageUp, 6: .pageDown, 7: .home, 8: .end, 11: .function(1),
        12: .function(2), 13: .function(3), 14: .function(4), 15: .function(5), 17: .function(6),
        18: .function(7), 19: .function(8), 20: .function(9), 21: .function(10), 23: .function(11),
        24: .function(12), 25: .function(13), 26: .function(14), 28: .function(15), 29: .function(16),
        31: .function(17), 32: .function(18), 33: .function(19), 34: .function(20),
    ]
}
