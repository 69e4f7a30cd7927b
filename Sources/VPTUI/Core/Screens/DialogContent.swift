import Foundation
import VPEngine

/// The text of each question: what would be lost, and what it would cost.
extension DialogScreen {
    static func create(_ offer: Offer, _ request: CreateRequest, _ state: State) -> (String, [[Span]]) {
        let gpu = InstancesScreen.gpu(offer.gpuName, offer.gpuCount)
        var lines: [[Span]] = [
            [
                Span(gpu, .accent, .bold),
                Span("  \(Format.memory(offer.gpuMemoryBytes, of: offer.gpuName)) each"),
                Span(offer.location.map { " · \($0)" } ?? "", .muted),
            ],
            [
                Span(Format.hourly(offer.price), .money, .bold),
                Span(
                    "  ·  \(Format.dollars(offer.price.dollarsPerDay)) a day, from now until it is destroyed"),
            ],
            FormQuote.image(request.image ?? "", on: offer, state),
            [Span("disk     ", .muted), Span(Format.bytes(request.query.diskBytes))],
        ]
        if let limit = state.priceLimit(request.query) {
            lines.append([
                Span("limit    ", .muted), Span(Format.hourly(limit.price), .money),
                Span(", \(limit.origin)", .muted),
            ])
        }
        lines.append(FormQuote.account(offer, state))
        lines.append(
            FormQuote.lease(
                request.lease ?? state.settings.leaseTerms, maximumCost: state.tightened(request).maximumCost,
                offer.price))
        let report = state.moneyReport
        if let day = report.dollarsPerDay {
            lines.append([
                Span("today    ", .muted), Span(Format.dollars(report.spentToday), .money),
                Span(" of \(Format.dollars(day)) is spent"),
            ])
        }
        if offer.isInterruptible { lines.append([Span("Spot: the platform may take it away.", .warning)]) }
        return ("Rent from \(offer.platform.displayName)", lines)
    }

    static func destroy(
        _ id: InstanceID, _ report: Dialog.UnsafeReport, _ state: State
    ) -> (String, [[Span]]) {
        guard let instance = state.instances.row(id) else { return ("Destroy \(id)", []) }
        var facts =
            "\(InstancesScreen.gpu(instance.gpuName, instance.gpuCount)) · \(instance.status.rawValue)"
        if let created = instance.createdAt {
            let age = max(0, state.now.timeIntervalSince(created))
            facts += " · rented \(age < 60 ? "<1m" : TimeSpan.brief(age)) ago"
            if let dollars = state.dollarsSoFar(instance) { facts += " · about \(Format.dollars(dollars))" }
        }
        var lines: [[Span]] = [[Span(instance.name ?? id.rawValue, .accent, .bold), Span("  \(facts)")], []]
        let running = state.jobs.rows.filter { $0.instance == id && !$0.state.isOver }
        lines += self.ending(running, naming: 3, state)
        switch report {
        case .asking: lines.append([Span("Comparing its files with yours…", .muted)])
        case .known(let results) where results.isSafe:
            // A running job keeps writing results while the question is on screen.
            let words = running.isEmpty ? "is downloaded." : "so far is downloaded; Destroy checks again."
            lines.append([Span("✓ Every result \(words)", .good)])
        case .known(let results):
            lines.append([
                Span(
                    "⚠ Not downloaded yet: \(Format.plural(results.files, "file")), \(Format.bytes(results.bytes))",
                    .bad,
                    .bold)
            ])
            for name in results.examples.prefix(4) { lines.append([Span("    \(name)", .muted)]) }
            if results.files > 4, results.examples.count > 4 { lines.append([Span("    …", .muted)]) }
            lines.append([
                Span("Destroy downloads them first; if that fails, the instance is not destroyed.")
            ])
            lines.append([Span("Destroy, discard results: they are lost.", .muted)])
        case .unknown(let error):
            lines.append([Span("⚠ Its files cannot be compared: \(ErrorWords(error).title)", .bad)])
            lines.append([
                Span("Destroy downloads the results first; if that fails, the instance is not destroyed.")
            ])
        }
        return ("Destroy \(id.platform.displayName) \(id)", lines)
    }

