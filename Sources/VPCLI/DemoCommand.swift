import ArgumentParser
import Foundation
import Glibc
import LoopbackCloud
import VPEngine

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Rent, run and destroy on a cloud inside this machine: no account, no cost.",
        subcommands: [DemoServeCommand.self])

    @Option(
        help: ArgumentHelp("Folder for the sample project. (default: variousplug-demo)", valueName: "folder"),
        completion: .directory)
    var folder: String?

    @Option(help: ArgumentHelp("Number of training epochs.", valueName: "n"))
    var epochs: Int?

    @OptionGroup var cloud: DemoCloudOptions

    func validate() throws {
        if let epochs = self.epochs, epochs < 1 { throw ValidationError("--epochs must be 1 or more.") }
    }

    func run() async throws {
        let folder = try DemoFolder.make(self.folder)
        let cloud = try await self.cloud.start()
        let environment = DemoCloudOptions.environment(of: cloud)
        let walk = DemoWalk(cloud: cloud, environment: environment, folder: folder, epochs: self.epochs)
        // The cloud ends with this process in any case; ending it first lets the end be checked.
        do {
            try await walk.run()
        } catch {
            await cloud.stop()
            throw error
        }
    }
}

struct DemoCloudOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Seed of the cloud; the same seed gives the same offers and boot times.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Factor by which instances boot faster than real ones.", valueName: "factor"))
    var speed = 20.0

    @Flag(
        help: ArgumentHelp(
            "Use no sandboxes, as on systems that do not allow bubblewrap.", visibility: .hidden))
    var noSandbox = false

    func validate() throws {
        guard self.speed > 0, self.speed <= 1000 else {
            throw ValidationError("--speed must be greater than 0 and at most 1000.")
        }
    }

    func start() async throws -> LoopbackCloud {
        do {
            return try await LoopbackCloud.start(
                options: .init(seed: self.seed, speed: self.speed, usesSandboxes: !self.noSandbox))
        } catch {
            throw CommandFailure(
                code: "demo_failed", message: "The loopback cloud could not start: \(error)",
                advice: "It needs sshd, rsync and, for sandboxes, bubblewrap: scripts/install.sh",
                status: Status.configuration)
        }
    }

    /// Returns this process's environment without any setting of the user that could lead to a real platform.
    static func environment(of cloud: LoopbackCloud) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["HOME"] = cloud.folder
        return environment.merging(cloud.environment) { $1 }
    }
}

/// The folder of the demo's project.
enum DemoFolder {
    /// A file that marks a folder of an earlier demo, which may be written again.
    private static let marker = ".vp/demo"

    /// Returns the folder asked for, or `variousplug-demo` in the current folder,
    /// or one among the temporary files if the current folder cannot be written.
    /// Throws for a folder with other contents.
    static func make(_ asked: String?) throws -> String {
        let current = FileManager.default.currentDirectoryPath
        if let asked {
            return try Self.prepare(asked.hasPrefix("/") ? asked : "\(current)/\(asked)")
        }
        if access(current, W_OK) == 0 { return try Self.prepare("\(current)/variousplug-demo") }
        let temporary =
            NSTemporaryDirectory().hasSuffix("/") ? NSTemporaryDirectory() : NSTemporaryDirectory() + "/"
        return try Self.prepare("\(temporary)variousplug-demo-\(getuid())")
    }

    private static func prepare(_ folder: String) throws -> String {
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        let contents = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let isOurs = FileManager.default.fileExists(atPath: "\(path)/\(Self.marker)")
        guard contents.isEmpty || isOurs else {
            throw CommandFailure(
                code: "folder_in_use",
                message: "\(path) has contents that are not from a demo; vp does not change them.",
                advice: "Give another folder with --folder.", status: Status.configuration)
        }
        do {
            // Results of an earlier demo would make this one look good.
            try? FileManager.default.removeItem(atPath: "\(path)/outputs")
            try SampleProject.write(to: path)
            try Data("written by vp demo\n".utf8).write(to: URL(fileURLWithPath: "\(path)/\(Self.marker)"))
        } catch {
            throw CommandFailure(
                code: "folder_in_use", message: "\(path) cannot be written.",
                advice: "Give another folder with --folder.",
                status: Status.configuration)
        }
        return path
    }
}

/// Runs only the demo's cloud, for shells, tests and other clients.
struct DemoServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Keep the demo's cloud running until Ctrl-C, and print its settings.",
        discussion: """
            Paste the printed lines into another shell: vp, vp-tui and the platforms' own clients then use the cloud. \
            With --json, the settings are one line: \
            {"vast":{"url","api_key"},"runpod":{"url","graphql_url","api_key"},"env":{…}}.

            --fault injects a failure: NAME, or NAME:arguments. The arguments, separated by commas, are times=N (or \
            all), skip=N to skip the first N matching events, seconds=S for the length of a pause or the time before \
            the failure, platform=vast or runpod, gpu=NAME, machine=N, and request=TEXT for requests whose "METHOD \
            /path" contains TEXT. Example: --fault no-capacity:gpu=RTX4090 --fault sshd-late:20,platform=vast

            Names: \(DemoServeCommand.faultNames).
            """)

    private static let faultNames = Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Failure to inject. May be repeated.", valueName: "name[:args]"),
        transform: { text throws in
            do throws(Fault.Misspelled) {
                return try Fault(parsing: text)
            } catch {
                throw ValidationError(error.description)
            }
        })
    var fault: [Fault] = []

    @Flag(help: ArgumentHelp("End when the parent process ends.", visibility: .hidden))
    var withParent = false

    @OptionGroup var cloud: DemoCloudOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let parent = getppid()
        let ended = AsyncStream<Void>.makeStream()
        // Watched from before the cloud starts: a signal during its start must not leave it behind.
        let signals = SignalWatch([SIGINT, SIGTERM, SIGHUP]) { _ in ended.continuation.yield() }
        defer { signals.end() }
        let cloud = try await self.cloud.start()
        for fault in self.fault { await cloud.inject(fault) }
        for line in self.lines(for: cloud) { Terminal.print(line) }
        // A test run that is killed cannot end what it started.
        let watch = Task { [withParent] in
            while withParent, !Task.isCancelled, getppid() == parent {
                try? await Task.sleep(for: .seconds(1))
            }
            if withParent { ended.continuation.yield() }
        }
        defer { watch.cancel() }
        for await _ in ended.stream { break }
        await cloud.stop()
    }

    private func lines(for cloud: LoopbackCloud) -> [String] {
        let variables = cloud.environment.sorted { $0.key < $1.key }
        guard !self.json.json else {
            let document = JSON.object([
                "vast": .object([
                    "url": .text(cloud.vastURL.absoluteString), "api_key": .text(cloud.vastAPIKey),
                ]),
                "runpod": .object([
                    "url": .text(cloud.runPodURL.absoluteString),
                    "graphql_url": .text(cloud.runPodGraphQLURL.absoluteString),
                    "api_key": .text(cloud.runPodAPIKey),
                ]),
                "env": .object(variables.map { JSON.Member(key: $0.key, value: .text($0.value)) }),
            ])
            return [document.line]
        }
        return [
            "# The loopback cloud runs until you end this command with Ctrl-C.",
            "# Paste these lines into another shell; vp, vp-tui, vastai and the runpod SDK then use it:",
        ] + variables.map { "export \($0.key)=\(ShellQuoting.quoted($0.value))" }
    }
}
