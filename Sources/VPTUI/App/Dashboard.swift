import ArgumentParser
import Foundation
import Glibc
import VPEngine
import VPTUICore

/// `vp-tui`: arguments, configuration, terminal, loop.
struct Dashboard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vp-tui",
        abstract: "Rent a GPU, sync, run, watch and bring results back, in a full-screen dashboard.",
        discussion: "Every action has a key; ? shows them. `vp` does the same from the command line.",
        version: "0.1.0")

    @Flag(help: "Use an emulated cloud on this machine and a sample project: no account, no money.")
    var demo = false

    @Option(
        name: [.short, .customLong("config")],
        help: ArgumentHelp("Read this file in place of .vp/config.yaml.", valueName: "file"))
    var configurationFile: String?

    @Flag(help: "Draw with ASCII characters only.")
    var ascii = false

    @Flag(name: .customLong("readonly"), help: "Look only: keys that change something are off.")
    var isReadOnly = false

    @Flag(name: .customLong("no-mouse"), help: "Leave the mouse to the terminal.")
    var noMouse = false

    @Flag(name: .customLong("print-keys"), help: "Print all keys as a table and exit.")
    var printKeys = false

    func run() throws {
        let keyMap = KeyMap.standard
        if self.printKeys {
            print(keyMap.markdown, terminator: "")
            return
        }
        guard keyMap.conflicts.isEmpty else {
            throw Failure.exit(
                200, "The keys contradict each other: \(keyMap.conflicts.joined(separator: "; "))")
        }
        var environment = ProcessInfo.processInfo.environment
        var directory = FileManager.default.currentDirectoryPath
        try Self.checkTerminal()
        let demo = self.demo ? try DemoCloud.start() : nil
        defer { demo?.stop() }
        if let demo {
            environment.merge(demo.environment) { _, demo in demo }
            directory = demo.project
        }
        try self.open(environment: environment, directory: directory, keyMap: keyMap)
    }

    /// Before anything is started that would have to be ended again.
    private static func checkTerminal() throws {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw Failure.exit(
                64, "vp-tui needs a terminal for input and output. Use `vp ls`, `vp jobs` or `vp logs` here.")
        }
    }

    private func open(environment: [String: String], directory: String, keyMap: KeyMap) throws {
        let configuration: EngineConfiguration
        let engine: Engine
        do {
            configuration = try EngineConfiguration.load(
                environment: environment, directory: directory, configurationFile: self.configurationFile)
            engine = try Engine(configuration: configuration)
        } catch {
            let words = ErrorWords(error)
            throw Failure.exit(
                200, [words.title, words.detail, words.advice].compactMap { $0 }.joined(separator: ". "))
        }
        let signals = Signals.install()
        let terminal: CursesTerminal
        do {
            terminal = try CursesTerminal(environment: environment)
        } catch {
            throw Failure.exit(64, error.sentence)
        }
        var state = State(
            settings: self.settings(configuration, terminal), keyMap: keyMap, size: terminal.size,
            session: UUID(), now: Date())
        state.showCached(
            instances: engine.cachedInstances(), offers: engine.cachedOffers(),
            balances: engine.cachedBalances(), jobs: (try? engine.jobs()) ?? [])
        let mailbox = Mailbox()
        let runner = EffectRunner(engine: engine, mailbox: mailbox)
        let loop = UILoop(
            terminal: terminal, mailbox: mailbox, runner: runner, signals: signals, state: state)
        let end = loop.run()
        terminal.close()
        try Self.finish(end, loop.state, runner)
    }

    private func settings(_ configuration: EngineConfiguration, _ terminal: CursesTerminal) -> Settings {
        var settings = Settings()
        settings.isReadOnly = self.isReadOnly
        settings.isASCII = self.ascii || terminal.isASCII
        settings.secondsFromGMT = TimeZone.current.secondsFromGMT()
        settings.workspaceName = configuration.workspace.name
        settings.platforms = configuration.endpoints.map(\.platform)
        settings.defaults = configuration.defaults
        return settings
    }

    /// Transfers end with the dashboard, jobs do not.
    private static func finish(_ end: UILoop.End, _ state: State, _ runner: EffectRunner) throws {
        let transfers = state.activeActionIDs { if case .run = $0 { false } else { true } }
        switch end {
        case .quit: runner.finish(cancelling: transfers, limit: .seconds(2))
        // Whoever hangs up does not wait.
        case .terminalGone, .signalled: runner.finish(cancelling: transfers, limit: .milliseconds(400))
        }
        switch end {
        case .quit: return
        case .terminalGone: throw ExitCode(128 + SIGHUP)
        case .signalled(let number): throw ExitCode(128 + number)
        }
    }
}

/// An end with a sentence on stderr.
enum Failure {
    static func exit(_ status: Int32, _ sentence: String) -> ExitCode {
        FileHandle.standardError.write(Data("vp-tui: \(sentence)\n".utf8))
        return ExitCode(status)
    }
}
