import ArgumentParser
import Foundation
import VPEngine

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Set up this folder: create .vp/config.yaml and .vpignore if they do not exist.")

    @Option(help: ArgumentHelp("Name of the project. (default: the folder's name)", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp("Folder of the data, inside the project. (default: data)", valueName: "folder"),
        completion: .directory)
    var dataDir: String?

    @Option(
        name: [.customLong("base-image"), .customLong("image")],
        help: ArgumentHelp("Container image for the instances.", valueName: "image"))
    var baseImage: String?

    @Option(help: ArgumentHelp("The vast.ai API key, or - to type it.", valueName: "key"))
    var vastApiKey: String?

    @Option(help: ArgumentHelp("The RunPod API key, or - to type it.", valueName: "key"))
    var runpodApiKey: String?

    @Option(help: "The platform to use if a command names none; auto is both.")
    var defaultPlatform: DefaultPlatform?

    @Flag(help: "Copy the rules of the project's .gitignore files to the new .vpignore.")
    var gitignore = false

    @Flag(name: .shortAndLong, help: "Do not ask; use the defaults.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let session = try Session(self.common, showsWarnings: false)
        let asks = session.terminal.canAsk && !self.yes
        try self.writeProject(session, asks: asks)
        try self.writeKeys(session, asks: asks)
        Terminal.print("Next: vp create-instance --gpu-type RTX4090, then vp python train.py")
    }

    /// Writes the project's settings and ignore rules if they do not exist, and prints what it did.
    ///
    /// - Parameter asks: `false` uses the default for everything that no option sets.
    func writeProject(_ session: Session, asks: Bool) throws {
        let folder = session.directory
        let prompt = Prompt(terminal: session.terminal)
        func answer(_ given: String?, _ question: String, fallback: String) -> String {
            given ?? (asks ? prompt.text(question, fallback: fallback) : fallback)
        }

        let settings = ProjectFolder.configurationFile(in: folder)
        // An existing file is not replaced, so its questions need not be asked.
        if FileManager.default.fileExists(atPath: settings) {
            Terminal.print("\(settings) exists already and is not changed.")
        } else {
            let text = Self.settings(
                name: answer(self.name, "Name of the project", fallback: ProjectFolder.name(of: folder)),
                dataFolder: answer(self.dataDir, "Folder of the data", fallback: "data"),
                image: answer(
                    self.baseImage, "Container image", fallback: EngineConfiguration.Defaults().image),
                platform: try self.defaultPlatform?.rawValue
                    ?? Self.platform(
                        answer(nil, "Platform (vast, runpod, auto for both)", fallback: "auto"))
            )
            try ConfigurationEditor.write(text, to: settings, mode: 0o644)
            Terminal.print("Wrote \(settings).")
        }
        let ignores = "\(folder)/.vpignore"
        if FileManager.default.fileExists(atPath: ignores) {
            Terminal.print("\(ignores) exists already and is not changed.")
        } else {
            let excluded = GitIgnores.rules(in: folder)
            var takes = self.gitignore
            if !excluded.isEmpty, !takes, asks {
                takes = prompt.confirm(
                    "Copy \(Units.count(excluded.count, "rule")) from .gitignore to .vpignore? (Ignored files are not "
                        + "synced.)")
            }
            try ConfigurationEditor.write(
                Self.ignoreRules + (takes ? GitIgnores.text(excluded) : ""), to: ignores, mode: 0o644)
            Terminal.print("Wrote \(ignores).")
            if !excluded.isEmpty {
                Terminal.print(
                    takes
                        ? "It includes \(Units.count(excluded.count, "rule")) from .gitignore; remove those for files that a job needs."
                        : "Files that .gitignore excludes are synced anyway; `vp --init --gitignore` would ignore them."
                )
            }
        }
    }

    private func writeKeys(_ session: Session, asks: Bool) throws {
        var keys: [(key: String, value: String?)] = []
        for (platform, given) in [(Platform.vast, self.vastApiKey), (.runpod, self.runpodApiKey)] {
            var value = given
            let hasKey = session.configuration.endpoints.contains { $0.platform == platform }
            if value == nil, asks, !hasKey {
                let typed = try Prompt.secret(
                    "\(platform.displayName) key (empty for none)", terminal: session.terminal)
                value = typed.isEmpty ? nil : typed
                if let value { keys.append(("platforms.\(platform.rawValue).api_key", value)) }
            } else if let value {
                keys.append(
                    (
                        "platforms.\(platform.rawValue).api_key",
                        try ConfigSetCommand.key(value, platform, session)
                    ))
            }
        }
        if !keys.isEmpty {
            let user = session.configuration.paths.userConfigurationFile
            try ConfigurationEditor.apply(keys, to: user, mode: 0o600)
            Terminal.print("Wrote the keys to \(user), which only you can read.")
        } else if session.configuration.endpoints.isEmpty {
            Terminal.print("No API key is set yet: vp config-set --vast-api-key -")
        }
    }

    /// The platform to write; nil for what the user's own configuration says,
    /// because a project that names one hides the other from its users.
    private static func platform(_ word: String) throws -> String? {
        if word == "auto" { return nil }
        guard let platform = Platform(rawValue: word.lowercased()) else {
            throw CommandFailure(
                code: "usage", message: "\(Terminal.printable(word)) is not a platform.",
                advice: "The platforms are vast and runpod; auto means both.", status: Status.usage)
        }
        return platform.rawValue
    }

    /// The project's settings. Keys never go here: the folder is shared, synced and committed.
    static func settings(name: String, dataFolder: String, image: String, platform: String?) -> String {
        func quoted(_ text: String) -> String { JSON.text(text).line }
        return """
            # Settings of this project for vp. API keys belong in your own configuration: vp config-set --vast-api-key -
            project:
              name: \(quoted(name))
              data_dir: \(quoted(dataFolder))
              base_image: \(quoted(image))
              working_dir: /workspace
            \(platform.map { "\nplatforms:\n  default: \(quoted($0))\n" } ?? Self.openPlatform)
            # Defaults for `vp create-instance`.
            # defaults:
            #   gpu: RTX 4090
            #   disk: 40        # GB
            #   max_price: 0.60 # dollars an hour

            """
    }

    private static let openPlatform = """

        # Without a default, vp uses both platforms.
        # platforms:
        #   default: vast

        """

    static let ignoreRules = """
        # Files that vp does not sync, in .gitignore syntax.
        # .git/, .vp/ and files that look like secrets (.env, *.pem, id_*) are never synced unless included here with !
        __pycache__/
        *.pyc
        .DS_Store
        .venv/
        node_modules/

        """
}
