import Foundation

/// The public half of the key that we log in with.
package struct LoginKey: Hashable, Sendable {
    /// The line as in `id_ed25519.pub`.
    package var line: String
    /// The origin of the key: a path, or the agent.
    package var origin: String

    /// The type and key; the comment may differ from place to place.
    package var material: String { Self.material(of: self.line) }

    package static func material(of line: String) -> String {
        line.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
    }

    package func isAmong(_ keys: [AccountKey]) -> Bool {
        keys.contains { Self.material(of: $0.publicKey) == self.material }
    }
}

extension LoginKey {
    /// Throws `.missingIdentity` if there is neither a key file nor an agent that has a key.
    package static func find(_ context: EngineContext) async throws(EngineError) -> LoginKey {
        let activity = EngineError.Activity(
            "reading the ssh key", subject: context.configuration.identityFile)
        guard let identity = context.configuration.identityFile else {
            guard context.configuration.environment["SSH_AUTH_SOCK"] != nil else {
                throw EngineError(.missingIdentity, activity)
            }
            let result = try await context.runner.run(
                ProcessCommand("ssh-add", ["-L"], environment: context.configuration.environment))
            let lines = String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isNewline)
            guard result.isSuccess, let line = lines.first else {
                throw EngineError(.missingIdentity, activity, detail: "the ssh agent has no key either")
            }
            return LoginKey(line: String(line), origin: "the ssh agent")
        }
        if let data = FileManager.default.contents(atPath: identity + ".pub") {
            let line = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return LoginKey(line: line, origin: identity + ".pub")
        }
        // A lone private key still contains its public half, but with a passphrase does not reveal it.
        let result = try await context.runner.run(
            ProcessCommand(
                "ssh-keygen", ["-y", "-P", "", "-f", identity], environment: context.configuration.environment
            ))
        guard result.isSuccess else {
            throw EngineError(
                .missingIdentity, activity,
                detail: "\(identity).pub is missing: \(result.lastErrorLine ?? "no public key")")
        }
        let line = String(decoding: result.output, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        return LoginKey(line: line, origin: identity)
    }

    /// Returns `SHA256:…`, as the platforms' pages and ssh itself show it; nil if ssh does not accept the
    /// key.
    package func fingerprint(_ context: EngineContext) async -> String? {
        let command = ProcessCommand(
            "ssh-keygen", ["-l", "-f", "-"], environment: context.configuration.environment,
            input: Array((self.line + "\n").utf8))
        guard let result = try? await context.runner.run(command), result.isSuccess else { return nil }
        let words = String(decoding: result.output, as: UTF8.self).split(separator: " ")
        return words.count > 1 ? String(words[1]) : nil
    }
}
