import Foundation
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// A repository that git would act on must not come in parts, from two instances or by two ways.
@Suite("Repositories in parts")
struct RepositoryGuardTests {
    private static func exists(_ name: String, _ folder: TemporaryFolder) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder.path)/\(name)")
    }

    @Test(arguments: [
        ("", "HEAD", ["objects", "refs"]), ("", "refs/heads/x", ["objects", "HEAD"]),
        ("", "objects/ab/cd", ["HEAD", "refs"]), ("deep/bare/", "HEAD", ["objects", "refs"]),
        ("deep/bare/", "commondir", ["HEAD"]), ("", "HEAD", ["commondir"]),
    ])
    func theLastPartIsRefused(above: String, last: String, there: [String]) async throws {
        try await TemporaryFolder.with { folder in
            for name in there { try folder.write("x", to: "\(above)\(name)/x") }
            let guardian = RepositoryGuard(folder: try BeneathFolder(folder.path))
            var isPlaced = false
            #expect(guardian.placing(SyncPath(above + last)) { isPlaced = true } == nil)
            #expect(!isPlaced)
            // One part less, and it is a file like any other.
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(above)\(there[0])")
            #expect(guardian.placing(SyncPath(above + last)) { isPlaced = true } != nil)
            #expect(isPlaced)
        }
    }

    @Test(arguments: ["HEAD", "objects/ab/cd", "src/train.py", "heads/refs.txt"])
    func whatChangesNothingIsPlaced(path: String) async throws {
        try await TemporaryFolder.with { folder in
            // The user's own; what comes into it is judged by the plan.
            for name in ["HEAD", "objects/x", "refs/x"] { try folder.write("x", to: name) }
            let guardian = RepositoryGuard(folder: try BeneathFolder(folder.path))
            #expect(guardian.placing(SyncPath(path)) { 7 } == 7)
        }
    }

    /// Two transfers at once, each with the part that the other lacks.
    @Test func twoAtOnceDoNotMakeOneTogether() async throws {
        try await TemporaryFolder.with { folder in
            for round in 0..<100 {
                let above = "round-\(round)"
                try folder.write("x", to: "\(above)/objects/x")
                await withTaskGroup(of: Void.self) { group in
                    for name in ["HEAD", "refs"] {
                        group.addTask {
                            guard let project = try? BeneathFolder(folder.path) else { return }
                            RepositoryGuard(folder: project).placing(SyncPath("\(above)/\(name)")) {
                                try? folder.write("x", to: "\(above)/\(name)")
                            }
                        }
                    }
                }
                let parts = ["HEAD", "refs"].filter { Self.exists("\(above)/\($0)", folder) }
                #expect(parts.count == 1, "round \(round): \(parts)")
            }
        }
    }
}
