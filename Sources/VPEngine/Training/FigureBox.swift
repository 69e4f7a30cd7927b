/// A box of names and values, a line for each: `|    ep_rew_mean          | 21.3        |`.
struct FigureBox {
    /// The box's content so far: its step may be at the bottom.
    private(set) var line = TrainingLine()

    mutating func add(
        _ cells: (name: Range<Int>, value: Range<Int>), _ text: UnsafePointer<UInt8>, _ reader: LineReader
    ) {
        reader.lexer.read(text + cells.value.lowerBound, cells.value.count)
        guard reader.lexer.count == 1 else { return }
        let token = reader.lexer.tokens[0]
        guard token.kind == .number || token.kind == .notNumber else { return }
        let slot = reader.names.find(text + cells.name.lowerBound, cells.name.count)
        let name = reader.names[slot]
        switch name.use {
        // `6e+03` is a whole number, too.
        case .step
        where token.kind == .number && token.value == token.value.rounded() && name.rank >= self.line.stepRank:
            self.line.step = token.value
            self.line.stepRank = name.rank
            self.line.stepTitle = reader.names.title(slot)
            self.line.stepKey = name.key
        case .epoch where token.kind == .number: self.line.epoch = token.value
        case .figure, .extra:
            let count = self.line.figures.count
            guard count < 256, name.use == .figure || token.kind == .number, !name.isBest else { return }
            self.line.figures.append(
                TrainingLine.Figure(
                    name: name, nameStart: 0, nameEnd: 0, section: .none, titleIndex: count,
                    value: token.kind == .notNumber ? Double.nan : token.value))
            self.line.titles.append(reader.names.title(slot))
        default: break
        }
    }

    /// The two cells between three bars, without the spaces around them; nil where the first is empty.
    static func cells(_ text: UnsafePointer<UInt8>, _ length: Int) -> (
        name: Range<Int>, value: Range<Int>
    )? {
        guard Self.bars(text, length) == 3 else { return nil }
        var bounds = (0, 0, 0, 0)
        var bars = 0
        var index = 0
        while index < length {
            let isBox =
                text[index] == 0xE2 && index + 2 < length && text[index + 1] == 0x94
                && (text[index + 2] == 0x82 || text[index + 2] == 0x83)
            guard isBox || text[index] == 0x7C else {
                index += 1
                continue
            }
            let next = index + (isBox ? 3 : 1)
            switch bars {
            case 0: bounds.0 = next
            case 1: (bounds.1, bounds.2) = (index, next)
            default: bounds.3 = index
            }
            bars += 1
            index = next
        }
        guard bars == 3 else { return nil }
        let name = Self.trimmed(text, bounds.0, bounds.1)
        return name.isEmpty ? nil : (name, Self.trimmed(text, bounds.2, bounds.3))
    }

    private static func trimmed(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Range<Int> {
        var (first, last) = (start, end)
        while first < last, text[first] == 0x20 || text[first] == 0x09 { first += 1 }
        while last > first, text[last - 1] == 0x20 || text[last - 1] == 0x09 { last -= 1 }
        return first..<last
    }

    /// Returns the number of bars that separate a line into cells; counting stops after three.
    private static func bars(_ text: UnsafePointer<UInt8>, _ length: Int) -> Int {
        var bars = 0
        var index = 0
        while index < length, bars < 4 {
            if text[index] == 0x7C || (text[index] == 0xE2 && index + 1 < length && text[index + 1] == 0x94) {
                bars += 1
            }
            index += 1
        }
        return bars
    }
}
