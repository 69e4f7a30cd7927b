import VPEngine

/// Compares the open job with the jobs drawn behind it: the parameters that differ, the selected
/// figure, time and cost.
enum MetricsTable {
    static let maximumRows = 8

    static func rows(_ state: State) -> Int {
        1 + min(Self.maximumRows, 1 + state.overlaidJobs.count)
    }

    private struct Cell {
        var text: String
        var role = Role.plain
        var isRight = false
    }

    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard area.height > 1 else { return }
        var rows = Self.cells(state)
        // Columns that do not fit are omitted from the right, and never cut in half.
        func widths() -> [Int] {
            (rows.first ?? []).indices.map { column in
                rows.map { DisplayWidth.of($0[column].text) }.max() ?? 0
            }
        }
        while let first = rows.first, first.count > 2,
            widths().reduce(0, +) + 2 * (first.count - 1) > area.width - 2
        {
            for index in rows.indices { rows[index].removeLast() }
        }
        let columns = widths()
        for (index, row) in rows.enumerated() where index < area.height {
            var x = area.x + 1
            for (column, cell) in row.enumerated() {
                let room = columns[column] - DisplayWidth.of(cell.text)
                buffer.writeCut(
                    cell.text, x: x + (cell.isRight ? room : 0), y: area.y + index,
                    style: index == 0 ? Style(.muted) : Style(cell.role), limit: area.maxX - 1 - x)
                x += columns[column] + 2
            }
        }
    }

    /// Returns the titles, and a row for each job.
    private static func cells(_ state: State) -> [[Cell]] {
        guard let open = state.metrics.job else { return [] }
        let jobs = [open] + state.overlaidJobs
        let parameters = jobs.map { JobParameters(state.jobs.row($0)?.command.shellText ?? "") }
        let names = JobParameters.differing(parameters)
        let shown = [
            state.metrics.selectedSeries,
            state.metrics.selectedSeries.flatMap {
                state.metrics.reading.figures.partner(of: $0)
            },
        ].compactMap { $0 }
        var titles = [Cell(text: "job")]
        for series in shown {
            titles.append(Cell(text: series.name, isRight: true))
            titles.append(Cell(text: "best", isRight: true))
        }
        titles += ["time", "cost"].map { Cell(text: $0, isRight: true) } + names.map { Cell(text: $0) }
        var rows = [titles]
        for (index, id) in jobs.enumerated() {
            let figures = index == 0 ? state.metrics.reading.figures : state.metrics.others[id]?.figures
            let role =
                index == 0
                ? Role.accent : MetricsChart.otherRoles[(index - 1) % MetricsChart.otherRoles.count]
            var row = [Cell(text: id.rawValue, role: role)]
            for series in shown {
                let own = figures.flatMap { figures in
                    figures.series(series.name)
                        ?? figures.series.first {
                            $0.kind == series.kind && $0.subject == series.subject
                                && $0.isEvaluation == series.isEvaluation
                        }
                }
                row.append(
                    Cell(
                        text: own?.newest ?? "–", role: own?.last.isFinite == false ? .bad : .plain,
                        isRight: true))
                row.append(
                    Cell(
                        text: own?.best.map { "\(Format.short($0.value)) at \(Format.short($0.step))" }
                            ?? "–",
                        role: .muted, isRight: true))
            }
            let job = state.jobs.row(id)
            row.append(
                Cell(
                    text: job.flatMap { StatusWords.elapsed($0, now: state.now) }.map { TimeSpan.clock($0) }
                        ?? "–",
                    role: .muted, isRight: true))
            row.append(
                Cell(
                    text: job.flatMap { JobsScreen.dollars($0, state) }.map { Format.dollars($0) } ?? "–",
                    role: .money, isRight: true))
            row += names.map { Cell(text: parameters[index].value($0) ?? "–") }
            rows.append(row)
        }
        return rows
    }
}
