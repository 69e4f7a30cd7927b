import Foundation

/// Reads counts such as `640/1000`: how far something has got, and out of how many.
extension LineReader {
    /// Reads `Epoch[0]`, `Batch [10]`, `Step [110/464]`, `Pseudo dice [0.84, 0.71]`. Returns nil if the words
    /// before the bracket are not a known name.
    func bracketed(_ index: Int) -> Int? {
        var value = index + 1
        if self.isWord(value), self.isSign(value + 1, 0x28), self.tokens[value + 1].space == 0 {
            value += 2
        }
        guard self.isNumber(value) else { return nil }
        let (first, last) = (self.run, self.runEnd)
        let name = self.names[self.slot(first, last)]
        switch name.use {
        case .step, .epoch, .figure:
            self.endRun()
            return self.listed(name, first, last, value, index, true)
        case .roleOnly:
            self.begin(section: name.role)
            return nil
        case .extra, .timeLeft, .rank, .countDone, .countTotal, .settings, .refused: return nil
        }
    }

    /// Reads two numbers with a slash between them; `index` is the first of them.
    func count(_ index: Int, label: (Int, Int)?, isBracketed: Bool) -> Int {
        let done = self.tokens[index]
        let total = self.tokens[index + 2]
        let next = index + 3
        let name = label.map { self.names[self.slot($0.0, $0.1)] }
        guard done.kind == .number, total.kind == .number else { return next }
        if let name, name.use == .roleOnly || (name.use == .extra && name.role.isEvaluation) {
            self.begin(section: name.role)
        }
        if let name, name.kind == .score, name.use == .figure, total.value > 0,
            done.value <= total.value
        {
            // `Accuracy: 9832/10000 (98%)`
            if !self.skipsLine, !self.skipsCell, !name.isBest, let label {
                self.add(name, label.0, label.1, done)
                self.line.figures[self.line.figures.count - 1].value = done.value / total.value
            }
            return self.afterRemark(next)
        }
        let isEpoch = name?.use == .epoch || self.unitUses(total).contains(.epoch)
        guard done.unitEnd == done.end, total.unitEnd == total.end || isEpoch, total.value >= 1,
            done.value >= 0,
            done.value <= total.value * 1.0001, total.value < 1e15
        else { return next }
        var count = TrainingLine.Count(done: done.value, total: total.value, strength: .step)
        if !isEpoch || self.isSign(next, 0x5B), let end = self.bar(&count, index, next) {
            self.hasBar = true
            self.take(count)
            return end
        }
        if isEpoch {
            count.strength = .epoch
            if let name, name.role != .none { self.begin(section: name.role) }
            self.line.epoch = done.value
            if !self.section.isEvaluation { self.line.epochCount = count }
            return self.afterPercent(next)
        }
        if let name, name.use == .step {
            if name.role != .none { self.begin(section: name.role) }
            if !done.isFraction, name.rank >= self.line.stepRank || self.line.step == nil, let label {
                self.line.step = done.value
                self.line.stepRank = name.rank
                self.line.stepKey = name.key
                self.line.stepName = (self.tokens[label.0].start, self.tokens[label.1].end)
            }
            count.isTraining = true
            count.isOfBatches = name.rank == 1
            count.isOfEpoch = self.line.epoch != nil && name.rank < 5
            self.take(count)
            return self.afterPercent(next)
        }
        if self.isSign(index - 1, 0x5B), self.isSign(next, 0x5D) || self.isSign(next, 0x28) {
            // `[  50/1251 (  4%)]`
            count.isOfEpoch = self.line.epoch != nil
            self.take(count)
            return self.afterPercent(next)
        }
        if self.isSign(index - 1, 0x28), self.isSign(next, 0x29), index > 1,
            self.isPercent(self.tokens[index - 2])
        {
            // `1.2% (100/8000)`
            count.isTraining = true
            self.take(count)
            return next
        }
        if let name, let label, name.use == .extra, name.role == .none || name.role == .train {
            let word = self.lexer.lowercased(
                Int(self.tokens[label.0].start), Int(self.tokens[label.1].end))
            // `'global_step/max_steps': '15/3766'`
            count.isTraining = word.contains("step") && word.contains("/") ? true : nil
            if FigureGrammar.countWords.contains(word) || count.isTraining == true { self.take(count) }
            return next
        }
        if label == nil, self.isWord(next), self.uses(next).contains(.trainBar), !done.isFraction {
            // `| 200/ 2928 batches |`
            count.isOfEpoch = self.line.epoch != nil
            self.take(count)
        } else if label == nil, self.line.epoch != nil, index > 0, self.isSign(index - 1, 0x3A),
            !done.isFraction
        {
            // `epoch 001:    300 / 1891 loss=`
            count.isOfEpoch = true
            self.take(count)
        } else if index == 0, !done.isFraction, next < self.count, self.tokens[next].kind == .sign {
            count.strength = .bare
            self.take(count)
        }
        return next
    }

    private func take(_ count: TrainingLine.Count) {
        var count = count
        if self.section.isEvaluation { count.isTraining = false }
        guard !self.skipsLine, self.line.count.map({ $0.strength <= count.strength }) ?? true else {
            return
        }
        self.line.count = count
    }

    private func unitUses(_ token: LineToken) -> GrammarWords.Uses {
        self.words.uses(self.text + Int(token.end), Int(token.unitEnd - token.end))
    }

    private func unit(_ token: LineToken) -> String? {
        token.unitEnd > token.end ? self.lexer.lowercased(Int(token.end), Int(token.unitEnd)) : nil
    }

