import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

@Suite struct RentalCandidatesTests {
    private func offer(
        _ id: String, on platform: Platform = .vast, price: Double = 0.4, machine: String? = nil,
        places: [String] = [], down: Double? = nil, up: Double? = nil
    ) -> Offer {
        Offer(
            id: OfferID(platform: platform, rawValue: id), gpuName: "RTX 4090", gpuCount: 1,
            gpuMemoryBytes: 24_000_000_000, price: HourlyPrice(dollarsPerHour: price),
            uploadDollarsPerGB: up, downloadDollarsPerGB: down, machineID: machine, places: places)
    }

    /// A kind of GPU is asked for as a whole, then place by place; places that failed are left out.
    @Test func aKindOfGPUIsAskedForInItsPlaces() {
        let kind = self.offer("NVIDIA L4", on: .runpod, places: ["US-KS-2", "EU-RO-1", "CA-MTL-1"])
        func ids(_ bad: Set<String>) -> [String] {
            RentalCandidates.parts(of: kind, avoiding: bad).map(\.id.rawValue)
        }
        #expect(
            ids([]) == ["NVIDIA L4", "NVIDIA L4@US-KS-2", "NVIDIA L4@EU-RO-1", "NVIDIA L4@CA-MTL-1"])
        #expect(
            ids(["NVIDIA L4@US-KS-2"])
                == ["NVIDIA L4@EU-RO-1,CA-MTL-1", "NVIDIA L4@EU-RO-1", "NVIDIA L4@CA-MTL-1"])
        #expect(ids(["NVIDIA L4@US-KS-2", "NVIDIA L4@EU-RO-1"]) == ["NVIDIA L4@CA-MTL-1"])
        #expect(ids(["NVIDIA L4@US-KS-2", "NVIDIA L4@EU-RO-1", "NVIDIA L4@CA-MTL-1"]) == [])
        #expect(ids(["NVIDIA L40@US-KS-2"]).first == "NVIDIA L4", "another kind's trouble is not its own")
    }

    @Test func aMachineThatFailedIsLeftOut() {
        let machine = self.offer("1", machine: "77")
        #expect(RentalCandidates.parts(of: machine, avoiding: []) == [machine])
        #expect(RentalCandidates.parts(of: machine, avoiding: ["77"]) == [])
        let nameless = self.offer("2")
        #expect(RentalCandidates.parts(of: nameless, avoiding: ["77"]) == [nameless])
    }

    /// The cheapest hour is not the cheapest job, where much travels.
    @Test func traffic() {
        let cheapHour = self.offer("1", price: 0.30, down: 0.02, up: 0.05)
        let cheapTraffic = self.offer("2", price: 0.35)
        let job = JobEstimate(hours: 2, sentBytes: 10_000_000_000, receivedBytes: 4_000_000_000)
        #expect(abs(cheapHour.dollars(for: job) - (0.6 + 0.2 + 0.2)) < 1e-9)
        #expect(abs(cheapTraffic.dollars(for: job) - 0.7) < 1e-9)
        var answers = PlatformAnswers(values: [cheapHour, cheapTraffic], failures: [], fetchedAt: Date())
        var query = OfferQuery(order: .cost, limit: 2, job: job)
        answers.rank(by: query)
        #expect(answers.values.map(\.id.rawValue) == ["2", "1"])
        query.order = .price
        query.limit = 1
        answers.rank(by: query)
        #expect(answers.values.map(\.id.rawValue) == ["1"])
    }

    @Test(arguments: [
        ("pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", 12.4),
        ("nvidia/cuda:12.6.1-devel-ubuntu24.04", 12.6),
        ("runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", 12.8),
        ("runpod/base:1.0.2-cuda1300-ubuntu2404", 13.0),
        ("runpod/pytorch:2.1.0-py3.10-cuda11.8.0-devel-ubuntu22.04", 11.8), ("vastai/pytorch:cu121", 12.1),
        ("localhost:5000/team/cuda:11.8-base@sha256:0123", 11.8),
        ("vllm/vllm-openai:v0.6.2", nil), ("ubuntu:22.04", nil), ("x:cudnn9", nil), ("", nil), (":", nil),
        ("custom:cu9", nil), ("localhost:5000/cuda", nil),
    ])
    func anImagesNameTellsItsCUDA(image: String, version: Double?) {
        #expect(ImageCUDA.version(of: image) == version)
    }

    @Test(arguments: [
        ("OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.15", 9, 2),
        ("rsync  version 3.2.7  protocol version 31", 3, 2),
        ("git version 2.39.5", 2, 39), ("rsync  version v3.4.1", 3, 4),
    ])
    func versionsAreFound(line: String, major: Int, minor: Int) throws {
        let version = try #require(Doctor.version(in: line))
        #expect(version == (major, minor))
    }
}

