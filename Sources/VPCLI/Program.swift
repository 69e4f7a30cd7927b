import Foundation
import Glibc
import VPEngine

/// Other programs: become one, find one, run one.
enum Program {
    /// Becomes `words[0]`, looked up in `PATH`. The terminal, its size and its signals are then that program's.
    static func replaceThisProcess(_ words: [String]) throws -> Never {
        signal(SIGPIPE, SIG_DFL)
        var pointers = words.map { strdup($0) }
        pointers.append(nil)
        if let program = pointers[0] { execvp(program, &pointers) }
        let problem = String(cString: strerror(errno))
        throw EngineError(
            .missingProgram, .init("starting a program"), detail: "\(words.first ?? ""): \(problem)")
    }

    /// The first of `names` that is an executable file in `PATH`.
    static func find(_ names: [String], path: String) -> String? {
        for name in names {
            for folder in path.split(separator: ":") where access("\(folder)/\(name)", X_OK) == 0 {
                return "\(folder)/\(name)"
            }
        }
        return nil
    }

    /// A program installed beside this one.
    static func sibling(_ name: String) -> String? {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let path = (own as NSString).deletingLastPathComponent + "/" + name
        return access(path, X_OK) == 0 ? path : nil
    }

    /// Runs a program whose output, both streams, goes to our stderr. Returns its exit status.
    static func run(_ path: String, _ arguments: [String], in folder: String) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { process in
                let died = process.terminationReason == .uncaughtSignal
                continuation.resume(
                    returning: died ? 128 + process.terminationStatus : process.terminationStatus)
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }
}
