import Foundation
import VPEngine

/// What keys do in dialogs, prompts and the help.
extension State {
    static let undoTime: TimeInterval = 5

    mutating func dialogKeyPressed(_ key: Key, _ dialog: Dialog, at date: Date) -> [Effect] {
        guard date.timeIntervalSince(dialog.openedAt) >= Dialog.settleTime else { return [] }
        var dialog = dialog
        dialog.note = nil
        switch key {
        case .escape, .control("c"):
            self.overlay = nil
            if key == .control("c"), dialog.kind == .quit { return [.quit] }
        case .tab, .right, .down:
            dialog.focusedButton = (dialog.focusedButton + 1) % dialog.buttons.count
            self.overlay = .dialog(dialog)
        case .backTab, .left, .up:
            dialog.focusedButton = (dialog.focusedButton + dialog.buttons.count - 1) % dialog.buttons.count
            self.overlay = .dialog(dialog)
        case .enter:
            if dialog.focused == .cancel {
                self.overlay = nil
            } else if case .destroy = dialog.kind {
                // A habit of pressing Enter must not end an instance, wherever the focus is.
                dialog.note = "Enter does not destroy: press y"
                self.overlay = .dialog(dialog)
            } else {
                return self.confirmed(dialog)
            }
        case .character("y"), .character("Y"):
            if case .error = dialog.kind { return [] }
            if dialog.focused != .cancel { return self.confirmed(dialog) }
            if case .destroy = dialog.kind {
                dialog.note = "Go to a button with Tab first, then press y"
                self.overlay = .dialog(dialog)
            } else {
                dialog.focusedButton = 1
                return self.confirmed(dialog)
            }
        case .character("n"), .character("N"): self.overlay = nil
        default: break
        }
        return []
    }

    private mutating func confirmed(_ dialog: Dialog) -> [Effect] {
        self.overlay = nil
        switch dialog.kind {
        case .create(_, let request): return [self.start(.create(request))]
        case .destroy(let ids, _):
            let due = self.now.addingTimeInterval(Self.undoTime)
            self.pendingDestroys += ids.map { id in
                // The question has named the jobs that run there.
                let request = DestroyRequest(
                    discardsResults: dialog.focused == .discard, endsJobs: self.showsOpenJobs(on: id))
                return PendingDestroy(instance: id, request: request, due: due)
            }
            self.instances.apply(.clearMarks)
            return [.confirmDestroys(self.pendingDestroys.filter { ids.contains($0.instance) })]
        case .runAgain(let jobs):
            self.awaitsJobOn = jobs.last?.instance
            return jobs.map { self.start(.run($0.instance, RunRequest(command: $0.command))) }
        case .stop(let ids):
            return ids.map { self.start(.stop($0, StopRequest(endsJobs: self.showsOpenJobs(on: $0)))) }
        case .start(let ids): return ids.map { self.start(.start($0)) }
        case .conflicts(let ids, _): return ids.map { self.start(.sync($0)) }
        case .cancelJobs(let targets):
            return targets.map { target in
                if let index = self.actions.firstIndex(where: { $0.job == target.job && $0.isActive }) {
                    self.actions[index].isCancelling = true
                }
                return self.start(.cancel(target.job, on: target.instance, CancelRequest()))
            }
        case .cancelAction(let action):
            if let index = self.actions.firstIndex(where: { $0.id == action && $0.isActive }) {
                self.actions[index].isCancelling = true
                return [.cancel(action)]
            }
            return []
        case .quit: return [.quit]
        case .error: return []
        }
    }

    private func showsOpenJobs(on id: InstanceID) -> Bool {
        self.jobs.rows.contains { $0.instance == id && !$0.state.isOver }
    }

    mutating func promptKeyPressed(_ key: Key, _ prompt: Prompt) -> [Effect] {
        var prompt = prompt
        switch key {
        case .escape, .control("c"):
            self.overlay = nil
            // Leaving a filter takes it back; leaving the other prompts changes nothing.
            if case .filter(let pane) = prompt.kind { self.change(pane, .filter("")) }
            if case .search = prompt.kind { self.log.search = nil }
            return []
        case .enter: return self.promptEntered(prompt)
        case .up, .control("p"):
            if prompt.isInline {
                if case .filter(let pane) = prompt.kind { self.change(pane, .move(by: -1)) }
                return []
            }
            prompt.moveInHistory(1)
        case .down, .control("n"):
            if prompt.isInline {
                if case .filter(let pane) = prompt.kind { self.change(pane, .move(by: 1)) }
                return []
            }
            prompt.moveInHistory(-1)
        default:
            guard prompt.field.apply(key) else { return [] }
            prompt.problem = nil
        }
        self.overlay = .prompt(prompt)
        self.promptEdited(prompt)
        return []
    }

    mutating func textPasted(_ text: String) -> [Effect] {
        // Pasted text is never taken for keys: a paste into the wrong window must not destroy anything.
        guard !Layout(self).isTooSmall else { return [] }
        switch self.overlay {
        case .prompt(var prompt):
            prompt.field.insert(text)
            self.overlay = .prompt(prompt)
            self.promptEdited(prompt)
        case .palette(var palette):
            palette.field.insert(text)
            palette.selected = nil
            self.overlay = .palette(palette)
        case .form(var form):
            guard !form.focused.isChoice else { return [] }
            form.texts[form.focused]?.insert(text)
            form.edited()
            self.overlay = .form(form)
        default: break
        }
        return []
    }

