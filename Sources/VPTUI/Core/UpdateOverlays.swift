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
        case .destroy(let id, _):
            let request = DestroyRequest(discardsResults: dialog.focused == .discard)
            self.pendingDestroys.append(
                PendingDestroy(
                    instance: id, request: request, due: self.now.addingTimeInterval(Self.undoTime)))
            return []
        case .stop(let id): return [self.start(.stop(id))]
        case .start(let id): return [self.start(.start(id))]
        case .cancelJob(let job, let instance):
            if let index = self.actions.firstIndex(where: { $0.job == job && $0.isActive }) {
                self.actions[index].isCancelling = true
            }
            return [self.start(.cancel(job, on: instance, CancelRequest()))]
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

    mutating func promptKeyPressed(_ key: Key, _ prompt: Prompt) -> [Effect] {
        var prompt = prompt
        switch key {
        case .escape, .control("c"):
            self.overlay = nil
            // Leaving a filter takes it back; leaving the other prompts changes nothing.
            if case .filter(let pane) = prompt.kind { self.setFilter("", of: pane) }
            return []
        case .enter: return self.promptEntered(prompt)
        case .up, .control("p"):
            if prompt.isInline {
                if case .filter = prompt.kind { self.moveUnderFilter(-1) }
                return []
            }
            prompt.moveInHistory(1)
        case .down, .control("n"):
            if prompt.isInline {
                if case .filter = prompt.kind { self.moveUnderFilter(1) }
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

    mutating func textPasted(_ text: String, at date: Date) -> [Effect] {
        // Pasted text is never taken for keys: a paste into the wrong window must not destroy anything.
        guard case .prompt(var prompt) = self.overlay else { return [] }
        prompt.field.insert(text)
        self.overlay = .prompt(prompt)
        self.promptEdited(prompt)
        return []
    }

    private mutating func promptEdited(_ prompt: Prompt) {
        switch prompt.kind {
        case .filter(let pane): self.setFilter(prompt.field.text, of: pane)
        case .search:
            self.log.search = prompt.field.text
            self.log.hit = nil
        case .run, .offerQuery: break
        }
    }

    private mutating func setFilter(_ text: String, of pane: Pane) {
        switch pane {
        case .instances: self.instances.setFilter(text)
        case .offers: self.offers.setFilter(text)
        case .jobs: self.jobs.setFilter(text)
        case .main: break
        }
    }

    private mutating func moveUnderFilter(_ step: Int) {
        switch self.focus {
        case .instances: self.instances.select(index: (self.instances.selectedIndex ?? 0) + step)
        case .offers: self.offers.select(index: (self.offers.selectedIndex ?? 0) + step)
        case .jobs: self.jobs.select(index: (self.jobs.selectedIndex ?? 0) + step)
        case .main: break
        }
    }

    private mutating func promptEntered(_ prompt: Prompt) -> [Effect] {
        let text = prompt.field.text.trimmingCharacters(in: .whitespaces)
        switch prompt.kind {
        case .filter:
            self.overlay = nil
            return []
        case .search:
            self.overlay = nil
            if !text.isEmpty { self.findNext(forward: false) }
            return []
        case .run(let id):
            guard !text.isEmpty else {
                self.overlay = nil
                return []
            }
            self.overlay = nil
            guard self.instances.row(id) != nil else {
                self.toast("\(id) is gone; nothing was run", .warning)
                return []
            }
            return self.run(text, on: id)
        case .offerQuery:
            do {
                let query = try OfferQueryText.parse(text, base: self.offerQuery)
                self.offerQuery = query
                self.offerQueryText = OfferQueryText.text(query)
                self.overlay = nil
                return self.askOffers()
            } catch {
                var prompt = prompt
                prompt.problem = error.sentence
                self.overlay = .prompt(prompt)
                return []
            }
        }
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
