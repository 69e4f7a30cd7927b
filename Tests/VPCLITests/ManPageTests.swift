import Foundation
import Testing
import VPTestSupport

/// `scripts/link.sh` puts programs, man pages and completions where shells and man look for them.
@Suite(.requires("python3", "groff")) struct ManPageTests {
    @Test func everyCommandHasItsPageAndEveryReferenceLeadsToOne() async throws {
        let harness = try CLIHarness(["PROGRAMS": CLIHarness.products])
        let linked = try await harness.start(
            program: Document.root + "/scripts/link.sh", [harness.path("prefix")]
        ).output()
        #expect(linked.status == 0, "\(linked)")
        #expect(linked.stdout.contains("export PATH="))
        let version = try await harness.start(program: harness.path("prefix/bin/vp"), ["--version"]).output()
        #expect(version.status == 0)

        let folder = "prefix/share/man"
        let found = [".1", ".5"].flatMap { harness.files(below: folder, withSuffix: $0) }
        let pages = Set(found.map { ($0 as NSString).lastPathComponent }.filter { $0.contains(".") })
        let verbs = VerbPage.all.filter { !["help", "tui"].contains($0.commandName) }
        for verb in verbs {
            let words = verb.words.split(separator: " ").dropLast()
            for name in verb.names {
                let page = "vp-" + (words + [Substring(name)]).joined(separator: "-") + ".1"
                #expect(pages.contains(page), "\(page)")
            }
        }
        #expect(pages.isSuperset(of: ["vp.1", "vp-tui.1", "vp-config.5"]))

        // `\fBvp\-run\fR(1)`, and in documents `man vp-run`.
        let others: Set = ["ssh.1", "rsync.1"]
        let reference = /\\fB([a-z\\-]+)\\fR\(([1-8])\)/
        for page in pages.sorted() {
            let text = try harness.read("\(folder)/man\(page.suffix(1))/\(page)")
            for match in text.matches(of: reference) {
                let name = "\(match.1.replacing("\\", with: "")).\(match.2)"
                #expect(pages.union(others).contains(name), "\(page) refers to \(name)")
            }
        }
        for document in Document.forUsers {
            for piece in document.code where piece.text.hasPrefix("man vp") {
                let name = String(piece.text.dropFirst(4)).replacing("COMMAND", with: "run")
                let isThere = pages.contains(name + ".1") || pages.contains(name + ".5")
                #expect(isThere, "\(document.path):\(piece.line)")
            }
        }

        for file in [
            "bash-completion/completions/vp", "zsh/site-functions/_vp", "fish/vendor_completions.d/vp.fish",
            "bash-completion/completions/vp-tui",
        ] {
            #expect(try harness.read("prefix/share/\(file)").contains("vp"), "\(file)")
        }
        try await Self.checkLayout(harness, folder, pages)
    }

    /// groff finds nothing to complain of.
    private static func checkLayout(_ harness: CLIHarness, _ folder: String, _ pages: Set<String>)
        async throws
    {
        let groff = try #require(Programs.path(of: "groff"))
        let files = pages.sorted().map { "man\($0.suffix(1))/\($0)" }
        // One that stands for another names it from the folder of all pages.
        let checked = try await harness.start(
            program: groff,
            ["-man", "-ww", "-z", "-Tutf8", "-Kutf8"] + files.filter { $0 != "man1/vp-ls.1" },
            in: harness.path(folder)
        ).output()
        #expect(checked.status == 0 && checked.stderr.isEmpty, "\(checked.stderr)")
    }
}
