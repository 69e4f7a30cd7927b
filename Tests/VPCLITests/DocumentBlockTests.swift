import Foundation
import Testing
import VPTestSupport

/// Every block of commands in README and docs/ works as it stands.
///
/// The blocks that are marked `sh` run one after the other in one shell for each document,
/// which ends with the first command that fails. The shell stands in a project with a small training script,
/// and has the variables of a loopback cloud. What cannot run here is marked `console`,
/// and its reason stands below.
@Suite(
    .startsCloud, .requires("sshd", "rsync", "ssh", "python3", "bash"), .sandboxes, .timeLimit(.minutes(10)))
struct DocumentBlockTests {
    /// The first line of each block that does not run here, by document.
    private static let reasons: [String: [(line: String, reason: String)]] = [
        "README.md": [("scripts/demo.sh", "builds, and runs until its user ends it")],
        "docs/first-run.md": [
            ("scripts/build.sh", "builds for minutes; ManPageTests run link.sh"),
            ("vp config-set", "asks for a key on a terminal; ConfigCommandTests give one"),
        ],
        "docs/dashboard.md": [("vp-tui", "fills a terminal; VPTUIAppTests run it in one")],
    ]

    /// The jobs of documents are called after it.
    private static let project = "my-project"

    /// The document whose blocks another test runs, to look at the answers as well.
    private static let documentOfJSON = "docs/json.md"

    private static let withCommands = Document.forUsers.filter { document in
        document.path != Self.documentOfJSON && document.blocks.contains { $0.language == "sh" }
    }

    @Test(arguments: Self.withCommands) func everyBlockRuns(document: Document) async throws {
        try await Self.run(document)
    }

    /// Documents tell their keys in full: none is missing, and none is left out.
    @Test func documentsOfJSONHaveTheirKeys() async throws {
        let document = try Document.named(Self.documentOfJSON)
        let rows = document.rows(titled: "Command", "Keys of its document")
        #expect(rows.count > 10)
        try await Self.run(document) { harness in
            for (line, cells) in rows {
                for command in Document.code(in: cells[0]) {
                    let words = command.split(separator: " ").dropFirst().map(String.init)
                    let output = try await harness.start(words, in: harness.path(Self.project)).output()
                    #expect(output.status == 0, "\(document.path):\(line): \(output)")
                    let keys = Set(Document.code(in: cells[1]))
                    #expect(Set(try output.json().keys) == keys, "\(document.path):\(line): \(command)")
                }
            }
        }
    }

    @Test func whatDoesNotRunHereHasAReason() {
        for document in Document.forUsers {
            let reasons = Self.reasons[document.path] ?? []
            let blocks = document.blocks.filter { $0.language == "console" }
            #expect(blocks.count == reasons.count, "\(document.path)")
            for (block, reason) in zip(blocks, reasons) {
                #expect(
                    block.text.hasPrefix(reason.line) && !reason.reason.isEmpty,
                    "\(document.path):\(block.line)")
            }
            for block in document.blocks {
                #expect(
                    ["sh", "console", "yaml", "json"].contains(block.language),
                    "\(document.path):\(block.line): nothing tries a block of “\(block.language)”")
            }
        }
    }

    private static func run(
        _ document: Document, then body: (CLIHarness) async throws -> Void = { _ in }
    ) async throws {
        try await withLoopbackCloud { cloud in
            var environment = CLIHarness.environment(for: cloud)
            environment["PATH"] =
                CLIHarness.products + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
            let harness = try CLIHarness(environment)
            try harness.write("\(Self.project)/train.py", self.training)
            try FileManager.default.createDirectory(
                atPath: harness.path("\(Self.project)/data"), withIntermediateDirectories: true)
            var script = ""
            for block in document.blocks where block.language == "sh" {
                let mark = "=== \(document.path):\(block.line)"
                script += "echo '\(mark)'; echo '\(mark)' >&2\n" + block.text
            }
            try harness.write("script", script)
            let bash = try #require(Programs.path(of: "bash"))
            let output = try await harness.start(
                program: bash, ["-e", harness.path("script")], in: harness.path(Self.project)
            ).output(limit: .seconds(300))
            let place = output.stderr.components(separatedBy: "=== ").last ?? ""
            #expect(
                output.status == 0,
                """
                A block of \(document.path) ended with \(output.status). On stderr it printed:
                \(place)
                and on stdout:
                \(output.stdout.components(separatedBy: "=== ").last ?? "")
                """)
            if output.status == 0 { try await body(harness) }
        }
    }

    /// Prints what a training prints, and writes a result.
    private static let training = """
        import argparse
        import os

        arguments = argparse.ArgumentParser()
        arguments.add_argument("--epochs", type=int, default=3)
        arguments.add_argument("--lr", type=float, default=0.1)
        chosen = arguments.parse_args()
        os.makedirs("outputs", exist_ok=True)
        for epoch in range(1, chosen.epochs + 1):
            print(f"epoch {epoch}/{chosen.epochs} loss {1 / epoch:.3f} val_loss {1.1 / epoch:.3f}", flush=True)
        with open("outputs/model.txt", "w") as file:
            file.write("weights\\n")

        """
}
