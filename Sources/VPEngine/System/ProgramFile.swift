import Foundation
import Glibc

/// Where programs lie.
public enum ProgramFile {
    /// A program installed beside this one; nil where there is none that can be run.
    public static func beside(_ name: String) -> String? {
        // What was started, not what it was called: a link to it may lie elsewhere.
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let path = (own as NSString).deletingLastPathComponent + "/" + name
        return access(path, X_OK) == 0 ? path : nil
    }

    /// The first of `names` that can be run from a folder of `path`, which is written as `PATH` is.
    public static func find(_ names: [String], path: String) -> String? {
        for name in names {
            for folder in path.split(separator: ":") where access("\(folder)/\(name)", X_OK) == 0 {
                return "\(folder)/\(name)"
            }
        }
        return nil
    }
}
