import Foundation
import VPEngine

/// The launch form: fields at the left, completions under the focused field, the price below.
enum FormScreen {
    private struct Placement {
        var area: Rect
        /// A low screen shows the fields around the focused one.
        var fields: [(field: LaunchForm.Field, row: Rect)]
        var help: Rect
        var quote: [[Span]]
        var quoteRows: Rect
        /// Fields are scrolled out of view above, or below.
        var hasMore: (above: Bool, below: Bool)
        var button: Rect
    }

    private static let buttonWidth = 11

    private static func placement(_ form: LaunchForm, _ state: State) -> Placement {
        let screen = Rect(state.size)
        let fields = LaunchForm.Field.allCases.filter { $0 != .rent }
        // Most of the fields stay visible on a low screen.
        let quoteRoom = max(3, screen.height - 4 - 3 - min(fields.count, 8))
        // And a blank one above the button where there is room for that.
        let lines = FormQuote.lines(form, state) + (screen.height >= 28 ? [[]] : [])
        let quote = Array(lines.prefix(quoteRoom))
        // The row between fields and price goes before a field does.
        let gap = screen.height - 2 >= fields.count + quote.count + 5 ? 1 : 0
        let area = screen.dropFirst(rows: 1).dropLast(rows: 1).centred(
            Size(width: max(58, min(88, screen.width - 8)), height: fields.count + quote.count + 4 + gap))
        let inner = area.inner
        let room = max(1, inner.height - quote.count - 2 - gap)
        let focus = fields.firstIndex(of: form.focused) ?? fields.count - 1
        let top = max(0, min(focus - room / 2, fields.count - room))
        let shown = fields[top...].prefix(room).enumerated().map { ($1, inner.row($0)) }
        let rest = inner.dropFirst(rows: shown.count)
        return Placement(
            area: area, fields: shown, help: rest.dropLast(rows: max(0, rest.height - 1 - gap)), quote: quote,
            quoteRows: rest.dropFirst(rows: 1 + gap).dropLast(rows: 1),
            hasMore: (top > 0, top + shown.count < fields.count),
            button: Rect(
                x: inner.x + (inner.width - Self.buttonWidth) / 2, y: inner.maxY - 1, width: Self.buttonWidth,
                height: 1))
    }

    /// Returns the field or the button at `point`.
    static func field(at point: Point, _ form: LaunchForm, _ state: State) -> LaunchForm.Field? {
        let placement = Self.placement(form, state)
        if placement.button.contains(point) { return .rent }
        return placement.fields.first { $0.row.contains(point) }?.field
    }

    static func draw(_ form: LaunchForm, _ state: State, of buffer: inout CellBuffer) {
        let placement = Self.placement(form, state)
        drawBox(placement.area, title: "Rent an instance", in: &buffer)
        for (field, row) in placement.fields { Self.draw(field, form, state, in: row, of: &buffer) }
        for (mark, isShown, place) in [
            ("↑", placement.hasMore.above, placement.fields.first?.row),
            ("↓", placement.hasMore.below, placement.fields.last?.row),
        ] {
            guard isShown, let place else { continue }
            buffer.write(mark, x: place.maxX - 1, y: place.y, style: Style(.key, on: .dialog, .bold))
        }
        Self.drawHelp(form, form.completions(state), in: placement.help, of: &buffer)
        for (row, line) in placement.quote.prefix(placement.quoteRows.height).enumerated() {
            var x = placement.quoteRows.x + 2
            for span in line {
                x += buffer.writeCut(
                    span.text, x: x, y: placement.quoteRows.y + row, style: span.style.on(.dialog),
                    limit: placement.quoteRows.maxX - 1 - x)
            }
        }
        let isFocused = form.focused == .rent
        buffer.write(
            isFocused ? " ▸ Rent it " : "   Rent it ", x: placement.button.x, y: placement.button.y,
            style: Style(.plain, on: isFocused ? .buttonFocused : .button), limit: placement.button.width)
    }

    /// The fields and the price as lines, for plain mode.
    static func plain(_ form: LaunchForm, _ state: State) -> [String] {
        let fields = LaunchForm.Field.allCases.filter { $0 != .rent }.map { field -> String in
            let value: String =
                switch field {
                case .platform: form.platform?.displayName ?? "cheapest of all"
                case .spot: form.isSpot ? "yes" : "no"
                case .gpu, .count, .price, .cost, .disk, .image, .lease, .name, .command, .rent:
                    form.text(field).isEmpty ? Self.placeholder(field, form, state) : form.text(field)
                }
            return "\(field.rawValue): \(value)"
        }
        let quote = FormQuote.lines(form, state).map { $0.map(\.text).joined() }.filter { !$0.isEmpty }
        return fields + quote + (form.problem.map { [$0.sentence] } ?? [])
    }

