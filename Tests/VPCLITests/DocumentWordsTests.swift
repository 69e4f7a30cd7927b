import Foundation
import Testing
import VPEngine
import VPTestSupport

@testable import vp

/// What README and docs/ name is there: files, links, commands, options, settings, messages.
@Suite struct DocumentWordsTests {
    @Test(arguments: Document.all + Document.notes) func everyLinkLeadsSomewhere(document: Document) throws {
        let folder = (document.path as NSString).deletingLastPathComponent
        for link in document.links where !link.text.contains("://") {
            let parts = link.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let name = NSString.path(withComponents: [folder, String(parts[0])])
            let path = parts[0].isEmpty ? document.path : (name as NSString).standardizingPath
            let place = "\(document.path):\(link.line): \(link.text)"
            #expect(FileManager.default.fileExists(atPath: "\(Document.root)/\(path)"), "\(place)")
            if parts.count == 2, path.hasSuffix(".md") {
                #expect(try Document(path).anchors.contains(String(parts[1])), "\(place)")
            }
        }
    }

    @Test(arguments: Document.all + Document.notes) func everyFileIsThere(document: Document) {
        let sources = Self.names(below: "Sources")
        let folders = Set(["scripts", "docs", "Sources", "Tests", "screenshots", "bench", ".ci"])
        for piece in document.code {
            let word = String(piece.text.prefix { $0 != " " })
            for path in Self.alternatives(of: word) where !path.contains("*") {
                let first = String(path.split(separator: "/").first ?? "")
                let isHere = FileManager.default.fileExists(atPath: "\(Document.root)/\(path)")
                if folders.contains(first), path.contains("/") {
                    #expect(isHere, "\(document.path):\(piece.line): there is no \(path)")
                } else if path.hasSuffix(".swift") || path.hasSuffix(".pl") {
                    let isThere = sources.contains { "/\($0)".hasSuffix("/" + path) } || isHere
                    #expect(isThere, "\(document.path):\(piece.line): there is no \(path)")
                }
            }
        }
    }

    /// Each folder of sources begins with three sentences on what it is about.
    @Test func everyFolderOfSourcesHasItsNote() throws {
        let folders = Set(
            Self.names(below: "Sources").filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") }
                .map { ($0 as NSString).deletingLastPathComponent })
        #expect(folders.count > 30)
        for folder in folders.union(["CNcurses", "VPTUI"]).sorted() {
            let note = Document.notes.first { $0.path == "Sources/\(folder)/README.md" }
            let text = note?.lines.dropFirst().joined(separator: " ") ?? ""
            let sentences = text.replacing("; ", with: ". ").components(separatedBy: ". ").count
            #expect(sentences >= 3, "Sources/\(folder)/README.md: \(text)")
        }
    }

    // MARK: Commands

    @Test(arguments: Document.forUsers) func commandsAndOptionsAreTheParsers(document: Document) async throws
    {
        let dashboard = try await Self.optionsOfTheDashboard()
        let all = Set((VerbPage.all + [.root]).flatMap(\.options)).union(dashboard).union(["--init"])
        for line in Self.commandLines(document) {
            let place = "\(document.path):\(line.line): \(line.text)"
            var words = line.text.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let program = words.first else { continue }
            words.removeFirst()
            let options = words.prefix { $0 != "--" }.filter { $0.hasPrefix("--") && $0.count > 2 }
                .map { String($0.prefix { $0 != "=" }) }
            if program.hasPrefix("--"), document.path != "docs/migrating.md" {
                #expect(all.contains(program), "\(place)")
            } else if program == "vp-tui" {
                #expect(Set(options).subtracting(dashboard) == [], "\(place)")
            } else if program == "vp" {
                let isInit = words.contains("--init")
                let verb = isInit ? "init" : words.first { !$0.hasPrefix("-") } ?? ""
                let page = VerbPage.verbs.first { $0.names.contains(verb) }
                let known = (page ?? VerbPage.verbs.first { $0.commandName == "run" })?.options ?? []
                let children = (page?.subcommands ?? []).flatMap(\.options)
                // Behind the first word of a command every option is the command's.
                let own = page == nil ? words.prefix { $0 != verb }.filter { $0.hasPrefix("--") } : options
                let unknown = Set(own).subtracting(known).subtracting(VerbPage.root.options)
                    .subtracting(children).subtracting(OptionTable.ofTheRoot)
                #expect(unknown == [], "\(place)")
                if page == nil, verb.contains("-") {
                    Issue.record("\(place): \(verb) is no command")
                }
            }
        }
    }

