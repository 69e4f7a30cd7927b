import Foundation
import VPEngine

// Each overlay handles its keys: it changes itself and returns the outcome as a value, which
// `update` carries out.

extension Dialog {
    enum Outcome: Equatable { case stays, closes, confirms, quits }

    mutating func pressed(_ key: Key, at date: Date) -> Outcome {
        guard date.timeIntervalSince(self.openedAt) >= Self.settleTime else { return .stays }
        self.note = nil
        switch key {
        case .escape: return .closes
        case .control("c"): return self.kind == .quit ? .quits : .closes
        case .tab, .right, .down:
            self.focusedButton = (self.focusedButton + 1) % self.buttons.count
            return .stays
        case .backTab, .left, .up:
            self.focusedButton = (self.focusedButton + self.buttons.count - 1) % self.buttons.count
            return .stays
        case .enter:
            if self.focused == .cancel { return .closes }
            guard case .destroy = self.kind else { return .confirms }
            // A habitual Enter must not destroy an instance, whichever button is focused.
            self.note = "Enter does not destroy: press y"
            return .stays
        case .character("y"), .character("Y"):
            if case .error = self.kind { return .stays }
            if self.focused != .cancel { return .confirms }
            if case .destroy = self.kind {
                self.note = "Go to a button with Tab first, then press y"
                return .stays
            }
            self.focusedButton = 1
            return .confirms
        case .character("n"), .character("N"): return .closes
        default: return .stays
        }
    }
}

extension Prompt {
    enum Outcome: Equatable {
        case stays, leaves, enters, edited
        /// Moves the selection in the filtered rows.
        case moves(Int)
    }

    mutating func pressed(_ key: Key) -> Outcome {
        switch key {
        case .escape, .control("c"): return .leaves
        case .enter: return .enters
        case .up, .control("p"): return self.went(1)
        case .down, .control("n"): return self.went(-1)
        default:
            guard self.field.apply(key) else { return .stays }
            self.problem = nil
            return .edited
        }
    }

    /// Moves to earlier lines of the history, or up in the rows.
    private mutating func went(_ step: Int) -> Outcome {
        if self.isInline { return .moves(-step) }
        self.moveInHistory(step)
        return .edited
    }

    mutating func pasted(_ text: String) {
        self.field.insert(text)
    }
}

extension ListOverlay {
    enum Outcome: Equatable {
        case stays, closes
        /// The index of the selected row.
        case enters(Int), copies(Int), cancels(Int)
    }

    /// - Parameters:
    ///   - count: the number of rows.
    ///   - page: the number of rows on screen.
    mutating func pressed(_ key: Key, count: Int, page: Int) -> Outcome {
        if self.kind == .history, self.pressedInHistory(key) { return .stays }
        switch key {
        case .down, .character("j"): self.selected += 1
        case .up, .character("k"): self.selected -= 1
        case .pageDown, .control("d"): self.selected += page
        case .pageUp, .control("u"): self.selected -= page
        case .home, .character("g"): self.selected = 0
        case .end, .character("G"): self.selected = count - 1
        case .enter: return (0..<count).contains(self.selected) ? .enters(self.selected) : .stays
        case .character("y"): return (0..<count).contains(self.selected) ? .copies(self.selected) : .stays
        case .character("X"): return (0..<count).contains(self.selected) ? .cancels(self.selected) : .stays
        default: return .closes
        }
        self.anchor = nil
        self.keepSelection(count: count, page: page)
        return .stays
    }

    /// Returns `true` if the key changes which part of the history is shown.
    private mutating func pressedInHistory(_ key: Key) -> Bool {
        switch key {
        case .enter where self.isTyping: self.isTyping = false
        case .escape where self.isTyping || !self.field.text.isEmpty:
            self.field = TextField()
            self.isTyping = false
        case .down, .up, .pageDown, .pageUp: return false
        case _ where self.isTyping: _ = self.field.apply(key)
        case .character("/"): self.isTyping = true
        case .character("p"): self.showsCalls.toggle()
        default: return false
        }
        (self.selected, self.top) = (0, 0)
        return true
    }

    /// Keeps the selection within the rows, which change while the list is open.
    mutating func keepSelection(count: Int, page: Int) {
        self.selected = max(0, min(count - 1, self.selected))
        if self.selected < self.top { self.top = self.selected }
        if self.selected >= self.top + page { self.top = self.selected - page + 1 }
    }
}

extension TextOverlay {
    enum Outcome: Equatable { case stays, closes }

    mutating func pressed(_ key: Key, page: Int) -> Outcome {
        switch key {
        case .down, .character("j"): self.scroll += 1
        case .up, .character("k"): self.scroll -= 1
        case .pageDown, .control("d"), .character(" "): self.scroll += page
        case .pageUp, .control("u"): self.scroll -= page
        case .home, .character("g"): self.scroll = 0
        case .end, .character("G"): self.scroll = .max / 2
        default: return .closes
        }
        self.scroll = max(0, min(self.lines.count - page - 1, self.scroll))
        return .stays
    }
}

extension HelpOverlay {
    enum Outcome: Equatable { case stays, closes }

