import Foundation
import VPEngine

/// Reports changes as lines of text, for screen readers and terminals without a screen.
public struct PlainReporter {
    private var statuses: [InstanceID: String] = [:]
    private var jobs: [JobID: String] = [:]
    private var actions: [ActionID: String] = [:]
    private var toasts: [Toast] = []
    private var overlay: Overlay?
    private var overlayLines: [String] = []
    private var alarms: Set<String> = []
    private var log: (job: JobID, line: Int)?
    private var isFirst = true
    /// The last answer about offers that was reported.
    private var offers: Int?

    public init() {}

    /// Returns lines for the changes since the last report.
    public mutating func report(_ state: State) -> [String] {
        var lines: [String] = []
        if self.isFirst {
            self.isFirst = false
            lines.append("VariousPlug, \(state.settings.workspaceName). Type help for the list of commands.")
            lines.append(Self.money(state))
        }
        self.reportInstances(state, &lines)
        self.reportJobs(state, &lines)
        self.reportActions(state, &lines)
        if let awaited = state.market.awaited, awaited != self.offers, !state.polls.offers.isAsking {
            self.offers = awaited
            let words = state.market.error.map { ErrorWords($0) }
            lines += words.map { ["\($0.title). \($0.advice)"] } ?? Self.offers(state)
        }
        for alarm in state.alarms where !self.alarms.contains(alarm.key) {
            lines.append("Alarm: \(alarm.words). Type alarms to see what you can do.")
        }
        self.alarms = Set(state.alarms.map(\.key))
        // A toast about an alarm would repeat the line just written.
        for toast in state.toasts
        where !toast.isAlarm && !self.toasts.contains(where: { $0.text == toast.text }) {
            lines.append(toast.text)
        }
        self.toasts = state.toasts
        self.reportLog(state, &lines)
        if state.overlay != self.overlay {
            self.overlay = state.overlay
            let now = Self.lines(state.overlay, state)
            // For a question that stays open, only new lines are written: its title and its
            // choices are known.
            let isSame = !now.isEmpty && now.first == self.overlayLines.first
            lines += isSame ? now.filter { !self.overlayLines.contains($0) } : now
            self.overlayLines = now
        }
        return lines.map(Self.printable)
    }

    private mutating func reportInstances(_ state: State, _ lines: inout [String]) {
        var now: [InstanceID: String] = [:]
        for instance in state.instances.rows {
            now[instance.id] = instance.status.rawValue
            if self.statuses[instance.id] != instance.status.rawValue {
                lines.append(
                    "Instance \(instance.id) \(instance.name ?? ""), \(instance.gpuName), "
                        + "\(Format.hourly(instance.price)): \(instance.status.rawValue)")
            }
        }
        for id in self.statuses.keys where now[id] == nil { lines.append("Instance \(id) is gone") }
        self.statuses = now
    }

    private mutating func reportJobs(_ state: State, _ lines: inout [String]) {
        let isKnown = !self.jobs.isEmpty
        for job in state.jobs.rows {
            let text = StatusWords.ending(of: job)
            // Jobs that are over are not listed at the start.
            if self.jobs[job.id] != text, isKnown || !job.state.isOver {
                lines.append("Job \(job.id): \(text)")
            }
            self.jobs[job.id] = text
        }
    }

    private mutating func reportActions(_ state: State, _ lines: inout [String]) {
        for record in state.actions {
            let text =
                "\(record.action.verb) \(ActionsStrip.subject(record, state)): \(ActionsStrip.words(record))"
            if self.actions[record.id] != text { lines.append(text) }
            self.actions[record.id] = text
        }
    }

    /// Reports the complete lines of the open log that have not been reported yet.
    private mutating func reportLog(_ state: State, _ lines: inout [String]) {
        guard let job = state.log.job, state.log.end != nil, state.log.isFollowing else { return }
        let end = state.log.buffer.endNumber
        if self.log?.job != job {
            lines.append("Log of \(job):")
            self.log = (job, max(state.log.buffer.firstNumber, end - 10))
        }
        let start = max(self.log?.line ?? 0, state.log.buffer.firstNumber, end - 200)
        // The last lines may be progress bars that are still being redrawn.
        let last =
            state.jobs.row(job)?.state.isOver == true ? end : min(end - 1, state.log.buffer.liveNumber)
        if start < last {
            for number in start..<last { lines.append("  " + state.log.buffer.line(number).text) }
        }
        self.log = (job, max(start, last))
    }

