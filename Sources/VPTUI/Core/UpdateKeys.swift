import Foundation
import VPEngine

/// What keys do where no dialog has them.
extension State {
    mutating func keyPressed(_ key: Key, at date: Date) -> [Effect] {
        // Suspending and repainting work whatever is on screen.
        if key == .control("z") { return [.suspend] }
        if key == .control("l") { return [.redraw] }
        switch self.overlay {
        case .dialog(let dialog): return self.dialogKeyPressed(key, dialog, at: date)
        case .prompt(let prompt): return self.promptKeyPressed(key, prompt)
        case .help(let scroll):
            self.helpKeyPressed(key, scroll: scroll)
            return []
        case nil: break
        }
        guard let command = self.keyMap.command(for: key, focus: self.focus) else { return [] }
        if command.changesSomething, self.settings.isReadOnly {
            self.toast("Read-only: \(command.rawValue) is off (--readonly)", .warning)
            return []
        }
        return self.perform(command)
    }

    private mutating func perform(_ command: Command) -> [Effect] {
        switch command {
        case .nextPane: self.movePane(1)
        case .previousPane: self.movePane(-1)
        case .instancesPane: self.focus(.instances)
        case .offersPane: self.focus(.offers)
        case .jobsPane: self.focus(.jobs)
        case .logPane: self.focus(.main)
        case .zoomIn: self.zoom = self.focus == .main ? .main : .lists
        case .zoomOut: self.zoomOut()
        case .down: self.move(by: 1)
        case .up: self.move(by: -1)
        case .top: self.moveToEdge(isEnd: false)
        case .bottom: self.moveToEdge(isEnd: true)
        case .halfPageDown: self.move(by: max(1, self.pageHeight / 2))
        case .halfPageUp: self.move(by: -max(1, self.pageHeight / 2))
        case .pageDown: self.move(by: max(1, self.pageHeight - 1))
        case .pageUp: self.move(by: -max(1, self.pageHeight - 1))
        case .search: self.openSearch()
        case .help: self.overlay = .help(scroll: 0)
        case .refresh: return self.refresh()
        case .back: self.goBack()
        case .quit: return self.askToQuit()
        case .suspend: return [.suspend]
        case .undo: self.undoDestroy()
        case .create:
            self.focus(.offers)
            self.toast("Choose an offer and press Enter; e edits the query")
        case .sync: return self.startOnSelected("sync") { .sync($0.id) }
        case .download: return self.download()
        case .run: self.askForCommand()
        case .destroy: return self.askToDestroy()
        case .shell: return self.openShell()
        case .stopOrStart: self.askToStopOrStart()
        case .openLog: return self.openSelectedLog()
        case .details:
            self.mainContent = .details
            if self.zoom == .lists || Layout(self).main == nil { self.focus(.main) }
        case .copyID: return self.copyID()
        case .rent: self.askToRent()
        case .editQuery:
            self.overlay = .prompt(Prompt(.offerQuery, text: self.offerQueryText))
        case .sortColumn:
            self.onFocusedList {
                $0.sortByNextColumn()
            } offers: {
                $0.sortByNextColumn()
            } jobs: {
                $0.sortByNextColumn()
            }
        case .reverseSort:
            self.onFocusedList {
                $0.reverseOrder()
            } offers: {
                $0.reverseOrder()
            } jobs: {
                $0.reverseOrder()
            }
        case .cancel: self.askToCancel()
        case .runAgain: return self.runAgain()
        case .follow:
            if self.log.isFollowing {
                self.log.pause(at: self.log.position(self.logSize))
            } else {
                self.log.follow()
            }
        case .wrap:
            self.log.isWrapped.toggle()
            self.log.column = 0
        case .scrollLeft: self.log.column = max(0, self.log.column - 8)
        case .scrollRight: if !self.log.isWrapped { self.log.column = min(1 << 20, self.log.column + 8) }
        case .nextHit: self.findNext(forward: true)
        case .previousHit: self.findNext(forward: false)
        }
        return []
    }

    // MARK: Moving

    private mutating func movePane(_ step: Int) {
        let panes = Pane.allCases
        let index = (panes.firstIndex(of: self.focus) ?? 0) + step
        self.focus(panes[(index + panes.count) % panes.count])
    }

    private mutating func zoomOut() {
        if self.zoom != .both {
            self.zoom = .both
        } else {
            // Both do not fit on a narrow screen: there the key changes sides.
            guard Layout(self).isNarrow else { return }
            self.focus(self.focus == .main ? self.lastList : .main)
        }
    }

    private mutating func onFocusedList(
        _ instances: (inout ListState<Instance>) -> Void, offers: (inout ListState<Offer>) -> Void,
        jobs: (inout ListState<Job>) -> Void
    ) {
        switch self.focus {
        case .instances: instances(&self.instances)
        case .offers: offers(&self.offers)
        case .jobs: jobs(&self.jobs)
        case .main: break
        }
    }

