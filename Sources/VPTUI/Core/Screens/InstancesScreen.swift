import Foundation
import VPEngine

enum InstancesScreen {
    static func pane(_ state: State, area: Rect) -> ListPane<Instance> {
        let list = state.instances
        let interval = state.unattendedInstancesInterval
        let running = list.rows.count { $0.status.holdsGPU }
        var subtitle = list.rows.isEmpty ? "" : "\(list.rows.count)"
        if running < list.rows.count { subtitle += " · \(list.rows.count - running) not running" }
        return ListPane(
            pane: .instances, area: area, list: list,
            table: TableView(columns: Self.columns, isFocused: state.focus == .instances),
            subtitle: subtitle, banner: state.banner(of: .instances), emptyLines: Self.emptyLines(state),
            isStale: { state.isStale($0.platform, list.fetchedAt, interval) },
            spans: { Self.spans($0, state) })
    }

    private static let columns = [
        Column(title: "", minimum: 4, maximum: 4, isWhole: true),
        Column(title: "id", minimum: 6, maximum: 24, isWhole: true),
        Column(title: "gpu", minimum: 8, maximum: 18, order: "gpu", priority: 1),
        Column(title: "name", minimum: 10, maximum: 24, order: "name", priority: 4),
        Column(title: "status", minimum: 12, maximum: 26, order: "status", grows: true, priority: 2),
        Column(title: "load", minimum: 6, maximum: 24, priority: 3, isOptional: true),
        Column(title: "$/h", minimum: 6, maximum: 7, isRightAligned: true, order: "price", priority: 2),
        Column(
            title: "up", minimum: 3, maximum: 6, isRightAligned: true, isWhole: true, order: "newest",
            priority: 6),
    ]

    private static func spans(_ instance: Instance, _ state: State) -> [[Span]] {
        let platform = StatusWords.platform(instance.platform)
        let age = instance.createdAt.map { TimeSpan.brief(state.now.timeIntervalSince($0)) } ?? ""
        return [
            [Span(platform.text, platform.role)],
            [Span(instance.id.rawValue)],
            [Span(Self.gpu(instance.gpuName, instance.gpuCount))],
            [Span(instance.name ?? "–", instance.name == nil ? .muted : .plain)],
            Self.status(instance, state),
            Self.load(instance, state),
            [Span(Format.fixed(instance.price.dollarsPerHour, 3), .money)],
            [Span(Self.coarse(age), .muted)],
        ]
    }

    /// Rounds an age: seconds would make an idle screen redraw.
    private static func coarse(_ age: String) -> String { age.hasSuffix("s") ? "<1m" : age }

    static func gpu(_ name: String, _ count: Int) -> String { count == 1 ? name : "\(name) ×\(count)" }

    /// Returns the load while it is known: `95 % ▂▃▅▇  14.2/24 G`.
    private static func load(_ instance: Instance, _ state: State) -> [Span] {
        guard instance.status == .running, let track = state.telemetry.track(instance.id),
            let sample = track.latest, state.now.timeIntervalSince(track.date ?? .distantPast) < 30
        else { return [] }
        guard let share = sample.gpuShare else {
            let cpu = track.cpu.last.map { [Span("cpu ", .muted), Span(TelemetryView.percent($0))] }
            return Span.parts([cpu ?? []])
        }
        let plotting: Settings.Plotting = state.settings.plotting == .ascii ? .ascii : .blocks
        let curve = Plot.sparkline(Array(track.gpu.suffix(5)), width: 5, range: 0...1, plotting)
        let percent = TelemetryView.percent(share)
        let pad = String(repeating: " ", count: max(0, 5 - DisplayWidth.of(percent)))
        return Span.parts([
            [Span(pad + percent, share < 0.05 ? .warning : .good)], [Span(curve, .good)],
            TelemetryView.memory(sample).map { [Span($0, .accent)] } ?? [],
        ])
    }

    /// Returns the instance's activity: the platform's status, or the dashboard's own action in progress.
    private static func status(_ instance: Instance, _ state: State) -> [Span] {
        if let pending = state.pendingDestroy(of: instance.id) {
            let left = Int(saturating: max(0, pending.due.timeIntervalSince(state.now)).rounded(.up))
            return [Span("◇ destroy in \(left)s ", .bad, .bold), Span("z undoes", .key)]
        }
        if let record = state.activeAction(on: instance.id) {
            return ActionsStrip.brief(record)
        }
        let mark = StatusWords.mark(instance.status)
        var spans = [Span("\(mark.glyph) \(instance.status.rawValue)", mark.role)]
        let running = state.jobs.rows.first { $0.instance == instance.id && $0.state == .running }
        if instance.status == .running, let running {
            spans.append(Span(" \(running.id)", .accent))
        } else if instance.status != .running, let message = instance.statusMessage, !message.isEmpty {
            spans.append(Span(" \(message)", .muted))
        }
        return spans
    }

    private static func emptyLines(_ state: State) -> [String] {
        guard !state.settings.platforms.isEmpty else {
            return [
                "No platform has a key yet.", "vp config-set --vast-api-key -   sets one;",
                "vp-tui --demo   shows everything without an account.",
            ]
        }
        if state.instances.fetchedAt == nil {
            let names = state.settings.platforms.map(\.displayName).joined(separator: " and ")
            return state.instances.failures.isEmpty ? ["Asking \(names)…"] : ["Nothing is known yet."]
        }
        return [
            "No instances: nothing is costing money.",
            state.focus == .offers
                ? "Enter on an offer rents it; c asks for details first."
                : "2 goes to Offers; Enter there rents one.",
        ]
    }
}
