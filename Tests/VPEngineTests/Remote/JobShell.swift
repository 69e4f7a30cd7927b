import Foundation
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// A machine with one shell and few programs, on which job scripts run as they would on an instance.
struct JobShell: Sendable {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case dash, bash, busybox
        /// The same where perl is missing, as on small images.
        case bareDash, bareBash

        var testDescription: String { self.rawValue }
        var hasPerl: Bool { self == .dash || self == .bash }
        /// What `sh` is.
        var program: String {
            switch self {
            case .dash, .bareDash: "dash"
            case .bash, .bareBash: "bash"
            case .busybox: "busybox"
            }
        }
    }

    let home: String
    /// Begins the names of its jobs. Machines share the processes of this one, and a cancel goes by the name.
    private let name = UUID().uuidString
    private let path: String
    private let runner = SystemProcessRunner()
    /// What goes in front of the shell: a sandbox that shows it other files.
    var sandbox: [String] = []
    /// Variables of its logins beside the usual ones.
    var variables: [String: String] = [:]

    /// The programs that the scripts and the tests' commands may use, perl apart.
    private static let programs = [
        "awk", "cat", "chmod", "cksum", "cp", "cut", "date", "dd", "df", "du", "env", "find", "grep", "head",
        "kill",
        "mkdir", "mv", "ps", "readlink", "rm", "rmdir", "sed", "seq", "setsid", "sha256sum", "sleep", "sort",
        "stat",
        "tail", "tee", "test", "touch", "tr", "truncate", "tty", "wc",
    ]

    /// Runs `body` on such a machine, and ends what it leaves there:
    /// a test that fails half-way must not leave a loop that keeps a processor.
    static func with(
        _ kind: Kind, hasBash: Bool = false, _ body: (JobShell) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let shell = try JobShell(kind, in: folder, hasBash: hasBash)
            defer { shell.endAll() }
            try await body(shell)
        }
    }

    private func endAll() {
        let mark = Array("HOME=\(self.home)".utf8)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = pid_t(name),
                let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
                environment.split(separator: 0).contains(where: { $0.elementsEqual(mark) })
            else { continue }
            kill(process, SIGKILL)
        }
    }

    /// - Parameter hasBash: whether bash is there beside what `sh` is.
    init(_ kind: Kind, in folder: TemporaryFolder, hasBash: Bool = false) throws {
        self.home = folder.path + "/home"
        self.path = folder.path + "/bin"
        for folder in [self.home, self.path] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let target = try #require(Self.find(kind.program))
        try self.link("sh", to: target)
        for program in Self.programs + (kind.hasPerl ? ["perl"] : []) {
            let tool = kind == .busybox ? target : Self.find(program)
            if let tool { try self.link(program, to: tool) }
        }
        if hasBash { try self.link("bash", to: #require(Self.find("bash"))) }
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.path)/\(name)", withDestinationPath: target)
    }

    /// Gives the machine a program of its own.
    func install(_ name: String, _ text: String) throws {
        try ProgramFile.write("#!/bin/sh\n\(text)\n", to: "\(self.path)/\(name)")
    }

    /// Where `name` stands that was given to it.
    func program(_ name: String) -> String { "\(self.path)/\(name)" }

    static func find(_ program: String) -> String? {
        ["/usr/bin", "/bin", "/usr/sbin"].map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    func id(_ number: Int) -> JobID { JobID("\(self.name)-\(number)") }

    func path(of name: String, of job: Int = 1) -> String { "\(self.home)/.vp/jobs/\(self.id(job))/\(name)" }

    func script(
        _ command: JobCommand, id: Int = 1, environment: [String: String] = [:],
        after: Int? = nil, manner: JobScript.Manner = .plain, limitSeconds: Int? = nil,
        lingerSeconds: Int = 2
    ) -> JobScript {
        JobScript(
            job: self.id(id), command: command, environment: environment,
            remoteRoot: self.home + "/workspace",
            workingDirectory: nil, predecessor: after.map(self.id), manner: manner,
            limitSeconds: limitSeconds,
            lingerSeconds: lingerSeconds
        )
    }

    /// Runs `text` as `RemoteShell` would have it run.
    func run(
        _ text: String, onOutput: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws -> (output: [UInt8], reports: [JobReport]) {
        let words = self.sandbox + ["\(self.path)/sh", "-s"]
        let command = ProcessCommand(
            words[0], Array(words.dropFirst()),
            environment: ["PATH": self.path, "HOME": self.home, "LC_ALL": "C"].merging(self.variables) { $1 },
            input: Array(text.utf8))
        let (output, errors) = (ByteCollector(), ByteCollector())
        _ = try await self.runner.run(
            command,
            onOutput: {
                output.append($0)
                onOutput($0)
            }, onErrorOutput: { errors.append($0) })
        let lines = String(decoding: errors.bytes, as: UTF8.self).split(separator: "\n")
        let others = lines.filter { JobReport(line: $0) == nil }

        // bash tells of a child that was killed, with the whole of its text.
        if !(others.first?.contains(" Killed ") ?? false) {
            #expect(others == [], "a script says nothing but its reports")
        }
        return (output.bytes, lines.compactMap { JobReport(line: $0) })
    }

    /// Runs `text` and returns all that it said.
    func result(of text: String) async throws -> ProcessResult {
        let words = self.sandbox + ["\(self.path)/sh", "-s"]
        return try await self.runner.run(
            ProcessCommand(
                words[0], Array(words.dropFirst()),
                environment: ["PATH": self.path, "HOME": self.home, "LC_ALL": "C"], input: Array(text.utf8)))
    }

    /// Runs `text` for a reader who leaves after so many lines, and returns when nothing of it is left.
    func run(_ text: String, leavingAfter lines: Int) async throws {
        let command = ProcessCommand(
            "/bin/sh", ["-c", "\"$0\" -s 2>&1 | head -n \"$1\"", "\(self.path)/sh", "\(lines)"],
            environment: ["PATH": self.path, "HOME": self.home, "LC_ALL": "C"], input: Array(text.utf8))
        _ = try await self.runner.run(command)
    }

    /// Runs a job to its end.
    func end(_ script: JobScript) async throws -> (output: [UInt8], end: JobEnd) {
        let (output, reports) = try await self.run(script.startAndFollow(from: 0))
        guard case .ended(var end) = reports.last else {
            Issue.record("the job did not end: \(reports)")
            throw WrongEnd()
        }
        end.background = JobReport.background(in: reports)
        return (output, end)
    }

    struct WrongEnd: Error {}

    func file(_ name: String, of job: Int = 1) -> String? {
        FileManager.default.contents(atPath: self.path(of: name, of: job))
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Waits until a file of the job holds something.
    @discardableResult
    func wait(for name: String, of job: Int = 1) async throws -> String {
        try await VPTestSupport.wait(for: name) {
            if let text = self.file(name, of: job), !text.isEmpty { text } else { nil }
        }
    }

    static func runs(_ process: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
            return false
        }
        // A killed child may wait for init to collect it.
        return !stat.contains(") Z")
    }
}
