import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Rounds with an instance that means harm. A judge outside the program compares the whole home folder before
/// and after each: see `HomeJudge`.
///
/// `VP_ADVERSARY_ROUNDS` is for each seed, `VP_ADVERSARY_SEED` the first of them.
/// A finding names its seed and round, and plays the same again.
@Suite("A hostile instance", .requires("rsync", "bwrap", "git"), .timeLimit(.minutes(600)))
struct AdversaryTests {
    private static func setting(_ name: String, _ otherwise: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise
    }

    private static let first = Self.setting("VP_ADVERSARY_SEED", 1)
    private static let rounds = Self.setting("VP_ADVERSARY_ROUNDS", 12)
    /// After so many rounds everything is made anew: harm must not only be harm to what is broken already.
    private static let generation = 30

    @Test(arguments: 0..<8) func nothingIsHarmed(_ offset: Int) async throws {
        let seed = Self.first + offset
        var moved = 0
        for start in stride(from: 0, to: Self.rounds, by: Self.generation) {
            try await TemporaryFolder.with(named: "vp-adversary") { folder in
                var hostile = try await HostileInstance(
                    in: folder.path, seed: UInt64(seed) &* 1_000_003 &+ UInt64(start))
                for round in start..<min(start + Self.generation, Self.rounds) {
                    guard let complaint = try await hostile.play() else { continue }
                    let history = hostile.history.joined(separator: "\n")
                    Issue.record("seed \(seed), round \(round): \(complaint)\n\(history)")
                    break
                }
                moved += hostile.moved
            }
        }
        // Who refuses everything does no harm either, and nothing would be tried.
        #expect(moved > 0)
    }

    /// What the judge is there for, done by hand.
    @Test(arguments: [
        ("echo x > home/.bashrc", false), ("rm home/.bashrc", false), ("echo x > new", false),
        ("chmod 600 home/.bashrc", false), ("echo x > project/new", true), ("mkdir project/new", true),
        ("ln -s / project/new", true), ("echo x > project/.vpignore", false),
        ("echo x > project/.envrc", false), ("echo x > project/.envrc.remote-7", true),
        ("mkdir project/.vscode && echo x > project/.vscode/tasks.json", false),
        ("mkdir project/.vscode", false), ("mkdir -p project/sub/.envrc", false),
        ("mkdir project/.git", false), ("mkdir project/.GIT", false), ("mkfifo project/new", false),
        ("echo x > project/new && chmod 4755 project/new", false), ("echo x > project/data/only-copy", false),
        ("rm -r project/data && ln -s / project/data", false),
        ("rm -r project/src && echo x > project/src", false),
        ("cd project && mkdir b b/objects b/refs && echo x > b/HEAD", false),
    ])
    func theJudgeSees(_ act: String, _ isAllowed: Bool) async throws {
        try await TemporaryFolder.with { folder in
            for name in ["home/.bashrc", "project/.vpignore", "project/data/only-copy", "project/src/a"] {
                try folder.write("mine\n", to: name)
            }
            let judge = HomeJudge(home: folder.path, free: [], precious: ["data", "data/only-copy"])
            let before = judge.look()
            #expect(judge.complaint(before, judge.look()) == nil)
            let command = ProcessCommand(
                "sh", ["-c", "cd \(folder.path) && \(act)"], environment: ["PATH": "/usr/bin:/bin"])
            #expect(try await SystemProcessRunner().run(command).isSuccess)
            #expect((judge.complaint(before, judge.look()) == nil) == isAllowed)
        }
    }
}