    private static func money(_ state: State) -> String {
        let report = state.moneyReport
        var text = "Running $\(Format.fixed(report.runningDollarsPerHour, 2)) an hour"
        if let balance = report.balanceDollars { text += ", balance \(Format.dollars(balance))" }
        if let hours = report.hoursLeft {
            let place = report.shortestPlatform.map { " on \($0.displayName)" } ?? ""
            text += ", enough for \(Int(saturating: hours)) h\(place)"
        }
        return text
    }

    private static func lines(_ overlay: Overlay?, _ state: State) -> [String] {
        switch overlay {
        case nil, .help, .palette: return []
        case .list(let list):
            switch list.kind {
            case .history, .actions: return []
            case .alarms: return AlarmsScreen.plain(state)
            }
        case .text(let text): return [text.title] + text.lines
        case .prompt(let prompt):
            return ["\(PromptScreen.title(prompt, state)): type a value, or an empty line to cancel"]
                + (prompt.problem.map { [$0] } ?? [])
        case .dialog(let dialog):
            let (title, lines, buttons) = DialogScreen.plain(dialog, state)
            return [title] + lines + Self.numbered(buttons)
        case .form(let form):
            return ["Rent an instance"] + FormScreen.plain(form, state)
                + ["FIELD: VALUE changes a field."] + Self.numbered(["Cancel", "Rent it"])
        }
    }

    private static func numbered(_ buttons: [String]) -> [String] {
        buttons.enumerated().map { "\($0.offset + 1). \($0.element)" }
    }

    /// Returns the screen's content as lines, on request.
    public static func overview(_ state: State) -> [String] {
        let jobs = Self.jobs(state)
        let offers = Self.offers(state)
        return [Self.printable(Self.money(state))] + Self.instances(state) + jobs.prefix(11)
            + offers.prefix(6)
    }

    static func instances(_ state: State) -> [String] {
        let rows = state.instances.shown.enumerated().map { index, instance in
            let mark = instance.id == state.instances.selection ? ", selected" : ""
            return "\(index + 1). \(instance.id) \(instance.name ?? ""), \(instance.gpuName), "
                + "\(Format.hourly(instance.price)), \(instance.status.rawValue)\(mark)"
        }
        return ([Format.plural(state.instances.rows.count, "instance")] + rows).map(Self.printable)
    }

    static func jobs(_ state: State) -> [String] {
        let rows = state.jobs.shown.prefix(100).map { job in
            "\(job.id), \(StatusWords.ending(of: job)), \(job.command.shellText)"
        }
        return ([Format.plural(state.jobs.rows.count, "job")] + rows).map(Self.printable)
    }

    static func offers(_ state: State) -> [String] {
        let rows = state.offers.shown.prefix(20).map { offer in
            "\(offer.platform.displayName) \(offer.id) \(InstancesScreen.gpu(offer.gpuName, offer.gpuCount)), "
                + Format.hourly(offer.price)
        }
        let title =
            rows.isEmpty
            ? state.offers.fetchedAt == nil ? "No offers are known" : "No offer fits the query"
            : "\(Format.plural(state.offers.rows.count, "offer")), "
                + "by \(state.offers.order.name)"
        return ([title] + rows + state.reasonsForNoOffers).map(Self.printable)
    }

    public static let help = [
        "An empty line shows everything. The commands of vp act on the selected instance or on the one named:",
        "create, run COMMAND, sync, download, logs JOB, cancel JOB, stop, start, destroy, offers QUERY, ls, jobs,",
        "alarms, select ID, and every other command of vp. A number chooses from the last list. quit exits.",
    ]

