import ArgumentParser
import Foundation
import VPEngine

struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config-show", abstract: "Show the configuration and the source of each setting.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let configuration = session.configuration
        if self.json.json {
            Terminal.print(Self.document(configuration).document)
            return
        }
        for line in Self.lines(configuration, terminal: session.terminal) { Terminal.print(line) }
    }

    static func lines(_ configuration: EngineConfiguration, terminal: Terminal) -> [String] {
        let defaults = configuration.defaults
        let workspace = configuration.workspace
        var rows: [(String, String)] = [
            ("Project", workspace.name),
            ("  folder", workspace.localRoot),
            ("  on the instance", workspace.remoteRoot),
            ("  settings", configuration.projectConfigurationFile ?? "none; `vp --init` creates them"),
        ]
        for platform in Platform.allCases {
            let endpoint = configuration.endpoints.first { $0.platform == platform }
            rows.append((platform.displayName, endpoint.map { "key \($0.key)" } ?? "no key"))
            if let origin = configuration.keyOrigins[platform] { rows.append(("  key from", origin)) }
            if let endpoint {
                rows.append(("  address", ShownAddress.redacted(endpoint.baseURL.absoluteString)))
            }
        }
        rows += [
            ("Default platform", defaults.platform?.displayName ?? "both"),
            ("Default GPU", defaults.gpu ?? "the cheapest that fits"),
            ("Default image", defaults.image),
            ("Default disk", Units.bytes(defaults.diskBytes)),
            ("Highest price", defaults.maximumPrice.map { Units.hourly($0.dollarsPerHour) } ?? "none"),
            ("ssh key", configuration.identityFile ?? "none found; vp tries the ssh agent's keys"),
            ("Your settings", configuration.paths.userConfigurationFile),
            ("History and logs", configuration.paths.stateFolder),
        ]
        let width = rows.map { DisplayWidth.of($0.0) }.max() ?? 0
        return rows.map { title, value in
            let pad = String(repeating: " ", count: width - DisplayWidth.of(title) + 2)
            return Style.faint.apply(title, if: terminal.outputHasColour) + pad + Terminal.printable(value)
        }
    }

    static func document(_ configuration: EngineConfiguration) -> JSON {
        let platforms = Platform.allCases.map { platform in
            let endpoint = configuration.endpoints.first { $0.platform == platform }
            return JSON.object([
                "platform": .text(platform.rawValue),
                "key": .text(endpoint.map { $0.key.description }),
                "key_origin": .text(configuration.keyOrigins[platform]),
                "url": .text(endpoint.map { ShownAddress.redacted($0.baseURL.absoluteString) }),
            ])
        }
        return .object([
            "project": .object([
                "name": .text(configuration.workspace.name),
                "folder": .text(configuration.workspace.localRoot),
                "remote_folder": .text(configuration.workspace.remoteRoot),
                "file": .text(configuration.projectConfigurationFile),
            ]),
            "platforms": .list(platforms),
            "defaults": .object([
                "platform": .text(configuration.defaults.platform?.rawValue),
                "gpu": .text(configuration.defaults.gpu),
                "image": .text(configuration.defaults.image),
                "disk_bytes": .integer(configuration.defaults.diskBytes),
                "max_dollars_per_hour": .number(configuration.defaults.maximumPrice?.dollarsPerHour),
            ]),
            "ssh_identity": .text(configuration.identityFile),
            "user_file": .text(configuration.paths.userConfigurationFile),
            "state_folder": .text(configuration.paths.stateFolder),
            "warnings": .list(configuration.warnings.map { .text($0) }),
        ])
    }
}

/// A platform that can be the default.
enum DefaultPlatform: String, CaseIterable, ExpressibleByArgument {
    case vast, runpod, auto
}

