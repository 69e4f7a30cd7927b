import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Variables that were given at a rental, on a container whose disk was wiped since.
@Suite struct KeptVariablesTests {
    private func run(_ variables: [String], in folder: TemporaryFolder) async throws -> String {
        try folder.write(variables.map { $0 + "\0" }.joined(), to: "environ")
        let script = BootScript.restore.replacingOccurrences(
            of: "/proc/1/environ", with: "'\(folder.path)/environ'")
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.path,
        ]
        let result = try await SystemProcessRunner().run(
            ProcessCommand("/bin/sh", ["-s"], environment: environment, input: Array(script.utf8)))
        #expect(result.isSuccess, "\(result.lastErrorLine ?? "")")
        let shown = try await SystemProcessRunner().run(
            ProcessCommand(
                "/bin/sh",
                [
                    "-c",
                    #"[ ! -e ~/.bashrc ] || . ~/.bashrc; printf '%s|' "$COLOUR" "${EMPTY-unset}" "$OTHER""#,
                ],
                environment: environment))
        return String(decoding: shown.output, as: UTF8.self)
    }

    @Test(arguments: ["blue", "it's \"blue\" $(id) `id` \\", "two\nlines\n", "日本", " blanks  ", "'"])
    func aValueIsAsItWas(value: String) async throws {
        try await TemporaryFolder.with { folder in
            let shown = try await self.run(
                ["COLOUR=\(value)", "OTHER=no", "VP_VARIABLES=COLOUR EMPTY", "EMPTY="], in: folder)
            #expect(shown == "\(value)|||")
            let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/.vp/environment")
            #expect(mode[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func withoutNamesNothingIsWritten() async throws {
        try await TemporaryFolder.with { folder in
            let shown = try await self.run(["COLOUR=blue"], in: folder)
            #expect(shown == "|unset||")
            let isKept = FileManager.default.fileExists(atPath: folder.path + "/.vp/environment")
            #expect(!isKept)
        }
    }

    /// What is there was kept by the rental, or by the user since.
    @Test func whatIsThereStays() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("COLOUR=mine\n", to: ".vp/environment")
            _ = try await self.run(["COLOUR=blue", "VP_VARIABLES=COLOUR"], in: folder)
            let text = try String(contentsOfFile: folder.path + "/.vp/environment", encoding: .utf8)
            #expect(text == "COLOUR=mine\n")
        }
    }

    /// A name that is none is a line that a shell would run.
    @Test func whatIsNoNameIsLeftOut() async throws {
        try await TemporaryFolder.with { folder in
            let shown = try await self.run(
                ["COLOUR=blue", "VP_VARIABLES=1X $(touch${IFS}x) A;B COLOUR"], in: folder)
            #expect(shown == "blue|unset||")
            let text = try String(contentsOfFile: folder.path + "/.vp/environment", encoding: .utf8)
            #expect(text == "export COLOUR='blue'\n")
        }
    }
}
