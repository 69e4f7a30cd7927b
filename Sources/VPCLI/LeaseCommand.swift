import ArgumentParser
import Foundation
import VPEngine

/// The budget of a run or a rental. The option may also precede the verb of a run.
struct BudgetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Maximum cost in dollars, of this run or of a new instance. The instance ends a job that reaches it, "
                + "even if nobody follows it; a vp that follows it downloads the results. The lease of a new instance is shortened so that it cannot cost more.",
            valueName: "dollars"))
    var maxCost: DollarsArgument?
}

/// Options for the lease of a rental.
struct LeaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "End the instance after this time without a running job, a vp command that uses it or an open dashboard: "
                + "4h, 30m, 2d, or none. (default: \(TimeSpan.text(LeaseTerms.standardSeconds)))",
            valueName: "time"), transform: TimeArgument.lease)
    var lease: LeaseArgument?

    @Option(
        help: ArgumentHelp(
            "Stop the instance once it has been idle this long (no GPU or CPU load, no log output, no open terminal), "
                + "even if a job still runs: 30m, 2h.", valueName: "time"),
        transform: TimeArgument.span)
    var stopWhenIdle: Double?

    @Option(
        help: ArgumentHelp(
            "Destroy the instance once it has been idle this long (no GPU or CPU load, no log output, no open "
                + "terminal), even if a job still runs: 30m, 2h.", valueName: "time"),
        transform: TimeArgument.span)
    var destroyWhenIdle: Double?

    var isGiven: Bool { self.lease != nil || self.stopWhenIdle != nil || self.destroyWhenIdle != nil }

    func validate() throws {
        if self.stopWhenIdle != nil, self.destroyWhenIdle != nil {
            throw ValidationError("--stop-when-idle and --destroy-when-idle cannot be combined.")
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
        commandName: "lease", abstract: "Show or set how long an instance lives without use.",
        discussion: """
            When the lease runs out, a watchdog on the instance ends its jobs, then stops or destroys the instance, \
            using an API key that is valid only for this instance. This works even while your machine is off. A running \
            job, vp commands that use the instance and an open dashboard renew the lease, up to the hard limit \
            (lease.max). If results are not downloaded yet, the watchdog stops the instance instead of destroying it.
            """)

    @Argument(help: "The instance's id or name.", completion: Completions.instances)
    var id: String

    @Argument(
        help: ArgumentHelp("The new lease, from now on: 4h, 30m, 2d or none.", valueName: "time"),
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
        guard let lease else { return ["\(id) was not rented from this machine and has no lease."] }
        if instance.status == .stopped {
            let daily = Units.dollars(instance.price.dollarsPerDay)
            return [
                "\(id) is stopped, so no lease applies; its disk costs \(daily) a day. `vp start \(id)` starts it, "
                    + "`vp destroy-instance \(id)` destroys it."
            ]
        }
        guard let end = lease.endsAt else { return ["\(id) has no lease: it runs until you end it."] }
        let left = end.timeIntervalSince(now)
        let verb = lease.terms.ending == .destroy ? "destroyed" : "stopped"
        var line =
            left > 0
            ? "\(id) will be \(verb) in \(TimeSpan.exact(left)) unless it is used"
            : "The lease of \(id) has run out, and the instance is being \(verb)"
        if let cap = lease.capEndsAt {
            line += ", and in \(TimeSpan.exact(max(0, cap.timeIntervalSince(now)))) at the latest"
        }
        var lines = [line + "."]
        if lease.guardian == .local {
            lines.append(
                "Only this machine enforces the lease, while vp or vp-tui runs: "
                    + "\(Terminal.printable(lease.weakness ?? "the instance does not answer"))."
            )
        }
        if let idle = lease.terms.idleSeconds {
            let words = lease.terms.idleEnding == .stop ? "Stopped" : "Destroyed"
            lines.append(
                "It will be \(words.lowercased()) after it has been idle for \(TimeSpan.exact(idle)).")
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
