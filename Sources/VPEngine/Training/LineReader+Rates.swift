/// Reads speeds whose names follow them, one after the other.
extension LineReader {
    /// Reads `45.6 TFLOPS 1234.5 tok/s 78% MFU`, which begins at `index`. Returns nil if it is no such row.
    ///
    /// In `loss 2.1 tok/s 1234.5` the names come first; the end of the row shows which of the two it is.
    func rates(_ index: Int) -> Int? {
        var end = index
        while self.isRate(end) { end += 2 }
        let count = (end - index) / 2
        guard count > 1 || count == 1 && self.followsRate(index), !self.isNumber(end),
            !self.isSign(end, 0x3A), !self.isSign(end, 0x3D), !self.skipsLine, !self.skipsCell,
            self.parentheses == 0
        else { return nil }
        for place in stride(from: index, to: end, by: 2) {
            var name = self.names[self.slot(place + 1, place + 1)]
            name.saysOfWhat = true
            self.add(name, place + 1, place + 1, self.tokens[place])
        }
        return end
    }

    /// `true` for a number with the name of a speed behind it.
    private func isRate(_ index: Int) -> Bool {
        guard self.isNumber(index), self.isWord(index + 1), self.tokens[index + 1].space == 1,
            self.tokens[index].unitEnd == self.tokens[index].end || self.isPercent(self.tokens[index])
        else { return false }
        return self.isSpeed(index + 1)
    }

    /// `true` if the number's name is the unit of the number before it: `Speed: 1234.5 samples/s 98.7 tok/s`.
    private func followsRate(_ index: Int) -> Bool {
        self.isWord(index - 1) && self.isNumber(index - 2) && self.tokens[index - 1].space == 1
            && self.isSpeed(index - 1)
    }

    private func isSpeed(_ index: Int) -> Bool {
        let name = self.names[self.slot(index, index)]
        return name.kind == .speed && name.use == .figure && !name.isBest
    }

    /// `true` if a speed with a unit follows the number, for a number whose own name does not give the unit.
    func speedBehind(_ index: Int) -> Bool {
        guard self.isWord(index + 1), self.tokens[index + 1].space == 1 else { return false }
        let name = self.names[self.slot(index + 1, index + 1)]
        return name.kind == .speed && name.saysOfWhat
    }
}
