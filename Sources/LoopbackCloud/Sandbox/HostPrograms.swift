import Foundation
import Glibc

/// The system programs that an instance needs. A search in `PATH` alone would not suffice: sshd is in
/// `/usr/sbin`, which ordinary users often do not have there.
struct HostPrograms: Sendable {
    let sshd: String
    let sshKeygen: String
    /// nil if bubblewrap is missing or sandboxes are forbidden.
    let bubblewrap: String?
    let python: String?
    /// The `(major, minor)` version of OpenSSH.
    let sshVersion: (Int, Int)

    static func find(useSandboxes: Bool) async throws(LoopbackCloud.StartError) -> HostPrograms {
        guard let sshd = Self.path(of: "sshd") else { throw .missingProgram("sshd") }
        guard let sshKeygen = Self.path(of: "ssh-keygen") else { throw .missingProgram("ssh-keygen") }
        var bubblewrap = useSandboxes ? Self.path(of: "bwrap") : nil
        if let found = bubblewrap, await !Self.canMakeSandboxes(found) { bubblewrap = nil }
        return HostPrograms(
            sshd: sshd, sshKeygen: sshKeygen, bubblewrap: bubblewrap, python: Self.pythonPath(),
            sshVersion: await Self.version(ofSSHD: sshd))
    }

    static func path(of program: String) -> String? {
        let search = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":" + ChildProcess.standardPath
        return search.split(separator: ":").lazy.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    /// A python3 that sandboxes can see as it is: below `/usr`, or else the real file behind a version
    /// manager's shim.
    private static func pythonPath() -> String? {
        let usual: [String] = ["/usr/bin/python3", "/usr/local/bin/python3"]
        if let system = usual.first(where: { access($0, X_OK) == 0 }) { return system }
        guard let found = Self.path(of: "python3"), let real = realpath(found, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func canMakeSandboxes(_ bubblewrap: String) async -> Bool {
        let arguments = [
            bubblewrap, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--ro-bind",
            "/",
            "/", "--proc", "/proc", "--dev", "/dev", "/bin/true",
        ]
        return (try? await ChildProcess.run(arguments)) == 0
    }

    private static func version(ofSSHD sshd: String) async -> (Int, Int) {
        // Releases before 9.1 do not know -V and print their version with the usage.
        let text = await ChildProcess.output(of: [sshd, "-V"])
        guard let match = text.firstMatch(of: #/OpenSSH_(\d+)\.(\d+)/#) else { return (0, 0) }
        return (Int(match.1) ?? 0, Int(match.2) ?? 0)
    }
}
