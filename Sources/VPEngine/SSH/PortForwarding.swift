import Foundation

/// Ports of an instance on 127.0.0.1, over its shared connection and for as long as that lasts.
struct PortForwarding {
    enum Operation: String {
        case begin = "forward"
        case end = "cancel"
    }

    let shell: RemoteShell
    let instance: InstanceID
    let runner: any ProcessRunner
    let environment: [String: String]

    /// Throws `.unsupported` if the connection cannot be shared, and `.portRefused` if ssh refuses.
    func perform(_ operation: Operation, localPort: Int, remotePort: Int) async throws(EngineError) {
        let activity = EngineError.Activity(
            "forwarding port \(localPort)", platform: self.instance.platform, subject: self.instance.rawValue)
        let target = self.shell.target
        guard target.canShareConnection else {
            throw EngineError(
                .unsupported, activity, detail: "ssh connections cannot be shared on this machine")
        }
        // `-O` only speaks to a master, so there has to be one.
        _ = try await self.shell.run("exit 0\n")
        let words = [
            "-F", target.configurationFile, "-O", operation.rawValue, "-L",
            "127.0.0.1:\(localPort):127.0.0.1:\(remotePort)", target.alias,
        ]
        let result = try await self.runner.run(
            ProcessCommand("ssh", words, environment: self.environment))
        guard result.isSuccess else {
            throw EngineError(
                .portRefused, activity, detail: result.lastErrorLine ?? "ssh refused the request")
        }
    }
}
