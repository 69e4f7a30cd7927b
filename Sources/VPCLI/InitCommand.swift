import ArgumentParser
import Foundation
import VPEngine

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Set up this folder: .vp/config.yaml and .vpignore. Replaces nothing.")

    @Option(help: ArgumentHelp("Name of the project. (default: the folder's)", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("Folder of the data, inside the project.", valueName: "folder"))
    var dataDir: String?

    @Option(
        name: [.customLong("base-image"), .customLong("image")],
        help: ArgumentHelp("Container image of the instances.", valueName: "image"))
    var baseImage: String?

    @Option(help: ArgumentHelp("The vast.ai key, or - to be asked for it.", valueName: "key"))
    var vastApiKey: String?

    @Option(help: ArgumentHelp("The RunPod key, or - to be asked for it.", valueName: "key"))
    var runpodApiKey: String?

    @Option(help: "The platform to use where none is named.")
    var defaultPlatform: DefaultPlatform?

    @Flag(help: "Begin .vpignore with what the .gitignore files of the project exclude.")
    var gitignore = false

    @Flag(name: .shortAndLong, help: "Ask nothing; take the defaults.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let session = try Session(self.common, showsWarnings: false)
        let folder = session.directory
        let prompt = Prompt(terminal: session.terminal)
        let asks = session.terminal.canAsk && !self.yes
        func answer(_ given: String?, _ question: String, fallback: String) -> String {
            given ?? (asks ? prompt.text(question, fallback: fallback) : fallback)
        }

        var keys: [(key: String, value: String?)] = []
        let settings = ProjectFolder.configurationFile(in: folder)
        // An existing file is not replaced, so its questions need not be asked.
        if FileManager.default.fileExists(atPath: settings) {
            Terminal.print("\(settings) is there already and stays as it is.")
        } else {
            let text = Self.settings(
                name: answer(self.name, "Name of the project", fallback: ProjectFolder.name(of: folder)),
                dataFolder: answer(self.dataDir, "Folder of the data", fallback: "data"),
                image: answer(
                    self.baseImage, "Container image", fallback: EngineConfiguration.Defaults().image),
                platform: try Self.platform(
                    answer(
                        self.defaultPlatform?.rawValue, "Platform (vast, runpod, auto for both)",
                        fallback: "auto"))
            )
            try ConfigurationEditor.write(text, to: settings, mode: 0o644)
            Terminal.print("Wrote \(settings).")
        }
        let ignores = "\(folder)/.vpignore"
        if FileManager.default.fileExists(atPath: ignores) {
            Terminal.print("\(ignores) is there already and stays as it is.")
        } else {
            let excluded = GitIgnores.rules(in: folder)
            var takes = self.gitignore
            if !excluded.isEmpty, !takes, asks {
                takes = prompt.confirm(
                    "Begin it with what .gitignore excludes? (\(Units.count(excluded.count, "line")); what is excluded is "
                        + "not sent)")
            }
            try ConfigurationEditor.write(
                Self.ignoreRules + (takes ? GitIgnores.text(excluded) : ""), to: ignores, mode: 0o644)
            Terminal.print("Wrote \(ignores).")
            if !excluded.isEmpty {
                Terminal.print(
                    takes
                        ? "It begins with \(Units.count(excluded.count, "line")) of .gitignore: what a job needs must not be among them."
                        : "What .gitignore excludes is sent all the same; `vp --init --gitignore` begins .vpignore with it."
                )
            }
        }

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
            Terminal.print("No key yet: vp config-set --vast-api-key -")
        }
        Terminal.print("Next: vp create-instance --gpu-type RTX4090, then vp python train.py")
    }

    /// nil for both: a project that names one hides the other from everybody who works on it.
    private static func platform(_ word: String) throws -> String? {
        if word == "auto" { return nil }
        guard let platform = Platform(rawValue: word.lowercased()) else {
            throw CommandFailure(
                code: "usage", message: "No platform is called \(Terminal.printable(word)).",
                advice: "There are vast and runpod; auto is both.", status: Status.usage)
        }
        return platform.rawValue
    }

    /// The project's settings. Keys never go here: the folder is shared, synced and committed.
    static func settings(name: String, dataFolder: String, image: String, platform: String?) -> String {
        func quoted(_ text: String) -> String { JSON.text(text).line }
        return """
            # Settings of this project for vp. Keys belong in your own configuration: vp config-set --vast-api-key -
            project:
              name: \(quoted(name))
              data_dir: \(quoted(dataFolder))
              base_image: \(quoted(image))
              working_dir: /workspace
            \(platform.map { "\nplatforms:\n  default: \(quoted($0))\n" } ?? Self.openPlatform)
            # What `vp create-instance` takes where it is not told.
            # defaults:
            #   gpu: RTX 4090
            #   disk: 40        # GB
            #   max_price: 0.60 # dollars an hour

            """
    }

    private static let openPlatform = """

        # Without this both platforms are looked at.
        # platforms:
        #   default: vast

        """

    static let ignoreRules = """
        # What is not sent to instances, in .gitignore's syntax.
        # .git/, .vp/ and files that look like secrets (.env, *.pem, id_*) are never sent unless named here with !
        __pycache__/
        *.pyc
        .DS_Store
        .venv/
        node_modules/

        """
}
