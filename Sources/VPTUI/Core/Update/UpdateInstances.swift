import Foundation
import VPEngine

/// The effects of keys on instances: on the selected one, or on all marked ones.
extension State {
    /// Returns how a command is given here: by the key that is in force, or by a word.
    func way(to command: Command, word: String) -> String {
        if self.settings.isPlain { return word }
        return self.keyMap.bindings.first { $0.command == command }?.keys.first?.name ?? ":" + word
    }

    /// Returns the target instances that are running; shows the reason for the others.
    private mutating func usableInstances(for verb: String) -> [Instance] {
        let targets = self.instances.targets
        guard !targets.isEmpty else {
            self.toast(
                "No instance is selected: \(self.way(to: .create, word: "create")) rents one", .warning)
            return []
        }
        return targets.filter { instance in
            guard self.pendingDestroy(of: instance.id) == nil else {
                self.toast(
                    "\(instance.id) is about to be destroyed; \(self.way(to: .undo, word: "undo")) takes it back",
                    .warning)
                return false
            }
            guard instance.status == .running else {
                let advice =
                    instance.status == .stopped
                    ? "; \(self.way(to: .stopOrStart, word: "start")) starts it" : ""
                self.toast("\(instance.id) is \(instance.status.rawValue): cannot \(verb)\(advice)", .warning)
                return false
            }
            return true
        }
    }

    /// Compares first: if a file changed on both sides, the user sees that before anything is sent.
    mutating func sync() -> [Effect] {
        let ids = self.usableInstances(for: "sync").map(\.id)
        guard !ids.isEmpty else { return [] }
        self.toast("Comparing files…", .muted, for: 2)
        return [.ask(.checkConflicts(ids))]
    }

    mutating func download() -> [Effect] {
        if self.focus == .main { return self.downloadShown() }
        guard self.focus == .jobs else {
            return self.usableInstances(for: "download").map { self.start(.download($0.id)) }
        }
        var effects: [Effect] = []
        var done: Set<InstanceID> = []
        for job in self.jobs.targets where done.insert(job.instance).inserted {
            if self.instances.row(job.instance) != nil {
                effects.append(self.start(.download(job.instance)))
            } else {
                self.toast("\(job.instance) is gone; nothing can be downloaded from it", .warning)
            }
        }
        return effects
    }

    /// Downloads from the instance that the main pane is about: that of the files, or of the open log.
    private mutating func downloadShown() -> [Effect] {
        let shown = self.mainContent == .files ? self.files.instance : nil
        let job = self.log.job.flatMap { self.jobs.row($0)?.instance }
        guard let id = shown ?? job ?? self.instances.selection, let instance = self.instances.row(id) else {
            self.toast("Its instance is gone; nothing can be downloaded from it", .warning)
            return []
        }
        return self.isUsable(instance, for: "download") ? [self.start(.download(id))] : []
    }

    /// Asks for a command; until one has run, the project's scripts are offered in place of earlier ones.
    mutating func askForCommand() -> [Effect] {
        let instances = self.usableInstances(for: "run")
        guard !instances.isEmpty else { return [] }
        self.overlay = .prompt(Prompt(.run(instances.map(\.id)), history: self.commandHistory))
        return self.commandHistory.isEmpty ? [.ask(.listFolder(""))] : []
    }

    /// Offers the scripts of a listed folder in an open prompt for a command.
    mutating func offerScripts(_ listing: Palette.Listing) {
        guard case .prompt(var prompt) = self.overlay, case .run = prompt.kind, prompt.history.isEmpty,
            listing.folder.isEmpty
        else { return }
        prompt.history = listing.names.compactMap { name in
            // A name that a shell would not take as one word is for the user to quote.
            guard name.allSatisfy({ $0.isLetter || $0.isNumber || "._-".contains($0) }) else { return nil }
            return name.hasSuffix(".py") ? "python3 \(name)" : name.hasSuffix(".sh") ? "bash \(name)" : nil
        }
        self.overlay = .prompt(prompt)
    }

    mutating func run(_ text: String, limit: Double?, on ids: [InstanceID]) -> [Effect] {
        self.remember(command: text)
        self.awaitsJobOn = ids.first
        return ids.map { self.start(.run($0, RunRequest(command: .shell(text), maximumCost: limit))) }
    }

    /// Removes `--max-cost 2` from before a command, where `vp run` accepts it as well.
    static func takeLimit(from words: inout [String]) throws(DashboardFileError) -> Double? {
        guard words.first == "--max-cost" else { return nil }
        let number = words.count > 1 ? Double(words[1].drop { $0 == "$" }) : nil
        guard let number, number > 0, number.isFinite else {
            throw DashboardFileError("--max-cost takes dollars: --max-cost 2 python train.py")
        }
        words.removeFirst(2)
        return number
    }

    mutating func askToDestroy(_ wanted: [InstanceID]) -> [Effect] {
        guard !wanted.isEmpty else {
            self.toast("No instance is selected", .warning)
            return []
        }
        let ids = wanted.filter { id in
            guard self.pendingDestroy(of: id) == nil else { return false }
            if let action = self.activeAction(on: id), case .destroy = action.action {
                self.toast("\(id) is being destroyed already", .warning)
                return false
            }
            return true
        }
        guard !ids.isEmpty else { return [] }
        let reports = Dictionary(uniqueKeysWithValues: ids.map { ($0, Dialog.UnsafeReport.asking) })
        self.overlay = .dialog(Dialog(.destroy(ids, reports), openedAt: self.now))
        return ids.map { .ask(.loadUnsafeResults($0)) }
    }