    private mutating func promptEdited(_ prompt: Prompt) {
        switch prompt.kind {
        case .filter(let pane): self.change(pane, .filter(prompt.field.text))
        case .search:
            let pattern = TextPattern(prompt.field.text)
            let generation = (self.log.search?.generation ?? 0) + 1
            self.log.search =
                pattern.isEmpty ? nil : LogState.Search(pattern: pattern, generation: generation)
        default: break
        }
    }

    private mutating func promptEntered(_ prompt: Prompt) -> [Effect] {
        let text = prompt.field.text.trimmingCharacters(in: .whitespaces)
        self.overlay = nil
        switch prompt.kind {
        case .filter: break
        case .search:
            if !text.isEmpty { return self.search(prompt.field.text) }
        case .keepLines:
            if let problem = TextPattern(text).problem { return self.reopen(prompt, problem) }
            self.keepLines(prompt.field.text)
        case .run(let ids):
            guard !text.isEmpty else { return [] }
            let alive = ids.filter { self.instances.row($0) != nil }
            guard !alive.isEmpty else {
                self.toast("\(ids[0]) is gone; nothing was run", .warning)
                return []
            }
            // The rest stays as it was typed: it is shell text.
            var words = text.split(separator: " ", maxSplits: text.hasPrefix("--max-cost ") ? 2 : 0)
                .map(String.init)
            do {
                let limit = try Self.takeLimit(from: &words)
                guard let rest = words.first else { return self.reopen(prompt, "A command is missing") }
                let command = limit != nil && rest.hasPrefix("-- ") ? String(rest.dropFirst(3)) : rest
                return self.run(command, limit: limit, on: alive)
            } catch {
                return self.reopen(prompt, error.sentence)
            }
        case .rename(let id):
            guard !text.isEmpty, text != self.instances.row(id)?.name else { return [] }
            return [.rename(id, text)]
        case .forward(let id):
            guard !text.isEmpty else { return [] }
            switch self.forward(text, on: id) {
            case .success(let effects): return effects
            case .failure(let problem): return self.reopen(prompt, problem.sentence)
            }
        case .goToTime:
            if let problem = self.goToTime(text) { return self.reopen(prompt, problem) }
        case .writeLog(let job):
            guard !text.isEmpty else { return [] }
            return [.writeLog(job, path: text, filter: self.log.filter?.pattern)]
        case .offerQuery:
            do {
                let query = try OfferQueryText.parse(text, base: self.offerQuery)
                self.offerQuery = query
                self.offerQueryText = OfferQueryText.text(query)
                return self.askOffers()
            } catch {
                return self.reopen(prompt, error.sentence)
            }
        }
        return []
    }

    /// Asks again, with what was wrong.
    private mutating func reopen(_ prompt: Prompt, _ problem: String) -> [Effect] {
        var prompt = prompt
        prompt.problem = problem
        self.overlay = .prompt(prompt)
        return []
    }

    // MARK: Lists and text

    mutating func listKeyPressed(_ key: Key, _ list: ListOverlay) -> [Effect] {
        var list = list
        let count =
            switch list.kind {
            case .history: self.history.entries.count
            case .actions: self.actions.count
            }
        let page = max(1, ListOverlayScreen.area(self.size).inner.height - 1)
        switch key {
        case .down, .character("j"): list.selected += 1
        case .up, .character("k"): list.selected -= 1
        case .pageDown, .control("d"): list.selected += page
        case .pageUp, .control("u"): list.selected -= page
        case .home, .character("g"): list.selected = 0
        case .end, .character("G"): list.selected = count - 1
        case .character("y"), .enter:
            if case .history = list.kind, self.history.entries.indices.contains(list.selected) {
                return self.copy(self.history.entries[list.selected].line)
            }
            return []
        case .character("X"):
            guard case .actions = list.kind else { return [] }
            let records = ActionsStrip.records(self)
            guard records.indices.contains(list.selected), records[list.selected].isActive else { return [] }
            guard !self.settings.isReadOnly else { return [] }
            self.askToCancel(records[list.selected])
            return []
        default:
            self.overlay = nil
            return []
        }
        list.selected = max(0, min(count - 1, list.selected))
        if list.selected < list.top { list.top = list.selected }
        if list.selected >= list.top + page { list.top = list.selected - page + 1 }
        self.overlay = .list(list)
        return []
    }

    mutating func textKeyPressed(_ key: Key, _ text: TextOverlay) {
        var text = text
        let page = max(1, TextOverlayScreen.area(self.size, text).inner.height - 1)
        switch key {
        case .down, .character("j"): text.scroll += 1
        case .up, .character("k"): text.scroll -= 1
        case .pageDown, .control("d"), .character(" "): text.scroll += page
        case .pageUp, .control("u"): text.scroll -= page
        case .home, .character("g"): text.scroll = 0
        case .end, .character("G"): text.scroll = .max / 2
        default:
            self.overlay = nil
            return
        }
        text.scroll = max(0, min(text.lines.count - page - 1, text.scroll))
        self.overlay = .text(text)
    }

    mutating func helpKeyPressed(_ key: Key, scroll: Int) {
        switch key {
        case .down, .character("j"): self.overlay = .help(scroll: scroll + 1)
        case .up, .character("k"): self.overlay = .help(scroll: max(0, scroll - 1))
        case .pageDown, .control("d"), .character(" "): self.overlay = .help(scroll: scroll + 10)
        case .pageUp, .control("u"): self.overlay = .help(scroll: max(0, scroll - 10))
        case .home, .character("g"): self.overlay = .help(scroll: 0)
        default: self.overlay = nil
        }
        if case .help(let scroll) = self.overlay {
            self.overlay = .help(scroll: min(scroll, HelpScreen.maximumScroll(self)))
        }
    }
}