    @Test func everyCommandIsExplained() {
        let lines = Document.forUsers.flatMap(Self.commandLines).map { $0.text + " " }
        for page in VerbPage.all where page.commandName != "help" {
            let isThere = page.names.contains { name in
                let words = page.words.hasSuffix(page.commandName) ? page.words : name
                return lines.contains {
                    $0.hasPrefix("vp \(words) ") || $0.contains(" vp \(words) ")
                        || $0.hasPrefix("vp \(name) ") || $0.contains("(vp \(words) ")
                }
            }
            #expect(isThere, "no document for users names `vp \(page.words)`")
        }
    }

    /// Lines of blocks, and what stands between backquotes.
    private static func commandLines(_ document: Document) -> [Document.Piece] {
        let blocks = document.blocks.filter { ["sh", "console"].contains($0.language) }.flatMap { block in
            block.text.split(separator: "\n").map { line in
                // What follows a pipe or a comment is nobody's option here.
                let text = line.components(separatedBy: " #")[0].components(separatedBy: " | ")[0]
                return Document.Piece(line: block.line, text: text)
            }
        }
        return blocks + document.code
    }

    private static func optionsOfTheDashboard() async throws -> Set<String> {
        let harness = try CLIHarness()
        let help = try await harness.start(program: CLIHarness.products + "/vp-tui", ["--help"]).output()
        let words = help.stdout.split { !($0.isLetter || $0 == "-") }.map(String.init)
        return Set(words.filter { $0.hasPrefix("--") })
    }

    // MARK: Messages

