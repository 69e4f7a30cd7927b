import ArgumentParser
import Foundation
import Testing
import VPEngine
import VPTestSupport

@testable import vp

/// Completions offer instances, jobs, GPUs and offers from the cache and the history, without any request.
@Suite struct CompletionTests {
    private static func instance(_ id: String) -> Instance {
        Instance(
            id: .init(platform: .vast, rawValue: id), name: "vp-a", status: .running, gpuName: "RTX 4090",
            price: .init(dollarsPerHour: 0.3))
    }

    private static func job(_ id: JobID, _ state: Job.State) -> Job {
        Job(
            id: id, instance: .init(platform: .vast, rawValue: "31415"),
            command: .arguments(["python", "a.py"]), state: state, createdAt: Date(), workspacePath: "/p",
            logPath: "/l")
    }

    /// A home whose cache and history hold two instances, two jobs and one offer.
    private static func home() throws -> CLIHarness {
        let harness = try CLIHarness()
        let cache = PlatformCache(folder: harness.path(".cache/variousplug"))
        let instances = ["31415", "$(touch pwned)"].map(Self.instance)
        cache.save(
            PlatformAnswers(values: instances, failures: [], fetchedAt: Date()), as: .instances
        ) { $0.id.platform }
        let offer = Offer(
            id: .init(platform: .vast, rawValue: "4411"), gpuName: "RTX 4090", gpuCount: 1,
            gpuMemoryBytes: 24_564_000_000, price: .init(dollarsPerHour: 0.31))
        cache.save(
            PlatformAnswers(values: [offer], failures: [], fetchedAt: Date()), as: .offers
        ) { $0.id.platform }
        let store = try Store(stateFolder: harness.path(".local/state/variousplug"))
        for state in [Job.State.succeeded, .running] {
            _ = try store.insertJob(workspaceName: "train") { Self.job($0, state) }
        }
        try store.insert(
            LedgerEntry(
                name: "vp-b", platform: .vast, instance: .init(platform: .vast, rawValue: "27"),
                state: .rented, gpuName: "RTX 3090", dollarsPerHour: 0.2, image: "i", machineID: nil,
                workspaceRoot: "/p", remoteRoot: "/workspace", createdAt: Date()))
        return harness
    }

    /// Sources the completion script and completes the last of `words`, as Tab does.
    private static let tab = """
        PATH="$1:$PATH"; shift
        source <(vp --generate-completion-script bash) || exit 1
        COMP_WORDS=("$@")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_LINE="${COMP_WORDS[*]}"
        COMP_POINT=${#COMP_LINE}
        COMPREPLY=()
        _vp vp "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """

    private static func complete(_ words: [String], in harness: CLIHarness) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", "-c", Self.tab, "tab", CLIHarness.products, "vp"] + words
        process.environment = harness.environment
        process.currentDirectoryURL = URL(fileURLWithPath: harness.project)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test(.requires("bash")) func bashCompletesWhatThisMachineKnows() throws {
        let harness = try Self.home()
        #expect(try Self.complete(["destroy-instance", ""], in: harness) == ["31415", "27"])
        #expect(try Self.complete(["ssh", "-i", "3"], in: harness) == ["31415"])
        #expect(try Self.complete(["logs", ""], in: harness) == ["train-2", "train-1"])
        #expect(try Self.complete(["cancel", "train-"], in: harness) == ["train-2"])
        #expect(try Self.complete(["create-instance", "--offer", ""], in: harness) == ["4411"])
        let gpus = try Self.complete(["create-instance", "--gpu", ""], in: harness)
        #expect(gpus.first == "RTX_4090" && gpus.contains("H100_SXM") && gpus.count == Set(gpus).count)
        #expect(gpus.allSatisfy { GPUName.select($0) != nil }, "\(gpus)")
        #expect(try Self.complete(["destroy-ins"], in: harness) == ["destroy-instance"])
        // A command for the instance completes file names, as without any completion.
        let complete = try #require(
            Completions.script(for: .bash).split(separator: "\n").last { $0.hasPrefix("complete ") })
        #expect(complete.contains("-o default") && complete.hasSuffix(" vp"))
        // bash expands what it is offered: a name that would run a command is not.
        #expect(!harness.exists("project/pwned"))
    }

    /// Nothing known is no error, and nothing is made.
    @Test(.requires("bash")) func anEmptyHomeCompletesNoIds() throws {
        let harness = try CLIHarness()
        #expect(try Self.complete(["destroy-instance", ""], in: harness) == [])
        #expect(try Self.complete(["logs", ""], in: harness) == [])
        #expect(try !Self.complete(["create-instance", "--gpu", "RTX"], in: harness).isEmpty)
        #expect(!harness.exists(".local") && !harness.exists(".cache"))
        try harness.write(".local/state/variousplug/history.sqlite", "no database")
        try harness.write(".cache/variousplug/instances.json", "{")
        #expect(try Self.complete(["logs", ""], in: harness) == [])
        #expect(try Self.complete(["destroy-instance", ""], in: harness) == [])
    }

    @Test func eachShellGetsItsForm() {
        let (value, words) = ("31415", "RTX 4090 running")
        #expect(Completions.line(value, words, for: .bash) == "31415")
        #expect(Completions.line(value, words, for: .zsh) == "31415:RTX 4090 running")
        #expect(Completions.line(value, words, for: .fish) == "31415\tRTX 4090 running")
        for shell in [CompletionShell.bash, .zsh, .fish] {
            #expect(VP.completionScript(for: shell).contains("---completion destroy-instance"))
        }
    }
}
