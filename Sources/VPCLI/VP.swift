import ArgumentParser
import Foundation
import Glibc
import VPEngine

@main
struct VP: AsyncParsableCommand {
    static let version = Product.version

    static let configuration = CommandConfiguration(
        commandName: "vp",
        abstract: "Rent a GPU, upload this folder, run a command, download the results.",
        usage: """
            vp <command> [<argument> ...]        run a command on the instance, with sync before and after
            vp "<shell text>"                    the same, as one line of shell
            vp <subcommand> [<option> ...]
            vp --init                            set up this folder
            """,
        discussion: """
            The first word that is not an option starts the command. vp runs it and everything after it on the \
            instance, unchanged: `vp python train.py --epochs 3`. Write `vp run -- …` for a command that has the name \
            of a subcommand.

            Exit status: the job's own, or 64 usage, 200 configuration or key, 201 no instance, 202 platform, \
            203 unreachable, 204 upload failed, 205 results incomplete, 206 host key changed, 207 instance lost, \
            208 refused by a limit, 209 instance may still exist, 130 after Ctrl-C.
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

    // `CommandLineShape` moves these options behind the verb before anything is parsed;
    // they are declared here for the help and the completions.
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var parts: RunPartOptions
    @OptionGroup var budget: BudgetOptions

    @Flag(help: "Set up this folder, like `vp init`.")
    var `init` = false

    func run() async throws {
        // A configuration that cannot be read is no reason to keep the help back.
        if let session = try? Session(self.common, showsWarnings: false), FirstContact.isOffered(session) {
            var contact = FirstContact(session: session)
            try await contact.run()
        } else {
            Terminal.print(Self.helpMessage())
        }
    }

    static func main() async {
        StandardStreams.open()
        // If the reader goes away (`vp jobs | head`), a write fails, and the process goes on.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let shape = CommandLineShape(arguments)
        let isJSON = Self.wantsJSON(shape, arguments)
        do {
            switch try Self.settled(shape, of: arguments) {
            case .mistyped(let word, let verb):
                throw CommandFailure(
                    code: "usage", message: "`\(word)` is not a vp command.",
                    advice: "Did you mean `vp \(verb)`? To run a program called \(word) on an instance: "
                        + "vp run -- \(word)",
                    status: Status.usage)
            case .unusable(let word, "help"):
                throw CommandFailure(
                    code: "usage", message: "`\(Terminal.printable(word))` is not a vp command.",
                    advice: (VerbGuess.closest(to: word).map { "Did you mean `vp help \($0)`? " } ?? "")
                        + "`vp --help` lists all commands.",
                    status: Status.usage)
            case .unusable(let word, let verb):
                throw CommandFailure(
                    code: "usage", message: "`vp \(verb)` does not accept \(Terminal.printable(word)).",
                    advice: "See `vp \(verb) --help`.", status: Status.usage)
            case .misplaced(let option, let verb, let verbs):
                let others = verbs.prefix(6).joined(separator: ", ") + (verbs.count > 6 ? " and others" : "")
                throw CommandFailure(
                    code: "usage", message: "`vp \(verb)` has no option \(option).",
                    advice: "\(option) is an option of \(others). See `vp \(verb) --help`.",
                    status: Status.usage)
            case .parsed(let arguments) where arguments.first == "--generate-completion-script":
                // The parser words every mistake in the shell's name.
                guard arguments.count == 2, let shell = CompletionShell(rawValue: arguments[1]) else {
                    _ = try Self.parseAsRoot(arguments)
                    return
                }
                Terminal.print(Completions.script(for: shell))
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

    /// Asks on a terminal whether a mistyped verb was meant. Without a terminal, and after a no,
    /// the word is refused: as a program it would be run on an instance that costs money.
    private static func settled(
        _ shape: CommandLineShape, of arguments: [String]
    ) throws -> CommandLineShape {
        let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
        guard case .mistyped(let word, let verb) = shape, terminal.canAsk else { return shape }
        // A verb that ends something is not confirmed by Enter alone.
        let fallback = VerbGuess.ending.contains(verb) ? "n" : "y"
        let choices = fallback == "y" ? "[Y/n/run]" : "[y/N/run]"
        let answer = Prompt(terminal: terminal).line(
            "`\(word)` is not a vp command. Did you mean `vp \(verb)`? \(choices) (run: run it on an instance): "
        )
        switch (answer?.isEmpty == true ? fallback : answer?.lowercased()) ?? "n" {
        case "y", "yes":
            return CommandLineShape(CommandLineShape.replacingWord(of: arguments, by: verb), guesses: false)
        case "r", "run": return CommandLineShape(arguments, guesses: false)
        default: throw ExitStatus(status: Status.usage)
        }
    }

    /// Returns `status`, or the status of an incomplete answer if standard output could not be written. The
    /// failure is reported only here, at the end, because a job goes on whether or not its output is shown.
    private static func status(_ status: Int32) -> Int32 {
        guard let reason = Terminal.outputFailure else { return status }
        Terminal.note("vp: standard output could not be written: \(reason).")
        Terminal.note("    `vp logs` shows the whole output of a job.")
        return status == 0 ? Status.configuration : status
    }

    /// Parses only the verb if that is enough. The root's options stand behind the verb already, and parsing
    /// them again would take as long as the verb itself.
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
        // The root words help, mistakes and verbs of a verb.
        return try Self.parseAsRoot(arguments)
    }

    private static func end(with error: any Error, asJSON: Bool) -> Never {
        let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
        // The parser's error types are private. Its own errors are recognised by their exit code: all others
        // have `failure`.
        let code = Self.exitCode(for: error)
        guard !(error is EngineError || error is CommandFailure || error is ExitStatus), code != .failure
        else {
            Report.show(error, asJSON: asJSON, terminal: terminal)
            Glibc.exit(Self.status(Report.status(for: error)))
        }
        if code.isSuccess {
            // Help and version: the parser would not notice that they could not be written.
            Terminal.print(Self.fullMessage(for: error))
            Glibc.exit(Self.status(0))
        }
        guard asJSON else { Self.exit(withError: error) }
        let words = Report.Words(code: "usage", message: Self.message(for: error), advice: "See `vp --help`.")
        Terminal.note(words.json.line)
        Glibc.exit(code.rawValue)
    }

    /// Whether `--json` is one of our own options. Behind the first word of a command it belongs to the
    /// command.
    private static func wantsJSON(_ shape: CommandLineShape, _ arguments: [String]) -> Bool {
        switch shape {
        case .parsed(let parsed): parsed.prefix { $0 != "--" }.contains("--json")
        case .misplaced, .unusable, .mistyped: arguments.contains("--json")
        }
    }
}
