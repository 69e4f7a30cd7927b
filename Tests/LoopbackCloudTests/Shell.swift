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
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, folder: String? = nil
    ) async throws -> Outcome {
        guard let path = program.hasPrefix("/") ? program : Programs.path(of: program) else {
            throw WaitTimeout(description: "\(program) is not installed")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let environment { process.environment = environment }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                do {
                    try process.run()
                } catch {
                    return continuation.resume(throwing: error)
                }
                // Both pipes are emptied at once, or a program that fills the other would wait for ever.
                let group = DispatchGroup()
                nonisolated(unsafe) var errorBytes = Data()  // Read only after the group has ended.
                DispatchQueue.global().async(group: group) {
                    errorBytes = errors.fileHandleForReading.readDataToEndOfFile()
                }
                let outputBytes = output.fileHandleForReading.readDataToEndOfFile()
                group.wait()
                process.waitUntilExit()
                continuation.resume(
                    returning: Outcome(
                        status: process.terminationStatus,
                        output: String(decoding: outputBytes, as: UTF8.self),
                        errors: String(decoding: errorBytes, as: UTF8.self)))
            }
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
