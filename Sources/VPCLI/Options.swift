import ArgumentParser
import Foundation
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
}

struct PlatformOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "vast, runpod, or auto for both.")
    var platform: PlatformChoice = .auto
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
            isVerbose: options.verbose)
        if showsWarnings, !asJSON { self.warn(self.configuration.warnings) }
    }

    init(
        environment: [String: String], directory: String, configurationFile: String? = nil,
        isVerbose: Bool = false
    ) throws {
        self.environment = environment
        self.directory = directory
        self.terminal = Terminal(environment: environment)
        self.isVerbose = isVerbose
        self.configuration = try EngineConfiguration.load(
            environment: environment, directory: directory, configurationFile: configurationFile)
    }

    /// Takes up what a dashboard left that was killed.
    func engine() throws -> Engine {
        let engine = try Engine(configuration: self.configuration)
        engine.takeUpConfirmedEnds(
            program: Program.sibling("vp") ?? CommandLine.arguments[0], environment: self.environment)
        return engine
    }

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