    /// The question about several instances, with a line for each.
    static func destroy(
        _ ids: [InstanceID], _ reports: [InstanceID: Dialog.UnsafeReport], _ state: State
    ) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for id in ids.prefix(10) {
            let instance = state.instances.row(id)
            var line = [
                Span(id.rawValue, .accent, .bold),
                Span("  \(instance?.name ?? "") \(instance?.gpuName ?? "")  ", .muted),
            ]
            switch reports[id] ?? .asking {
            case .asking: line.append(Span("comparing…", .muted))
            case .known(let results) where results.isSafe:
                line.append(Span("✓ every result is downloaded", .good))
            case .known(let results):
                line.append(
                    Span(
                        "⚠ \(Format.plural(results.files, "file")), \(Format.bytes(results.bytes)) not downloaded",
                        .bad, .bold))
            case .unknown(let error): line.append(Span("⚠ \(ErrorWords(error).title)", .bad))
            }
            lines.append(line)
            let running = state.jobs.rows.filter { $0.instance == id && !$0.state.isOver }
            lines += self.ending(running, naming: 1, indent: "    ", state)
        }
        if ids.count > 10 { lines.append([Span("… and \(ids.count - 10) more", .muted)]) }
        lines += [
            [],
            [
                Span(
                    "Destroy downloads the results first. An instance whose results cannot be downloaded is not "
                        + "destroyed.")
            ],
        ]
        lines.append([Span("Discard gives them up.", .muted)])
        return ("Destroy \(ids.count) instances", lines)
    }

    /// Returns the jobs that would end with an instance: the first few by name, and the number of the others.
    private static func ending(
        _ jobs: [Job], naming limit: Int, indent: String = "", _ state: State
    ) -> [[Span]] {
        var lines = jobs.prefix(limit).map { job in
            [
                Span(
                    "\(indent)● \(job.wordsWhileOpen(at: state.now)), will be ended with it.", .warning, .bold
                )
            ]
        }
        if jobs.count > limit {
            let others = Format.plural(jobs.count - limit, "other job", "other jobs")
            lines.append([Span("\(indent)● \(others) will be ended with it.", .warning, .bold)])
        }
        return lines
    }

    static func conflicts(_ paths: [String]) -> (String, [[Span]]) {
        var lines: [[Span]] = [
            [Span("Changed both here and on the instance since the last sync:", .warning, .bold)]
        ]
        lines += paths.prefix(8).map { [Span("    \($0)")] }
        if paths.count > 8 { lines.append([Span("    … and \(paths.count - 8) more", .muted)]) }
        lines += [
            [], [Span("These are neither uploaded nor overwritten; all others are. F shows the whole plan.")],
        ]
        return ("\(Format.plural(paths.count, "file")) changed on both sides", lines)
    }

    static func stop(_ ids: [InstanceID], _ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for instance in ids.prefix(6).compactMap({ state.instances.row($0) }) {
            let disk = instance.diskBytes.map { "its disk of \(Format.bytes($0))" } ?? "its disk"
            let price =
                state.parkedDollarsPerDay(instance).map { "about \(Format.dollars($0)) a day" } ?? "money"
            lines.append([
                Span(instance.name ?? instance.id.rawValue, .accent, .bold), Span("  \(instance.gpuName)  "),
                Span("\(disk) still costs \(price)", .warning),
            ])
        }
        if ids.count > 6 { lines.append([Span("… and \(ids.count - 6) more", .muted)]) }
        lines.append([Span("New results are downloaded first.")])
        lines.append([
            Span("Stopping is not free: disks cost money every day until they are destroyed.", .warning)
        ])
        lines.append([Span("The GPU is released; someone else may have rented it when you start again.")])
        let running = state.jobs.rows.filter { ids.contains($0.instance) && !$0.state.isOver }
        lines += self.ending(running, naming: 3, state)
        return (ids.count == 1 ? "Stop \(ids[0])" : "Stop \(ids.count) instances", lines)
    }

    static func start(_ ids: [InstanceID], _ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = ids.prefix(6).compactMap { state.instances.row($0) }.map { instance in
            [
                Span(instance.name ?? instance.id.rawValue, .accent, .bold), Span("  \(instance.gpuName)  "),
                Span(
                    (state.runningPrice(instance).map { Format.hourly($0) } ?? "its full price") + " ",
                    .money, .bold),
                Span(
                    "from now on; stopped, it costs \(Format.dollars(instance.price.dollarsPerDay)) a day",
                    .muted),
            ]
        }
        lines += Set(ids.map(\.platform)).sorted { $0.rawValue < $1.rawValue }.compactMap { platform in
            state.money.balances.first { $0.platform == platform }.map { balance in
                [
                    Span("\(platform.displayName) has ", .muted),
                    Span(Format.dollars(balance.dollars), balance.dollars < 1 ? .bad : .money),
                ]
            }
        }
        lines.append([
            Span("If the GPU has been rented to someone else, it stays stopped, and you are told.", .muted)
        ])
        return (ids.count == 1 ? "Start \(ids[0])" : "Start \(ids.count) instances", lines)
    }

    static func extendLease(
        _ id: InstanceID, _ seconds: Double, _ state: State
    ) -> (String, [[Span]]) {
        guard let instance = state.instances.row(id) else { return ("Extend the lease of \(id)", []) }
        let ends: Span
        if let end = instance.leaseEndsAt {
            let left = end.timeIntervalSince(state.now)
            ends =
                left > 0
                ? Span("its lease ends in \(TimeSpan.brief(left))", .warning)
                : Span("its lease has run out", .bad)
        } else {
            ends = Span("it has no lease: it runs until you destroy it", .bad)
        }
        var lines: [[Span]] = [
            [Span(instance.name ?? id.rawValue, .accent, .bold), Span("  \(instance.gpuName)  "), ends],
            [],
            [
                Span("\(TimeSpan.brief(seconds)) from now on: "),
                Span("\(Format.dollars(instance.price.cost(of: seconds))) at most", .money, .bold),
                Span(", at \(Format.hourly(instance.price)).", .muted),
            ],
            [Span(PromptScreen.renewal(instance.lease, state), .muted)],
        ]
        if let weakness = instance.lease?.weakness {
            lines.append([Span("It cannot end itself now: \(weakness). The dashboard tries again.", .warning)]
            )
        }
        return ("Extend the lease of \(id)", lines)
    }

    static func cancelAction(_ id: ActionID, _ state: State) -> (String, [[Span]]) {
        guard let record = state.actions.first(where: { $0.id == id }) else { return ("Cancel", []) }
        var lines: [[Span]] = [
            [
                Span("\(StatusWords.glyph(record.action)) \(record.action.verb) ", .accent),
                Span(ActionsStrip.subject(record, state)),
            ]
        ]
        switch record.action {
        case .sync, .download:
            lines.append([
                Span("Files that have arrived stay; the next \(record.action.verb) resumes there.", .muted)
            ])
        case .create:
            lines.append([Span("If an instance has been rented by then, it is destroyed again.", .muted)])
        case .run, .start, .stop, .destroy, .cancel, .attach: break
        }
        return ("Cancel the \(record.action.verb)", lines)
    }

    static func quit(_ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for record in state.activeActions.prefix(5) {
            let word =
                switch record.action {
                case _ where state.settings.isDemo: "ends with the demo"
                case .run where record.job == nil: "is not started"
                case .run, .attach: "continues there; download its results later"
                case .destroy: "continues without the dashboard"
                case .create: "is interrupted; what it has rented stays"
                case .sync, .download, .start, .stop, .cancel: "is interrupted"
                }
            lines.append([
                Span("\(StatusWords.glyph(record.action)) \(record.action.verb) ", .accent),
                Span(ActionsStrip.subject(record, state)), Span("  \(word)", .muted),
            ])
        }
        for pending in state.pendingDestroys {
            lines.append([
                Span("◇ destroy \(pending.instance)", .bad),
                Span("  continues without the dashboard", .muted),
            ])
        }
        guard !state.settings.isDemo else {
            lines.append([Span("Its instances, its project and all results end with it.", .warning)])
            return ("Quit the demo", lines)
        }
        if lines.isEmpty { lines.append([Span("✓ Every action has finished meanwhile.", .good)]) }
        lines.append([])
        lines.append([Span("Jobs on instances keep running; `vp attach` or the dashboard finds them again.")])
        lines.append([Span("Instances stay and cost money until they are destroyed.", .warning)])
        return ("Quit while actions are in progress", lines)
    }
}
