import Foundation
import Glibc

/// The locations of programs.
public enum ProgramFile {
    /// The file of this program, not the name it was called by: a link to it may lie elsewhere.
    static var own: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    /// Returns a program installed beside this one; nil if there is none that can be run.
    public static func beside(_ name: String) -> String? {
        guard let own = Self.own else { return nil }
        let path = (own as NSString).deletingLastPathComponent + "/" + name
        return access(path, X_OK) == 0 ? path : nil
    }

    /// Returns the first of `names` that can be run from a folder of `path`, which has the form of `PATH`.
    public static func find(_ names: [String], path: String) -> String? {
        for name in names {
            for folder in path.split(separator: ":") where access("\(folder)/\(name)", X_OK) == 0 {
                return "\(folder)/\(name)"
            }
        }
        return nil
    }
}
