import ArgumentParser
import Foundation
import Synchronization
import VPEngine

/// A platform as it is named on the command line.
enum PlatformChoice: String, CaseIterable, ExpressibleByArgument {
    case vast, runpod, auto

    /// nil lets the engine look everywhere.
    var platform: Platform? {
        switch self {
        case .auto: nil
        case .vast: .vast
        case .runpod: .runpod
        }
    }
}

/// What every verb accepts.
struct CommonOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Read FILE in place of the project's .vp/config.yaml.", valueName: "file"))
    var config: String?

    @Flag(name: .shortAndLong, help: "Say more about what is being done.")
    var verbose = false

    @Option(
        help: ArgumentHelp(
            "Let these settings of the project count this once, such as platforms.vast.url. Separate several by commas.",
            valueName: "names"))
    var allow: String?

    func validate() throws {
        for name in self.allowed where !ConsentRequest.names.contains(name) {
            throw ValidationError(
                "--allow \(name): no such setting needs consent. These do: "
                    + "\(ConsentRequest.names.joined(separator: ", ")).")
        }
    }

    var allowed: Set<String> {
        Set((self.allow ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
    }
}

struct PlatformOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("platform")],
        help: ArgumentHelp("vast, runpod, or auto for both.", valueName: "platform"))
    var choice: PlatformChoice?

    var platform: PlatformChoice { self.choice ?? .auto }

    /// True where both were asked for in so many words, whatever platform is the default.
    var isBoth: Bool { self.choice == .auto }
}

/// The instance by option, as the original tool had it, for verbs that take it as an argument as well.
struct InstanceOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("The instance; not needed while one runs.", valueName: "id"))
    var instanceId: String?

    /// The one instance that was named, in either way.
    func name(orArgument argument: String?) throws -> String? {
        if let argument, let name = self.instanceId, argument != name {
            throw CommandFailure(
                code: "usage", message: "Two instances are named: \(argument), and \(name) with -i.",
                advice: "Name one.", status: Status.usage)
        }
        return argument ?? self.instanceId
    }
}

struct JSONOptions: ParsableArguments {
    @Flag(help: "Answer as JSON.")
    var json = false
}

/// Everything one command needs of its surroundings.
struct Session: Sendable {
    let environment: [String: String]
    let directory: String
    let terminal: Terminal
    let isVerbose: Bool
    let configuration: EngineConfiguration

    /// Reads the configuration. Its warnings go to stderr, except where an answer is meant for a program.
    init(_ options: CommonOptions, asJSON: Bool = false, showsWarnings: Bool = true) throws {
        try self.init(
            environment: ProcessInfo.processInfo.environment,
            directory: FileManager.default.currentDirectoryPath, configurationFile: options.config,
            allowed: options.allowed, asksConsent: showsWarnings, isVerbose: options.verbose)
        if showsWarnings, !asJSON { self.warn(self.configuration.warnings) }
    }

    init(
        environment: [String: String], directory: String, configurationFile: String? = nil,
        allowed: Set<String> = [], asksConsent: Bool = false, isVerbose: Bool = false
    ) throws {
        self.environment = environment
        self.directory = directory
        self.terminal = Terminal(environment: environment)
        self.isVerbose = isVerbose
        func load() throws -> EngineConfiguration {
            try EngineConfiguration.load(
                environment: environment, directory: directory, configurationFile: configurationFile,
                allowed: allowed)
        }
        var configuration = try load()
        if asksConsent, self.terminal.canAsk, !configuration.openConsents.isEmpty {
            let store = ConsentStore(stateFolder: configuration.paths.stateFolder)
            for request in configuration.openConsents {
                try store.remember(Self.consents(to: request, self.terminal), for: request)
            }
            configuration = try load()
        }
        self.configuration = configuration
    }

    private static func consents(to request: ConsentRequest, _ terminal: Terminal) -> Bool {
        Terminal.note(
            "vp: This project wants to \(Terminal.printable(request.words)): \(request.name) in "
                + "\(Terminal.printable(request.place)).")
        return Prompt(terminal: terminal).confirm("Allow it, for this project, as long as it stays as it is?")
    }

    /// Where in the project the user stands; nil in its own folder.
    var folderInProject: String? {
        let root = self.configuration.workspace.localRoot
        let folder = URL(fileURLWithPath: self.directory).standardizedFileURL.path
        return folder.hasPrefix(root + "/") ? String(folder.dropFirst(root.count + 1)) : nil
    }

    /// Takes up what a dashboard left that was killed.
    ///
    /// - Parameter history: `.wanted` for verbs that look at what there is, and end it.
    func engine(history: HistoryNeed = .kept) throws -> Engine {
        let engine = try Engine(configuration: self.configuration, history: history)
        self.noteHistory(of: engine)
        engine.takeUpConfirmedEnds(
            program: ProgramFile.beside("vp") ?? CommandLine.arguments[0], environment: self.environment)
        return engine
    }

    /// Says once where nothing is kept of what is learned.
    func noteHistory(of engine: Engine) {
        guard let problem = engine.historyProblem,
            Self.hasNotedHistory.withLock({ isNoted in
                defer { isNoted = true }
                return !isNoted
            })
        else { return }
        self.warn([
            "The history cannot be written (\(problem.detail ?? problem.code.rawValue)): vp forgets what it learns now."
        ])
    }

    private static let hasNotedHistory = Mutex(false)

    /// Fails before anything is asked of anybody when no platform can be used.
    func requireKey(for platform: Platform? = nil) throws {
        let wanted = platform ?? .vast
        let found = self.configuration.endpoints.contains { platform == nil || $0.platform == platform }
        guard found else {
            throw EngineError(.missingKey, .init("looking for an API key", platform: wanted))
        }
    }

    func warn(_ warnings: [String]) {
        for warning in warnings {
            let prefix = Style.busy.apply("vp:", if: self.terminal.errorHasColour)
            Terminal.note("\(prefix) \(Terminal.printable(warning))")
        }
    }

    func note(_ line: String) { Terminal.note(line) }

    func explain(_ line: @autoclosure () -> String) {
        if self.isVerbose { Terminal.note(Style.faint.apply(line(), if: self.terminal.errorHasColour)) }
    }
}