struct ConfigSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config-set", abstract: "Set API keys and defaults in your own configuration.",
        discussion: """
            If a key is given as -, vp asks for it without showing it. If standard input is not a terminal, vp reads \
            the key from it.
            """
    )

    @Option(help: ArgumentHelp("The vast.ai API key, or - to type it.", valueName: "key"))
    var vastApiKey: String?

    @Option(help: ArgumentHelp("The RunPod API key, or - to type it.", valueName: "key"))
    var runpodApiKey: String?

    @Option(help: "The platform to use if a command names none; auto is both.")
    var defaultPlatform: DefaultPlatform?

    @Flag(help: "Move API keys from the project's .vp/config.yaml to your own configuration.")
    var moveKeys = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard
            self.vastApiKey != nil || self.runpodApiKey != nil || self.defaultPlatform != nil || self.moveKeys
        else {
            throw ValidationError("No setting was given. For example: vp config-set --vast-api-key -")
        }
    }

    func run() async throws {
        let session = try Session(self.common, showsWarnings: false)
        let file = session.configuration.paths.userConfigurationFile
        var changes: [(key: String, value: String?)] = []
        if self.moveKeys {
            let moved = try KeyMove(configuration: session.configuration)
            try moved.perform()
            for line in moved.lines { Terminal.print(line) }
        }
        for (platform, value) in [(Platform.vast, self.vastApiKey), (.runpod, self.runpodApiKey)] {
            guard let value else { continue }
            changes.append(("platforms.\(platform.rawValue).api_key", try Self.key(value, platform, session)))
        }
        if let platform = self.defaultPlatform { changes.append(("platforms.default", platform.rawValue)) }
        guard !changes.isEmpty else { return }
        try ConfigurationEditor.apply(changes, to: file, mode: 0o600)
        for change in changes { Terminal.print("Set \(change.key) in \(file).") }
        try self.warnIfHidden(session)
    }

    static func key(_ value: String, _ platform: Platform, _ session: Session) throws -> String {
        if value != "-" {
            session.note("vp: other users can see a key on the command line; next time give - and type it.")
        }
        let text =
            value == "-"
            ? try Prompt.secret("\(platform.displayName) key", terminal: session.terminal) : value
        return try Self.checked(text, platform)
    }

    /// Returns `text` without surrounding blanks. Throws if it cannot be a key.
    static func checked(_ text: String, _ platform: Platform) throws -> String {
        let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, key.allSatisfy({ $0.isASCII && !$0.isWhitespace }) else {
            throw CommandFailure(
                code: "usage",
                message:
                    "This is not a \(platform.displayName) key: it is empty or contains blanks or special characters.",
                advice: "Copy the key again from the platform's account page.", status: Status.usage)
        }
        return key
    }

    /// Warns if another source overrides a setting that was just written.
    private func warnIfHidden(_ before: Session) throws {
        let now = try Session(self.common, showsWarnings: false)
        for (platform, value) in [(Platform.vast, self.vastApiKey), (.runpod, self.runpodApiKey)]
        where value != nil {
            let origin = now.configuration.keyOrigins[platform]
            if let origin, origin != now.configuration.paths.userConfigurationFile {
                now.warn(["The \(platform.displayName) key from \(origin) overrides the one just set."])
            }
        }
        if let platform = self.defaultPlatform,
            now.configuration.defaults.platform?.rawValue ?? "auto" != platform.rawValue,
            let file = now.configuration.projectConfigurationFile
        {
            now.warn(["platforms.default in \(file) overrides the one just set."])
        }
    }
}

/// Moves keys from the project's configuration to the user's.
struct KeyMove {
    let configuration: EngineConfiguration
    private let keys: [Platform: ConfigurationEditor.KeptKey]
    /// Platforms whose key stays, because the user's own configuration has a different one.
    private let kept: [Platform]

    private var platforms: [Platform] { Platform.allCases.filter { self.keys[$0] != nil } }

    init(configuration: EngineConfiguration) throws {
        self.configuration = configuration
        let theirs =
            try configuration.projectConfigurationFile.map { try ConfigurationEditor.keys(in: $0) } ?? [:]
        let own = try ConfigurationEditor.keys(in: configuration.paths.userConfigurationFile)
        let keys = theirs.filter { own[$0.key] == nil || own[$0.key]?.key == $0.value.key }
        self.keys = keys
        self.kept = Platform.allCases.filter { theirs[$0] != nil && keys[$0] == nil }
    }

    /// Moves the keys. The user's file is written first,
    /// so that a failure in between leaves a key in both files and never in neither.
    func perform() throws {
        guard let project = self.configuration.projectConfigurationFile, !self.platforms.isEmpty else {
            return
        }
        let user = self.configuration.paths.userConfigurationFile
        var keys: [(key: String, value: String?)] = []
        for (platform, kept) in self.keys.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            keys.append(("platforms.\(platform.rawValue).api_key", kept.key.reveal()))
            // A platform that is disabled in the project stays disabled.
            if !kept.isEnabled { keys.append(("platforms.\(platform.rawValue).enabled", "false")) }
        }
        try ConfigurationEditor.apply(keys, to: user, mode: 0o600)
        try ConfigurationEditor.removeKeys(of: self.platforms, from: project)
    }

    var lines: [String] {
        self.moved
            + self.kept.map { platform in
                "The \(platform.displayName) key in the project's file stays unused: your own configuration has a different one."
            }
    }

    private var moved: [String] {
        guard let project = self.configuration.projectConfigurationFile, !self.platforms.isEmpty else {
            return ["No key to move: your own configuration has every key of the project's."]
        }
        let names = self.platforms.map(\.displayName).joined(separator: " and ")
        return [
            "Moved the \(names) key from \(project) to \(self.configuration.paths.userConfigurationFile).",
            "If the project was ever shared or committed, create a new key on the platform's site.",
        ]
    }
}
