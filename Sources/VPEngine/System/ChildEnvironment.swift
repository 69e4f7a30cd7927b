import Glibc

/// The environment of the programs that we start: ours, without the platforms' keys.
///
/// ssh, rsync, git and a user's own commands have no use for a key, and an environment is easily read and
/// passed on: `SendEnv`, `/proc`, a crash report. Every program other than `vp` itself gets its environment
/// from here.
public enum ChildEnvironment {
    /// Variables that hold a platform's key; the last is the one that vast.ai puts into its own instances.
    public static let secretNames: Set<String> = ["VAST_API_KEY", "RUNPOD_API_KEY", "CONTAINER_API_KEY"]

    /// Returns `environment` without the variables that hold a key.
    public static func without(_ environment: [String: String]) -> [String: String] {
        environment.filter { !Self.secretNames.contains($0.key) }
    }

    /// Calls `body` with the environment of this process for `posix_spawn`, byte for byte, without the keys.
    public static func withOwn<Result>(
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
    ) rethrows -> Result {
        var entries = Self.entries(of: environ)
        return try entries.withUnsafeMutableBufferPointer { try body($0.baseAddress!) }
    }

    /// Returns the entries of `environment` without those that hold a key, followed by nil.
    static func entries(
        of environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) -> [UnsafeMutablePointer<CChar>?] {
        var entries: [UnsafeMutablePointer<CChar>?] = []
        var next = environment
        while let entry = next.pointee {
            let isSecret = Self.secretNames.contains { strncmp(entry, $0 + "=", $0.utf8.count + 1) == 0 }
            if !isSecret { entries.append(entry) }
            next += 1
        }
        entries.append(nil)
        return entries
    }

    /// Removes the keys from this process's own environment, right before it becomes another program.
    public static func forgetKeys() {
        for name in Self.secretNames { unsetenv(name) }
    }
}
