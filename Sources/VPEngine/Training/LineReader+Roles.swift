/// Reads which data the figures of a line are about: the training's, or those of an evaluation.
extension LineReader {
    /// Reads a word alone between signs: `[EVAL]`, `(val)`, `| valid |`, `Train - `.
    func sectionWord(_ index: Int) {
        let next = self.tokens[index + 1].sign
        guard next == 0x5D || next == 0x29 || next == 0x7C || next == 0x2D || next == 0x3E else {
            return
        }
        guard index == 0 || self.tokens[index - 1].kind != .word || self.run == index else { return }
        if index > 0 {
            let previous = self.tokens[index - 1]
            if next == 0x5D { guard self.isSign(index - 1, 0x5B) else { return } }
            if next == 0x29 { guard self.isSign(index - 1, 0x28) else { return } }
            guard
                previous.kind == .sign || previous.kind == .junk || self.tokens[index].space > 1
                    || previous.kind == .clock || previous.kind == .number
            else { return }
        }
        let slot = self.slot(index, index)
        if self.names[slot].use == .roleOnly { self.begin(section: self.names[slot].role) }
    }

    func begin(section: FigureRole) {
        if self.section != .none, section != self.section, !self.line.figures.isEmpty {
            self.line.hasTwoRoles = true
        }
        self.section = section
        self.line.role = section.isEvaluation || self.line.role == .none ? section : self.line.role
    }

    /// The role of the lines under this one, if it is a heading without a place: `***** eval metrics *****`,
    /// `Evaluation results:`.
    var headingRole: FigureRole? {
        let count = self.count
        guard count >= 2, count <= 10, self.line.step == nil, self.line.count == nil else { return nil }
        let isFramed = self.isSign(0, LineToken.bar) && self.isSign(count - 1, LineToken.bar)
        guard isFramed || self.isSign(count - 1, 0x3A) else { return nil }
        for index in 0..<count where self.isWord(index) && self.uses(index).contains(.role) {
            if let role = FigureGrammar.roles[self.word(at: index)] { return role }
        }
        return nil
    }

    // MARK: Words that may say it

    /// Notes a role for the line's figures. `isSure` is a value of a name such as `split`.
    func suggest(_ role: FigureRole, isSure: Bool = false) {
        if isSure || self.line.weakRole == .none { self.line.weakRole = role }
    }

    /// Reads the role in words that begin a line without a sign of their own:
    /// `Validation Results - loss: 0.4`, `valid (5/10) loss: 0.35`, `CV Batch 4/200 loss 28.4`.
    func leadingRole() {
        guard self.run >= 0, self.line.weakRole == .none, self.line.figures.isEmpty, !self.skipsLine,
            !self.isSign(self.run - 1, 0x3A), !self.isSign(self.run - 1, 0x3D)
        else { return }
        let isCV = self.isCrossValidation(self.tokens[self.run])
        guard isCV || self.uses(self.run).contains(.role) else { return }
        let role = isCV ? .val : FigureGrammar.roles[self.word(at: self.run)] ?? .none
        guard role.isEvaluation, isCV || self.names[self.slot(self.run, self.runEnd)].use != .figure else {
            return
        }
        self.suggest(role)
    }

    /// `true` for `CV`, which is no role in a name: `load_cv` is a coefficient of variation.
    private func isCrossValidation(_ token: LineToken) -> Bool {
        token.end - token.start == 2 && self.text[Int(token.start)] | 0x20 == 0x63
            && self.text[Int(token.start) + 1] | 0x20 == 0x76
    }

    /// Reads `mode eval |`, a name and its value without a sign between them.
    func splitWord(_ index: Int) {
        guard self.run == index - 1, self.line.figures.isEmpty, self.uses(index - 1).contains(.split),
            self.uses(index).contains(.role), self.endsSplit(index + 1)
        else { return }
        self.suggest(FigureGrammar.roles[self.word(at: index)] ?? .none, isSure: true)
    }

    /// Reads the value of a name such as `split`: `"mode": "val"`, `"_type": "val_epoch"`. Returns the index
    /// after it; nil if the value is no role.
    func split(_ index: Int) -> Int? {
        guard self.isWord(index), self.endsSplit(index + 1) else { return nil }
        let words = self.word(at: index).split(separator: "_", maxSplits: 1)
        guard let first = words.first, let role = FigureGrammar.roles[String(first)],
            words.count == 1 || FigureGrammar.splitEndings.contains(String(words[1]))
        else { return nil }
        self.suggest(role, isSure: true)
        return index + 1
    }

    private func endsSplit(_ index: Int) -> Bool {
        guard index < self.count else { return true }
        return self.tokens[index].kind == .sign || self.tokens[index].space > 1 || self.tokens[index].isQuoted
    }

    /// Reads a role before a value. In `loss train: 2.2, val: 1.3` the measure is that of the figure before;
    /// in `learn: 0.65` the role is a figure of its own.
    func role(_ name: FigureName, _ first: Int, _ last: Int, _ index: Int, _ next: Int) -> Int {
        let token = self.tokens[index]
        guard !self.skipsLine else { return next }
        if token.kind == .number, !token.isFraction {
            // `Train: 0 [   0/1251`
            if self.isSign(index + 1, 0x5B) {
                self.line.epoch = token.value
                self.begin(section: name.role)
                return index + 1
            }
            return next
        }
        if let previous = self.line.figures.last, previous.name.role != .none,
            previous.name.kind.isEvidence
        {
            let before = self.lexer.lowercased(Int(previous.nameStart), Int(previous.nameEnd)).split(
                separator: " ")
            if before.count == 2,
                let place = before.firstIndex(where: { FigureGrammar.roles[String($0)] != nil })
            {
                let measure = before[1 - place]
                let word = self.word(at: first)
                self.append("\(word) \(measure)", first, last, token)
                return next
            }
        }
        guard token.kind == .notNumber || token.isFraction,
            token.unitEnd == token.end || self.isPercent(token)
        else {
            return next
        }
        var figure = name
        figure.use = .extra
        figure.isAlone = true
        self.add(figure, first, last, token)
        return next
    }

    // MARK: At the end of a line

    private static let lossKey = FigureName.key("loss")

    /// In `val loss: 1.60 | acc: 0.95` the role is that of both.
    /// Nothing gets it beside figures of the training: a `loss` without a role is one, and so is any that
    /// stands behind a score.
    func inheritRole() {
        var role = FigureRole.none
        var kind = FigureKind.other
        for figure in self.line.figures where figure.name.kind.isEvidence {
            if figure.name.role == .train || figure.section != .none { return }
            if figure.name.role.isEvaluation {
                if role != .none, role != figure.name.role { return }
                if role == .none { kind = figure.name.kind }
                role = figure.name.role
            } else if role == .none || figure.name.key == Self.lossKey
                || (figure.name.kind == .loss && kind != .loss)
            {
                return
            }
        }
        guard role != .none else { return }
        for index in self.line.figures.indices {
            let name = self.line.figures[index].name
            guard name.kind.isEvidence, name.role == .none else { continue }
            self.line.figures[index].section = role
        }
    }
}
