import ArgumentParser
import Foundation
import Glibc
import VPEngine
import VPTUICore

/// The `vp-tui` command: reads arguments and configuration, takes the terminal, and runs the loop.
struct Dashboard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vp-tui",
        abstract: "Rent a GPU, upload, run, watch and download results, in a full-screen dashboard.",
        discussion: "Every action has a key; ? shows them. `vp` does the same from the command line.",
        version: Product.version)

    @Flag(help: "Use an emulated cloud on this machine and a sample project: no account, no money.")
    var demo = false

    @Option(
        name: [.short, .customLong("config")],
        help: ArgumentHelp("Read this file instead of .vp/config.yaml.", valueName: "file"))
    var configurationFile: String?

    @Option(
        help: ArgumentHelp(
            "Let these settings of the project count this once, such as platforms.vast.url.",
            valueName: "names"))
    var allow: String?

    @Flag(help: "Draw with ASCII characters only.")
    var ascii = false

    @Flag(name: .customLong("readonly"), help: "Turn off every key that changes something.")
    var isReadOnly = false

    @Flag(name: .customLong("no-mouse"), help: "Leave the mouse to the terminal.")
    var noMouse = false

    @Option(help: ArgumentHelp("Theme: dark, light, auto, or one from dashboard.yaml.", valueName: "name"))
    var theme: String?

    @Flag(help: "Print changes as lines and read `vp` commands, for screen readers.")
    var plain = false

    @Flag(name: .customLong("print-keys"), help: "Print all keys as a table and exit.")
    var printKeys = false

    /// Parses the arguments and runs. Unlike the parser's own `main`,
    /// it notices that help or version could not be written.
    static func start() -> Never {
        do {
            try Self.parse().run()
            Glibc.exit(0)
        } catch {
            guard Self.exitCode(for: error).isSuccess else { Self.exit(withError: error) }
            do {
                try Self.answer(Self.fullMessage(for: error) + "\n")
                Glibc.exit(0)
            } catch {
                Self.exit(withError: error)
            }
        }
    }

    private static func answer(_ text: String) throws {
        guard StandardStreams.write(text.utf8, to: STDOUT_FILENO) else {
            throw Failure.exit(
                200, "standard output could not be written: \(String(cString: strerror(errno))).")
        }
    }

    func run() throws {
        var environment = ProcessInfo.processInfo.environment
        var directory = FileManager.default.currentDirectoryPath
        let file: DashboardFile
        let keyMap: KeyMap
        do {
            file = try DashboardFile(path: DashboardFile.path(environment))
            keyMap = try KeyMap.standard.applying(file.keys)
            _ = try ThemeChoice(named: self.theme, file, environment: environment)
        } catch let error as DashboardFileError {
            throw Failure.exit(200, "\(DashboardFile.path(environment)): \(error.sentence)")
        } catch let error as EngineError {
            throw Failure.exit(200, error.detail ?? ErrorWords(error).title)
        }
        if self.printKeys {
            return try Self.answer(keyMap.markdown)
        }
        let isPlain = self.plain || environment["ACCESSIBLE", default: ""] == "1"
        if !isPlain { try Self.checkTerminal() }
        let demo = self.demo ? try DemoCloud.start() : nil
        defer { demo?.stop() }
        if let demo {
            environment.merge(demo.environment) { _, demo in demo }
            directory = demo.project
        }
        try self.open(
            environment: environment, directory: directory, file: file, keyMap: keyMap, isPlain: isPlain)
    }

    /// The bytes of cached offers that are read before the first frame: about five hundred offers, which take
    /// ten milliseconds to decode. The rest is loaded after that frame.
    private static let offersAtOnce = 256 << 10

    /// Checks the terminal before anything starts that would have to be stopped again.
    private static func checkTerminal() throws {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw Failure.exit(
                64, "vp-tui needs a terminal for input and output. Use `vp ls`, `vp jobs` or `vp logs` here.")
        }
    }

    private func open(
        environment: [String: String], directory: String, file: DashboardFile, keyMap: KeyMap, isPlain: Bool
    ) throws {
        let configuration: EngineConfiguration
        let engine: Engine
        let mailbox = Mailbox()
        do {
            configuration = try self.load(environment: environment, directory: directory)
            // The warnings are read once the screen is given back; the dashboard has
            // no place that would keep them.
            for warning in configuration.warnings { ConsentQuestion.say(warning) }
            engine = try Engine(configuration: configuration) { mailbox.post(.called($0)) }
        } catch {
            let words = ErrorWords(error)
            throw Failure.exit(
                200, [words.title, words.detail, words.advice].compactMap { $0 }.joined(separator: ". "))
        }
        let signals = Signals.install()
        let runner = EffectRunner(
            engine: engine, mailbox: mailbox, environment: environment, directory: directory,
            configurationFile: self.configurationFile)
        runner.takeUpDestroys()
        var state = State(
            settings: self.settings(configuration, file), keyMap: keyMap, size: Size(width: 200, height: 50),
            session: UUID(), now: Date())
        if let remembered = RememberedFile(configuration.paths).load() { state.recall(remembered) }
        state.showCached(
            instances: engine.cachedInstances(), offers: engine.cachedOffers(upTo: Self.offersAtOnce),
            balances: engine.cachedBalances(), jobs: (try? engine.jobs()) ?? [],
            money: .cached(environment: environment))
        if isPlain {
            let loop = PlainLoop(mailbox: mailbox, runner: runner, signals: signals, state: state)
            try self.finish(loop.run(), loop.state, runner)
            return
        }
        let terminal: CursesTerminal
        let themes: ThemeChoice
        do {
            themes = try ThemeChoice(named: self.theme, file, environment: environment)
            terminal = try CursesTerminal(
                environment: environment, theme: themes.first, usesMouse: !self.noMouse && file.mouse != false
            )
        } catch let error as CursesTerminal.Refusal {
            throw Failure.exit(64, error.sentence)
        }
        if terminal.isASCII { state.settings.isASCII = true }
        state.settings.plotting = Self.plotting(state.settings.isASCII, environment)
        state.size = terminal.size
        let loop = UILoop(
            terminal: terminal, input: TerminalInput(terminal.inputSettings), mailbox: mailbox,
            runner: runner, signals: signals, themes: themes, state: state)
        let end = loop.run()
        terminal.close()
        try self.finish(end, loop.state, runner)
    }

    private func load(environment: [String: String], directory: String) throws(EngineError)
        -> EngineConfiguration
    {
        let names = (self.allow ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        func read() throws(EngineError) -> EngineConfiguration {
            try EngineConfiguration.load(
                environment: environment, directory: directory, configurationFile: self.configurationFile,
                allowed: Set(names))
        }
        let configuration = try read()
        guard !configuration.openConsents.isEmpty else { return configuration }
        try ConsentQuestion.ask(configuration.openConsents, stateFolder: configuration.paths.stateFolder)
        return try read()
    }

    /// Plain consoles' fonts have block characters at most; terminal emulators' fonts have braille, too.
    private static func plotting(_ isASCII: Bool, _ environment: [String: String]) -> Settings.Plotting {
        if isASCII { return .ascii }
        let name = environment["TERM"] ?? ""
        return name.hasPrefix("vt") || name.hasPrefix("putty") ? .blocks : .braille
    }

    private func settings(_ configuration: EngineConfiguration, _ file: DashboardFile) -> Settings {
        var settings = Settings()
        settings.isReadOnly = self.isReadOnly
        settings.isDemo = self.demo
        settings.isASCII = self.ascii || file.ascii == true
        settings.secondsFromGMT = TimeZone.current.secondsFromGMT()
        settings.workspaceName = configuration.workspace.name
        settings.platforms = configuration.endpoints.map(\.platform)
        settings.defaults = configuration.defaults
        settings.leaseTerms = configuration.money.lease
        return settings
    }

    /// Cancels transfers, which end with the dashboard; jobs and confirmed destroys continue without it.
    private func finish(_ end: UILoop.End, _ state: State, _ runner: EffectRunner) throws {
        let transfers = state.activeActionIDs { if case .run = $0 { false } else { true } }
        // After a hang-up or another signal, nobody waits for the end.
        let limit: DispatchTimeInterval = end == .quit ? .seconds(2) : .milliseconds(400)
        // A demo's cloud ends with the dashboard, so there is nothing to hand over.
        if !self.demo { runner.handOverDestroys(of: state, limit: .milliseconds(200)) }
        runner.finish(cancelling: transfers, remembering: state.toRemember, limit: limit)
        switch end {
        case .quit: return
        case .terminalGone: throw ExitCode(128 + SIGHUP)
        case .signalled(let number): throw ExitCode(128 + number)
        }
    }
}

/// Ends the program with a sentence on stderr.
enum Failure {
    static func exit(_ status: Int32, _ sentence: String) -> ExitCode {
        StandardStreams.write("vp-tui: \(sentence)\n".utf8, to: STDERR_FILENO)
        return ExitCode(status)
    }
}
