import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips the test, naming the missing programs. In CI (`CI` is set) the test runs all the same and so
    /// fails: there everything must be installed.
    public static func requires(_ programs: String...) -> Self {
        let missing = programs.filter { Programs.path(of: $0) == nil }
        let isCI = ProcessInfo.processInfo.environment["CI"] != nil
        return .enabled(
            if: missing.isEmpty || isCI, "needs \(missing.joined(separator: ", ")), which is not installed")
    }
}

/// Finds programs. `/usr/sbin`, the folder of sshd, is often not on an ordinary user's `PATH`.
public enum Programs {
    public static func path(of name: String) -> String? {
        let search = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/local/sbin:/usr/sbin:/sbin"
        return search.split(separator: ":").lazy.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test if bubblewrap is installed and may not be used, as in some containers.
    public static var sandboxes: Self {
        .enabled("bwrap may not make a sandbox here") {
            guard let program = Programs.path(of: "bwrap") else { return true }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["--dev-bind", "/", "/", "--", "/bin/true"]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }
}
