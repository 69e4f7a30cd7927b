import Foundation
import VPEngine

/// Handles keys: the overlay on top gets them first, then the focused pane.
extension State {
    mutating func keyPressed(_ key: Key, at date: Date) -> [Effect] {
        // Suspending and repainting always work, whatever is on screen.
        if key == .control("z") { return [.terminal(.suspend)] }
        if key == .control("l") { return [.terminal(.redraw)] }
        guard !Layout(self).isTooSmall else { return self.keyPressedUnseen(key) }
        // These keys mean something only by the key map, which applies to the panes below the overlays.
        if key.isSpare, self.overlay != nil { return [] }
        if let overlay = self.overlay { return self.keyPressed(key, in: overlay, at: date) }
        let pane = self.keyPane
        guard let command = self.keyMap.command(for: key, focus: pane, content: self.mainContent) else {
            return []
        }
        // A key of the row's list, pressed in its details, acts on the row;
        // those that work everywhere act here.
        let isEverywhere = self.keyMap.bindings.contains {
            $0.context == .everywhere && $0.command == command && $0.keys.contains(key)
        }
        if pane != self.focus, !isEverywhere, command != .details { self.focus(pane) }
        return self.execute(command)
    }

    /// Handles a key on a screen that is too small: only the keys that its note names.
    private mutating func keyPressedUnseen(_ key: Key) -> [Effect] {
        switch self.keyMap.command(for: key, focus: .instances) {
        case .quit: [.terminal(.quit)]
        case .undo where !self.pendingDestroys.isEmpty: self.undoDestroy()
        default: []
        }
    }

