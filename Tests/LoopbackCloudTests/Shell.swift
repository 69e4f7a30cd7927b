import Foundation
import LoopbackCloud
import VPTestSupport

/// Runs system programs for tests, output and errors apart.
enum Shell {
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    static func run(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil
    ) async throws -> Outcome {
        guard let path = program.hasPrefix("/") ? program : Programs.path(of: program) else {
            throw WaitTimeout(description: "\(program) is not installed")
        }
        // Foundation's Process misses the end of children when many run at once.
        return try await TemporaryFolder.with(named: "vp-shell") { folder in
            let child = try ChildProcess.spawn(
                [path] + arguments, environment: environment ?? ProcessInfo.processInfo.environment,
                output: folder.path + "/out", errors: folder.path + "/err")
            let status = await ChildProcess.wait(for: child)
            return Outcome(status: status, output: try folder.read("out"), errors: try folder.read("err"))
        }
    }

    /// Options that let ssh use the cloud's key and nothing of the user's.
    static func sshOptions(_ cloud: LoopbackCloud) -> [String] {
        [
            "-F", "none", "-i", cloud.identityFile, "-o", "IdentitiesOnly=yes", "-o",
            "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
        ]
    }

    static func directPort(_ row: [String: Any]) -> Int? {
        let ports = row["ports"] as? [String: [[String: String]]]
        return ports?["22/tcp"]?.first?["HostPort"].flatMap { Int($0) }
    }

    static func ssh(_ cloud: LoopbackCloud, port: Int, _ command: String) async throws -> Outcome {
        try await self.run(
            "ssh", self.sshOptions(cloud) + ["-p", String(port), "\(cloud.user)@127.0.0.1", command])
    }

    /// Runs `command` once sshd of `row` answers.
    static func login(_ cloud: LoopbackCloud, _ row: [String: Any], _ command: String) async throws -> Outcome
    {
        guard let port = self.directPort(row) else { throw WaitTimeout(description: "no port in \(row)") }
        return try await wait(for: "ssh") {
            let outcome = try await self.ssh(cloud, port: port, command)
            return outcome.status == 255 ? nil : outcome
        }
    }
}
