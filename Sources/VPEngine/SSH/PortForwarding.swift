import Foundation

extension Engine {
    /// Makes 127.0.0.1:`localPort` lead to port `remotePort` of the instance, over the shared connection and
    /// for as long as that lasts.
    public func forward(_ id: InstanceID, localPort: Int, remotePort: Int) async throws(EngineError) {
        try await self.control(id, "forward", localPort, remotePort)
    }

    public func endForward(_ id: InstanceID, localPort: Int, remotePort: Int) async throws(EngineError) {
        try await self.control(id, "cancel", localPort, remotePort)
    }

    private func control(_ id: InstanceID, _ operation: String, _ localPort: Int, _ remotePort: Int)
        async throws(EngineError)
    {
        let activity = EngineError.Activity(
            "forwarding port \(localPort)", platform: id.platform, subject: id.rawValue)
        let shell = try await self.shell(for: id)
        guard shell.target.canShareConnection else {
            throw EngineError(.unsupported, activity, detail: "the connection cannot be shared here")
        }
        // `-O` speaks to the master only: there has to be one.
        _ = try await shell.run("exit 0\n")
        let words = [
            "-F", shell.target.configurationFile, "-O", operation, "-L",
            "127.0.0.1:\(localPort):127.0.0.1:\(remotePort)", shell.target.alias,
        ]
        let result = try await self.runner.run(
            ProcessCommand("ssh", words, environment: self.configuration.environment))
        guard result.isSuccess else {
            throw EngineError(.limitRefused, activity, detail: result.lastErrorLine ?? "ssh refused it")
        }
    }

    /// Gives the instance another name, on the platform and here.
    public func rename(_ id: InstanceID, to name: String) async throws(EngineError) -> Instance {
        try await self.client(id.platform, "renaming instance \(id)").rename(id, to: name)
        return try await self.freshInstance(id)
    }

    /// What the platform itself says about the instance's start.
    public func providerLog(of id: InstanceID, lines: Int = 200) async throws(EngineError) -> String {
        try await self.client(id.platform, "reading the platform's log of \(id)").providerLog(
            id, lines: lines)
    }
}