    /// Returns the index after `(4%)`.
    private func afterPercent(_ index: Int) -> Int {
        self.isSign(index, 0x28) && self.isNumber(index + 1) && self.isSign(index + 2, 0x29)
            ? index + 3 : index
    }

    // MARK: Bars

    /// Reads a bar of tqdm, Keras or rich around a count; returns nil if there is none.
    private func bar(_ count: inout TrainingLine.Count, _ index: Int, _ next: Int) -> Int? {
        if self.isSign(next, 0x5B), next + 2 < self.count, self.tokens[next + 1].kind == .clock,
            self.isSign(next + 2, 0x3C) || self.isSign(next + 2, 0x2C)
        {
            count.isBar = true
            self.label(&count, index)
            return self.tqdm(&count, next)
        }
        let isBarBehind =
            self.isSign(next, LineToken.bar)
            || (self.isSign(next, 0x5B)
                && (self.isSign(next + 1, LineToken.bar) || self.isSign(next + 1, 0x3E)
                    || self.isSign(next + 1, 0x3D) || self.isSign(next + 1, 0x2E)))
        let isBarBefore = self.isSign(index - 1, LineToken.bar)
        if self.isWord(next), self.uses(next).contains(.bytes) {
            count.isTraining = false
        }
        guard isBarBehind || isBarBefore else { return nil }
        count.isBar = true
        count.isOfEpoch = true
        self.label(&count, index)
        if isBarBehind, self.isSign(next, 0x5B) {
            var end = next + 1
            while end < self.count, !self.isSign(end, 0x5D) { end += 1 }
            return end + 1
        }
        var end = next
        while self.isSign(end, LineToken.bar) { end += 1 }
        guard end < self.count else { return end }
        if self.tokens[end].kind == .clock {
            // Keras prints the time left; rich prints the time elapsed, a bullet and the time left.
            var left = self.tokens[end].value
            end += 1
            if self.isSign(end, LineToken.bar), end + 1 < self.count, self.tokens[end + 1].kind == .clock {
                left = self.tokens[end + 1].value
                end += 2
            }
            if count.done < count.total { count.timeLeft = left }
        } else if self.tokens[end].kind == .number, let unit = self.unit(self.tokens[end]),
            let length = Self.units[unit], count.done < count.total
        {
            count.timeLeft = self.tokens[end].value * length
            end += 1
        }
        if end < self.count, self.tokens[end].kind == .number { self.rate(&count, end) }
        return end
    }

    /// Reads `[00:41<00:23, 15.5it/s, loss=0.41]`; the pairs after the speed are then read as figures.
    private func tqdm(_ count: inout TrainingLine.Count, _ bracket: Int) -> Int {
        self.brackets += 1
        var index = bracket + 2
        if self.isSign(index, 0x3C) {
            index += 1
            if index < self.count, self.tokens[index].kind == .clock {
                if count.done < count.total { count.timeLeft = self.tokens[index].value }
                index += 1
            } else if self.isSign(index, 0x3F) {
                index += 1
            }
        }
        guard self.isSign(index, 0x2C) else { return index }
        index += 1
        if self.isSign(index, 0x3F) {
            if self.isWord(index + 1) { count.isExamples = !self.uses(index + 1).contains(.iterations) }
            return index + (self.isWord(index + 1) ? 2 : 1)
        }
        guard index < self.count, self.tokens[index].kind == .number else { return index }
        let token = self.tokens[index]
        if token.unitEnd == token.end, self.isWord(index + 1), self.tokens[index + 1].space == 1 {
            // `4822.01 examples/s`
            count.isExamples = !self.uses(index + 1).contains(.iterations)
            return index + 2
        }
        self.rate(&count, index)
        return index + 1
    }

    private func rate(_ count: inout TrainingLine.Count, _ index: Int) {
        let token = self.tokens[index]
        let unit = self.text + Int(token.end)
        let length = Int(token.unitEnd - token.end)
        guard length >= 3 else { return }
        if unit[0] | 0x20 == 0x73, unit[1] == 0x2F, token.value > 0 {
            count.rate = 1 / token.value
        } else if unit[0] == 0x6D, unit[1] == 0x73, unit[2] == 0x2F, token.value > 0 {
            count.rate = 1000 / token.value
        } else if unit[length - 2] == 0x2F, unit[length - 1] == 0x73 {
            count.rate = token.value
            let noun = self.words.uses(unit, length - 2)
            if noun.contains(.bytes) || unit[0] | 0x20 == 0x65 { count.isExamples = true }
        }
    }

    /// Reads from the words before a bar whether it counts the training or something else.
    private func label(_ count: inout TrainingLine.Count, _ index: Int) {
        if count.isTraining == false { return }
        for place in 0..<min(index, 16)
        where self.tokens[place].kind == .word || self.tokens[place].kind == .junk {
            if self.tokens[place].kind == .junk {
                count.isTraining = count.isTraining ?? false
                continue
            }
            let uses = self.uses(place)
            if uses.contains(.role), let role = FigureGrammar.roles[self.word(at: place)], role.isEvaluation {
                // `Validating epoch 4:  50%|`
                self.suggest(role)
            }
            if uses.contains(.otherBar) {
                count.isTraining = false
                return
            }
            if uses.contains(.trainBar) {
                count.isTraining = true
                if uses.contains(.epoch) { count.isOfEpoch = true }
            }
        }
    }
}