    var logSize: Size {
        guard let area = Layout(self).main else { return Size(width: 80, height: 20) }
        return Size(width: area.inner.width, height: area.inner.height)
    }

    private var pageHeight: Int {
        guard self.focus != .main else { return self.logSize.height }
        let area = Layout(self).lists.first { $0.0 == self.focus }?.1
        return area.map { ListFrame(area: $0, hasBanner: self.banner(of: self.focus) != nil).rows.height }
            ?? 10
    }

    private mutating func move(by step: Int) {
        if self.focus == .main {
            if self.mainContent == .log { self.log.scroll(by: step, self.logSize) }
            return
        }
        self.onFocusedList {
            $0.select(index: ($0.selectedIndex ?? 0) + step)
        } offers: {
            $0.select(index: ($0.selectedIndex ?? 0) + step)
        } jobs: {
            $0.select(index: ($0.selectedIndex ?? 0) + step)
        }
    }

    private mutating func moveToEdge(isEnd: Bool) {
        if self.focus == .main {
            if isEnd {
                self.log.follow()
            } else {
                self.log.pause(at: LogState.Position(line: self.log.buffer.firstNumber))
            }
            return
        }
        self.onFocusedList {
            $0.select(index: isEnd ? .max : 0)
        } offers: {
            $0.select(index: isEnd ? .max : 0)
        } jobs: {
            $0.select(index: isEnd ? .max : 0)
        }
    }

    private mutating func openSearch() {
        if self.focus == .main {
            self.overlay = .prompt(Prompt(.search, text: ""))
            return
        }
        var filter = ""
        self.onFocusedList {
            filter = $0.filter
        } offers: {
            filter = $0.filter
        } jobs: {
            filter = $0.filter
        }
        self.overlay = .prompt(Prompt(.filter(self.focus), text: filter))
    }

    mutating func findNext(forward: Bool) {
        guard !self.log.search.isEmpty else {
            self.toast("Press / to search first")
            return
        }
        if !self.log.findNext(forward: forward, self.logSize) {
            self.toast("“\(self.log.search)” is not in the log", .warning)
        }
    }

    /// One step back, and never out: what is above the panes, then a search or filter, then the log.
    private mutating func goBack() {
        if !self.toasts.isEmpty { self.toasts = [] }
        if self.focus == .main {
            if !self.log.search.isEmpty {
                self.log.search = ""
                self.log.hit = nil
            } else {
                self.focus(self.lastList)
            }
            return
        }
        self.onFocusedList {
            $0.setFilter("")
        } offers: {
            $0.setFilter("")
        } jobs: {
            $0.setFilter("")
        }
        if self.zoom == .lists { self.zoom = .both }
    }

    private mutating func refresh() -> [Effect] {
        guard !self.settings.platforms.isEmpty else {
            self.toast("No platform has a key: `vp config-set --vast-api-key -`", .warning)
            return [.loadJobs]
        }
        self.instancesPoll.ask(at: self.now)
        self.balancesPoll.ask(at: self.now)
        self.jobsPoll.ask(at: self.now)
        self.toast("Asking \(self.settings.platforms.map(\.displayName).joined(separator: " and "))…", .muted)
        return [.loadInstances, .loadBalances, .loadJobs] + self.askOffers()
    }

    // MARK: Actions

    private mutating func startOnSelected(_ verb: String, _ action: (Instance) -> EngineAction) -> [Effect] {
        guard let instance = self.usableInstance(for: verb) else { return [] }
        return [self.start(action(instance))]
    }

    /// The selected instance, if it runs; otherwise says why not.
    private mutating func usableInstance(for verb: String) -> Instance? {
        guard let instance = self.instances.selectedRow else {
            self.toast("No instance is selected: rent one in Offers (2)", .warning)
            return nil
        }
        guard self.pendingDestroy(of: instance.id) == nil else {
            self.toast("\(instance.id) is about to be destroyed; z takes it back", .warning)
            return nil
        }
        guard instance.status == .running else {
            let advice = instance.status == .stopped ? "; x starts it" : ""
            self.toast("\(instance.id) is \(instance.status.rawValue): cannot \(verb)\(advice)", .warning)
            return nil
        }
        return instance
    }

    private mutating func download() -> [Effect] {
        guard self.focus == .jobs else { return self.startOnSelected("download") { .download($0.id) } }
        guard let job = self.jobs.selectedRow else { return [] }
        guard self.instances.row(job.instance) != nil else {
            self.toast("\(job.instance) is gone; nothing can be brought from it", .warning)
            return []
        }
        return [self.start(.download(job.instance))]
    }

    private mutating func askForCommand() {
        guard let instance = self.usableInstance(for: "run") else { return }
        self.overlay = .prompt(Prompt(.run(instance.id), history: self.commandHistory))
    }

    mutating func run(_ text: String, on id: InstanceID) -> [Effect] {
        self.remember(command: text)
        self.awaitsJobOn = id
        return [self.start(.run(id, RunRequest(command: .shell(text))))]
    }

