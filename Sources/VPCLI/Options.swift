import ArgumentParser
import Foundation
import Synchronization
import VPEngine

/// A platform as it is named on the command line.
enum PlatformChoice: String, CaseIterable, ExpressibleByArgument {
    case vast, runpod, auto

    /// nil if the engine may use any platform.
    var platform: Platform? {
        switch self {
        case .auto: nil
        case .vast: .vast
        case .runpod: .runpod
        }
    }
}

/// Options of every verb that reads the configuration.
struct CommonOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Read this file instead of .vp/config.yaml.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(name: .shortAndLong, help: "Show more detail about each step.")
    var verbose = false

    @Option(
        help: ArgumentHelp(
            "Accept these project settings for this run only, such as platforms.vast.url; separate several with "
                + "commas.", valueName: "names"))
    var allow: String?

    func validate() throws {
        for name in self.allowed where !ConsentRequest.names.contains(name) {
            throw ValidationError(
                "--allow \(name): that is not a setting that needs consent. Settings that do: "
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
        help: ArgumentHelp("The platform to use; auto means both.", valueName: "platform"))
    var choice: PlatformChoice?

    var platform: PlatformChoice { self.choice ?? .auto }

    /// `true` if both platforms were asked for explicitly, whatever the default platform is.
    var isBoth: Bool { self.choice == .auto }
}

/// The instance as an option, as in the original tool, for verbs that also take it as an argument.
struct InstanceOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The instance's id or name. Optional if exactly one instance of this project is running.",
            valueName: "id"),
        completion: Completions.instances)
    var instanceId: String?

    /// Returns the instance named by the option or the argument. Throws if they differ.
    func name(orArgument argument: String?) throws -> String? {
        if let argument, let name = self.instanceId, argument != name {
            throw CommandFailure(
                code: "usage",
                message: "Two different instances were given: \(argument), and \(name) with -i.",
                advice: "Give only one of them.", status: Status.usage)
        }
        return argument ?? self.instanceId
    }
}

struct JSONOptions: ParsableArguments {
    @Flag(help: "Print the answer as JSON.")
    var json = false
}

/// The surroundings of one command: environment, folder, terminal and configuration.
struct Session: Sendable {
    let environment: [String: String]
    let directory: String
    let terminal: Terminal
    let isVerbose: Bool
    let configuration: EngineConfiguration

    /// Reads the configuration. Its warnings go to stderr, except if the answer is meant for a program.
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
        return Prompt(terminal: terminal).confirm("Allow it for this project, until the setting changes?")
    }

    /// The current folder relative to the project's; nil in the project's own folder.
    var folderInProject: String? {
        let root = self.configuration.workspace.localRoot
        let folder = URL(fileURLWithPath: self.directory).standardizedFileURL.path
        return folder.hasPrefix(root + "/") ? String(folder.dropFirst(root.count + 1)) : nil
    }

    /// Opens the engine, and carries on with confirmed destroys that a killed dashboard left behind.
    ///
    /// - Parameter history: `.wanted` for verbs that only inspect or end instances.
    func engine(history: HistoryNeed = .kept) throws -> Engine {
        let engine = try Engine(configuration: self.configuration, history: history)
        self.noteHistory(of: engine)
        engine.takeUpConfirmedEnds(
            program: ProgramFile.beside("vp") ?? CommandLine.arguments[0], environment: self.environment)
        return engine
    }

    /// Warns, once per process, if the history cannot be written.
    func noteHistory(of engine: Engine) {
        guard let problem = engine.historyProblem,
            Self.hasNotedHistory.withLock({ isNoted in
                defer { isNoted = true }
                return !isNoted
            })
        else { return }
        self.warn([
            "The history cannot be written (\(problem.detail ?? problem.code.rawValue)): vp will not remember this run."
        ])
    }

    private static let hasNotedHistory = Mutex(false)

    /// Throws before any request is made if no usable platform has a key.
    func requireKey(for platform: Platform? = nil) throws {
        let found = self.configuration.endpoints.contains { platform == nil || $0.platform == platform }
        guard found else {
            throw EngineError(.missingKey, .init("looking for an API key", platform: platform))
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
