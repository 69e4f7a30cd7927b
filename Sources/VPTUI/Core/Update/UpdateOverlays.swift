import Foundation
import VPEngine

/// The effects of keys in dialogs, prompts and the help.
extension State {
    static let undoTime: TimeInterval = 5

    /// Passes a key to the overlay on top, and carries out the outcome.
    mutating func keyPressed(_ key: Key, in overlay: Overlay, at date: Date) -> [Effect] {
        if key == .character("?"), overlay.takesNoText {
            self.toast("The keys of this box are in the last line; Esc closes it", .muted)
            return []
        }
        switch overlay {
        case .dialog(var dialog):
            let outcome = dialog.pressed(key, at: date)
            self.overlay = .dialog(dialog)
            switch outcome {
            case .stays: return []
            case .confirms: return self.confirmed(dialog)
            case .closes: self.overlay = nil
            case .quits:
                self.overlay = nil
                return [.terminal(.quit)]
            }
        case .prompt(var prompt):
            let outcome = prompt.pressed(key)
            self.overlay = .prompt(prompt)
            return self.carryOut(outcome, of: prompt)
        case .form(var form):
            let outcome = form.pressed(key, platforms: self.settings.platforms) { [form] in
                form.completions(self).first
            }
            self.overlay = .form(form)
            switch outcome {
            case .stays: break
            case .closes: self.overlay = nil
            case .rents: return self.rent(form, at: date)
            }
        case .palette(var palette):
            let outcome = palette.pressed(
                key, candidates: palette.candidates(self), history: self.paletteHistory)
            let asked: [Effect] = self.palettePaths(&palette)
            self.overlay = .palette(palette)
            switch outcome {
            case .stays: return asked
            case .closes: self.overlay = nil
            case .runs(let line): return self.execute(line: line)
            }
        case .list(var list):
            let outcome = list.pressed(key, count: self.count(of: list), page: Layout.page(of: list, self))
            self.overlay = .list(list)
            return self.carryOut(outcome, of: list)
        case .text(var text):
            let outcome = text.pressed(key, page: Layout.page(of: text, self.size))
            self.overlay = outcome == .closes ? nil : .text(text)
        case .help(var help):
            let outcome = help.pressed(key, page: max(1, self.size.height / 2)) {
                HelpScreen.scrollLimit(self, $0)
            }
            self.overlay = outcome == .closes ? nil : .help(help)
        }
        return []
    }

    /// Requests the names that could complete a path, once per folder.
    private func palettePaths(_ palette: inout Palette) -> [Effect] {
        guard let folder = palette.wantedFolder, palette.listing?.folder != folder else { return [] }
        palette.listing = Palette.Listing(folder: folder, names: [])
        return [.ask(.listFolder(folder))]
    }

    private mutating func confirmed(_ dialog: Dialog) -> [Effect] {
        self.overlay = nil
        switch dialog.kind {
        case .create(_, let request): return [self.start(.create(request))]
        case .destroy(let ids, _):
            let due = self.now.addingTimeInterval(Self.undoTime)
            self.pendingDestroys += ids.map { id in
                // The question has listed the jobs that run there.
                let request = DestroyRequest(
                    discardsResults: dialog.focused == .discard, endsJobs: self.showsOpenJobs(on: id))
                return PendingDestroy(instance: id, request: request, due: due)
            }
            self.instances.apply(.clearMarks)
            return [.order(.confirmDestroys(self.pendingDestroys.filter { ids.contains($0.instance) }))]
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
                return [.order(.cancel(action))]
            }
            return []
        case .extendLease(let id, let seconds):
            self.toast("Setting the lease of \(id)…", .muted)
            return [.order(.setLease(id, seconds: seconds))]
        case .quit: return [.terminal(.quit)]
        case .error: return []
        }
    }

    private func showsOpenJobs(on id: InstanceID) -> Bool {
        self.jobs.rows.contains { $0.instance == id && !$0.state.isOver }
    }

    private mutating func carryOut(_ outcome: Prompt.Outcome, of prompt: Prompt) -> [Effect] {
        switch outcome {
        case .stays: break
        case .edited: self.promptEdited(prompt)
        case .enters: return self.promptEntered(prompt)
        case .leaves:
            self.overlay = nil
            // Leaving a filter clears it; leaving the other prompts changes nothing.
            if case .filter(let pane) = prompt.kind { self.change(pane, .filter("")) }
            if case .search = prompt.kind { self.log.search = nil }
        case .moves(let step):
            if case .filter(let pane) = prompt.kind { self.change(pane, .move(by: step)) }
        }
        return []
    }

    mutating func textPasted(_ text: String) -> [Effect] {
        // Pasted text is never treated as keys: a paste into the wrong window must not destroy anything.
        guard !Layout(self).isTooSmall else { return [] }
        switch self.overlay {
        case .prompt(var prompt):
            prompt.pasted(text)
            self.overlay = .prompt(prompt)
            self.promptEdited(prompt)
        case .palette(var palette):
            palette.pasted(text)
            self.overlay = .palette(palette)
        case .form(var form):
            form.pasted(text)
            self.overlay = .form(form)
        case .help(var help):
            help.pasted(text)
            self.overlay = .help(help)
        case .list(var list) where list.isTyping:
            list.field.insert(text)
            self.overlay = .list(list)
        case .dialog, .list, .text, nil: break
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
        case .run, .rename, .lease, .forward, .offerQuery, .keepLines, .writeLog, .goToTime: break
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
            // The rest stays as typed, because it is shell text.
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
            return [.order(.rename(id, text))]
        case .lease(let id):
            guard !text.isEmpty else { return [] }
            do {
                try self.askForLease(text, of: id)
            } catch {
                return self.reopen(prompt, error.sentence)
            }
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
            return [.log(.writeLog(job, path: text, filter: self.log.filter?.pattern))]
        case .offerQuery:
            do {
                return try self.wantOffers(text)
            } catch {
                return self.reopen(prompt, error.sentence)
            }
        }
        return []
    }

    /// Opens the prompt again, with the problem.
    private mutating func reopen(_ prompt: Prompt, _ problem: String) -> [Effect] {
        var prompt = prompt
        prompt.problem = problem
        self.overlay = .prompt(prompt)
        return []
    }

    // MARK: Lists

    /// Returns the number of rows in the list.
    func count(of list: ListOverlay) -> Int {
        switch list.kind {
        case .history: self.history.shown(in: list).count
        case .actions: self.listedActions.count
        case .alarms: self.alarms.count
        }
    }

    private mutating func carryOut(_ outcome: ListOverlay.Outcome, of list: ListOverlay) -> [Effect] {
        switch (list.kind, outcome) {
        case (_, .stays), (.actions, .enters), (.actions, .copies), (.history, .cancels), (.alarms, .cancels):
            break
        case (_, .closes): self.overlay = nil
        case (.history, .enters(let row)), (.history, .copies(let row)):
            return self.copy(self.history.shown(in: list)[row].line)
        case (.actions, .cancels(let row)):
            let record = self.listedActions[row]
            if record.isActive, !self.settings.isReadOnly { self.askToCancel(record) }
        case (.alarms, .enters(let row)): return self.act(on: self.alarms[row])
        case (.alarms, .copies(let row)): return self.copy(self.action(for: self.alarms[row]).line)
        }
        return []
    }
}