    private mutating func runAgain() -> [Effect] {
        guard let job = self.jobs.selectedRow else { return [] }
        guard let instance = self.instances.row(job.instance) else {
            self.toast("\(job.instance) is gone: rent another, then r with ↑ runs the command", .warning)
            return []
        }
        guard instance.status == .running else {
            self.toast("\(instance.id) is \(instance.status.rawValue)", .warning)
            return []
        }
        self.awaitsJobOn = instance.id
        return [self.start(.run(instance.id, RunRequest(command: job.command)))]
    }

    private mutating func askToDestroy() -> [Effect] {
        guard let instance = self.instances.selectedRow else {
            self.toast("No instance is selected", .warning)
            return []
        }
        guard self.pendingDestroy(of: instance.id) == nil else { return [] }
        if let action = self.activeAction(on: instance.id), case .destroy = action.action {
            self.toast("\(instance.id) is being destroyed already", .warning)
            return []
        }
        self.overlay = .dialog(Dialog(.destroy(instance.id, .asking), openedAt: self.now))
        return [.loadUnsafeResults(instance.id)]
    }

    private mutating func undoDestroy() {
        guard let pending = self.pendingDestroys.popLast() else {
            self.toast("Nothing to take back")
            return
        }
        self.toast("\(pending.instance) is kept", .good)
    }

    private mutating func openShell() -> [Effect] {
        guard let instance = self.usableInstance(for: "open a shell") else { return [] }
        self.toast("Opening a shell on \(instance.id)…", .muted)
        return [.prepareShell(instance.id)]
    }

    private mutating func askToStopOrStart() {
        guard let instance = self.instances.selectedRow else { return }
        switch instance.status {
        case .stopped, .failed:
            self.overlay = .dialog(Dialog(.start(instance.id), openedAt: self.now))
        case .running, .loading, .pending, .unknown, .lost:
            self.overlay = .dialog(Dialog(.stop(instance.id), openedAt: self.now))
        case .stopping, .destroying:
            self.toast("\(instance.id) is \(instance.status.rawValue) already", .warning)
        }
    }

    private mutating func openSelectedLog() -> [Effect] {
        let job: Job?
        switch self.focus {
        case .jobs: job = self.jobs.selectedRow
        default:
            let instance = self.instances.selection
            job = self.jobs.rows.filter { $0.instance == instance }.max { $0.createdAt < $1.createdAt }
        }
        guard let job else {
            self.toast("No job has run there yet: r runs one", .warning)
            return []
        }
        let effects = self.openLog(job.id)
        self.focus(.main)
        return effects
    }

    private mutating func copyID() -> [Effect] {
        var id: String?
        self.onFocusedList {
            id = $0.selectedRow?.id.rawValue
        } offers: {
            id = $0.selectedRow?.id.rawValue
        } jobs: {
            id = $0.selectedRow?.id.rawValue
        }
        guard let id else { return [] }
        self.toast("Copied \(id)", .muted, for: 3)
        return [.copy(id)]
    }

    private mutating func askToRent() {
        guard let offer = self.offers.selectedRow else {
            self.toast("No offer is selected: e edits the query", .warning)
            return
        }
        let request = CreateRequest(offer: offer.id, query: self.offerQuery, platform: offer.platform)
        self.overlay = .dialog(Dialog(.create(offer, request), openedAt: self.now))
    }

    /// Of a list of instances: what is being done to the selected one, or a create that has no row yet.
    private mutating func askToCancel() {
        if self.focus == .instances {
            let selected = self.instances.selection.flatMap { self.activeAction(on: $0) }
            let creating = self.activeActions.last { $0.action.instance == nil }
            guard let action = selected ?? creating else {
                self.toast("Nothing is being done that could be cancelled")
                return
            }
            if let job = action.job, let instance = action.action.instance {
                self.overlay = .dialog(Dialog(.cancelJob(job, instance), openedAt: self.now))
            } else {
                self.overlay = .dialog(Dialog(.cancelAction(action.id), openedAt: self.now))
            }
            return
        }
        let id = self.focus == .jobs ? self.jobs.selection : self.log.job
        guard let id, let job = self.jobs.row(id) else { return }
        guard !job.state.isOver else {
            self.toast("\(id) is over: \(StatusWords.ending(of: job))", .warning)
            return
        }
        guard self.instances.row(job.instance) != nil else {
            self.toast("\(job.instance) is gone; nothing runs there", .warning)
            return
        }
        self.overlay = .dialog(Dialog(.cancelJob(id, job.instance), openedAt: self.now))
    }

    private mutating func askToQuit() -> [Effect] {
        // Nothing is lost by no longer looking at a job.
        let matters = self.activeActions.contains { if case .attach = $0.action { false } else { true } }
        guard matters || !self.pendingDestroys.isEmpty else { return [.quit] }
        self.overlay = .dialog(Dialog(.quit, openedAt: self.now))
        return []
    }
}
