import Foundation

/// Finds out what a number on a line means.
extension LineReader {
    /// Reads a number whose name precedes it. Returns the index at which reading continues.
    func named(_ name: FigureName, _ first: Int, _ last: Int, _ index: Int, isStrong: Bool) -> Int {
        let token = self.tokens[index]
        if self.isNumber(index + 2), token.kind == .number,
            self.isSign(index + 1, 0x2F) || self.isOutOf(index + 1, name)
        {
            return self.count(index, label: (first, last), isBracketed: false)
        }
        let next = self.afterRemark(index + 1)
        let hasUnit = token.unitEnd > token.end
        switch name.use {
        case .step:
            let isWhole = token.kind == .number && !token.isFraction && token.value >= 0
            guard isWhole, !hasUnit || self.scale(token), !self.skipsLine, !self.skipsCell else {
                return next
            }
            if isStrong || self.endsHere(index + 1) || self.isWord(index + 1) {
                self.set(step: token.value, name, first, last)
            }
            return index + 1
        case .epoch:
            guard token.kind == .number, !hasUnit, token.value >= 0, token.value < 1e7, !self.skipsLine
            else {
                return next
            }
            if name.role != .none { self.begin(section: name.role) }
            self.line.epoch = token.value
            // `validation loss at epoch 3`
            return index + 1
        case .rank:
            if token.kind == .number, !token.isFraction, self.line.rank == nil {
                self.line.rank = Int(saturating: token.value)
            }
            return next
        case .countDone:
            self.doneSteps = token.value
            self.doneToken = index
            return next
        case .countTotal:
            self.totalSteps = token.value
            self.totalToken = index
            return next
        case .roleOnly: return self.role(name, first, last, index, next)
        case .figure: break
        case .extra:
            if self.speedBehind(index) { return self.nameless(index) }
            guard isStrong, self.brackets == 0 || self.hasBar, self.parentheses == 0,
                !hasUnit || self.isPercent(token) || self.scale(token) || self.isShortTime(token)
            else { return next }
        case .timeLeft, .settings, .refused: return next
        }
        guard !self.skipsLine, !self.skipsCell, !name.isBest,
            !name.isTrialValue || self.line.step != nil
        else {
            return next
        }
        var name = name
        // `throughput: 1254.4 tokens/s`
        if name.kind == .speed, self.speedBehind(index) { name.saysOfWhat = true }
        if hasUnit, name.kind.isEvidence, !self.isPercent(token), !self.scale(token) { return next }
        self.add(name, first, last, token)
        return next
    }

    /// `true` for `of` in `epoch 3 of 10`.
    private func isOutOf(_ index: Int, _ name: FigureName) -> Bool {
        guard name.use == .step || name.use == .epoch, self.isWord(index),
            self.tokens[index].end - self.tokens[index].start == 2
        else { return false }
        return self.word(at: index) == "of"
    }

    func add(_ name: FigureName, _ first: Int, _ last: Int, _ token: LineToken) {
        if !self.objects.isEmpty {
            self.addNested(first, last, token)
            return
        }
        self.append(name, first, last, token)
    }

    /// Adds a figure of nested objects: `"val":{"loss":0.8}` is named `val.loss`.
    private func addNested(_ first: Int, _ last: Int, _ token: LineToken) {
        var title = ""
        for object in self.objects {
            title += self.text(Int(object.start), Int(object.end)) + "."
        }
        title += self.text(Int(self.tokens[first].start), Int(self.tokens[last].end))
        self.append(title, first, last, token)
    }

    private func text(_ start: Int, _ end: Int) -> String {
        String(
            decoding: UnsafeBufferPointer(start: self.text + start, count: end - start), as: UTF8.self)
    }

    private func append(_ name: FigureName, _ first: Int, _ last: Int, _ token: LineToken) {
        guard self.line.figures.count < 1024, token.kind == .notNumber || token.value.isFinite else {
            return
        }
        var figure = TrainingLine.Figure(
            name: name, nameStart: self.tokens[first].start, nameEnd: self.tokens[last].end,
            section: name.role == .none ? self.section : .none,
            value: token.kind == .notNumber ? .nan : token.value)
        if token.kind == .notNumber, self.text[Int(token.end) - 1] | 0x20 != 0x6E,
            self.isInfinite(token)
        {
            figure.value = self.text[Int(token.start)] == 0x2D ? -.infinity : .infinity
        }
        self.line.figures.append(figure)
    }

