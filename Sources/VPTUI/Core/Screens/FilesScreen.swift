import Foundation
import VPEngine

/// The Files pane: what a sync would do, and the instance's files with whether each is also here.
enum FilesScreen {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let inner = area.inner
        buffer.fill(inner)
        let subtitle = state.files.instance.map { "\($0)" + (state.files.isAsking ? " · comparing…" : "") }
        drawPane(
            area, number: Pane.main.rawValue, title: "Files", subtitle: subtitle ?? "",
            right: [Span("Esc ", .key), Span("back", .muted)], isFocused: state.focus == .main, in: &buffer)
        let lines = Self.lines(state)
        for (index, line) in lines.dropFirst(state.mainScroll).prefix(inner.height).enumerated() {
            var x = inner.x + 1
            for span in line {
                x += buffer.writeCut(
                    span.text, x: x, y: inner.y + index, style: span.style, limit: inner.maxX - 1 - x)
            }
        }
        drawScrollbar(
            in: area, of: &buffer, first: state.mainScroll, visible: inner.height, total: lines.count,
            style: Style(state.focus == .main ? .borderFocused : .muted))
    }

    static func lineCount(_ state: State) -> Int { Self.lines(state).count }

    /// The most files that are listed: more than anybody would scroll through.
    private static let limit = 2000

    private static func lines(_ state: State) -> [[Span]] {
        switch state.files.content {
        case .nothing: return [[Span("F on an instance compares its files with yours.", .muted)]]
        case .asking: return [[Span("Comparing its files with yours…", .muted)]]
        case .failed(let error):
            let words = ErrorWords(error)
            return [[Span("⚠ \(words.title)", .bad)], [Span(words.detail ?? words.advice, .muted)]]
        case .known(let report): return Self.lines(report)
        }
    }

    private static func lines(_ report: WorkspaceReport) -> [[Span]] {
        var lines: [[Span]] = []
        let uploadBytes = report.uploads.saturatedSum(of: \.bytes)
        if report.uploads.isEmpty, report.deletions.isEmpty, report.conflicts.isEmpty {
            lines.append([Span("⇡ Nothing to upload: the project is there.", .good)])
        } else {
            lines.append([
                Span("⇡ A sync would send ", .title, .bold),
                Span(
                    "\(Format.plural(report.uploads.count, "file")), \(Format.bytes(uploadBytes))", .accent,
                    .bold),
            ])
            lines += report.uploads.prefix(20).map { Self.line("⇡", .accent, $0.path, $0.bytes) }
            if report.uploads.count > 20 {
                lines.append([Span("    … \(report.uploads.count - 20) more", .muted)])
            }
            lines += report.deletions.prefix(20).map {
                [Span("  ◇ ", .bad), Span("          removed  ", .muted), Span($0)]
            }
            lines += report.conflicts.prefix(20).map { Self.line("⚠", .warning, $0.path, $0.bytes) }
            if !report.conflicts.isEmpty {
                lines.append([Span("  ⚠ changed on both sides: neither is overwritten", .warning)])
            }
        }
        lines.append([])
        let risky = report.files.filter { $0.safety == .onlyThere || $0.safety == .conflict }
        let riskyBytes = risky.saturatedSum(of: \.bytes)
        let total = report.files.saturatedSum(of: \.bytes)
        lines.append([
            Span("On the instance ", .title, .bold),
            Span("\(Format.plural(report.files.count, "file")), \(Format.bytes(total))", .accent, .bold),
            Span(risky.isEmpty ? "  ✓ no result is only there" : "", .good),
        ])
        if !risky.isEmpty {
            let words = "\(Format.plural(risky.count, "file")), \(Format.bytes(riskyBytes))"
            lines.append([Span("  ⚠ Not downloaded yet: \(words); d downloads them", .bad)])
        }
        for file in report.files.prefix(Self.limit) {
            let (mark, role): (String, Role) =
                switch file.safety {
                case .safe: ("✓", .good)
                case .onlyThere: ("⇣", .bad)
                case .conflict: ("⚠", .warning)
                case .newerHere: ("⇡", .accent)
                }
            lines.append(Self.line(mark, role, file.path, file.bytes))
        }
        if report.files.count > Self.limit {
            lines.append([Span("    … \(report.files.count - Self.limit) more", .muted)])
        }
        return lines
    }

    private static func line(_ mark: String, _ role: Role, _ path: String, _ bytes: Int64) -> [Span] {
        let size = Format.bytes(bytes)
        let pad = String(repeating: " ", count: max(0, 10 - size.count))
        return [Span("  \(mark) ", role), Span(pad + size + "  ", .muted), Span(path)]
    }
}
