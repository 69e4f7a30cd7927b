import Foundation
import Glibc
import Testing

/// What can be wrong before any cloud is reached. Each says what, where and what next, with its own status.
@Suite struct FailureTests {
    @Test(arguments: ["ls", "offers", "create-instance", "sync", "run -- true", "ssh", "destroy-instance 7"])
    func withoutAKey(line: String) async throws {
        let harness = try CLIHarness()
        let output = try await harness.start(line.split(separator: " ").map(String.init)).output()
        #expect(output.status == 200)
        #expect(output.stdout.isEmpty)
        #expect(output.stderr.contains("vp config-set --vast-api-key -"))
    }

    @Test func errorsAsJSON() async throws {
        let harness = try CLIHarness()
        let output = try await harness.vp("ls", "--json")
        #expect(output.status == 200)
        let error = try output.error()
        #expect(error["code"] == "missingKey")
        #expect(error["message"]?.isEmpty == false)
        #expect(error["advice"]?.isEmpty == false)

        let usage = try await harness.vp("ls", "--json", "--nonsense")
        #expect(usage.status == 64)
        #expect(try usage.error()["code"] == "usage")
    }

    @Test(arguments: [
        "ls --nonsense", "run", "offers --limit 0", "destroy-instance", "config-set", "create-instances",
        "lease 7 -1h", "lease 7 -30m", "stop -7", "help nope", "create-instance --gpu-type cpu",
        "create-instance --gpu-type=", "create-instance --gpu-type ???", "create-instance --image Upper/x",
        "create-instance --image=-x", "run --create --image a//b -- true",
    ])
    func usage(line: String) async throws {
        let harness = try CLIHarness()
        let output = try await harness.start(line.split(separator: " ").map(String.init)).output()
        #expect(output.status == 64)
        #expect(output.stdout.isEmpty)
        #expect(!output.stderr.isEmpty)
    }

    @Test func aPlatformWithoutAKeyIsNamed() async throws {
        let harness = try CLIHarness(["VAST_API_KEY": "some-key-0123456789"])
        for words in [["ls", "-p", "runpod"], ["--platform", "runpod", "run", "--", "true"]] {
            let output = try await harness.start(words).output()
            #expect(output.status == 200)
            #expect(output.stderr.contains("vp config-set --runpod-api-key -"), "\(output)")
        }
    }

    @Test func withoutANetwork() async throws {
        let harness = try CLIHarness([
            "VAST_API_KEY": "some-key-0123456789", "VAST_URL": "http://127.0.0.1:\(try closedPort())",
            "VP_TIME_SCALE": "0",
        ])
        let output = try await harness.vp("ls")
        #expect(output.status == 202, "\(output)")
        #expect(output.stderr.contains("could not be reached"))
        #expect(!output.stderr.contains("0123456789"))
        #expect(output.stdout.isEmpty, "an unreachable platform is not an empty list")
    }

    @Test func aBrokenFileIsNamedWithItsLine() async throws {
        let harness = try CLIHarness()
        try harness.write("project/.vp/config.yaml", "project:\n  name: [a]\n")
        let output = try await harness.vp("config-show")
        #expect(output.status == 200)
        #expect(output.stderr.contains("project/.vp/config.yaml:2:"))
    }

    @Test func theHistoryIsEmptyAtFirst() async throws {
        let harness = try CLIHarness()
        #expect(try await harness.vp("jobs").stdout.contains("vp python train.py"))
        #expect(try await harness.vp("jobs", "--json").stdout == "{\n  \"jobs\": []\n}\n")
        #expect(try await harness.vp("logs", "-1").status == 200)
    }

    /// A port on which nobody listens: bound for a moment, so that no other test has it.
    private func closedPort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 ? getsockname(descriptor, generic, &length) : -1
            }
        }
        try #require(status == 0)
        return UInt16(bigEndian: address.sin_port)
    }
}