    /// Adds a figure whose name does not appear in the line in that form.
    func append(_ title: String, _ first: Int, _ last: Int, _ token: LineToken) {
        let before = self.line.figures.count
        self.append(self.names[self.names.find(title)], first, last, token)
        guard self.line.figures.count > before else { return }
        self.line.figures[before].titleIndex = self.line.titles.count
        self.line.titles.append(title)
    }

    private func isInfinite(_ token: LineToken) -> Bool {
        for index in Int(token.start)..<min(Int(token.start) + 2, Int(token.end))
        where self.text[index] | 0x20 == 0x69 { return true }
        return false
    }

    func isPercent(_ token: LineToken) -> Bool {
        token.unitEnd == token.end + 1 && self.text[Int(token.end)] == 0x25
    }

    /// `true` for `22.8ms` or `0.8s`; a value in minutes is a time of day or a wait.
    private func isShortTime(_ token: LineToken) -> Bool {
        self.words.uses(self.text + Int(token.end), Int(token.unitEnd - token.end)).contains(.time)
    }

    /// `true` for `14.2K`: the number has a suffix that scales it.
    private func scale(_ token: LineToken) -> Bool {
        guard token.unitEnd == token.end + 1 else { return false }
        return [0x4B, 0x6B, 0x4D, 0x47, 0x42, 0x54].contains(self.text[Int(token.end)])
    }

    private func set(step: Double, _ name: FigureName, _ first: Int, _ last: Int) {
        if name.role != .none { self.begin(section: name.role) }
        if self.line.step != nil, name.rank <= self.line.stepRank {
            self.line.otherStep = (step, name.key, self.tokens[first].start, self.tokens[last].end)
            return
        }
        if let old = self.line.step {
            if let name = self.line.stepName {
                self.line.otherStep = (old, self.line.stepKey, name.start, name.end)
            } else if self.line.rank == nil, self.isSign(1, 0x3A) {
                // `0: step 10`, as `srun -l` writes it.
                self.line.rank = Int(saturating: old)
            }
        }
        self.line.step = step
        self.line.stepRank = name.rank
        self.line.stepKey = name.key
        self.line.stepName = (self.tokens[first].start, self.tokens[last].end)
    }

    /// Returns the index after the parentheses behind a value, which may hold its mean, its step or a remark.
    func afterRemark(_ index: Int) -> Int {
        guard self.isSign(index, 0x28) else { return index }
        if self.isWord(index + 1), self.isSign(index + 2, 0x29), self.uses(index + 1).contains(.role) {
            // `loss 1.60 (val)`
            self.suggest(FigureGrammar.roles[self.word(at: index + 1)] ?? .none)
            return index + 3
        }
        var end = index + 1
        while end < self.count, end < index + 14, !self.isSign(end, 0x29) {
            if self.isSign(end, 0x3A) || self.isSign(end, 0x3D), self.isWord(end - 1) { return index }
            end += 1
        }
        return self.isSign(end, 0x29) ? end + 1 : index
    }

    /// `true` if a figure whose name only precedes it can end at `index`; within a sentence it cannot.
    private func endsHere(_ index: Int) -> Bool {
        guard index < self.count else { return true }
        let token = self.tokens[index]
        if token.space > 1 || token.isQuoted { return true }
        switch token.kind {
        // `loss 2.1 / kl 0.3`, and not `loss 2.1/3`
        case .sign where token.sign == 0x2F:
            return token.space > 0 && self.isWord(index + 1) && self.tokens[index + 1].space > 0
        case .sign: return token.sign != 0x3C
        case .number, .notNumber, .clock, .junk: return token.kind == .number && token.space > 0
        case .word:
            // These words are the name of the next figure, or a unit.
            var end = index
            while end < self.count, end < index + 4, self.isWord(end) { end += 1 }
            if end >= self.count { return end - index == 1 && self.isUnit(index) }
            let next = self.tokens[end]
            if next.kind == .number || next.kind == .notNumber { return true }
            return next.kind == .sign && [0x3A, 0x3D, 0x7C, 0x5B, 0x28].contains(next.sign)
                || (end - index == 1 && self.isUnit(index))
        }
    }

