import Foundation

/// A route to one instance for OpenSSH: one address, our key, its own known-hosts file, one shared
/// connection.
///
/// The ssh client is configured only by a file of ours (`-F`), so that neither the user's nor the system's
/// settings can change the behaviour we rely on.
package struct SSHTarget: Hashable, Sendable {
    package var instance: InstanceID
    package var address: SSHAddress
    package var identityFile: String?
    /// One file for each instance: host keys differ per rental, and proxies are shared.
    package var knownHostsFile: String
    /// Path of the shared connection's socket, which also names the configuration file beside it.
    package var controlPath: String

    package init(
        instance: InstanceID, address: SSHAddress, identityFile: String?, paths: EngineConfiguration.Paths
    ) {
        self.instance = instance
        self.address = address
        self.identityFile = identityFile
        self.knownHostsFile = "\(paths.stateFolder)/known_hosts/\(Self.alias(for: instance))"
        // The state folder belongs to the name: two users of one socket folder, such as a rehearsal cloud and
        // a real account, can have the same instance id. The address does too: after a restart the old
        // connection leads nowhere.
        let place = "\(address.user)@\(address.host):\(address.port)"
        let identity = "\(paths.stateFolder)|\(Self.alias(for: instance))|\(place)"
        self.controlPath = "\(paths.socketFolder)/\(StableDigest.hex(identity))"
    }

    package static func alias(for instance: InstanceID) -> String {
        let safe = instance.rawValue.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return "\(instance.platform.rawValue)-\(String(safe))"
    }

    /// The name of this instance for ssh and rsync.
    package var alias: String { Self.alias(for: self.instance) }

    package var configurationFile: String { self.controlPath + ".conf" }

    /// True if the path is short enough: a socket's path may have 107 bytes (sun_path), and ssh first binds a
    /// temporary name that is 17 bytes longer.
    package var canShareConnection: Bool { self.controlPath.utf8.count + 17 <= 103 }

    /// Throws `.badConfiguration` or `.badResponse` for a value that could contain further settings.
    package func configurationText() throws(EngineError) -> String {
        var lines = [
            "Host \(self.alias)",
            "HostName \(try SSHConfigurationValue.host(self.address.host))",
            "Port \(try SSHConfigurationValue.port(self.address.port))",
            "User \(try SSHConfigurationValue.user(self.address.user))",
            "HostKeyAlias \(self.alias)",
            "UserKnownHostsFile \(try SSHConfigurationValue.path(self.knownHostsFile, for: "the known-hosts file"))",
            "GlobalKnownHostsFile /dev/null",
            "StrictHostKeyChecking accept-new",
            "CheckHostIP no",
            "BatchMode yes",
            "PasswordAuthentication no",
            "ForwardAgent no",
            "Compression no",
            "ConnectTimeout 10",
            "ServerAliveInterval 15",
            "ServerAliveCountMax 3",
            "LogLevel ERROR",
        ]
        if let identityFile = self.identityFile {
            lines += [
                "IdentityFile \(try SSHConfigurationValue.path(identityFile, for: "ssh.identity"))",
                "IdentitiesOnly yes",
            ]
        }
        if self.canShareConnection {
            lines += [
                "ControlMaster auto",
                "ControlPath \(try SSHConfigurationValue.path(self.controlPath, for: "the socket's path"))",
                "ControlPersist 600",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Returns the argument vector, program included, that runs `remoteCommand` on the instance.
    package func command(_ remoteCommand: String) -> [String] {
        ["ssh", "-F", self.configurationFile, "-T", self.alias, remoteCommand]
    }

    /// The argument vector, up to the command, of an interactive session on the caller's terminal.
    package var sessionCommand: [String] {
        ["ssh", "-F", self.configurationFile, "-o", "LogLevel=INFO", "-t", self.alias]
    }

    /// The argument vector of a shell in `folder`, or in the home folder before the first sync has made it.
    package func shellCommand(in folder: String) -> [String] {
        // The login shell may be one with a grammar of its own, but all of them know single quotes.
        let line = "cd \(ShellQuoting.quoted(folder)) 2>/dev/null; exec \"${SHELL:-/bin/sh}\" -l"
        return self.sessionCommand + ["exec /bin/sh -c \(ShellQuoting.quoted(line))"]
    }

    /// Writes the configuration file, and makes the folders that it names, for this user alone.
    package func prepare() throws(EngineError) {
        try PrivateFolder.make(String(self.controlPath[...].dropLastComponent()))
        try PrivateFolder.make(String(self.knownHostsFile[...].dropLastComponent()))
        let text = try self.configurationText()
        if let existing = FileManager.default.contents(atPath: self.configurationFile),
            existing == Data(text.utf8)
        {
            return
        }
        try PrivateFolder.write(Array(text.utf8), to: self.configurationFile)
    }
}

extension Substring {
    fileprivate func dropLastComponent() -> Substring {
        self.lastIndex(of: "/").map { self[..<$0] } ?? self
    }
}