    /// Carries out a command from a key or the palette, unless the dashboard is read-only.
    mutating func execute(_ command: Command) -> [Effect] {
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
        case .help: self.overlay = .help(HelpOverlay())
        case .palette: return self.openPalette()
        case .history: self.overlay = .list(ListOverlay(.history))
        case .actions: self.overlay = .list(ListOverlay(.actions))
        case .alarms:
            self.overlay = .list(ListOverlay(.alarms))
            return self.askMoney()
        case .limits: return self.runLine(["limits"])
        case .toggleTheme: return [.terminal(.toggleTheme)]
        case .refresh: return self.refresh()
        case .back: self.goBack()
        case .quit: return self.askToQuit()
        case .suspend: return [.terminal(.suspend)]
        case .undo: return self.undoDestroy()
        case .mark: self.change(self.focus, .toggleMark)
        case .markRange: self.change(self.focus, .toggleRange)
        case .unmark: self.change(self.focus, .clearMarks)
        case .sortColumn: self.change(self.focus, .nextOrder)
        case .reverseSort: self.change(self.focus, .reverseOrder)
        case .copyID: return self.copyID()
        case .copyLine: return self.copyLine()
        case .create: return self.openForm(offer: nil)
        case .sync: return self.sync()
        case .download: return self.download()
        case .run: return self.askForCommand()
        case .destroy: return self.askToDestroy(self.instances.targets.map(\.id))
        case .shell: return self.openShell()
        case .stopOrStart: self.askToStopOrStart()
        case .forwardPort: self.askForPort()
        case .rename: self.askForName()
        case .lease: self.askForLease()
        case .files: return self.openFiles()
        case .providerLog:
            guard let id = self.instances.selection else { return [] }
            self.toast("Asking \(id.platform.displayName)…", .muted)
            return [.ask(.loadProviderLog(id))]
        case .details: self.openDetails()
        case .rent: return self.openForm(offer: self.offers.selectedRow)
        case .rentDirectly: self.askToRent()
        case .editQuery: self.overlay = .prompt(Prompt(.offerQuery, text: self.market.queryText))
        case .openLog: return self.openSelectedLog()
        case .metrics: return self.toggleMetrics()
        case .cancel: self.askToCancel()
        case .runAgain: self.askToRunAgain()
        case .follow: self.toggleFollow()
        case .wrap: self.toggleWrap()
        case .scrollLeft: self.log.column = max(0, self.log.column - 8)
        case .scrollRight: self.scrollRight()
        case .nextHit: return self.findNext(isForward: true)
        case .previousHit: return self.findNext(isForward: false)
        case .keepLines: self.askWhichLines()
        case .context: self.cycleContext()
        case .times: return self.toggleTimes()
        case .goToTime: self.overlay = .prompt(Prompt(.goToTime))
        case .writeLog: self.askWhereToWrite()
        case .nextJob: return self.openNeighbour(-1)
        case .previousJob: return self.openNeighbour(1)
        case .cursorLeft: self.moveCursor(by: -1)
        case .cursorRight: self.moveCursor(by: 1)
        case .smoothCurves: self.cycleSmoothing()
        case .logScale: self.metrics.options.isLog.toggle()
        case .changeAxis: self.cycleAxis()
        case .fullRange: self.toggleRange()
        case .pinJob: self.togglePin()
        case .overlayJobs: self.toggleOthers()
        case .compareJobs: self.metrics.options.showsTable.toggle()
        }
        return []
    }

    /// Goes one step back, but never quits: first closes what is above the panes, then clears marks, a search
    /// or a filter, then leaves the log.
    private mutating func goBack() {
        if !self.toasts.isEmpty { self.toasts = [] }
        guard self.focus == .main else {
            if self.markCount(of: self.focus) > 0 {
                self.change(self.focus, .clearMarks)
            } else {
                self.change(self.focus, .filter(""))
                if self.zoom == .lists { self.zoom = .both }
            }
            return
        }
        if self.mainContent == .log, self.log.search != nil {
            self.log.search = nil
        } else if self.mainContent == .log, self.log.filter != nil {
            self.log.setFilter(nil)
        } else if self.mainContent == .metrics, self.metrics.cursor != nil {
            self.metrics.cursor = nil
        } else if self.mainContent == .metrics || self.mainContent == .files, self.log.job != nil {
            self.mainContent = .log
        } else {
            self.focus(self.lastList)
        }
    }

    mutating func refresh() -> [Effect] {
        guard !self.settings.platforms.isEmpty else {
            self.toast("No platform has a key: `vp config-set --vast-api-key -`", .warning)
            return [self.loadJobs]
        }
        self.polls.instances.ask(at: self.now)
        self.polls.balances.ask(at: self.now)
        self.polls.jobs.ask(at: self.now)
        self.toast("Asking \(self.settings.platforms.map(\.displayName).joined(separator: " and "))…", .muted)
        var effects: [Effect] =
            [.ask(.loadInstances), .ask(.loadBalances), self.loadJobs] + self.askOffers()
        if self.mainContent == .files, let id = self.files.instance {
            self.files.ask(id)
            effects.append(.ask(.compareWorkspace(id)))
        }
        return effects
    }

    private mutating func copyID() -> [Effect] {
        let ids: [String] =
            switch self.focus {
            case .instances: self.instances.targets.map(\.id.rawValue)
            case .offers: self.offers.targets.map(\.id.rawValue)
            case .jobs: self.jobs.targets.map(\.id.rawValue)
            case .main: []
            }
        return self.copy(ids.joined(separator: " "))
    }

    /// Copies an instance's ssh command, or the `vp` command line for the action of Enter.
    private mutating func copyLine() -> [Effect] {
        switch self.focus {
        case .instances:
            let lines = self.instances.targets.compactMap { instance in
                instance.ssh.map { "ssh -p \($0.port) \($0.user)@\($0.host)" }
            }
            if lines.isEmpty { self.toast("It has no ssh address yet", .warning) }
            return self.copy(lines.joined(separator: "\n"))
        case .offers:
            return self.copy(
                self.offers.targets.map { offer in
                    let request = CreateRequest(
                        offer: offer.id, query: self.market.query, platform: offer.platform)
                    return CommandTwin.line(.create(request))
                }.joined(separator: "\n"))
        case .jobs:
            return self.copy(
                self.jobs.targets.map { job in
                    CommandTwin.line(.run(job.instance, RunRequest(command: job.command)))
                }.joined(separator: "\n"))
        case .main where self.mainContent == .metrics:
            return self.copy(
                self.metrics.job.map { job in
                    "vp metrics " + ([job] + self.overlaidJobs).map(\.rawValue).joined(separator: " ")
                } ?? "")
        case .main: return self.copy(self.log.job.map { "vp logs -f \($0)" } ?? "")
        }
    }

    mutating func copy(_ text: String) -> [Effect] {
        guard !text.isEmpty else { return [] }
        self.toast("Copied \(text.split(separator: "\n").joined(separator: " · "))", .muted, for: 3)
        return [.terminal(.copy(text))]
    }

    private mutating func askToQuit() -> [Effect] {
        // Ending to follow a job loses nothing.
        let matters = self.activeActions.contains { if case .attach = $0.action { false } else { true } }
        let losesDemo = self.settings.isDemo && !self.instances.rows.isEmpty
        guard matters || losesDemo || !self.pendingDestroys.isEmpty else { return [.terminal(.quit)] }
        self.overlay = .dialog(Dialog(.quit, openedAt: self.now))
        return []
    }
}