    private func isUnit(_ index: Int) -> Bool {
        self.uses(index).contains(.unit)
    }

    /// Reads a number without `:` or `=` before it.
    func number(_ index: Int) -> Int {
        let first = self.run
        let last = self.runEnd
        let token = self.tokens[index]
        if token.kind == .notNumber, first >= 0, last == index - 1, self.isWord(index + 1),
            self.uses(last).contains(.at)
        {
            // `number of nan iterations: 0`
            self.runEnd = index
            return index + 1
        }
        if last == index - 1 { self.leadingRole() }
        self.endRun()
        let hasName = first >= 0 && last == index - 1 && token.space > 0
        if self.isSign(index + 1, 0x2F), self.isNumber(index + 2), token.kind == .number {
            return self.count(
                index, label: hasName ? (first, last) : nil, isBracketed: self.isSign(index - 1, 0x5B))
        }
        if let next = self.rates(index) { return next }
        if hasName {
            if last - first >= 2, self.isHeading(first, last, token) {
                if self.names[self.slot(first, last - 2)].use == .figure {
                    self.heading = (first, last - 2)
                    self.headingEnd = index
                }
                return index + 1
            }
            let name = self.names[self.slot(first, last)]
            switch name.use {
            case .figure:
                if let value = self.valueAfterStep(index, name) {
                    self.set(step: token.value, FigureName(), first, last)
                    return self.named(name, first, last, value, isStrong: true)
                }
                if name.endsInMeasure, self.endsHere(index + 1) || token.unitEnd > token.end {
                    return self.named(name, first, last, index, isStrong: false)
                }
                return index + 1
            case .step, .epoch, .rank: return self.named(name, first, last, index, isStrong: false)
            case .timeLeft: return self.timeLeft(index)
            case .extra, .roleOnly, .countDone, .countTotal, .settings, .refused: break
            }
        }
        if self.isStepColumn(index, token) {
            self.line.step = token.value
            return index + 2
        }
        if self.isSign(index - 1, 0x5B), self.isSign(index + 1, 0x5D), !token.isFraction,
            self.line.figures.isEmpty,
            token.kind == .number, self.line.step == nil, self.isWord(index + 2),
            self.tokens[index + 2].space > 0
        {
            // `[100] learning_rate=0.0005`
            self.line.step = token.value
            return index + 1
        }
        return self.nameless(index)
    }

    /// Returns the index of the value in `Train loss 120 0.31` and `Validation loss 120: 0.43`, whose first
    /// number is the step.
    private func valueAfterStep(_ index: Int, _ name: FigureName) -> Int? {
        let token = self.tokens[index]
        guard name.kind == .loss, name.role != .none, name.endsInMeasure, token.kind == .number,
            !token.isFraction, token.unitEnd == token.end, self.line.figures.isEmpty, !self.line.hasPlace
        else { return nil }
        let value = self.isSign(index + 1, 0x3A) && self.tokens[index + 1].space == 0 ? index + 2 : index + 1
        guard self.isNumber(value), self.tokens[value].space == 1, self.endsHere(value + 1),
            self.tokens[value].isFraction || self.tokens[value].kind == .notNumber
        else { return nil }
        return value
    }

    /// Reads `validation loss at iteration 300`: first the measure, then its step; the value follows later.
    private func isHeading(_ first: Int, _ last: Int, _ token: LineToken) -> Bool {
        guard !token.isFraction, token.kind == .number, token.unitEnd == token.end,
            self.uses(last - 1).contains(.at)
        else { return false }
        let unit = self.names[self.slot(last, last)]
        let name = self.names[self.slot(first, last - 2)]
        guard unit.use == .step || unit.use == .epoch,
            name.use == .figure && name.endsInMeasure || name.role.isEvaluation
        else { return false }
        if unit.use == .epoch { self.line.epoch = token.value } else { self.line.step = token.value }
        if name.role != .none { self.begin(section: name.role) }
        return true
    }

