import Foundation
import VPEngine

/// The main pane without a log: the fields of the row that is selected in the list.
enum DetailsScreen {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let inner = area.inner
        buffer.fill(inner)
        let (title, fields) = Self.content(state, width: inner.width)
        drawPane(
            area, number: Pane.main.rawValue, title: title, isFocused: state.focus == .main, in: &buffer)
        let isRoomy = inner.height > 12 && state.mainScroll == 0
        var y = inner.y + (isRoomy ? 1 : 0)
        for field in fields.dropFirst(state.mainScroll) where y < inner.maxY {
            switch field {
            case .pair(let name, let value):
                buffer.writeCut(
                    name, x: inner.x + 2, y: y, style: Style(.muted), limit: min(14, inner.width - 2))
                buffer.writeCut(
                    value.text, x: inner.x + 17, y: y, style: value.style, limit: inner.width - 18)
            case .line(let span):
                buffer.writeCut(span.text, x: inner.x + 2, y: y, style: span.style, limit: inner.width - 3)
            case .spans(let spans):
                var x = inner.x + 2
                for span in spans {
                    x += buffer.writeCut(span.text, x: x, y: y, style: span.style, limit: inner.maxX - 1 - x)
                }
            case .gap: break
            }
            y += 1
        }
        drawScrollbar(
            in: area, of: &buffer, first: state.mainScroll, visible: inner.height,
            total: fields.count + (inner.height > 12 ? 1 : 0),
            style: Style(state.focus == .main ? .borderFocused : .muted))
    }

    static func lineCount(_ state: State, width: Int) -> Int { Self.content(state, width: width).1.count }

    private enum Field {
        case pair(String, Span)
        case line(Span)
        case spans([Span])
        case gap
    }

    /// Returns the title, and the fields with long values broken at spaces.
    private static func content(_ state: State, width: Int) -> (String, [Field]) {
        let (title, fields) = Self.unbroken(state, width: width)
        let broken = fields.flatMap { field -> [Field] in
            guard case .pair(let name, let value) = field, DisplayWidth.of(value.text) > width - 18 else {
                return [field]
            }
            let rows = Wrapping.rows(of: [value], width: max(12, width - 18)).flatMap { $0 }
            return rows.enumerated().map { .pair($0 == 0 ? name : "", $1) }
        }
        return (title, broken)
    }

    private static func unbroken(_ state: State, width: Int) -> (String, [Field]) {
        switch state.lastList {
        case .offers: if let offer = state.offers.selectedRow { return ("Offer", Self.fields(offer, state)) }
        case .jobs: if let job = state.jobs.selectedRow { return ("Job", Self.fields(job, state)) }
        case .instances, .main:
            if let instance = state.instances.selectedRow {
                return ("Instance", Self.fields(instance, state, width: width))
            }
        }
        return ("Welcome", Self.welcome(state))
    }

    private static func fields(_ instance: Instance, _ state: State, width: Int) -> [Field] {
        let mark = StatusWords.mark(instance.status)
        var fields: [Field] = [
            .line(Span(instance.name ?? instance.id.rawValue, .accent, .bold)),
            .pair("id", Span("\(instance.platform.displayName) \(instance.id)")),
            .pair("status", Span("\(mark.glyph) \(instance.status.rawValue)", mark.role)),
        ]
        if let message = instance.statusMessage, !message.isEmpty {
            let words = "\(instance.platform.displayName) says: \(message)"
            fields.append(.pair("", Span(words, .muted)))
        }
        let memory =
            instance.gpuMemoryBytes.map { " · \(Format.memory($0, of: instance.gpuName)) each" } ?? ""
        fields.append(.pair("gpu", Span("\(instance.gpuName) ×\(instance.gpuCount)\(memory)")))
        fields.append(
            .pair(
                "price",
                Span(
                    "\(Format.hourly(instance.price)) · \(Format.dollars(instance.price.dollarsPerDay)) a day",
                    .money)))
        if let created = instance.createdAt {
            let age = max(0, state.now.timeIntervalSince(created))
            fields.append(.pair("rented", Span("\(age < 60 ? "<1m" : TimeSpan.brief(age)) ago")))
            if let dollars = state.dollarsSoFar(instance) {
                fields.append(.pair("so far", Span("about \(Format.dollars(dollars))", .money)))
            }
        }
        if let ends = instance.leaseEndsAt {
            let left = (ends.timeIntervalSince(state.now) / 60).rounded(.up) * 60
            let time = state.moment(ends)
            fields.append(
                .pair("lease ends", Span(left > 0 ? "\(time), in \(TimeSpan.brief(left))" : "\(time), now")))
            if let cap = instance.lease?.capEndsAt {
                fields.append(.pair("", Span("renewed until \(state.moment(cap)) at most", .muted)))
            }
        }
        fields.append(.gap)
        if let image = instance.image { fields.append(.pair("image", Span(image))) }
        if let disk = instance.diskBytes { fields.append(.pair("disk", Span(Format.bytes(disk)))) }
        if let location = instance.location { fields.append(.pair("where", Span(location))) }
        if instance.isInterruptible {
            fields.append(.pair("spot", Span("the platform may reclaim it", .warning)))
        }
        if let ssh = instance.ssh {
            fields.append(.pair("ssh", Span("ssh -p \(ssh.port) \(ssh.user)@\(ssh.host)")))
        }
        for forward in state.forwards where forward.instance == instance.id {
            let text = "127.0.0.1:\(forward.localPort) → \(forward.remotePort)"
            fields.append(.pair("forward", Span(text, .accent)))
        }
        if let track = state.telemetry.track(instance.id), instance.status == .running {
            fields += [.gap, .line(Span("Load", .title, .bold))]
            fields += TelemetryView.lines(track, width: width, state.settings).map {
                .spans([Span("  ")] + $0)
            }
        }
        let jobs = state.jobs.rows.filter { $0.instance == instance.id }.prefix(6)
        if !jobs.isEmpty {
            fields += [.gap, .line(Span("Jobs", .title, .bold))]
            for job in jobs {
                let mark = StatusWords.mark(job.state)
                fields.append(.pair("\(mark.glyph) \(job.id)", Span(job.command.shellText, .muted)))
            }
        }
        return fields
    }

    private static func fields(_ offer: Offer, _ state: State) -> [Field] {
        var fields: [Field] = [
            .line(Span(InstancesScreen.gpu(offer.gpuName, offer.gpuCount), .accent, .bold)),
            .pair("id", Span("\(offer.platform.displayName) \(offer.id)")),
            .pair(
                "price",
                Span(
                    "\(Format.hourly(offer.price)) · \(Format.dollars(offer.price.dollarsPerDay)) a day",
                    .money)),
            .pair("gpu memory", Span("\(Format.memory(offer.gpuMemoryBytes, of: offer.gpuName)) each")),
        ]
        func add(_ name: String, _ text: String?) {
            if let text { fields.append(.pair(name, Span(text))) }
        }
        add("where", offer.location)
        add("reliability", offer.reliability.map { Format.fixed($0 * 100, 1) + " %" })
        add("cuda", offer.cudaVersion.map { "up to " + Format.fixed($0, 1) })
        fields.append(.gap)
        add("cpu", offer.cpuCores.map { Format.fixed($0, 0) + " cores" })
        add("memory", offer.memoryBytes.map { Format.bytes($0) })
        add("disk", offer.diskBytes.map { "up to " + Format.bytes($0) })
        add("storage", offer.storageDollarsPerGBMonth.map { "$" + Format.fixed($0, 3) + " a GB and month" })
        add("upload", Self.link(offer.uploadMbps, offer.uploadDollarsPerGB))
        add("download", Self.link(offer.downloadMbps, offer.downloadDollarsPerGB))
        if offer.isInterruptible {
            fields.append(.pair("spot", Span("the platform may reclaim it", .warning)))
        }
        if !offer.isVerified { fields.append(.pair("verified", Span("no", .warning))) }
        fields += [.gap] + Self.costs(offer, state)
        if let objection = state.money.limits.objection(to: offer) {
            return fields + [.gap, .pair("not allowed", Span(objection, .warning))]
        }
        fields += [
            .gap,
            .line(Span("Enter rents it, after asking.", .muted)),
            .line(Span("c asks for image, disk and command first.", .muted)),
        ]
        return fields
    }

    /// The cost of some hours with this project's disk, without traffic, and of an image's download.
    private static func costs(_ offer: Offer, _ state: State) -> [Field] {
        let disk = state.market.query.diskBytes
        var fields: [Field] = [
            .line(Span("For a job of this project", .title, .bold)),
            .pair("disk", Span("\(Format.bytes(disk)), in the price")),
        ]
        for hours in [1.0, 8, 24] {
            let cost = offer.price.dollarsPerHour * hours
            fields.append(
                .pair("\(Format.fixed(hours, 0)) h", Span("\(Format.dollars(cost)) and traffic", .money)))
        }
        if let perGB = offer.downloadDollarsPerGB, perGB > 0 {
            // A PyTorch image with CUDA is about this large.
            fields.append(.pair("image of 8 GB", Span("\(Format.dollars(perGB * 8)) to download", .money)))
        }
        return fields
    }

    private static func link(_ mbps: Double?, _ dollarsPerGB: Double?) -> String? {
        guard mbps != nil || dollarsPerGB != nil else { return nil }
        let speed = mbps.map { Format.fixed($0, 0) + " Mbit/s" }
        let price = dollarsPerGB.map { "$" + Format.fixed($0, 3) + " a GB" }
        return [speed, price].compactMap { $0 }.joined(separator: " · ")
    }

    private static func fields(_ job: Job, _ state: State) -> [Field] {
        let mark = StatusWords.mark(job.state)
        var fields: [Field] = [
            .line(Span(job.id.rawValue, .accent, .bold)),
            .pair("state", Span("\(mark.glyph) \(StatusWords.ending(of: job))", mark.role)),
            .pair("command", Span(job.command.shellText)),
            .pair("on", Span("\(job.platform.displayName) \(job.instance)")),
        ]
        if let start = job.startedAt {
            fields.append(
                .pair("started", Span(state.moment(start))))
        }
        if let elapsed = StatusWords.elapsed(job, now: state.now) {
            fields.append(.pair("took", Span(TimeSpan.clock(elapsed))))
        }
        if let dollars = JobsScreen.dollars(job, state) {
            fields.append(.pair("cost", Span(Format.dollars(dollars), .money)))
        }
        if let results = job.record?.results {
            let words = "\(Format.plural(results.files, "file")), \(Format.bytes(results.bytes))"
            fields.append(.pair("results", Span("\(words), downloaded \(state.moment(results.at))")))
        } else if state.awaitsResults(of: job) {
            fields.append(.pair("results", Span("not here yet; d downloads them", .warning)))
        }
        let background = job.record?.background ?? []
        if !background.isEmpty { fields += [.gap, .line(Span("After its command", .title, .bold))] }
        for process in background.prefix(6) {
            let (text, role) = StatusWords.state(of: process)
            fields.append(.spans([Span(text, role), Span("  \(process.command)", .muted)]))
        }
        if background.count > 6 { fields.append(.line(Span("and \(background.count - 6) more", .muted))) }
        if job.record?.leftBehind.isEmpty == false {
            fields.append(.line(Span("`vp cancel \(job.id)` ends the processes left behind.", .muted)))
        }
        fields += [
            .gap, .pair("folder", Span(job.workspacePath)), .pair("log", Span(job.logPath)), .gap,
            .line(Span("Enter shows its log.", .muted)),
        ]
        return fields
    }

    private static func welcome(_ state: State) -> [Field] {
        func step(_ key: String, _ text: String) -> Field { .pair(key, Span(text)) }
        return [
            .line(Span("VariousPlug", .accent, .bold)),
            .line(Span("Rent a GPU, upload, run, download every result, destroy.", .muted)), .gap,
            step("2", "go to Offers; e edits the query"), step("Enter", "rent the selected offer"),
            step("S", "upload the project to the instance"), step("r", "run a command; its log opens here"),
            step("d", "download the results"), step("D", "destroy the instance"), .gap,
            step("?", "all keys"), step("q", "quit; jobs continue without the dashboard"),
        ]
    }
}
