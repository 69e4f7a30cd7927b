import ArgumentParser
import Foundation
import VPEngine

struct ReapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reap", abstract: "List resources that cost money on your accounts but are not in use.",
        discussion: """
            orphan     an instance named by vp of which this machine has no record
            duplicate  a second instance of one rental
            parked     a stopped instance rented from this machine, whose disk is billed
            volume     a disk that no instance uses
            foreign    an instance that vp did not rent; vp never touches it

            This command only lists; each line shows the command that ends the cost.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        try session.requireKey(for: platform)
        let answers = try await session.engine(history: .wanted).leftovers(platform: platform)
        try Answer.show(answers, asJSON: self.json.json, session: session, document: Self.document) {
            Self.lines($0, terminal: session.terminal, now: Date())
        }
    }

    static func document(_ answers: PlatformAnswers<Leftover>) -> JSON {
        .object([
            "instances": .list(
                answers.values.map { leftover in
                    .object([
                        "platform": .text(leftover.platform.rawValue), "id": .text(leftover.id),
                        "name": .text(leftover.name), "kind": .text(leftover.kind.rawValue),
                        "dollars_per_day": .number(leftover.dollarsPerDay),
                        "created_at": .date(leftover.createdAt), "action": .text(Self.action(for: leftover)),
                    ])
                }),
            "errors": .list(answers.failures.map(Documents.failure)),
        ])
    }

    static func lines(_ leftovers: [Leftover], terminal: Terminal, now: Date) -> [String] {
        guard !leftovers.isEmpty else { return ["No unused resources cost money."] }
        var table = TextTable([
            ("PLATFORM", .left), ("ID", .left), ("NAME", .left), ("KIND", .left), ("A DAY", .right),
            ("AGE", .right), ("END IT WITH", .left),
        ])
        for leftover in leftovers {
            table.add([
                .init(leftover.platform.rawValue), .init(leftover.id, .strong), .init(leftover.name ?? ""),
                .init(leftover.kind.rawValue, Self.style(leftover.kind)),
                .init(Units.dollars(leftover.dollarsPerDay)), .init(Units.age(leftover.createdAt, now: now)),
                .init(Self.action(for: leftover) ?? "(not rented by vp)"),
            ])
        }
        let total = leftovers.sumOfDollars(of: \.dollarsPerDay)
        return table.lines(colour: terminal.outputHasColour) + [
            Style.faint.apply(
                "\(Units.dollars(total)) a day in all", if: terminal.outputHasColour)
        ]
    }

    /// The command that ends the leftover; nil if vp did not rent it.
    static func action(for leftover: Leftover) -> String? {
        switch leftover.kind {
        case .foreign: nil
        case .parked: "vp destroy-instance \(leftover.id)"
        // It is not in the ledger, so no folder on this machine belongs to its files.
        case .orphan, .duplicate: "vp destroy-instance \(leftover.id) --discard-results"
        case .volume: "the platform's own page, under storage"
        }
    }

    private static func style(_ kind: Leftover.Kind) -> Style? {
        switch kind {
        case .orphan, .duplicate: .bad
        case .parked, .volume: .busy
        case .foreign: .faint
        }
    }
}
