/// Reads the prefixes that launchers print before a line.
extension LineReader {
    /// Reads the rank that a launcher prints first, and a step in brackets or before a colon.
    func prefix() -> Int {
        guard self.count > 2 else { return 0 }
        let first = self.tokens[0]
        if first.kind == .sign, first.sign == 0x5B {
            // `[rank0]:`, `[default1]:`, `[1]:`, `[Rank 0]`
            let second = self.tokens[1]
            if second.kind == .number, !second.isFraction, self.isSign(2, 0x5D) {
                if self.isSign(3, 0x3A), self.tokens[3].space == 0 {
                    self.line.rank = Int(saturating: second.value)
                    return 4
                }
                return 0
            }
            if second.kind == .word, let rank = self.rank(second) {
                self.line.rank = rank
                return self.isSign(2, 0x5D) ? (self.isSign(3, 0x3A) ? 4 : 3) : 1
            }
        } else if first.kind == .word, self.isSign(1, 0x3A) || self.isSign(1, 0x7C),
            let rank = self.rank(first)
        {
            self.line.rank = rank
            return 2
        } else if first.kind == .number, !first.isFraction, first.unitEnd == first.end {
            if self.isSign(1, 0x3A), self.tokens[1].space == 0, self.tokens[2].space > 0 {
                // A step; or the rank that `srun -l` prints, if the line has another step.
                self.line.step = first.value
                self.line.stepRank = 0
                return 2
            }
            self.firstNumber = first.value
        }
        return 0
    }

    private func rank(_ token: LineToken) -> Int? {
        var end = Int(token.end)
        var value = 0
        var place = 1
        while end > Int(token.start), self.text[end - 1] &- 0x30 < 10, place < 1_000_000 {
            end -= 1
            value += Int(self.text[end] &- 0x30) * place
            place *= 10
        }
        guard place > 1 else { return nil }
        switch self.lexer.lowercased(Int(token.start), end) {
        case "rank", "default", "worker", "gpu", "proc", "local_rank", "trainer": return value
        default: return nil
        }
    }
}
