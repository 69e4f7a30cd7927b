import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

@Suite struct ChildEnvironmentTests {
    static let secrets = [
        "VAST_API_KEY": "secret-1", "RUNPOD_API_KEY": "secret-2", "CONTAINER_API_KEY": "secret-3",
    ]

    /// ssh, rsync, git, a user's own commands: whatever is started by a `ProcessCommand`.
    @Test func aProgramsEnvironmentHasNoKeys() async throws {
        let environment = Self.secrets.merging(["PATH": "/usr/bin:/bin", "OTHER": "kept"]) { $1 }
        let command = ProcessCommand("env", [], environment: environment)
        let output = try await SystemProcessRunner().run(command).output
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.contains("OTHER=kept"))
        #expect(!text.contains("secret"))
    }

    /// `vp`, which the dashboard starts for what it has no screen for, needs them.
    @Test func ourOwnProgramKeepsThem() {
        let command = ProcessCommand("vp", [], environment: Self.secrets, keepsKeys: true)
        #expect(command.environment == Self.secrets)
    }

    @Test func anEnvironmentIsHandedOnWithoutThem() {
        let words = [
            "A=1", "VAST_API_KEY=secret-1", "RUNPOD_API_KEY=secret-2", "VAST_API_KEYS=kept", "B=\u{1F680}",
        ]
        var pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let entries = pointers.withUnsafeMutableBufferPointer {
            ChildEnvironment.entries(of: $0.baseAddress!)
        }
        #expect(entries.last == .some(nil))
        #expect(
            entries.compactMap { $0.map { String(cString: $0) } } == [
                "A=1", "VAST_API_KEYS=kept", "B=\u{1F680}",
            ])
    }

    /// Nothing of ours hands its environment on as it is: a spawn that does would bring the keys back.
    @Test func noSpawnGoesAroundIt() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
        var looked = 0
        for name in try #require(FileManager.default.enumerator(atPath: sources.path)).compactMap({
            $0 as? String
        })
        where name.hasSuffix(".swift") && !name.hasPrefix("LoopbackCloud/") {
            let text = try String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
            looked += 1
            if name.hasSuffix("ChildEnvironment.swift") { continue }
            // `/proc/*/environ` on an instance is another matter.
            for line in text.split(separator: "\n") where !line.contains("/environ") {
                let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
                #expect(!words.contains("environ"), "\(name): \(line)")
                // Foundation's takes ours where it is given none.
                if line.contains("Foundation.Process(") || line.contains(" Process()") {
                    #expect(text.contains(".environment = shell.environment"), "\(name): \(line)")
                }
            }
        }
        #expect(looked > 100)
    }
}
