/// Reads values that stand in brackets or in calls.
extension LineReader {
    /// Reads a list, of which the first element stands for all: `[1.2e-05, 1.2e-05]`, `(0.84)`, `[
    /// 0/1252]`, `[0][ 10/5005]`.
    func listed(
        _ name: FigureName, _ first: Int, _ last: Int, _ start: Int, _ separator: Int, _ hasList: Bool
    ) -> Int {
        var value = start
        if self.isSign(value + 1, 0x2F), self.isNumber(value + 2) {
            self.brackets += 1
            return self.count(value, label: (first, last), isBracketed: true)
        }
        // A missing class is not an error.
        while self.tokens[value].kind == .notNumber, hasList,
            self.isSign(value + 1, 0x2C) || self.isSign(value + 1, 0x29)
        {
            var next = value + 1
            while next < self.count, next < value + 6, !self.isNumber(next), !self.isSign(next, 0x5D) {
                next += 1
            }
            guard self.isNumber(next) else { break }
            value = next
        }
        var next = self.named(name, first, last, value, isStrong: true)
        guard hasList else { return next }
        while next < self.count, !self.isSign(next, 0x5D) { next += 1 }
        return next + 1
    }

    /// Returns the index after the arguments of a call, of which the first was read: `tensor(0.5,
    /// device='cuda:0')`.
    func afterCall(_ index: Int) -> Int {
        guard self.isSign(index, 0x2C) else { return index }
        var end = index
        while end < self.count, end < index + 12, !self.isSign(end, 0x29) { end += 1 }
        return self.isSign(end, 0x29) ? end + 1 : index
    }

    /// `true` if a group in brackets begins whose first figure the line has already:
    /// `loss[loss=0.4], tot_loss[ loss=0.3]`. The names of the later group begin with its own.
    func isLaterGroup(_ index: Int) -> Bool {
        guard self.tokens[index].space == 0, self.isWord(index + 1), self.isSign(index + 2, 0x3D),
            !self.isInGroup
        else { return false }
        let key = self.names[self.slot(index + 1, index + 1)].key
        return self.line.figures.contains { $0.name.key == key }
    }
}
