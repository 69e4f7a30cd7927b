import ArgumentParser
import Foundation
import Glibc
import LoopbackCloud
import VPEngine

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Walk the whole job on a cloud inside this machine: no account, no cost.",
        subcommands: [DemoServeCommand.self])

    @Option(help: ArgumentHelp("Where the sample project is written.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("Length of the training.", valueName: "n"))
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
    @Option(help: ArgumentHelp("The same seed gives the same offers and boot times.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How much faster than real an instance boots.", valueName: "factor"))
    var speed = 20.0

    @Flag(
        help: ArgumentHelp("Do without sandboxes, as where bubblewrap is not allowed.", visibility: .hidden))
    var noSandbox = false

    func validate() throws {
        guard self.speed > 0, self.speed <= 1000 else {
            throw ValidationError("--speed must be from 0 to 1000.")
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

    /// This process's environment with nothing of the user's own left that could reach a real platform.
    static func environment(of cloud: LoopbackCloud) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["HOME"] = cloud.folder
        return environment.merging(cloud.environment) { $1 }
    }
}

/// The folder of the demo's project.
enum DemoFolder {
    /// Its presence says that the folder is ours to write into again.
    private static let marker = ".vp/demo"

    /// The folder asked for, or `variousplug-demo` here,
    /// or one among the temporary files where nothing can be written here.
    /// A folder that holds something else is refused.
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
                message: "\(path) exists and is not a demo's folder; it is left alone.",
                advice: "Name another with --folder.", status: Status.configuration)
        }
        do {
            // Results of an earlier demo would make this one look good.
            try? FileManager.default.removeItem(atPath: "\(path)/outputs")
            try SampleProject.write(to: path)
            try Data("written by vp demo\n".utf8).write(to: URL(fileURLWithPath: "\(path)/\(Self.marker)"))
        } catch {
            throw CommandFailure(
                code: "folder_in_use", message: "\(path) cannot be written.",
                advice: "Name another with --folder.",
                status: Status.configuration)
        }
        return path
    }
}

/// `vp demo serve`: the cloud alone, for shells, tests and other clients.
struct DemoServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Keep the demo's cloud up until Ctrl-C, and print how to use it.",
        discussion: """
            In another shell: eval "$(…)" with the printed lines makes vp, vp-tui and the platforms' own clients use \
            it. With --json one line: \
            {"vast":{"url","api_key"},"runpod":{"url","graphql_url","api_key"},"env":{…}}.

            --fault makes something go wrong, once or as often as it is given: NAME, or NAME:args. Arguments, \
            separated by commas: times=N (or all), skip=N events that fit, seconds=S of a pause or of running \
            before it strikes, platform=vast or runpod, gpu=NAME, machine=N, request=TEXT in "METHOD /path". \
            Example: --fault no-capacity:gpu=RTX4090 --fault sshd-late:20,platform=vast

            Names: \(DemoServeCommand.faultNames).
            """)

    private static let faultNames = Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")

    @Option(
        parsing: .singleValue, help: ArgumentHelp("What goes wrong; repeatable.", valueName: "name[:args]"),
        transform: { text throws in
            do throws(Fault.Misspelled) {
                return try Fault(parsing: text)
            } catch {
                throw ValidationError(error.description)
            }
        })
    var fault: [Fault] = []

    @Flag(help: ArgumentHelp("End when the process that started this one does.", visibility: .hidden))
    var withParent = false

    @OptionGroup var cloud: DemoCloudOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let parent = getppid()
        let ended = AsyncStream<Void>.makeStream()
        // Before the cloud is there: a signal during its start must not leave it behind.
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
            "# The loopback cloud is up until this command is ended with Ctrl-C.",
            "# Paste these lines into another shell; vp, vp-tui, vastai and runpod's SDK then use it:",
        ] + variables.map { "export \($0.key)=\(ShellQuoting.quoted($0.value))" }
    }
}