    private static func draw(
        _ field: LaunchForm.Field, _ form: LaunchForm, _ state: State, in area: Rect,
        of buffer: inout CellBuffer
    ) {
        let isFocused = form.focused == field
        let isBad = form.problem?.field == field
        buffer.write(
            isFocused ? "▸" : " ", x: area.x, y: area.y, style: Style(.key, on: .dialog, .bold))
        buffer.writeCut(
            Self.label(field), x: area.x + 2, y: area.y,
            style: Style(isBad ? .bad : isFocused ? .accent : .muted, on: .dialog), limit: 14)
        let x = area.x + 17
        let width = area.maxX - 1 - x
        switch field {
        case .platform:
            buffer.write(
                "‹ \(form.platform?.displayName ?? "cheapest of all") ›", x: x, y: area.y,
                style: Style(.plain, on: .dialog), limit: width)
        case .spot:
            buffer.write(
                form.isSpot ? "‹ yes: cheaper, may be taken away ›" : "‹ no ›", x: x, y: area.y,
                style: Style(form.isSpot ? .warning : .plain, on: .dialog), limit: width)
        case .gpu, .count, .price, .cost, .disk, .image, .lease, .name, .command, .rent:
            guard let text = form.texts[field] else { return }
            if isFocused {
                drawField(text, x: x, y: area.y, width: width, surface: .dialog, in: &buffer)
            } else if text.text.isEmpty {
                buffer.writeCut(
                    Self.placeholder(field, form, state), x: x, y: area.y, style: Style(.muted, on: .dialog),
                    limit: width)
            } else {
                buffer.writeCut(text.text, x: x, y: area.y, style: Style(.plain, on: .dialog), limit: width)
            }
        }
    }

    private static func drawHelp(
        _ form: LaunchForm, _ completions: [String], in area: Rect, of buffer: inout CellBuffer
    ) {
        if let problem = form.problem {
            let rows = Wrapping.rows(of: problem.sentence, width: area.width - 3)
            for (row, text) in rows.prefix(area.height).enumerated() {
                buffer.writeCut(
                    text, x: area.x + 2, y: area.y + row, style: Style(.bad, on: .dialog),
                    limit: area.width - 3)
            }
            return
        }
        guard !completions.isEmpty else {
            buffer.writeCut(
                Self.help(form.focused), x: area.x + 2, y: area.y, style: Style(.muted, on: .dialog),
                limit: area.width - 3)
            return
        }
        var x = area.x + 2
        x += buffer.write("→ ", x: x, y: area.y, style: Style(.key, on: .dialog, .bold))
        for (index, text) in completions.enumerated() {
            guard x + 8 < area.maxX else { break }
            x += buffer.writeCut(
                text, x: x, y: area.y,
                style: Style(index == 0 ? .accent : .muted, on: .dialog, index == 0 ? .bold : []),
                limit: min(40, area.maxX - 2 - x))
            x += 2
        }
    }

    private static func label(_ field: LaunchForm.Field) -> String {
        switch field {
        case .gpu: "GPU"
        case .count: "how many"
        case .platform: "platform"
        case .price: "at most $/h"
        case .cost: "max cost $"
        case .disk: "disk GB"
        case .image: "image"
        case .lease: "lease"
        case .name: "name"
        case .spot: "spot"
        case .command: "then run"
        case .rent: ""
        }
    }

    /// Explains the focused field in a line.
    private static func help(_ field: LaunchForm.Field) -> String {
        switch field {
        case .gpu: "A name or a part of it: 4090, A100, H100."
        case .count: "The number of GPUs in the instance."
        case .platform: "← → choose one, or the cheapest of all."
        case .price: "Dearer offers are not rented."
        case .cost: "The most that the rental may cost in all."
        case .disk: "Room for the image, the project and its results."
        case .image: "A Docker image; auto chooses one that fits the GPU."
        case .lease: "How long it lives without use: 4h, 2d."
        case .name: "The name in lists, here and at the platform."
        case .spot: "← → choose: cheaper, but the platform may reclaim it."
        case .command: "A command for when it is up, for example python3 train.py"
        case .rent: "Enter rents it."
        }
    }

    private static func placeholder(_ field: LaunchForm.Field, _ form: LaunchForm, _ state: State) -> String {
        switch field {
        case .lease:
            return form.terms.seconds.map { "\(TimeSpan.brief($0)), renewed while it is used" }
                ?? "none: it costs until it is destroyed"
        case .gpu: return "any: the cheapest that fits"
        case .price:
            return state.priceLimit(OfferQuery()).map {
                "\(Format.short($0.price.dollarsPerHour)), \($0.origin)"
            }
                ?? "no limit"
        case .cost:
            return state.tightened(CreateRequest()).maximumCost.map {
                "\(Format.short($0)), as limits.yaml says"
            }
                ?? "none; a limit shortens the lease"
        case .name: return "made from the project's name"
        case .command: return "nothing: r runs a command later"
        case .count, .platform, .disk, .image, .spot, .rent: return ""
        }
    }
}