    mutating func undoDestroy() -> [Effect] {
        guard let due = self.pendingDestroys.last?.due else {
            self.toast("Nothing to take back")
            return []
        }
        // Destroys that were confirmed together are undone together.
        let ids = self.pendingDestroys.filter { $0.due == due }.map(\.instance)
        let kept = ids.map(\.rawValue)
        self.pendingDestroys.removeAll { $0.due == due }
        self.toast(
            "\(kept.joined(separator: ", ")) \(kept.count == 1 ? "is" : "are") kept", .good)
        return [.order(.takeBackDestroys(ids))]
    }

    mutating func openShell() -> [Effect] {
        guard let instance = self.instances.selectedRow else {
            self.toast(
                "No instance is selected: \(self.way(to: .create, word: "create")) rents one", .warning)
            return []
        }
        guard self.isUsable(instance, for: "open a shell") else { return [] }
        self.toast("Opening a shell on \(instance.id)…", .muted)
        return [.ask(.prepareShell(instance.id))]
    }

    /// `true` if an instance runs and is not about to be destroyed.
    func isUsable(_ instance: Instance) -> Bool { instance.status == .running && !self.isEnding(instance) }

    /// `true` if an instance is being destroyed, or about to be.
    func isEnding(_ instance: Instance) -> Bool {
        if instance.status == .destroying || self.pendingDestroy(of: instance.id) != nil { return true }
        if case .destroy? = self.activeAction(on: instance.id)?.action { return true }
        return false
    }

    /// `true` if an action on this single instance is possible; otherwise shows the reason.
    private mutating func isUsable(_ instance: Instance, for verb: String) -> Bool {
        guard self.isUsable(instance) else {
            self.toast("\(instance.id) is \(instance.status.rawValue): cannot \(verb)", .warning)
            return false
        }
        return true
    }

    mutating func askToStopOrStart() {
        let targets = self.instances.targets
        let stopped = targets.filter { $0.status == .stopped || $0.status == .failed }
        let others = targets.filter {
            switch $0.status {
            case .running, .loading, .pending, .unknown, .lost: true
            case .stopped, .failed, .stopping, .destroying: false
            }
        }
        if !others.isEmpty {
            self.overlay = .dialog(Dialog(.stop(others.map(\.id)), openedAt: self.now))
        } else if !stopped.isEmpty {
            self.overlay = .dialog(Dialog(.start(stopped.map(\.id)), openedAt: self.now))
        } else if let instance = targets.first {
            self.toast("\(instance.id) is \(instance.status.rawValue) already", .warning)
        }
    }

    mutating func askForPort() {
        guard let instance = self.instances.selectedRow, self.isUsable(instance, for: "forward a port") else {
            return
        }
        let open = self.forwards.filter { $0.instance == instance.id }
        let history = open.map { "close \($0.localPort)" } + ["8888", "6006", "7860:7860", "8000"]
        self.overlay = .prompt(Prompt(.forward(instance.id), history: history))
    }

    /// Parses `8888`, `9000:8888` (local:remote), or `close 8888`.
    mutating func forward(_ text: String, on id: InstanceID) -> Result<[Effect], DashboardFileError> {
        let words = text.split(separator: " ")
        if words.first == "close", words.count == 2, let port = Int(words[1]),
            let forward = self.forwards.first(where: { $0.instance == id && $0.localPort == port })
        {
            return .success([.order(.endForward(forward))])
        }
        let ports = text.split(separator: ":").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard (1...2).contains(ports.count), let local = ports[0], let remote = ports[ports.count - 1],
            (1...65_535).contains(local), (1...65_535).contains(remote)
        else { return .failure(DashboardFileError("A port, or HERE:THERE: 8888, 9000:8888")) }
        return .success([.order(.forward(PortForward(instance: id, localPort: local, remotePort: remote)))])
    }

    mutating func askForName() {
        guard let instance = self.instances.selectedRow else { return }
        self.overlay = .prompt(Prompt(.rename(instance.id), text: instance.name ?? ""))
    }

    mutating func askForLease() {
        guard let instance = self.instances.selectedRow else {
            self.toast(
                "No instance is selected: \(self.way(to: .create, word: "create")) rents one", .warning)
            return
        }
        guard self.isUsable(instance, for: "set its lease") else { return }
        self.overlay = .prompt(Prompt(.lease(instance.id), history: ["2h", "4h", "12h", "1d", "3d"]))
    }

    /// Shows the most that a lease of this length may cost, and asks before setting it.
    mutating func askForLease(_ text: String, of id: InstanceID) throws(DashboardFileError) {
        let seconds: Double
        do { seconds = try TimeSpan.seconds(text) } catch { throw DashboardFileError(error.sentence) }
        if let cap = self.instances.row(id)?.lease?.capEndsAt, self.now.addingTimeInterval(seconds) > cap {
            throw DashboardFileError("Its hard limit (lease.max) is \(self.moment(cap))")
        }
        self.overlay = .dialog(Dialog(.extendLease(id, seconds: seconds), openedAt: self.now))
    }

    mutating func openDetails() {
        self.mainContent = .details
        self.mainScroll = 0
        if self.zoom == .lists || Layout(self).main == nil { self.focus(.main) }
    }

    mutating func openFiles() -> [Effect] {
        let job = self.focus == .main || self.focus == .jobs ? self.jobs.selectedRow?.instance : nil
        guard let id = job ?? self.instances.selection, let instance = self.instances.row(id) else {
            self.toast("No instance is selected", .warning)
            return []
        }
        guard self.isUsable(instance, for: "list its files") else { return [] }
        self.mainContent = .files
        self.mainScroll = 0
        self.files.ask(id)
        if self.zoom == .lists || Layout(self).main == nil { self.focus(.main) }
        return [.ask(.compareWorkspace(id))]
    }
}