    /// Each message is told in the program's own words, and each kind of failure has its place.
    @Test func messagesAreThoseOfTheProgram() throws {
        let document = try Document.named("docs/troubleshooting.md")
        var codes: Set<String> = []
        for (line, cells) in document.rows(titled: "Message", "Code") {
            let name = cells[1].replacing("`", with: "")
            let code = try #require(EngineError.Code(rawValue: name), "\(document.path):\(line)")
            codes.insert(name)
            // Some failures have other words where nothing was named.
            let messages = ["7800", Engine.newestJob, nil].map { subject in
                let error = EngineError(
                    code, .init("listing instances", platform: .vast, subject: subject), detail: "the reason",
                    suggestions: ["one", "two"])
                return Report.words(for: error).message
            }
            let quoted = Document.code(in: cells[0]).joined()
            #expect(
                messages.contains { Self.fits(quoted, $0) },
                "\(document.path):\(line): the program says “\(messages[0])”")
        }
        #expect(Set(EngineError.Code.allCases.map(\.rawValue)).subtracting(codes) == [])
    }

    /// `…` stands for any text.
    private static func fits(_ pattern: String, _ message: String) -> Bool {
        let parts = pattern.components(separatedBy: "…")
        guard let first = parts.first, let last = parts.last, message.hasPrefix(first),
            message.hasSuffix(last)
        else { return false }
        var rest = Substring(message)
        for part in parts {
            guard let range = rest.range(of: part) else { return part.isEmpty }
            rest = rest[range.upperBound...]
        }
        return true
    }

    @Test func causesAndPlatformsWordsAreKnown() throws {
        let document = try Document.named("docs/troubleshooting.md")
        func source(_ path: String) throws -> String {
            try String(contentsOfFile: "\(Document.root)/Sources/VPEngine/\(path)", encoding: .utf8)
        }
        let tables = [
            ("Cause", "What to do", try source("Jobs/JobCause.swift")),
            ("The platform says", "It is the fault of", try source("Platforms/StartMessages.swift")),
        ]
        for (first, second, text) in tables {
            let rows = document.rows(titled: first, second)
            #expect(rows.count > 2)
            for (line, cells) in rows {
                for words in Document.code(in: cells[0]) {
                    #expect(text.contains(words), "\(document.path):\(line): \(words)")
                }
            }
        }
    }

    /// A message that begins a line of a list stands, part by part, in one file of the sources.
    @Test func messagesInListsAreThoseOfTheSources() throws {
        let document = try Document.named("docs/troubleshooting.md")
        let quoted = document.prose.filter { $0.text.hasPrefix("- `") }
            .compactMap { piece in
                Document.code(in: piece.text).first.map { Document.Piece(line: piece.line, text: $0) }
            }
        #expect(quoted.count > 1)
        let sources = Self.names(below: "Sources").filter { $0.hasSuffix(".swift") }
            .compactMap { try? String(contentsOfFile: "\(Document.root)/Sources/\($0)", encoding: .utf8) }
        for piece in quoted {
            let parts = piece.text.components(separatedBy: "…").filter { !$0.isEmpty }
            let isThere = sources.contains { text in parts.allSatisfy(text.contains) }
            #expect(isThere, "\(document.path):\(piece.line): \(piece.text)")
        }
    }

    // MARK: Settings

    /// Each block of YAML is taken as it stands, without a warning.
    @Test(arguments: Document.forUsers) func settingsAreTaken(document: Document) async throws {
        for block in document.blocks where block.language == "yaml" {
            let harness = try CLIHarness()
            let head = String(block.text.prefix { $0 != "\n" })
            let place = "\(document.path):\(block.line)"
            let name = [".vp/config.yaml": "project/.vp/config.yaml"].first { head.contains($0.key) }?.value
            let file = head.split(separator: "/").last.map(String.init) ?? ""
            let own = ".config/variousplug/" + file.replacing("# ", with: "")
            try harness.write(name ?? own, block.text, mode: 0o600)
            for folder in [".config", ".config/variousplug"] where name == nil {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o700], ofItemAtPath: harness.path(folder))
            }
            #expect(try await harness.vp("limits").status == 0, "\(place)")
            // Limits may leave no other command.
            if file.hasSuffix("limits.yaml") { continue }
            let settings = try await harness.vp("config-show", "--json")
            #expect(try settings.json()["warnings"] as? [String] == [], "\(place)")
            let keys = try await harness.start(
                program: CLIHarness.products + "/vp-tui", ["--print-keys"]
            ).output()
            #expect(keys.status == 0, "\(place): \(keys.stderr)")
        }
    }

    @Test func everySettingIsKnown() async throws {
        let document = try Document.named("docs/configuration.md")
        let names = document.rows(titled: "Setting", "Mark").flatMap { Document.code(in: $0.cells[0]) }
        #expect(names.count > 30)
        // Without a value nothing is set; that the name is known is what counts.
        var text = ""
        var open: [String] = []
        for path in names.map({ $0.components(separatedBy: ".") }).sorted(by: {
            $0.lexicographicallyPrecedes($1)
        }) {
            let shared = zip(open, path).prefix { $0 == $1 }.count
            for (depth, part) in path.enumerated().dropFirst(shared) {
                text += String(repeating: "  ", count: depth) + part + ":\n"
            }
            open = path
        }
        let harness = try CLIHarness()
        try harness.write("project/.vp/config.yaml", text)
        let warnings = try await harness.vp("config-show", "--json").json()["warnings"] as? [String]
        #expect(warnings == [], "\(text)")
    }

    // MARK: Files

    private static func names(below folder: String) -> [String] {
        FileManager.default.enumerator(atPath: "\(Document.root)/\(folder)")?.compactMap { $0 as? String }
            ?? []
    }

    /// `A/{B,C}.swift` stands for two.
    private static func alternatives(of path: String) -> [String] {
        guard let open = path.firstIndex(of: "{"), let close = path.firstIndex(of: "}"), open < close else {
            return [path]
        }
        return path[path.index(after: open)..<close].split(separator: ",").map {
            "\(path[..<open])\($0)\(path[path.index(after: close)...])"
        }
    }
}