/// The scripts for a fresh instance, run by the shell of this machine with programs of our choice.
@Suite(.requires("sh", "mkdir", "ln")) struct BootScriptTests {
    /// Links to programs, so that nothing is written that another test's child could hold open.
    private func run(
        _ script: String, in folder: TemporaryFolder, programs: [String: String]
    ) async throws -> ProcessResult {
        let bin = folder.path + "/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        for (name, program) in programs {
            try FileManager.default.createSymbolicLink(
                atPath: "\(bin)/\(name)", withDestinationPath: try #require(Programs.path(of: program)))
        }
        let shell = try #require(Programs.path(of: "sh"))
        return try await SystemProcessRunner().run(
            ProcessCommand(
                shell, ["-s"], environment: ["PATH": bin], workingDirectory: folder.path,
                input: Array(script.utf8)))
    }

    @Test func theWorkspaceIsMade() async throws {
        try await TemporaryFolder.with { folder in
            let root = folder.path + "/it's a workspace"
            let result = try await self.run(
                BootScript.prepare(root: root), in: folder, programs: ["mkdir": "mkdir", "rsync": "true"])
            #expect(result.isSuccess)
            #expect(FileManager.default.fileExists(atPath: root))
        }
    }

    @Test func aWorkspaceThatCannotBeMadeIsSaid() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("a file", to: "taken")
            let result = try await self.run(
                BootScript.prepare(root: folder.path + "/taken"), in: folder,
                programs: ["mkdir": "mkdir", "rsync": "true"])
            #expect(!result.isSuccess)
            #expect(result.lastErrorLine?.contains("cannot be written") == true)
        }
    }

    @Test func rsyncIsInstalledWhereItIsMissing() async throws {
        try await TemporaryFolder.with { folder in
            // `apt-get update -qq` is then a shell that reads the file `update` here.
            try folder.write("", to: "update")
            try folder.write("ln -s /bin/true \(folder.path)/bin/rsync\n", to: "install")
            let result = try await self.run(
                BootScript.prepare(root: folder.path + "/w"), in: folder,
                programs: ["mkdir": "mkdir", "apt-get": "sh", "ln": "ln"])
            #expect(result.isSuccess, "\(result.lastErrorLine ?? "")")
        }
    }

    @Test func rsyncThatCannotBeInstalledIsSaid() async throws {
        try await TemporaryFolder.with { folder in
            let result = try await self.run(
                BootScript.prepare(root: folder.path + "/w"), in: folder,
                programs: ["mkdir": "mkdir", "apk": "false"])
            #expect(result.ending == .exited(4))
            #expect(
                result.lastErrorLine == "rsync is missing and could not be installed, and there is no tar")
        }
    }

    /// Shells read the variables first, as often as the script may run, and nobody else can.
    @Test func variablesAreKeptForShells() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("case $- in *i*) ;; *) return;; esac\n", to: ".bashrc")
            let script = BootScript.keep(["COLOUR": "it's blue\n$(id)", "A": ""])
            let programs = ["mkdir": "mkdir", "grep": "grep", "cat": "cat", "rm": "rm"]
            let bin = folder.path + "/bin"
            for (name, program) in programs {
                try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
                try FileManager.default.createSymbolicLink(
                    atPath: "\(bin)/\(name)", withDestinationPath: try #require(Programs.path(of: program)))
            }
            let shell = try #require(Programs.path(of: "sh"))
            for _ in 0..<2 {
                let result = try await SystemProcessRunner().run(
                    ProcessCommand(
                        shell, ["-s"], environment: ["PATH": bin, "HOME": folder.path],
                        workingDirectory: folder.path, input: Array(script.utf8)))
                #expect(result.isSuccess, "\(result.lastErrorLine ?? "")")
            }
            let seen = try await SystemProcessRunner().run(
                ProcessCommand(
                    shell, ["-c", #". "$HOME/.bashrc"; printf %s "$COLOUR""#],
                    environment: ["PATH": bin, "HOME": folder.path]))
            #expect(String(decoding: seen.output, as: UTF8.self) == "it's blue\n$(id)")
            let lines = try String(contentsOfFile: folder.path + "/.bashrc", encoding: .utf8)
            #expect(lines.split(separator: "\n").count == 3)
            let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/.vp/environment")
            #expect(mode[.posixPermissions] as? Int == 0o600)
        }
    }

    /// Files travel by tar then.
    @Test func tarWillDoWhereRsyncCannotBeInstalled() async throws {
        try await TemporaryFolder.with { folder in
            let result = try await self.run(
                BootScript.prepare(root: folder.path + "/w"), in: folder,
                programs: ["mkdir": "mkdir", "apk": "false", "tar": "tar"])
            #expect(result.isSuccess, "\(result.lastErrorLine ?? "")")
        }
    }
}
