/// A terminal with the features that a dashboard's screen needs: text, cursor, erasing, scrolling, and the
/// modes that a program must restore. Colours are skipped.
public struct VirtualTerminal: Sendable {
    public private(set) var width: Int
    public private(set) var height: Int
    /// The modes that `ESC [ ? n h` has switched on and that are still on.
    public private(set) var modes: Set<Int> = []
    /// The kinds of escape sequences received: their beginnings and, with parameters, their last letters. For
    /// those that contain text (titles, clipboards), the first three letters.
    public private(set) var kinds: Set<String> = []
    private var grid: [[String]]
    private var mainGrid: [[String]]?
    private var row = 0
    private var column = 0
    private var saved = (0, 0)
    private var region: ClosedRange<Int>
    private var pending: [UInt8] = []
    private var escape: [UInt8]?
    private var lastText = " "
    private var isInLineDrawing = false

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
        self.grid = Self.blank(width, height)
        self.region = 0...(max(1, height) - 1)
    }

    public var isAlternateScreen: Bool { self.modes.contains(1049) || self.modes.contains(47) }

    /// The rows without trailing blanks.
    public var lines: [String] {
        self.grid.map { row in
            let end = row.lastIndex { $0 != " " }.map { $0 + 1 } ?? 0
            return row[..<end].joined()
        }
    }

    public var text: String { self.lines.joined(separator: "\n") }

    public func contains(_ text: String) -> Bool { self.lines.contains { $0.contains(text) } }

    public mutating func resize(width: Int, height: Int) {
        self.width = width
        self.height = height
        self.grid = Self.blank(width, height)
        self.region = 0...(max(1, height) - 1)
        self.row = min(self.row, height - 1)
        self.column = min(self.column, width - 1)
    }

    public mutating func feed(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { self.feed(byte) }
    }

    private static func blank(_ width: Int, _ height: Int) -> [[String]] {
        Array(repeating: Array(repeating: " ", count: width), count: height)
    }

    private mutating func feed(_ byte: UInt8) {
        // As in a terminal: CAN ends any sequence, and an escape ends all but a string.
        if byte == 0x18 || byte == 0x1B { self.pending = [] }
        if byte == 0x18 {
            self.escape = nil
            return
        }
        if var sequence = self.escape {
            if byte == 0x1B, ![UInt8(ascii: "]"), UInt8(ascii: "P")].contains(sequence.first) {
                self.escape = []
                return
            }
            sequence.append(byte)
            self.escape = Self.isComplete(sequence) ? nil : sequence
            if self.escape == nil { self.perform(sequence) }
            return
        }
        if !self.pending.isEmpty || byte >= 0x80 {
            self.pending.append(byte)
            let length = Self.length(of: self.pending[0])
            if self.pending.count >= length {
                self.put(String(decoding: self.pending, as: UTF8.self))
                self.pending = []
            }
            return
        }
        switch byte {
        case 0x1B: self.escape = []
        case 0x0D: self.column = 0
        case 0x0A: self.lineFeed()
        case 0x08: self.column = max(0, self.column - 1)
        case 0x09: self.column = min(self.width - 1, (self.column / 8 + 1) * 8)
        case 0x20...0x7E: self.put(String(UnicodeScalar(byte)))
        default: break
        }
    }

    private static func length(of byte: UInt8) -> Int {
        byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
    }

    private static func isComplete(_ sequence: [UInt8]) -> Bool {
        guard let first = sequence.first else { return false }
        switch first {
        case UInt8(ascii: "["): return sequence.count > 1 && 0x40...0x7E ~= (sequence.last ?? 0)
        case UInt8(ascii: "]"), UInt8(ascii: "P"):
            return sequence.last == 0x07 || sequence.suffix(2) == [0x1B, UInt8(ascii: "\\")]
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "#"): return sequence.count == 2
        default: return true
        }
    }

    private static func kind(of sequence: [UInt8]) -> String {
        switch sequence[0] {
        case UInt8(ascii: "["):
            let parameter = sequence[1]
            let mark = (0x3C...0x3F).contains(parameter) ? [parameter] : []
            return String(decoding: [sequence[0]] + mark + sequence.suffix(1), as: UTF8.self)
        case UInt8(ascii: "]"), UInt8(ascii: "P"): return String(decoding: sequence.prefix(3), as: UTF8.self)
        default: return String(decoding: sequence, as: UTF8.self)
        }
    }

    private mutating func put(_ text: String) {
        guard let scalar = text.unicodeScalars.first else { return }
        // Combining characters belong to the cell before; nothing here needs more of the width table.
        if scalar.properties.generalCategory == .nonspacingMark || scalar.value == 0x200D { return }
        let isWide = Self.isWide(scalar)
        if self.column + (isWide ? 2 : 1) > self.width {
            self.column = 0
            self.lineFeed()
        }
        guard self.row < self.height, self.column < self.width else { return }
        self.grid[self.row][self.column] = text
        self.lastText = text
        if isWide, self.column + 1 < self.width { self.grid[self.row][self.column + 1] = "" }
        // The cursor waits beside the last column; the next character wraps.
        self.column += isWide ? 2 : 1
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4C6, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFF01...0xFF60,
            0x1F300...0x1F64F, 0x2705, 0x274C:
            true
        default: false
        }
    }

    private mutating func lineFeed() {
        if self.row == self.region.upperBound {
            self.scroll(up: 1)
        } else {
            self.row = min(self.height - 1, self.row + 1)
        }
    }

    private mutating func scroll(up count: Int) {
        let blank = Array(repeating: " ", count: self.width)
        for _ in 0..<min(abs(count), self.region.count) {
            if count > 0 {
                self.grid.remove(at: self.region.lowerBound)
                self.grid.insert(blank, at: self.region.upperBound)
            } else {
                self.grid.remove(at: self.region.upperBound)
                self.grid.insert(blank, at: self.region.lowerBound)
            }
        }
    }

    private mutating func perform(_ sequence: [UInt8]) {
        guard let first = sequence.first else { return }
        self.kinds.insert(Self.kind(of: sequence))
        switch first {
        case UInt8(ascii: "["): self.performControl(sequence.dropFirst())
        case UInt8(ascii: "7"): self.saved = (self.row, self.column)
        case UInt8(ascii: "8"): (self.row, self.column) = self.saved
        case UInt8(ascii: "M"):
            if self.row == self.region.lowerBound {
                self.scroll(up: -1)
            } else {
                self.row = max(0, self.row - 1)
            }
        case UInt8(ascii: "D"): self.lineFeed()
        default: break
        }
    }

    private mutating func performControl(_ body: ArraySlice<UInt8>) {
        guard let final = body.last else { return }
        let isPrivate = body.first == UInt8(ascii: "?")
        let numbers = String(decoding: body.dropLast().filter { $0 < 0x3C }, as: UTF8.self)
            .split(separator: ";", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        func number(_ index: Int, or fallback: Int = 1) -> Int {
            index < numbers.count && numbers[index] > 0 ? numbers[index] : fallback
        }
        switch final {
        case UInt8(ascii: "H"), UInt8(ascii: "f"):
            self.row = min(self.height, number(0)) - 1
            self.column = min(self.width, number(1)) - 1
        case UInt8(ascii: "A"): self.row = max(0, self.row - number(0))
        case UInt8(ascii: "B"): self.row = min(self.height - 1, self.row + number(0))
        case UInt8(ascii: "C"): self.column = min(self.width - 1, self.column + number(0))
        case UInt8(ascii: "D"): self.column = max(0, min(self.column, self.width) - number(0))
        case UInt8(ascii: "G"): self.column = min(self.width, number(0)) - 1
        case UInt8(ascii: "d"): self.row = min(self.height, number(0)) - 1
        case UInt8(ascii: "J"): self.eraseScreen(numbers.first ?? 0)
        case UInt8(ascii: "K"): self.eraseLine(numbers.first ?? 0)
        case UInt8(ascii: "X"):
            for offset in 0..<number(0) where self.column + offset < self.width {
                self.grid[self.row][self.column + offset] = " "
            }
        case UInt8(ascii: "P"):
            for _ in 0..<min(number(0), self.width - self.column) {
                self.grid[self.row].remove(at: self.column)
                self.grid[self.row].append(" ")
            }
        case UInt8(ascii: "@"):
            for _ in 0..<min(number(0), self.width - self.column) {
                self.grid[self.row].insert(" ", at: self.column)
                self.grid[self.row].removeLast()
            }
        case UInt8(ascii: "b"): for _ in 0..<number(0) { self.put(self.lastText) }
        case UInt8(ascii: "L"), UInt8(ascii: "M"):
            let whole = self.region
            self.region = min(self.row, whole.upperBound)...whole.upperBound
            self.scroll(up: final == UInt8(ascii: "M") ? number(0) : -number(0))
            self.region = whole
        case UInt8(ascii: "S"): self.scroll(up: number(0))
        case UInt8(ascii: "T"): self.scroll(up: -number(0))
        case UInt8(ascii: "r") where !isPrivate:
            let top = min(self.height, number(0)) - 1
            self.region = top...max(top, min(self.height, number(1, or: self.height)) - 1)
        case UInt8(ascii: "h") where isPrivate: for mode in numbers { self.switchMode(mode, isOn: true) }
        case UInt8(ascii: "l") where isPrivate: for mode in numbers { self.switchMode(mode, isOn: false) }
        default: break
        }
    }

    private mutating func switchMode(_ mode: Int, isOn: Bool) {
        if mode == 1049 || mode == 47 {
            if isOn, self.mainGrid == nil {
                self.mainGrid = self.grid
                self.grid = Self.blank(self.width, self.height)
            } else if !isOn, let main = self.mainGrid {
                self.grid = main
                self.mainGrid = nil
            }
        }
        if isOn { self.modes.insert(mode) } else { self.modes.remove(mode) }
    }

    private mutating func eraseLine(_ part: Int) {
        guard self.row < self.height else { return }
        let column = min(self.column, self.width - 1)
        let range = part == 0 ? column..<self.width : part == 1 ? 0..<(column + 1) : 0..<self.width
        for index in range { self.grid[self.row][index] = " " }
    }

    private mutating func eraseScreen(_ part: Int) {
        self.eraseLine(part)
        let rows = part == 0 ? (self.row + 1)..<self.height : part == 1 ? 0..<self.row : 0..<self.height
        for row in rows where row < self.height { self.grid[row] = Array(repeating: " ", count: self.width) }
    }
}