    /// Replaces control characters: texts of platforms and jobs must not reach the terminal as
    /// anything but text.
    private static func printable(_ line: String) -> String {
        String(
            String.UnicodeScalarView(
                line.unicodeScalars.map {
                    $0.value < 0x20 || 0x7F...0x9F ~= $0.value || $0.properties.generalCategory == .format
                        ? " " : $0
                }))
    }
}

extension State {
    /// Handles a typed line, which replaces keys.
    public mutating func plainLine(_ line: String, at date: Date) -> (effects: [Effect], output: [String]) {
        self.typedAt = date
        let text = line.trimmingCharacters(in: .whitespaces)
        self.now = max(self.now, date)
        // A question must not keep anybody; in a prompt, the word may be what is asked for.
        switch self.overlay {
        case .dialog(let dialog) where text == "quit" && dialog.kind == .quit: return ([.terminal(.quit)], [])
        case .dialog where text == "quit", .form where text == "quit": self.overlay = nil
        case .dialog, .form, .prompt, .palette, .list, .text, .help, nil: break
        }
        switch self.overlay {
        case .dialog(var dialog):
            guard let number = Int(text), (1...dialog.buttons.count).contains(number) else {
                return ([], ["A number from 1 to \(dialog.buttons.count), or quit."])
            }
            dialog.focusedButton = number - 1
            self.overlay = .dialog(dialog)
            let isCancel = dialog.buttons[number - 1] == .cancel
            return (self.keyPressed(isCancel ? .escape : .character("y"), at: date), [])
        case .prompt(var prompt):
            guard !text.isEmpty else { return (self.keyPressed(.escape, at: date), []) }
            prompt.field.replace(with: text)
            self.overlay = .prompt(prompt)
            return (self.keyPressed(.enter, at: date), [])
        case .form(var form):
            if text == "1" { return (self.keyPressed(.escape, at: date), []) }
            if text == "2" { return (self.keyPressed(.control("s"), at: date), []) }
            let parts = text.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard parts.count == 2, let field = LaunchForm.Field(rawValue: parts[0]) else {
                return ([], ["FIELD: VALUE changes a field; 1 cancels, 2 rents, quit ends."])
            }
            switch field {
            case .platform: form.platform = Platform(rawValue: parts[1])
            case .spot: form.isSpot = parts[1] == "yes"
            case .gpu, .count, .price, .cost, .disk, .image, .lease, .name, .command, .rent:
                form.set(field, parts[1])
            }
            form.wantsAnotherOffer()
            self.overlay = .form(form)
            return (self.quoteWhenDue(), [])
        case .list(let list):
            let alarms = self.alarms
            self.overlay = nil
            if list.kind == .alarms, let number = Int(text) {
                guard alarms.indices.contains(number - 1) else {
                    return ([], ["There is no alarm \(number): there are \(alarms.count)."])
                }
                return (self.act(on: alarms[number - 1]), [])
            }
            if text.isEmpty { return ([], []) }
        case .palette, .text, .help, nil: self.overlay = nil
        }
        let words = text.split(separator: " ")
        switch words.first {
        case nil: return ([], PlainReporter.overview(self))
        case "help", "?": return ([], PlainReporter.help)
        case "select" where words.count == 2:
            let row = self.instances.rows.first { $0.id.rawValue == words[1] || $0.name == String(words[1]) }
            guard let row else { return ([], ["There is no instance \(words[1])."]) }
            self.instances.select(row.id)
            self.focus(.instances)
            return ([], ["\(row.id) is selected."])
        case "undo": return (self.execute(.undo), [])
        // Without a screen, going to a list means printing it.
        case "ls" where words.count == 1, "list-instances" where words.count == 1:
            return (self.execute(line: text), PlainReporter.instances(self))
        case "jobs" where words.count == 1: return (self.execute(line: text), PlainReporter.jobs(self))
        case "offers" where words.count == 1: return (self.execute(line: text), PlainReporter.offers(self))
        case "offers":
            let effects = self.execute(line: text)
            if effects.contains(where: { if case .ask(.loadOffers) = $0 { true } else { false } }) {
                self.market.awaited = self.market.generation
            }
            return (effects, [])
        default: return (self.execute(line: text), [])
        }
    }
}
