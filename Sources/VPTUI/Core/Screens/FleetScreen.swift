import Foundation
import VPEngine

/// The instances' load over time: GPU, GPU memory and network of each, below the lists.
enum FleetScreen {
    /// The smallest useful height: a name and a row of curves.
    static let leastHeight = 2

    private struct Graph: Sendable {
        var name: String
        var figure: any KeyPath<TelemetryState.Moment, Double?> & Sendable
        var role: Role
    }

    private static let graphs = [
        Graph(name: "gpu", figure: \.gpu, role: .good),
        Graph(name: "vram", figure: \.gpuMemory, role: .accent),
        Graph(name: "net/s", figure: \.network, role: .money),
    ]
    /// If each curve has the whole width, there is room for the CPU and memory as well.
    private static let allGraphs =
        Array(graphs.prefix(2)) + [
            Graph(name: "cpu", figure: \.cpu, role: .warning),
            Graph(name: "ram", figure: \.memory, role: .vast),
        ] + Array(graphs.suffix(1))

    /// The instances that hold a GPU, in the order of their list.
    static func instances(_ state: State) -> [Instance] {
        state.instances.shown(from: 0, count: 64).filter(\.status.holdsGPU)
    }

    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let border = Style(.border)
        buffer.fill(area.inner)
        buffer.box(area, style: border)
        buffer.write("├", x: area.x, y: area.y, style: border)
        buffer.write("┤", x: area.maxX - 1, y: area.y, style: border)
        let inner = area.inner
        guard !inner.isEmpty else { return }
        let plan = Self.plan(state, in: area)
        var y = inner.y
        for (instance, height) in plan.blocks {
            let block = Rect(x: inner.x, y: y, width: inner.width, height: height)
            Self.draw(instance, state, in: block, plan, of: &buffer)
            y += height
        }
    }

    /// The number of rows for each instance, and the time that a column stands for.
    private struct Plan {
        var blocks: [(Instance, height: Int)]
        /// The columns of a curve, and the seconds of each: all curves share a time axis.
        var columns: Int
        var step: Double
        /// Each curve uses the whole width.
        var isStacked: Bool
        /// The number of instances for which there is no room.
        var hidden: Int
    }

    private static func plan(_ state: State, in area: Rect) -> Plan {
        let inner = area.inner
        let all = Self.instances(state)
        let shown = all.prefix(max(1, inner.height / Self.leastHeight))
        // An instance that is not running yet has nothing to draw.
        let running = shown.count { $0.status == .running }
        let room = inner.height - (shown.count - running)
        var given = 0
        let blocks = shown.map { instance -> (Instance, height: Int) in
            guard instance.status == .running else { return (instance, 1) }
            given += 1
            return (instance, room * given / running - room * (given - 1) / running)
        }
        let isStacked = running > 0 && room / running >= 21
        let width = isStacked ? inner.width - 8 : inner.width / Self.graphs.count - 8
        let columns = max(2, width)
        let step =
            shown.compactMap { state.telemetry.track($0.id)?.moments }
            .map { TimeGraph.step($0, columns: columns, now: state.now) }.max() ?? 2
        return Plan(
            blocks: blocks, columns: columns, step: step, isStacked: isStacked,
            hidden: all.count - shown.count)
    }

    /// Draws the title, once the list above has drawn the border that it shares with the graphs.
    static func drawTitle(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let plan = Self.plan(state, in: area)
        var subtitle = "the last \(TimeSpan.rough(plan.step * Double(plan.columns)))"
        if plan.hidden > 0 { subtitle += " · \(plan.hidden) more have no room" }
        let end = area.maxX - 2
        var x = area.x + 2
        x += buffer.writeCut(" Load ", x: x, y: area.y, style: Style(.title), limit: end - x)
        buffer.writeCut("\(subtitle) ", x: x, y: area.y, style: Style(.muted), limit: end - x)
    }

    private static func draw(
        _ instance: Instance, _ state: State, in area: Rect, _ plan: Plan, of buffer: inout CellBuffer
    ) {
        guard area.height > 0 else { return }
        let track = state.telemetry.track(instance.id)
        Self.drawHead(instance, track, state, in: area.row(0), of: &buffer)
        let rest = area.dropFirst(rows: 1)
        guard rest.height > 0 else { return }
        let graphs = plan.isStacked ? Self.allGraphs : Self.graphs
        for (index, graph) in graphs.enumerated() {
            let place: Rect
            if plan.isStacked {
                let top = rest.height * index / graphs.count
                let bottom = rest.height * (index + 1) / graphs.count
                place = Rect(x: rest.x, y: rest.y + top, width: rest.width, height: bottom - top)
            } else {
                let left = rest.width * index / graphs.count
                let right = rest.width * (index + 1) / graphs.count
                place = Rect(x: rest.x + left, y: rest.y, width: right - left, height: rest.height)
            }
            Self.draw(graph, track?.moments ?? [], state, in: place, plan, of: &buffer)
        }
    }

    /// Draws the instance's name and its current figures.
    private static func drawHead(
        _ instance: Instance, _ track: TelemetryState.Track?, _ state: State, in area: Rect,
        of buffer: inout CellBuffer
    ) {
        let platform = StatusWords.platform(instance.platform)
        var spans = [
            Span("\(platform.text) ", platform.role), Span(instance.id.rawValue, .accent, .bold),
            Span(instance.name.map { "  \($0)" } ?? "", .muted),
        ]
        if let sample = track?.latest {
            var used = spans.reduce(0) { $0 + DisplayWidth.of($1.text) }
            for part in TelemetryView.now(sample, track) {
                used += 3 + part.reduce(0) { $0 + DisplayWidth.of($1.text) }
                // Half a figure is a wrong figure.
                guard used <= area.width - 2 else { break }
                spans += [Span("   ")] + part
            }
        } else {
            let (words, role) = Self.silence(of: instance, track, state)
            spans.append(Span("   \(words)", role))
        }
        var x = area.x + 1
        for span in spans {
            x += buffer.writeCut(span.text, x: x, y: area.y, style: span.style, limit: area.maxX - 1 - x)
        }
    }

    /// How long sshd may take after the platform says that an instance runs.
    private static let startTime: TimeInterval = 180

    /// Why there are no figures.
    private static func silence(
        of instance: Instance, _ track: TelemetryState.Track?, _ state: State
    ) -> (String, Role) {
        guard instance.status == .running else {
            return (instance.statusMessage ?? instance.status.rawValue, .muted)
        }
        let age = instance.createdAt.map { state.now.timeIntervalSince($0) } ?? .infinity
        guard let failure = track?.failure, age > Self.startTime else {
            return ("waiting for the first look…", .muted)
        }
        return (ErrorWords(failure).title, .warning)
    }

    /// Draws a graph: a name and a scale at the left, the curve at the right.
    private static func draw(
        _ graph: Graph, _ moments: [TelemetryState.Moment], _ state: State, in area: Rect, _ plan: Plan,
        of buffer: inout CellBuffer
    ) {
        let axis = 7
        let width = area.width - axis - 1
        guard width > 0, area.height > 0 else { return }
        let count = min(plan.columns, width)
        let values = TimeGraph.values(moments, graph.figure, count: count, step: plan.step, now: state.now)
        let isShare = graph.name != "net/s"
        let top = isShare ? 1 : Self.scale(for: values.compactMap(\.self).max() ?? 0)
        let rows = TimeGraph.rows(
            values, top: top, height: area.height, isASCII: state.settings.isASCII)
        for (index, row) in rows.enumerated() {
            let y = area.y + index
            if index == rows.count - 1 {
                buffer.write(graph.name, x: area.x + 1, y: y, style: Style(.muted), limit: axis - 1)
            } else if index == 0 {
                let scale = isShare ? "100 %" : Format.bytes(Int64(saturating: top))
                buffer.write(
                    scale, x: area.x + max(0, axis - 1 - DisplayWidth.of(scale)), y: y, style: Style(.muted),
                    limit: axis - 1)
            }
            buffer.write(
                index == rows.count - 1 ? "└" : "│", x: area.x + axis - 1, y: y, style: Style(.border))
            buffer.write(row, x: area.x + axis, y: y, style: Style(graph.role), limit: width)
        }
    }

    /// Rounds up to 1, 2 or 5 times a power of ten, at least 10 kB, so that the scale seldom changes.
    private static func scale(for value: Double) -> Double {
        CurveScale.roundStep(value.isFinite ? max(10_000, min(value, 1e15)) : 10_000)
    }
}