    /// - Parameters:
    ///   - page: the number of rows on screen.
    ///   - limit: returns the largest scroll offset for the text typed so far.
    mutating func pressed(_ key: Key, page: Int, limit: (HelpOverlay) -> Int) -> Outcome {
        switch key {
        case .down: self.scroll += 1
        case .up: self.scroll -= 1
        case .pageDown, .control("d"): self.scroll += page
        case .pageUp: self.scroll -= page
        case .home: self.scroll = 0
        case .end: self.scroll = .max / 2
        case .escape where !self.field.text.isEmpty: self.field = TextField()
        case .escape, .enter, .control("c"): return .closes
        case .character("?") where self.field.text.isEmpty: return .closes
        default:
            guard self.field.apply(key) else { return .stays }
            self.scroll = 0
        }
        self.scroll = max(0, min(limit(self), self.scroll))
        return .stays
    }

    mutating func pasted(_ text: String) {
        self.field.insert(text)
        self.scroll = 0
    }
}

extension LaunchForm {
    enum Outcome: Equatable { case stays, closes, rents }

    /// - Parameters:
    ///   - platforms: the platforms that have a key.
    ///   - completion: returns the best completion of the focused field.
    mutating func pressed(_ key: Key, platforms: [Platform], completion: () -> String?) -> Outcome {
        switch key {
        case .escape, .control("c"): return .closes
        case .control("s"): return .rents
        case .enter where self.focused == .rent: return .rents
        case .tab, .down, .enter, .control("n"): self.focused = self.field(1)
        case .backTab, .up, .control("p"): self.focused = self.field(-1)
        case .left where self.focused.isChoice: self.changeChoice(-1, platforms)
        case .right where self.focused.isChoice, .character(" ") where self.focused.isChoice:
            self.changeChoice(1, platforms)
        case .right where self.texts[self.focused]?.isAtEnd == true:
            guard let first = completion() else { return .stays }
            self.set(self.focused, first)
            self.edited()
        default:
            guard !self.focused.isChoice, self.texts[self.focused]?.apply(key) == true else { return .stays }
            self.edited()
        }
        return .stays
    }

    mutating func pasted(_ text: String) {
        guard !self.focused.isChoice else { return }
        self.texts[self.focused]?.insert(text)
        self.edited()
    }

    private func field(_ step: Int) -> Field {
        let all = Field.allCases
        let index = (all.firstIndex(of: self.focused) ?? 0) + step
        return all[(index + all.count) % all.count]
    }

    private mutating func changeChoice(_ step: Int, _ platforms: [Platform]) {
        switch self.focused {
        case .platform:
            let choices: [Platform?] = [nil] + platforms.map { $0 }
            let index = (choices.firstIndex(of: self.platform) ?? 0) + step
            self.platform = choices[(index + choices.count) % choices.count]
        case .spot: self.isSpot.toggle()
        case .gpu, .count, .price, .cost, .disk, .image, .lease, .name, .command, .rent: return
        }
        self.edited()
    }
}

extension Palette {
    enum Outcome: Equatable {
        case stays, closes
        case runs(String)
    }

    /// - Parameter history: earlier lines, newest first.
    mutating func pressed(_ key: Key, candidates: [Candidate], history: [String]) -> Outcome {
        switch key {
        case .escape, .control("c"): return .closes
        case .enter: return self.entered(candidates)
        case .tab:
            let index = self.selected ?? 0
            guard candidates.indices.contains(index) else { return .stays }
            // After a folder, typing continues.
            let text = candidates[index].text
            self.field.replace(with: text.hasSuffix("/") ? text : text + " ")
            self.selected = nil
        case .down, .control("n"):
            if self.historyIndex != nil {
                self.moveInHistory(-1, history)
            } else if !candidates.isEmpty {
                self.selected = min(candidates.count - 1, (self.selected ?? -1) + 1)
            }
        case .up, .control("p"):
            if let selected = self.selected {
                self.selected = selected > 0 ? selected - 1 : nil
            } else {
                self.moveInHistory(1, history)
            }
        default:
            guard self.field.apply(key) else { return .stays }
            self.selected = nil
            self.historyIndex = nil
            self.problem = nil
        }
        return .stays
    }

    mutating func pasted(_ text: String) {
        self.field.insert(text)
        self.selected = nil
    }

    private mutating func entered(_ candidates: [Candidate]) -> Outcome {
        var line = self.field.text.trimmingCharacters(in: .whitespaces)
        if let candidate = self.chosen(candidates) {
            guard candidate.isWhole else {
                self.field.replace(with: candidate.text + " ")
                self.selected = nil
                return .stays
            }
            line = candidate.text
        }
        return line.isEmpty ? .stays : .runs(line)
    }

    /// The candidate that Enter accepts: the selected one, or the best one for a first word that is
    /// not a verb itself.
    private func chosen(_ candidates: [Candidate]) -> Candidate? {
        if let selected = self.selected {
            return candidates.indices.contains(selected) ? candidates[selected] : nil
        }
        let text = self.field.text.trimmingCharacters(in: .whitespaces)
        guard !text.isEmpty, self.historyIndex == nil, !text.contains(" "),
            !candidates.contains(where: { $0.text == text })
        else { return nil }
        return candidates.first
    }

    private mutating func moveInHistory(_ step: Int, _ history: [String]) {
        let index = (self.historyIndex ?? -1) + step
        guard index >= -1, index < history.count else { return }
        if self.historyIndex == nil { self.draft = self.field.text }
        self.historyIndex = index < 0 ? nil : index
        self.field.replace(with: index < 0 ? self.draft : history[index])
    }
}
