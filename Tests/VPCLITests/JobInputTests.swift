import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Pipes on `vp`'s standard input: those that a command is to read,
/// and those that whoever started `vp` left there.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh"), .timeLimit(.minutes(10)))
struct JobInputTests {
    /// Runs `line` of shell, in which `"$@"` is `vp` and its words, in the project.
    private static func shell(_ line: String, _ words: [String], _ harness: CLIHarness) async throws
        -> CLIHarness.Output
    {
        let scratch = "\(harness.root)/pipes-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        let script =
            "out=$0; shift 0; { \(line)\n } >$out/stdout 2>$out/stderr; echo $? >$out/status.new; mv $out/status.new $out/status"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, scratch, CLIHarness.products + "/vp"] + words
        process.environment = harness.environment
        process.currentDirectoryURL = URL(fileURLWithPath: harness.project)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        defer { if process.isRunning { process.terminate() } }
        func read(_ name: String) -> String {
            (try? String(contentsOfFile: "\(scratch)/\(name)", encoding: .utf8)) ?? ""
        }
        try await waitUntil("the end of \(words): \(read("stdout")) \(read("stderr"))", limit: .seconds(90)) {
            !read("status").isEmpty
        }
        let status = Int32(read("status").trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
        return .init(stdout: read("stdout"), stderr: read("stderr"), status: status)
    }

    /// A pipe, which is kept open for writing by `3`.
    private static let pipe = "mkfifo $out/pipe && exec 3<>$out/pipe"

    @Test func aPipeIsSentOnlyWhenAsked() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let harness = local.harness
            let sent = try await Self.shell(
                "printf 'a\\nb\\n' | \"$@\"", ["run", "--stdin", "--", "wc", "-l"], harness)
            #expect(sent.status == 0 && sent.stdout.contains("2"), "\(sent)")
            // As agents and CI start programs: nothing comes, and it never ends.
            let silent = try await Self.shell(
                "\(Self.pipe); \"$@\" <$out/pipe", ["run", "--", "cat; echo end"], harness)
            #expect(silent.status == 0 && silent.stdout == "end\n", "\(silent)")
            #expect(!silent.stderr.contains("standard input"), "\(silent)")
            // What comes later is not read, and that is said at the end.
            let late = try await Self.shell(
                """
                \(Self.pipe); "$@" <$out/pipe & vp=$!
                until grep -q up $out/stdout; do sleep 0.05; done
                echo data >&3; wait $vp
                """, ["run", "--", "echo up; sleep 2; cat; echo end"], harness)
            #expect(late.status == 0 && late.stdout == "up\nend\n", "\(late)")
            #expect(late.stderr.contains("--stdin"), "\(late)")
            // The same where there is no more: what was told is the status.
            let failed = try await Self.shell(
                "\(Self.pipe); \"$@\" <$out/pipe", ["run", "--", "exit 4"], harness)
            #expect(failed.status == 4, "\(failed)")
        }
    }

    /// By then nothing is rented, and nothing is sent.
    @Test(arguments: [["run", "--create"], ["run"]]) func waitingDataIsRefusedFirst(words: [String])
        async throws
    {
        try await LocalCloud.with { local in
            let refused = try await Self.shell(
                "\(Self.pipe); echo data >&3; \"$@\" <$out/pipe", words + ["--", "cat"], local.harness)
            #expect(refused.status == 64 && refused.stderr.contains("--stdin"), "\(refused)")
            #expect(await local.cloud.instanceCount == 0)
            let file = try await Self.shell(
                "echo data >$out/file; \"$@\" <$out/file", words + ["--", "cat"], local.harness)
            #expect(file.status == 64, "\(file)")
            #expect(await local.cloud.instanceCount == 0)
        }
    }
}
