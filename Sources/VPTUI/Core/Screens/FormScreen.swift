import Foundation
import VPEngine

/// The launch form: fields at the left, completions under the one that has the keys, the price below.
enum FormScreen {
    static func draw(_ form: LaunchForm, _ state: State, of buffer: inout CellBuffer) {
        let screen = buffer.bounds
        let fields = LaunchForm.Field.allCases.filter { $0 != .rent }
        let quote = Self.quote(form, state)
        let completions = form.completions(state)
        let height = fields.count + 4 + quote.count + 2
        let area = screen.dropFirst(rows: 1).dropLast(rows: 1).centred(
            Size(width: max(58, min(88, screen.width - 8)), height: height))
        let inner = drawBox(area, title: "Rent an instance", in: &buffer)
        // On a low screen the fields around the one with the keys are shown.
        let room = max(1, inner.height - quote.count - 3)
        let focus = fields.firstIndex(of: form.focused) ?? fields.count - 1
        let top = max(0, min(focus - room / 2, fields.count - room))
        var y = inner.y
        for field in fields[top...].prefix(room) {
            Self.draw(
                field, form, state, in: Rect(x: inner.x, y: y, width: inner.width, height: 1), of: &buffer)
            y += 1
        }
        Self.drawHelp(
            form, completions, in: Rect(x: inner.x, y: y, width: inner.width, height: 1), of: &buffer)
        y += 2
        for line in quote where y < inner.maxY - 1 {
            var x = inner.x + 1
            for span in line {
                x += buffer.writeCut(
                    span.text, x: x, y: y, style: span.style.on(.dialog), limit: inner.maxX - 1 - x)
            }
            y += 1
        }
        let isFocused = form.focused == .rent
        let label = isFocused ? " ▸ Rent it " : "   Rent it "
        buffer.write(
            label, x: inner.x + (inner.width - 11) / 2, y: inner.maxY - 1,
            style: Style(.plain, on: isFocused ? .buttonFocused : .button))
    }

    /// What it asks for and what that costs, for lines in place of a screen.
    static func plain(_ form: LaunchForm, _ state: State) -> [String] {
        let fields = LaunchForm.Field.allCases.filter { $0 != .rent }.map { field -> String in
            let value: String =
                switch field {
                case .platform: form.platform?.displayName ?? "cheapest of all"
                case .spot: form.isSpot ? "yes" : "no"
                case .gpu, .count, .price, .cost, .disk, .image, .lease, .name, .command, .rent:
                    form.text(field).isEmpty ? Self.placeholder(field, form) : form.text(field)
                }
            return "\(field.rawValue): \(value)"
        }
        let quote = Self.quote(form, state).map { $0.map(\.text).joined() }.filter { !$0.isEmpty }
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
                    Self.placeholder(field, form), x: x, y: area.y, style: Style(.muted, on: .dialog),
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
            buffer.writeCut(
                problem.sentence, x: area.x + 2, y: area.y, style: Style(.bad, on: .dialog),
                limit: area.width - 3)
            return
        }
        guard !completions.isEmpty else { return }
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

    private static func placeholder(_ field: LaunchForm.Field, _ form: LaunchForm) -> String {
        switch field {
        case .lease:
            return form.terms.seconds.map { "\(TimeSpan.brief($0)); it is renewed while a job runs" }
                ?? "none: it costs until it is destroyed"
        case .gpu: return "any: the cheapest that fits"
        case .price:
            return form.settledPrice.map { "\(Format.short($0.dollarsPerHour)), as the settings say" }
                ?? "no limit"
        case .cost: return "no limit in all; the lease is cut to what it buys"
        case .name: return "made from the project's name"
        case .command: return "nothing: r runs a command later"
        case .count, .platform, .disk, .image, .spot, .rent: return ""
        }
    }

    /// What it would cost: the offer that was chosen, or the cheapest that fits.
    private static func quote(_ form: LaunchForm, _ state: State) -> [[Span]] {
        switch form.quote {
        case .due where form.problem != nil: return [[], [], []]
        case .due, .asking: return [[Span("Asking for prices…", .muted)], [], []]
        case .failed(let error):
            let words = ErrorWords(error)
            return [[Span("⚠ \(words.title)", .bad)], [Span(words.detail ?? words.advice, .muted)], []]
        case .known(let offers, let job, let failures):
            var lines: [[Span]] = []
            if let offer = offers.first {
                let platform = StatusWords.platform(offer.platform)
                lines.append([
                    Span("\(platform.text) ", platform.role),
                    Span(InstancesScreen.gpu(offer.gpuName, offer.gpuCount), .accent, .bold),
                    Span("  \(Format.memory(offer.gpuMemoryBytes, of: offer.gpuName))  "),
                    Span(Format.hourly(offer.price), .money, .bold),
                    Span("  \(Format.dollars(offer.price.dollarsPerDay)) a day", .money),
                    Span(offer.location.map { "  \($0)" } ?? "", .muted),
                ])
                lines.append(Self.means(offer, form, count: form.offer == nil ? offers.count : nil, state))
                lines.append(Self.jobPrice(offer, job))
            } else {
                lines.append([Span("Nothing that fits is for rent now.", .warning)])
                lines.append([Span("Ask for another GPU, or leave the price open.", .muted)])
            }
            if let failure = failures.first {
                lines[lines.count - 1] = [Span("⚠ \(ErrorWords.brief(failure))", .bad)]
            }
            while lines.count < 3 { lines.append([]) }
            return lines
        }
    }

    private static func jobPrice(_ offer: Offer, _ job: JobEstimate) -> [Span] {
        let hours = job.hours == 1 ? "an hour" : "\(Format.short(job.hours)) h"
        return [
            Span("\(hours) of it with this project's files: ", .muted),
            Span(Format.dollars(offer.dollars(for: job)), .money),
        ]
    }

    private static func means(
        _ offer: Offer, _ form: LaunchForm, count: Int?, _ state: State
    ) -> [Span] {
        var spans: [Span] = []
        if let count {
            spans.append(Span("the cheapest of \(count); a taken one gives way to the next", .muted))
        } else {
            spans.append(Span("this very offer, and no other", .muted))
        }
        guard offer.price.dollarsPerHour > 0 else { return spans }
        if let limit = try? form.maximumCost() {
            let age = TimeSpan.brief(limit / offer.price.dollarsPerHour * 3600)
            spans.insert(Span("\(Format.dollars(limit)) buys \(age) · ", .money), at: 0)
        } else if let balance = state.money.balances.first(where: { $0.platform == offer.platform }) {
            let hours = balance.dollars / offer.price.dollarsPerHour
            spans.append(
                Span(
                    " · \(Format.dollars(balance.dollars)) lasts \(Format.fixed(hours, 0)) h",
                    hours < 1 ? .bad : .muted))
        }
        return spans
    }
}
