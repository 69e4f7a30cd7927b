import Foundation
import Glibc
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

/// A throw-away home with a project folder in it, where the built `vp` is run as a user would.
final class CLIHarness: Sendable {
    struct Output {
        var stdout: String
        var stderr: String
        var status: Int32

        /// Stdout as JSON; a failure to parse says what was there.
        func json() throws -> [String: Any] {
            let value = try? JSONSerialization.jsonObject(with: Data(self.stdout.utf8))
            return try #require(value as? [String: Any], "\(self)")
        }

        /// The error object of a failed command run with --json.
        func error() throws -> [String: String] {
            let line = self.stderr.split(separator: "\n").last.map(String.init) ?? ""
            let value = try? JSONSerialization.jsonObject(with: Data(line.utf8))
            let object = try #require(value as? [String: [String: String]], "\(self)")
            return try #require(object["error"], "\(self)")
        }
    }

    /// The folder with the built programs: the tests' own.
    static let products: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (own as NSString).deletingLastPathComponent
    }()

    let root: String
    let environment: [String: String]

    /// Beside the home, so that searches of the home do not find what a test itself wrote.
    fileprivate let scratch: String

    var project: String { "\(self.root)/project" }

    init(_ extra: [String: String] = [:]) throws {
        let base = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
        let folder = "\(base)/vp-cli-\(UUID().uuidString.prefix(8))"
        self.root = "\(folder)/home"
        self.scratch = "\(folder)/output"
        try FileManager.default.createDirectory(
            atPath: "\(self.root)/project", withIntermediateDirectories: true)
        self.environment = [
            "HOME": self.root, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "LANG": "C.UTF-8", "TERM": "dumb",
        ].merging(extra) { $1 }
    }

    /// What `cloud` tells its users, with a home of the test's own,
    /// and with its workspace where no sandbox makes one.
    static func environment(for cloud: LoopbackCloud) -> [String: String] {
        var environment = Self.withoutFolders(cloud.environment)
        if !cloud.isSandboxed { environment["VP_WORKSPACE"] = cloud.workspace }
        return environment
    }

    /// Without the cloud's own folders: the test's are those of its home,
    /// so that it can search them for what must not be there.
    static func withoutFolders(_ environment: [String: String]) -> [String: String] {
        environment.filter { !["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"].contains($0.key) }
    }

    deinit { try? FileManager.default.removeItem(atPath: (self.root as NSString).deletingLastPathComponent) }

    func path(_ name: String) -> String { "\(self.root)/\(name)" }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let path = self.path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    func writeProgram(_ name: String, _ text: String) throws {
        let path = self.path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try ProgramFile.write(text, to: path)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: self.path(name), encoding: .utf8)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self.path(name)) }

    /// Runs `vp` in the project folder to its end.
    func vp(
        _ arguments: String..., input: String? = nil, environment: [String: String] = [:],
        in folder: String? = nil
    ) async throws -> Output {
        let child = try self.start(arguments, input: input, environment: environment, in: folder)
        return try await child.output()
    }

    /// - Parameter program: what is run in place of `vp`, as a path.
    func start(
        program: String = CLIHarness.products + "/vp", _ arguments: [String], input: String? = nil,
        environment: [String: String] = [:], in folder: String? = nil
    ) throws -> ChildVP {
        try ChildVP(
            of: self, program: program, arguments: arguments, input: input,
            environment: self.environment.merging(environment) { $1 },
            folder: folder ?? self.project)
    }

    /// Full paths of files below the home whose names end so.
    func files(below folder: String, withSuffix suffix: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: self.path(folder))?.compactMap { $0 as? String }
        return (names ?? []).filter { $0.hasSuffix(suffix) }.map { self.path(folder) + "/" + $0 }
    }

    /// Paths of files below the home that contain `text`.
    func files(containing text: String) throws -> [String] {
        let needle = Data(text.utf8)
        let names = FileManager.default.enumerator(atPath: self.root)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            FileManager.default.contents(atPath: self.path(name))?.range(of: needle) != nil
        }
    }
}

/// A running `vp`, whose output can be looked at while it grows.
///
/// Its output goes to files and not to pipes: a pipe's end would be inherited by whatever other tests start
/// at that moment, and then never close.
final class ChildVP: Sendable {
    let processID: Int32
    private let arguments: [String]
    private let folder: String
    /// The home is removed with its harness, so it must live as long as this process.
    private let harness: CLIHarness
    private let waitStatus = Mutex<Int32?>(nil)

    init(
        of harness: CLIHarness, program: String, arguments: [String], input: String?,
        environment: [String: String], folder: String
    ) throws {
        self.harness = harness
        self.arguments = arguments
        self.folder = "\(harness.scratch)/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try Data((input ?? "").utf8).write(to: URL(fileURLWithPath: "\(self.folder)/stdin"))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "\(self.folder)/stdin", O_RDONLY, 0)
        for (descriptor, name) in [(Int32(1), "stdout"), (2, "stderr")] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, "\(self.folder)/\(name)", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        // The shell goes to the folder, which spawning itself cannot be told here, and becomes the program.
        let shell = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder, program]
        var words = (shell + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var child: pid_t = 0
        let problem = posix_spawn(&child, shell[0], &actions, nil, &words, &variables)
        try #require(problem == 0, "\(program): \(String(cString: strerror(problem)))")
        self.processID = child
    }

    deinit {
        if self.isRunning {
            kill(self.processID, SIGKILL)
            var status: Int32 = 0
            waitpid(self.processID, &status, 0)
        }
    }

    var isRunning: Bool {
        self.waitStatus.withLock { known in
            guard known == nil else { return false }
            var status: Int32 = 0
            guard waitpid(self.processID, &status, WNOHANG) == self.processID else { return true }
            known = status
            return false
        }
    }

    var text: String { self.contents("stdout") }
    var errorText: String { self.contents("stderr") }

    /// Whether stdout is the file at `path`, byte for byte.
    func printedExactly(contentsOf path: String) -> Bool {
        FileManager.default.contentsEqual(atPath: "\(self.folder)/stdout", andPath: path)
    }

    func send(_ signal: Int32) { kill(self.processID, signal) }

    /// Waits until stdout holds `text`.
    func waitForOutput(_ text: String, limit: Duration = .seconds(60)) async throws {
        try await waitUntil(
            "`\(text)` on stdout; it holds \(self.text)\nand stderr \(self.errorText)", limit: limit
        ) { self.text.contains(text) }
    }

    /// Waits for the end. A process that takes too long is killed, and the test fails with what it printed.
    func output(limit: Duration = .seconds(90)) async throws -> CLIHarness.Output {
        let status = try await self.status(limit: limit, shown: self.text)
        return .init(stdout: self.text, stderr: self.errorText, status: status)
    }

    /// The same for a process that prints more than is to be read as text.
    func status(limit: Duration = .seconds(90), shown: @autoclosure () -> String = "") async throws -> Int32 {
        try await waitUntil(
            "the end of vp \(self.arguments)\nstdout: \(shown())\nstderr: \(self.errorText)", limit: limit
        ) { !self.isRunning }
        let status = self.waitStatus.withLock { $0 } ?? 0
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    private func contents(_ name: String) -> String {
        String(
            decoding: FileManager.default.contents(atPath: "\(self.folder)/\(name)") ?? Data(), as: UTF8.self)
    }
}
