import ArgumentParser
import Foundation
import Glibc
import VPEngine

@main
struct VP: AsyncParsableCommand {
    static let version = Product.version

    static let configuration = CommandConfiguration(
        commandName: "vp",
        abstract: "Rent a GPU, sync this folder, run a command there, bring the results back.",
        usage: """
            vp <command> [<argument> ...]        run a command on the instance, with sync before and after
            vp "<shell text>"                    the same, as one line of shell
            vp <verb> [<option> ...]
            vp --init                            set up this folder
            """,
        discussion: """
            Everything from the first word that is not an option goes to the instance untouched: \
            `vp python train.py --epochs 3`. Write `vp run -- …` where the command has the name of a verb.

            Exit status: the job's own; 64 usage, 200 configuration or key, 201 no instance, 202 platform, \
            203 unreachable, 204 upload failed, 205 results not whole, 206 host key changed, 207 instance lost, \
            208 refused by a limit, 209 instance still exists, 130 after Ctrl-C.
            """,
        version: Self.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Jobs",
                subcommands: [
                    RunCommand.self, JobsCommand.self, LogsCommand.self, MetricsCommand.self,
                    AttachCommand.self,
                    CancelCommand.self, RerunCommand.self, SyncCommand.self,
                    DownloadCommand.self, DiffCommand.self, WhyCommand.self,
                ]),
            CommandGroup(
                name: "Instances",
                subcommands: [
                    ListInstancesCommand.self, OffersCommand.self, CreateInstanceCommand.self,
                    SSHCommand.self,
                    StartCommand.self, StopCommand.self, DestroyInstanceCommand.self,
                ]),
            CommandGroup(
                name: "Money",
                subcommands: [
                    StatusCommand.self, CostCommand.self, LimitsCommand.self, LeaseCommand.self,
                    ReapCommand.self,
                ]),
            CommandGroup(
                name: "Settings",
                subcommands: [
                    InitCommand.self, ConfigShowCommand.self, ConfigSetCommand.self, DoctorCommand.self,
                ]),
            CommandGroup(name: "More", subcommands: [TUICommand.self, DemoCommand.self]),
        ]
    )

    // `CommandLineShape` moves these behind the verb before anything is parsed.
    // They are declared here for the help and the completions.
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var parts: RunPartOptions
    @OptionGroup var budget: BudgetOptions

    @Flag(help: "Set up this folder, as `vp init` does.")
    var `init` = false

    func run() async throws {
        Terminal.print(Self.helpMessage())
    }

    static func main() async {
        StandardStreams.open()
        // A reader that goes away (`vp jobs | head`) ends a write with an error, not the process.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let isJSON = Self.wantsJSON(arguments)
        do {
            switch CommandLineShape(arguments) {
            case .mistyped(let word, let verb):
                throw CommandFailure(
                    code: "usage", message: "\(word) is no verb of vp.",
                    advice: "Did you mean `vp \(verb)`? To run a program of that name: vp run -- \(word)",
                    status: Status.usage)
            case .unusable(let word, "help"):
                throw CommandFailure(
                    code: "usage", message: "\(Terminal.printable(word)) is no verb of vp.",
                    advice: "`vp --help` lists the verbs.", status: Status.usage)
            case .unusable(let word, let verb):
                throw CommandFailure(
                    code: "usage", message: "`vp \(verb)` cannot use \(Terminal.printable(word)).",
                    advice: "See `vp \(verb) --help`.", status: Status.usage)
            case .misplaced(let option, let verb, let verbs):
                let others = verbs.prefix(6).joined(separator: ", ") + (verbs.count > 6 ? " and others" : "")
                throw CommandFailure(
                    code: "usage", message: "`vp \(verb)` takes no \(option).",
                    advice: "It belongs to \(others). See `vp \(verb) --help`.", status: Status.usage)
            case .parsed(let arguments):
                var command = try Self.parse(arguments)
                if let verb = arguments.first { try VerbLimit.check(verb) }
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
        } catch {
            Self.end(with: error, asJSON: isJSON)
        }
        Glibc.exit(Self.status(0))
    }

    /// `status`, or that of an answer that could not be written whole. Said here, at the end:
    /// a job goes on whether its output is shown or not.
    private static func status(_ status: Int32) -> Int32 {
        guard let reason = Terminal.outputFailure else { return status }
        Terminal.note("vp: the output could not be written: \(reason).")
        Terminal.note("    A job's whole output is kept: `vp logs`.")
        return status == 0 ? Status.configuration : status
    }

    /// Parses the verb alone where that is enough: the root's own options are behind the verb already,
    /// and to go through them once more takes as long as the verb itself.
    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        let word = arguments.first ?? ""
        let verb = Self.configuration.subcommands.first {
            $0.configuration.commandName == word || $0.configuration.aliases.contains(word)
        }
        if let verb, let command = try? verb.parseAsRoot(Array(arguments.dropFirst())),
            type(of: command) == verb
        {
            return command
        }
        // Help, mistakes and verbs of a verb are told in the root's words.
        return try Self.parseAsRoot(arguments)
    }

    private static func end(with error: any Error, asJSON: Bool) -> Never {
        let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
        // The parser has private error types; it knows them by their exit code, and any other by `failure`.
        let code = Self.exitCode(for: error)
        guard !(error is EngineError || error is CommandFailure || error is ExitStatus), code != .failure
        else {
            Report.show(error, asJSON: asJSON, terminal: terminal)
            Glibc.exit(Self.status(Report.status(for: error)))
        }
        guard asJSON, !code.isSuccess else { Self.exit(withError: error) }
        let words = Report.Words(code: "usage", message: Self.message(for: error), advice: "See `vp --help`.")
        Terminal.note(words.json.line)
        Glibc.exit(code.rawValue)
    }

    /// Whether `--json` stands among our own words; behind the first word of a command it is the command's.
    private static func wantsJSON(_ arguments: [String]) -> Bool {
        switch CommandLineShape(arguments) {
        case .parsed(let parsed): parsed.prefix { $0 != "--" }.contains("--json")
        case .misplaced: arguments.contains("--json")
        case .unusable: arguments.contains("--json")
        case .mistyped: false
        }
    }
}