    /// Reads the value of the figure that a heading named: after its `:`, or in the next cell
    /// under a name of the same kind.
    func headed(_ index: Int, as name: FigureName?) -> Int? {
        guard let heading = self.heading else { return nil }
        let kind = self.names[self.slot(heading.first, heading.last)]
        if let name { guard name.kind == kind.kind, name.use == .figure else { return nil } }
        self.heading = nil
        return self.named(kind, heading.first, heading.last, index, isStrong: true)
    }

    /// `true` for `300:<tab>learn: 0.65`, after any prefix that a logger writes.
    private func isStepColumn(_ index: Int, _ token: LineToken) -> Bool {
        self.line.step == nil && self.line.figures.isEmpty && token.kind == .number && !token.isFraction
            && token.unitEnd == token.end && self.isSign(index + 1, 0x3A) && self.tokens[index + 1].space == 0
            && self.isWord(index + 2) && self.tokens[index + 2].space > 1
    }

    /// Reads a number whose name follows it: `842733 tok/s`, `11.875 loss`, `12.28 hours left`.
    func nameless(_ index: Int) -> Int {
        let token = self.tokens[index]
        if token.unitEnd > token.end {
            if self.isWord(index + 1), self.uses(index + 1).contains(.left) {
                return self.timeLeft(index)
            }
            if self.words.uses(self.text + Int(token.end), Int(token.unitEnd - token.end)).contains(.epoch),
                self.line.epoch == nil, !token.isFraction
            {
                // `3epoch:train:`
                self.line.epoch = token.value
                return index + 1
            }
            if token.unitEnd == token.end + 1 || self.skipsLine || self.parentheses > 0 {
                return index + 1
            }
            let start = Int(token.end)
            let name = self.names[self.names.find(self.text + start, Int(token.unitEnd) - start)]
            guard name.kind == .speed, name.use == .figure, name.saysOfWhat, self.text[start] != 0x2F
            else {
                return index + 1
            }
            self.add(name, index, index, token)
            self.line.figures[self.line.figures.count - 1].nameStart = token.end
            self.line.figures[self.line.figures.count - 1].nameEnd = token.unitEnd
            return index + 1
        }
        guard self.isWord(index + 1), self.tokens[index + 1].space == 1, !self.skipsLine else {
            return index + 1
        }
        if self.isWord(index + 2), self.isWord(index + 3) {
            // `63.64 tokens per second`
            guard self.tokens[index + 2].end - self.tokens[index + 2].start == 3,
                self.word(at: index + 2) == "per"
            else {
                return self.uses(index + 2).contains(.left) ? self.timeLeft(index) : index + 1
            }
            let text =
                "\(self.word(at: index + 1)) \(self.word(at: index + 2)) \(self.word(at: index + 3))"
            let slot = self.names.find(text)
            if self.names[slot].kind == .speed, self.names[slot].saysOfWhat {
                let subject = self.lastName >= 0 ? self.word(at: self.lastName) : ""
                self.append(subject.isEmpty ? text : "\(subject) \(text)", index + 1, index + 3, token)
                return index + 4
            }
            if self.uses(index + 2).contains(.left) { return self.timeLeft(index) }
        } else if self.isWord(index + 2), self.uses(index + 2).contains(.left) {
            return self.timeLeft(index)
        }
        guard self.parentheses == 0, self.endsName(index + 2) else { return index + 1 }
        let name = self.names[self.slot(index + 1, index + 1)]
        guard name.use == .figure, !self.skipsCell, !name.isBest else { return index + 1 }
        if name.kind == .speed, self.word(at: index + 1).contains("/"), !name.saysOfWhat {
            return index + 1
        }
        self.add(name, index + 1, index + 1, token)
        self.valueBeforeName = true
        return index + 2
    }

    /// `true` if a name that follows its value ends before `index`: a sign,
    /// a gap or the end of the line follows.
    private func endsName(_ index: Int) -> Bool {
        guard index < self.count else { return true }
        let token = self.tokens[index]
        if token.kind == .sign { return token.sign == 0x2C || token.sign == 0x3B || token.sign == 0x7C }
        return token.space > 1
    }
}
