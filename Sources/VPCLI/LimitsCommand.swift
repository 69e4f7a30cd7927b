import ArgumentParser
import Foundation
import VPEngine

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Show the spending limits and today's remaining budget.",
        discussion: """
            Limits are set in limits.yaml beside your own configuration and in /etc/variousplug/limits.yaml: \
            max_price, max_cost, per_day, max_instances, gpus, platforms, verbs. No option or setting can raise them. \
            If both files set the same limit, the stricter value applies.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let report = try session.engine(history: .wanted).limitsReport()
        if self.json.json {
            Terminal.print(Self.document(report).document)
        } else {
            for line in Self.lines(report) { Terminal.print(line) }
        }
        if let problem = report.limits.problem {
            throw CommandFailure(
                code: "limitRefused",
                message: "A limits file cannot be used: \(Terminal.printable(problem)).",
                advice: "Correct the file. Until then, vp does nothing that costs money.",
                status: Status.limitRefused)
        }
    }

    static func lines(_ report: LimitsReport) -> [String] {
        let limits = report.limits
        var rows: [(String, String)] = []
        func add<Value>(_ name: String, _ cap: Limits.Cap<Value>?, _ words: (Value) -> String) {
            if let cap { rows.append((name, "\(words(cap.value))  (\(cap.file))")) }
        }
        add("max_price", limits.maximumPrice) { Units.hourly($0) }
        add("max_cost", limits.maximumCost) { "\(Units.dollars($0)) for a run or a rental" }
        if let limit = report.dayLimit, let left = report.leftToday {
            rows.append(
                (
                    "per_day",
                    "\(Units.dollars(limit.dollars)), \(Units.dollars(report.spentToday)) spent today, "
                        + "\(Units.dollars(left)) left  (\(limit.origin))"
                ))
        }
        add("max_instances", limits.maximumInstances) {
            "\($0), \(report.instances) rented, \(report.instancesLeft ?? 0) left"
        }
        add("gpus", limits.maximumGPUs) { "\($0) in one instance" }
        for cap in limits.gpus { add("gpus", cap) { $0.joined(separator: ", ") } }
        for cap in limits.platforms {
            add("platforms", cap) { $0.map(\.displayName).joined(separator: ", ") }
        }
        for cap in limits.verbs { add("verbs", cap) { $0.joined(separator: ", ") } }
        if rows.isEmpty, limits.problem == nil {
            return [
                "No limits are set. \(Units.dollars(report.spentToday)) spent today.",
                "To set one, write a line such as `per_day: 5` or `max_price: 0.6` to",
                "\(Terminal.printable(report.ownFile)).",
            ]
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, words in
            name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + Terminal.printable(words)
        }
    }

    static func document(_ report: LimitsReport) -> JSON {
        let limits = report.limits
        func text(_ caps: [Limits.Cap<[String]>]) -> JSON {
            // The names that every list has.
            guard let first = caps.first else { return .null }
            return .list(
                first.value.filter { name in caps.allSatisfy { $0.value.contains(name) } }.map { .text($0) })
        }
        return .object([
            "limits": .object([
                "max_price": .number(limits.maximumPrice?.value),
                "max_cost": .number(limits.maximumCost?.value),
                "per_day": .number(limits.dollarsPerDay?.value),
                "max_instances": .integer(limits.maximumInstances.map { Int64($0.value) }),
                "max_gpus": .integer(limits.maximumGPUs.map { Int64($0.value) }),
                "gpus": text(limits.gpus),
                "platforms": text(
                    limits.platforms.map { .init(value: $0.value.map(\.rawValue), file: $0.file) }),
                "verbs": text(limits.verbs),
            ]),
            "today": .object([
                "spent_dollars": .number(report.spentToday),
                "limit_dollars": .number(report.dayLimit?.dollars),
                "left_dollars": .number(report.leftToday), "limit_from": .text(report.dayLimit?.origin),
            ]),
            "instances": .object([
                "rented": .integer(Int64(report.instances)),
                "left": .integer(report.instancesLeft.map { Int64($0) }),
            ]),
            "files": .list(limits.files.map { .text($0) }),
            "problem": .text(limits.problem),
        ])
    }
}

/// Refuses verbs that the limits files exclude.
enum VerbLimit {
    /// Verbs that are always allowed: they cost nothing and explain the limits.
    private static let free: Set<String> = ["limits", "help"]

    /// Throws `.limitRefused` if a limits file excludes `verb`. An unusable file excludes none here;
    /// the engine then refuses everything that costs money.
    static func check(_ verb: String) throws {
        guard OptionTable.verbs.contains(verb), !Self.free.contains(verb) else { return }
        let limits = Limits.inForce(environment: ProcessInfo.processInfo.environment)
        guard !limits.verbs.isEmpty else { return }
        switch verb {
        case "ls", "list-instances": try limits.require(anyOf: "ls", "list-instances")
        default: try limits.require(anyOf: verb)
        }
    }
}
