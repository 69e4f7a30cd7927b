import Foundation

/// Reads the words of a line: names, or the roles of the figures beside them.
extension LineReader {
    func word(_ index: Int, _ token: LineToken) -> Int {
        if self.runEnd != index - 1 || token.space > 1 || token.isQuoted || self.run < 0 {
            self.run = index
            if token.space > 1, self.skipsCell { self.skipsCell = false }
        }
        self.runEnd = index
        if self.run == index, self.isLevel(token) {
            self.endRun()
            return index + 1
        }
        if token.end - token.start == 6, self.isStream(index, token) {
            self.endRun()
            return index + 2
        }
        if self.firstRun == nil || self.firstRun?.first == self.run {
            self.firstRun = (self.run, index)
        }
        if token.end - token.start >= 4 { self.mark(index, token) }
        if index + 1 < self.count, self.tokens[index + 1].kind == .sign { self.sectionWord(index) }
        if index > 0, self.isWord(index - 1) { self.splitWord(index) }
        // In `Test  Epoch 1 | Loss 0.6` the role is a cell of its own before all figures.
        if self.run == index, self.line.figures.isEmpty, self.isWord(index + 1),
            self.tokens[index + 1].space > 1
        {
            let slot = self.slot(index, index)
            if self.names[slot].use == .roleOnly { self.begin(section: self.names[slot].role) }
        }
        return index + 1
    }

    /// Notes words which show that the line reports the best value, or what was kept.
    private func mark(_ index: Int, _ token: LineToken) {
        let start = self.text + Int(token.start)
        let head = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self) | 0x2020_2020
        switch head {
        case Self.head("best"), Self.head("lowe"), Self.head("high"), Self.head("reco"):
            guard self.uses(index).contains(.best) else { return }
            if self.line.figures.isEmpty, !self.line.hasPlace || self.runStartsLine {
                self.line.isBest = true
            }
            self.skipsCell = true
        case Self.head("savi"), Self.head("save"), Self.head("chec"), Self.head("impr"),
            Self.head("rest"),
            Self.head("yayy"), Self.head("resu"), Self.head("load"), Self.head("earl"), Self.head("dese"):
            let uses = self.uses(index)
            guard uses.contains(.kept) else { return }
            if uses.contains(.save) { self.saysSaved = true }
            if uses.contains(.snapshot) { self.saysCheckpoint = true }
            if uses.contains(.saving), self.isWord(index + 1), self.uses(index + 1).contains(.dict) {
                self.section = .eval
                self.line.role = .eval
            } else if self.line.figures.isEmpty {
                self.skipsLine = true
                if uses.contains(.early) { self.line.isBest = true }
            }
        case Self.head("mode"), Self.head("weig"), Self.head("snap"), Self.head("ckpt"), Self.head("stat"):
            if self.uses(index).contains(.snapshot) { self.saysCheckpoint = true }
        default: return
        }
    }

    /// `true` if one of the words is a file with weights: `out/epoch3.pt`.
    var namesCheckpoint: Bool {
        for index in 0..<self.count where self.tokens[index].kind == .junk {
            let token = self.tokens[index]
            var start = Int(token.end)
            while start > Int(token.start), self.text[start - 1] != 0x2E { start -= 1 }
            if start > Int(token.start),
                self.words.uses(self.text + start, Int(token.end) - start).contains(.weights)
            {
                return true
            }
        }
        return false
    }

    private var runStartsLine: Bool { self.firstRun?.first == self.run }

    private static func head(_ word: StaticString) -> UInt32 {
        UnsafeRawPointer(word.utf8Start).loadUnaligned(as: UInt32.self) | 0x2020_2020
    }

    func uses(_ index: Int) -> GrammarWords.Uses {
        let token = self.tokens[index]
        return self.words.uses(self.text + Int(token.start), Int(token.end - token.start))
    }

    func word(at index: Int) -> String {
        self.lexer.lowercased(Int(self.tokens[index].start), Int(self.tokens[index].end))
    }

    /// `true` for a logger's level, as in `INFO step 5`: it is not part of a name.
    private func isLevel(_ token: LineToken) -> Bool {
        let length = Int(token.end - token.start)
        guard length >= 4, length <= 8, self.text[Int(token.start)] & 0x20 == 0,
            self.text[Int(token.start) + 1] & 0x20 == 0
        else { return false }
        return self.words.uses(self.text + Int(token.start), length).contains(.level)
    }

    /// `true` for `stdout F`, which container logs have before each line.
    private func isStream(_ index: Int, _ token: LineToken) -> Bool {
        guard self.isWord(index + 1), self.tokens[index + 1].end - self.tokens[index + 1].start == 1 else {
            return false
        }
        let word = self.word(at: index)
        return word == "stdout" || word == "stderr"
    }
}
