import Foundation
import Testing

/// Runs a test in a separate process, so that its measurements of the process are its own: other tests run at
/// the same time and also take memory.
public struct OwnProcessTrait: TestTrait, TestScoping {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private static let mark = "VP_OWN_PROCESS"

    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let environment = ProcessInfo.processInfo.environment
        guard testCase != nil, environment[Self.mark] == nil else { return try await function() }
        let name = String(test.name.prefix { $0 != "(" })
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("vp-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        process.executableURL = URL(
            fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        process.arguments = [
            "--testing-library", "swift-testing", "--no-parallel", "--filter", "/\(name)\\(",
        ]
        process.environment = environment.merging([Self.mark: "1"]) { $1 }
        let file = try FileHandle(forWritingTo: output)
        process.standardOutput = file
        process.standardError = file
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
        // A filter that matches nothing also ends successfully.
        guard status == 0, text.contains("Test run with 1 test ") else {
            throw Failure(description: "\(name) in a process of its own ended with \(status):\n\(text)")
        }
    }
}

extension Trait where Self == OwnProcessTrait {
    /// For a test without arguments that measures its own process.
    public static var ownProcess: Self { OwnProcessTrait() }
}
