import ArgumentParser
import Foundation
import VPEngine

/// What a run, or a rental, may cost. Accepted before the verb of a run as well.
struct BudgetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What it may cost. A rental's lease is cut to that; a job is ended at it, and its results come back.",
            valueName: "dollars"))
    var maxCost: DollarsArgument?
}

/// How long what is rented may last, and what it may cost.
struct LeaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long it lasts with nobody using it: 4h, 30m, 2d; `none` must be typed. "
                + "(default: \(TimeSpan.text(LeaseTerms.standardSeconds)))",
            valueName: "time"), transform: TimeArgument.lease)
    var lease: LeaseArgument?

    @Option(
        help: ArgumentHelp("Stop it when nothing has used it for so long: 30m, 2h.", valueName: "time"),
        transform: TimeArgument.span)
    var stopWhenIdle: Double?

    @Option(
        help: ArgumentHelp("Destroy it when nothing has used it for so long: 30m, 2h.", valueName: "time"),
        transform: TimeArgument.span)
    var destroyWhenIdle: Double?

    var isGiven: Bool { self.lease != nil || self.stopWhenIdle != nil || self.destroyWhenIdle != nil }

    func validate() throws {
        if self.stopWhenIdle != nil, self.destroyWhenIdle != nil {
            throw ValidationError("--stop-when-idle and --destroy-when-idle exclude each other.")
        }
    }

    func terms(_ standard: LeaseTerms) -> LeaseTerms {
        var terms = standard
        if let lease = self.lease { terms.seconds = lease.seconds }
        if let idle = self.stopWhenIdle ?? self.destroyWhenIdle {
            terms.idleSeconds = idle
            terms.idleEnding = self.stopWhenIdle != nil ? .stop : .destroy
        }
        return terms
    }
}

struct LeaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lease", abstract: "Show or set how long an instance lasts with nobody using it.",
        discussion: """
            When the lease runs out, a watchdog on the instance ends the jobs and then stops or destroys it with \
            the instance's own key, also while this machine is off. A running job and vp itself renew it, up to \
            the hard limit (lease.max). Results that are not here yet turn a destroy into a stop.
            """)

    @Argument(help: "The instance's id or name.")
    var id: String

    @Argument(
        help: ArgumentHelp("4h, 30m, 2d or none; from now on.", valueName: "time"),
        transform: TimeArgument.lease)
    var time: LeaseArgument?

    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        try session.requireKey(for: platform)
        let engine = try session.engine()
        let instance = try await engine.instance(named: self.id, platform: platform)
        let lease: Lease?
        if let time = self.time {
            lease = try await engine.setLease(of: instance.id, seconds: time.seconds)
        } else {
            lease = try await engine.lease(of: instance.id)
        }
        if self.json.json {
            Terminal.print(Self.document(lease, of: instance.id).document)
        } else {
            for line in Self.lines(lease, of: instance, now: Date()) { Terminal.print(line) }
        }
    }

    static func document(_ lease: Lease?, of id: InstanceID) -> JSON {
        .object([
            "platform": .text(id.platform.rawValue), "id": .text(id.rawValue),
            "guardian": .text(lease?.guardian.rawValue ?? "none"), "lease_ends_at": .date(lease?.endsAt),
            "limit_ends_at": .date(lease?.capEndsAt), "ending": .text(lease?.terms.ending.rawValue),
            "weakness": .text(lease?.weakness), "use": .text(lease?.use.map(Self.word)),
        ])
    }

    static func lines(_ lease: Lease?, of instance: Instance, now: Date) -> [String] {
        let id = instance.id
        guard let lease else { return ["\(id) was not rented from here and has no lease."] }
        if instance.status == .stopped {
            let daily = Units.dollars(instance.price.dollarsPerDay)
            return [
                "\(id) is stopped, so that no lease ends it; its disk costs \(daily) a day. "
                    + "`vp start \(id)` or `vp destroy-instance \(id)`."
            ]
        }
        guard let end = lease.endsAt else { return ["\(id) has no lease: it runs until you end it."] }
        let left = end.timeIntervalSince(now)
        let verb = lease.terms.ending == .destroy ? "destroyed" : "stopped"
        var line =
            left > 0
            ? "\(id) is \(verb) in \(TimeSpan.exact(left)) unless somebody uses it"
            : "\(id): the lease has run out, and it is being \(verb)"
        if let cap = lease.capEndsAt {
            line += ", and in \(TimeSpan.exact(max(0, cap.timeIntervalSince(now)))) at the latest"
        }
        var lines = [line + "."]
        if lease.guardian == .local {
            lines.append(
                "Only this machine guards it, while vp or vp-tui runs: \(Terminal.printable(lease.weakness ?? "it does not answer"))."
            )
        }
        if let idle = lease.terms.idleSeconds {
            let words = lease.terms.idleEnding == .stop ? "Stopped" : "Destroyed"
            lines.append("\(words) after \(TimeSpan.exact(idle)) without use.")
        }
        return lines
    }

    static func word(_ use: InstanceUse) -> String {
        switch use {
        case .active: "active"
        case .idle: "idle"
        case .unknown: "unknown"
        }
    }
}
