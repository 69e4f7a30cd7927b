import Foundation
import Glibc
import VPScripts

/// Writes the files that an instance finds when it starts: those of its own root, and the read-only folder
/// through which the cloud configures it.
struct SandboxFiles: Sendable {
    /// The instance's folder on the host.
    let folder: String
    let programs: HostPrograms
    let manner: ContainerManner

    var isSandboxed: Bool { self.programs.bubblewrap != nil }
    /// The container's own files, kept over stop and start.
    var root: String { self.folder + "/root" }
    var control: String { self.folder + "/control" }
    var containerLog: String { self.folder + "/container.log" }
    var sandboxInfo: String { self.folder + "/sandbox.json" }
    /// The path of `control` seen from inside.
    var controlInside: String { self.isSandboxed ? "/opt/instance" : self.control }
    private var homeInside: String { self.isSandboxed ? "/root" : self.root + "/root" }
    private var searchPath: String { "\(self.controlInside)/bin:\(ChildProcess.standardPath)" }
    private var shell: String { access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh" }
    private var hostName: String { self.manner.hostName }

    /// The path on the host of the container's `path`.
    func path(inside path: String) -> String {
        // Without a sandbox there is one workspace, below the home, whatever its name.
        self.isSandboxed ? self.root + path : self.root + "/root/workspace"
    }

    /// Writes the container's own files in their initial state.
    func writeRoot(onStart: String?) throws {
        let workspace = self.isSandboxed ? "workspace" : "root/workspace"
        for name in ["etc", "root/.ssh", "tmp", "var/log", "var/tmp", "home", "opt", "srv", "run", workspace]
        {
            try self.makeFolder("root/" + name)
        }
        for name in Self.systemFolders where self.isSandboxed {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/" + name) else {
                continue
            }
            try FileManager.default.createSymbolicLink(
                atPath: "\(self.root)/\(name)", withDestinationPath: target)
        }
        chmod(self.root, 0o755)
        chmod(self.root + "/root", 0o700)
        chmod(self.root + "/root/.ssh", 0o700)
        chmod(self.root + "/tmp", 0o1777)
        chmod(self.root + "/var/tmp", 0o1777)
        // sshd as an ordinary user admits only that user. Inside the sandbox the name `root` therefore gets
        // our own number: no matter which user starts the cloud, clients log in as root, as on the platform.
        try self.write(
            """
            root:*:\(geteuid()):\(getegid()):root:/root:\(self.shell)
            sshd:*:74:65534::/run/sshd:/bin/false
            nobody:*:65534:65534:nobody:/:/bin/false
            \(Self.copier):*:\(geteuid()):\(getegid()):copies:/var/lib/copies:\(self.shell)

            """, to: "root/etc/passwd")
        try self.writeCopySettings()
        try self.write("root:*:\(getegid()):\ntty:*:5:\nnogroup:*:65534:\n", to: "root/etc/group")
        try self.write("127.0.0.1\tlocalhost\n127.0.1.1\t\(self.hostName)\n", to: "root/etc/hosts")
        try self.write(self.hostName + "\n", to: "root/etc/hostname")
        try self.write("passwd: files\ngroup: files\nhosts: files dns\n", to: "root/etc/nsswitch.conf")
        let prompt = "[ -z \"$PS1\" ] || PS1='\\u@\\h:\\w# '\n"
        try self.write("PATH='\(self.searchPath)'\nexport PATH\n" + prompt, to: "root/etc/profile")
        try self.write(prompt, to: "root/root/.bashrc")
        // The platform's sessions read /etc/environment (through PAM), and no other variables of the
        // container. Ours read it through the one file that sshd reads by itself.
        try self.write("", to: "root/etc/environment")
        try FileManager.default.createSymbolicLink(
            atPath: self.root + "/root/.ssh/environment",
            withDestinationPath: self.isSandboxed ? "/etc/environment" : self.root + "/etc/environment")
        for (name, text) in self.manner.files where self.isSandboxed {
            try self.write(text, to: "root" + name, mode: 0o755)
        }
        for folder in self.manner.folders where self.isSandboxed { try self.makeFolder("root" + folder) }
        for folder in self.manner.mounts.values {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        if let onStart, !onStart.isEmpty {
            try self.write(onStart + "\n", to: "root/root/onstart.sh", mode: 0o755)
        }
    }

    /// The login of `vastai copy`, for an rsync server that knows the container by its number.
    static let copier = "vastai_kaalia"

    /// That server reads its settings in /etc as root, and in the home folder as any other user.
    private func writeCopySettings() throws {
        guard let number = self.manner.instanceNumber else { return }
        let text = """
            use chroot = no
            uid = \(geteuid())
            gid = \(getegid())
            [\(number)]
            path = /
            read only = no

            """
        try self.makeFolder("root/var/lib/copies")
        for place in ["root/etc", "root/var/lib/copies"] { try self.write(text, to: "\(place)/rsyncd.conf") }
    }

    /// Writes the files below `control` that stay the same for the life of the instance.
    func writeControl(offer: Offer, seed: UInt64, mark: String) throws {
        try self.makeFolder("control/bin")
        let state = self.isSandboxed ? "/run/gpu-state" : self.root + "/tmp/.gpu-state"
        try self.write(NvidiaSMI.settings(for: offer, seed: seed, stateFile: state), to: "control/gpu")
        try self.write(ScriptFile.nvidiaSMIFigures.text, to: "control/nvidia-smi.awk")
        try self.write(
            NvidiaSMI.program(
                settingsFile: self.controlInside + "/gpu", figuresFile: self.controlInside + "/nvidia-smi.awk"
            ),
            to: "control/bin/nvidia-smi", mode: 0o755)
        if let python = self.programs.python {
            for name in ["python", "python3"] {
                try self.write(self.program(for: python), to: "control/bin/" + name, mode: 0o755)
            }
        }
        if let banner = self.manner.banner { try self.write(banner, to: "control/banner") }
        if self.manner.command != nil {
            try self.write(
                Self.program(
                    .sshd,
                    [
                        "loopback_sshd": self.programs.sshd, "loopback_control": self.controlInside,
                        "loopback_log": self.daemonLog,
                    ]), to: "control/bin/sshd", mode: 0o755)
        }
        if !self.isSandboxed {
            try self.write(self.loginScript(mark: mark), to: "control/login", mode: 0o755)
        }
    }

    /// Writes the files below `control` for one start of the container.
    func writeStart(directPort: Int, proxyPort: Int, environment: [String: String]) throws {
        let variables = environment.sorted { $0.key < $1.key }
            .map { "export \($0.key)=\(Self.quoted($0.value))\n" }.joined()
        try self.write(variables + "export PATH='\(self.searchPath)'\n", to: "control/environment")
        try self.write(self.daemonSettings(ports: [directPort, proxyPort]), to: "control/sshd_config")
        try self.write(self.startScript, to: "control/start", mode: 0o755)
        try self.write(self.initScript, to: "control/init", mode: 0o755)
    }

    /// Writes the keys that may log in, besides those in the container's own `authorized_keys`.
    ///
    /// - Parameter admitsOwn: `false` refuses the container's own keys as well.
    func writeKeys(_ keys: [String], admitsOwn: Bool = true) throws {
        try self.write(keys.map { $0 + "\n" }.joined(), to: "control/authorized_keys")
        unlink(self.control + "/own_keys")
        guard admitsOwn else { return }
        try FileManager.default.createSymbolicLink(
            atPath: self.control + "/own_keys", withDestinationPath: "/root/.ssh/authorized_keys")
    }

    /// The command that runs the container in the foreground; `delay` seconds pass before sshd listens.
    func command(delay: Double) -> [String] {
        let script = self.isSandboxed ? "/init" : "/start"
        let start = ["/bin/sh", self.controlInside + script, String(delay)]
        return self.sandbox + start
    }

    /// The prefix of a command that runs it inside the container's root; empty without sandboxes.
    private var sandbox: [String] {
        guard let bubblewrap = self.programs.bubblewrap else { return [] }
        var arguments = [
            bubblewrap, "--die-with-parent", "--info-fd", "4", "--as-pid-1", "--unshare-pid",
            "--unshare-ipc", "--unshare-uts", "--hostname", self.hostName, "--bind", self.root, "/",
        ]
        if geteuid() != 0 { arguments += ["--unshare-user"] }
        for (inside, folder) in self.manner.mounts { arguments += ["--bind", folder, inside] }
        for name in Self.systemFolders where Self.isFolder("/" + name) {
            arguments += ["--ro-bind", "/" + name, "/" + name]
        }
        for name in Self.systemSettings { arguments += ["--ro-bind-try", "/etc/" + name, "/etc/" + name] }
        arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--dir", "/run/sshd"]
        arguments += ["--ro-bind", self.control, self.controlInside]
        if let python = self.programs.python, !Self.isVisible(python) {
            arguments += ["--ro-bind", Self.prefix(ofPython: python), Self.pythonFolder]
        }
        return arguments + ["--chdir", "/root", "--"]
    }

    /// A command that sees the container's files and nothing else.
    func lookCommand(_ words: [String]) -> [String] {
        guard let bubblewrap = self.programs.bubblewrap else { return [] }
        var arguments = [bubblewrap, "--die-with-parent", "--unshare-all", "--bind", self.root, "/"]
        for name in Self.systemFolders where Self.isFolder("/" + name) {
            arguments += ["--ro-bind", "/" + name, "/" + name]
        }
        return arguments + ["--chdir", "/", "--"] + words
    }

    private static let systemFolders = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"]
    private static let systemSettings = [
        "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "os-release", "protocols",
        "services", "ssl", "ca-certificates", "terminfo",
    ]

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    // MARK: Python

    private static let pythonFolder = "/opt/python"

    private static func isVisible(_ path: String) -> Bool { path.hasPrefix("/usr/") }

    /// The `PREFIX` of `PREFIX/bin/python3.x`.
    private static func prefix(ofPython path: String) -> String {
        path.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    }

    private func program(for python: String) -> String {
        guard self.isSandboxed, !Self.isVisible(python) else {
            return Self.program(.python, ["loopback_python": python, "loopback_library": ""])
        }
        let place = Self.pythonFolder + python.dropFirst(Self.prefix(ofPython: python).count)
        return Self.program(
            .python, ["loopback_python": place, "loopback_library": Self.pythonFolder + "/lib"])
    }

    // MARK: Scripts and settings

    /// The text of a program: `values` as assignments, then the script.
    static func program(
        _ script: ScriptFile, _ values: KeyValuePairs<String, String>, interpreter: String = "/bin/sh"
    ) -> String {
        "#!\(interpreter)\n\(Self.assignments(values))\(script.text)"
    }

    static func assignments(_ values: KeyValuePairs<String, String>) -> String {
        values.map { "\($0.key)=\(Self.quoted($0.value))\n" }.joined()
    }

    private var initScript: String {
        Self.program(.containerInit, ["loopback_control": self.controlInside])
    }

    private var startScript: String {
        // Without a sandbox the command would change the host's own files, so only sshd is started.
        let command =
            self.manner.command.map { command in
                self.isSandboxed ? command : self.manner.startsDaemon ? ":" : "exec sleep 2147483647"
            } ?? ""
        return Self.program(
            .containerStart,
            [
                "loopback_home": self.homeInside, "loopback_command": command, "loopback_shell": self.shell,
                "loopback_sshd": self.programs.sshd, "loopback_control": self.controlInside,
                "loopback_log": self.daemonLog,
            ])
    }

    private var daemonLog: String { (self.isSandboxed ? "" : self.root) + "/var/log/sshd.log" }

    private func daemonSettings(ports: [Int]) -> String {
        let inside = self.controlInside
        var lines = ports.map { "Port \($0)" }
        lines += [
            "ListenAddress 127.0.0.1", "HostKey \(inside)/host_key", "PidFile none", "UsePAM no", "UseDNS no",
            "PermitRootLogin prohibit-password", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "StrictModes no", "PrintMotd no", "PrintLastLog no", "MaxSessions 200", "MaxStartups 200:30:400",
            "Subsystem sftp internal-sftp",
        ]
        if self.manner.banner != nil { lines.append("Banner \(inside)/banner") }
        if self.isSandboxed {
            lines.append("AuthorizedKeysFile \(inside)/authorized_keys \(inside)/own_keys")
            lines.append("PermitUserEnvironment yes")
            lines.append("SetEnv PATH=\(self.searchPath)")
        } else {
            lines.append("AuthorizedKeysFile \(inside)/authorized_keys")
            lines.append("ForceCommand \(inside)/login")
        }
        // Newer releases refuse an address for a while after failed logins; here all clients share one.
        if self.programs.sshVersion >= (9, 8) { lines.append("PerSourcePenalties no") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The script between a plain sshd and the session: the home folder in the user database is a real one.
    private func loginScript(mark: String) -> String {
        Self.program(
            .login,
            [
                "home": self.homeInside, "temporary": self.root + "/tmp", "path": self.searchPath,
                "mark": mark,
                "shell": self.shell,
            ], interpreter: self.shell)
    }

    static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    private func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(self.folder)/\(name)", withIntermediateDirectories: true)
    }

    private func write(_ text: String, to name: String, mode: mode_t = 0o644) throws {
        let path = "\(self.folder)/\(name)"
        if mode & 0o111 == 0 {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } else {
            // A separate process writes a program. While we had it open for writing, a child that some other
            // thread starts would inherit that, and for its whole life the kernel would not run the file
            // ("Text file busy").
            let draft = path + ".draft"
            try Data(text.utf8).write(to: URL(fileURLWithPath: draft))
            defer { unlink(draft) }
            try ChildProcess.copy(draft, to: path)
        }
        chmod(path, mode)
    }
}
