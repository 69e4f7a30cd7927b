import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// What is sent, held against git itself.
struct IgnoreRulesTests {
    /// Generated trees with generated ignore files. `VP_IGNORE_TREES` sets their number.
    ///
    /// One repository holds many trees, each in a folder with ignore files of its own, so that one git judges
    /// them all.
    @Test(.requires("git"), .timeLimit(.minutes(15)), arguments: 0..<5)
    func generatedTreesAgreeWithGit(_ batch: Int) async throws {
        let count = (Int(ProcessInfo.processInfo.environment["VP_IGNORE_TREES"] ?? "") ?? 1000) / 5
        var random = SeededGenerator(seed: UInt64(batch) &+ 77)
        try await TemporaryFolder.with(named: "vp-ignore") { folder in
            for tree in 0..<count { try IgnoreTree.make(in: "\(folder.path)/\(tree)", &random) }
            let git = try await Self.gitListing(of: folder.path)
            let scan = LocalScan(
                workspace: Workspace(name: "p", localRoot: folder.path), home: nil,
                ignoreFileName: ".gitignore", defaults: [".git"])
            let ours = Set(
                try scan.scan().files.filter { $0.value.kind != .folder }.keys.map(\.bytes))
            for path in git.symmetricDifference(ours).sorted(by: { SyncPath($0) < SyncPath($1) }).prefix(5) {
                let tree = SyncPath(path.prefix { $0 != SyncPath.slash })
                Issue.record(
                    """
                    \(SyncPath(path)) is \(git.contains(path) ? "sent by git only" : "sent by us only")
                    \(IgnoreTree.describe("\(folder.path)/\(tree)"))
                    """)
            }
        }
    }

    private static func gitListing(of root: String) async throws -> Set<[UInt8]> {
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": root,
            "GIT_CONFIG_NOSYSTEM": "1",
        ]
        let runner = SystemProcessRunner()
        let made = try await runner.run(
            ProcessCommand("git", ["init", "-q"], environment: environment, workingDirectory: root))
        #expect(made.isSuccess)
        var names: [UInt8] = []
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        var files: [String] = []
        for name in all where !name.hasPrefix(".git/") && name != ".git" {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder)
            if !isFolder.boolValue { files.append(name) }
        }
        for name in files { names += Array(name.utf8) + [0] }
        let result = try await runner.run(
            ProcessCommand(
                "git", ["check-ignore", "--no-index", "-z", "--stdin"], environment: environment,
                workingDirectory: root, input: names))
        let ignored = Set(result.output.split(separator: 0).map(Array.init))
        #expect(ignored.count > 10 && ignored.count < files.count - 10)
        return Set(files.map { Array($0.utf8) }).subtracting(ignored)
    }

    /// Cases in which a matcher written by ear goes wrong.
    @Test(
        arguments: [
            ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "axb", false),
            ("**/b", "xb", false), ("**/b", "x/b", true), ("a/**", "a", false), ("a/**", "a/x", true),
            ("a**/b", "ax/b", true), ("a*b", "a/b", false), ("/a", "x/a", false), ("a/b", "x/a/b", false),
            ("[!a]", "a", false), ("[^a]", "b", true), ("[]]", "]", true), ("[a-]", "-", true),
            ("[z-a]", "b", false), ("[[:digit:]]x", "7x", true), ("[[:nope:]]", "n", false),
            ("[a", "[a", false),
            ("\\*", "*", true), ("\\*", "x", false), ("x\\", "x", false), ("a?c", "a/c", false),
            ("*.tar.gz", "x.tar.gz", true), ("x\\ ", "x ", true), ("x ", "x", true), ("", "x", false),
        ])
    func patternsMatchAsInGit(pattern: String, path: String, isIgnored: Bool) {
        let rules = IgnoreRules(defaults: [pattern])
        let decision = rules.decision(on: Array(path.utf8), isFolder: false)
        #expect((decision != nil) == isIgnored)
    }

    /// Rules are looked up in groups of sixty-four: the last one that matches decides, whatever its group.
    @Test(arguments: [0, 1, 60, 63, 64, 126, 127, 128, 200])
    func theLastRuleOfALongFileDecides(fillers: Int) {
        let filler = (0..<fillers).map { "filler-\($0)" }
        let path = Array("keep.log".utf8)
        func last(_ patterns: [String]) -> IgnoreRule? {
            IgnoreRules(defaults: patterns).decision(on: path, isFolder: false)
        }
        #expect(last(["*.log"] + filler)?.isNegated == false)
        #expect(last(["*.log"] + filler + ["!keep.log"] + filler)?.isNegated == true)
        #expect(last(["!keep.log"] + filler + ["keep*"] + filler)?.isNegated == false)
        #expect(last(["!keep.log"] + filler + ["keep.log/"] + filler)?.isNegated == true)
        #expect(last(filler + filler) == nil)
    }

    /// Time does not grow with the number of ways in which a pattern could match.
    @Test func noPatternIsSlow() {
        let glob = GlobPattern(Array((String(repeating: "*a", count: 40) + "b").utf8)[...])
        let text = Array(repeating: UInt8(ascii: "a"), count: 500)
        let start = ContinuousClock.now
        #expect(glob?.matches(text[...]) == false)
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}

/// A small tree with ignore files that are likely to meet its names.
private enum IgnoreTree {
    private static let names = [
        "a", "b", "ab", "abc", "a.o", "b.o", "x y", "foo", "foo.bar", "[a]", "a-b", "#a", "!a", "é", "A",
    ]
    private static let pieces = [
        "a", "b", "ab", "abc", "*.o", "*", "**", "?", "a*", "*b", "a?c", "[ab]", "[!a]", "[a-c]", "[^b]o",
        "foo*",
        "*.*", "foo.bar", "x y", "x\\ y", "\\#a", "\\!a", "[[]a]", "é", "[[:alpha:]]", "[[:upper:]]", "a**",
        "**b",
        "a**b", "[a", "a\\", "f[n-p]o", "a[-]b", "[]-a]", "***", "\\a", "A",
    ]

    static func make(in root: String, _ random: inout SeededGenerator) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: root, withIntermediateDirectories: true)
        var folders = [root]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let folder =
                folders.randomElement(using: &random)! + "/" + Self.names.randomElement(using: &random)!
            try? files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            folders.append(folder)
        }
        for _ in 0..<Int.random(in: 2...9, using: &random) {
            let path =
                folders.randomElement(using: &random)! + "/" + Self.names.randomElement(using: &random)!
            if !files.fileExists(atPath: path) { _ = files.createFile(atPath: path, contents: Data()) }
        }
        for folder in Set([root] + folders.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }) {
            var text = ""
            for _ in 0..<Int.random(in: 1...5, using: &random) { text += Self.line(&random) + "\n" }
            if Bool.random(using: &random) { text.removeLast() }
            _ = files.createFile(atPath: folder + "/.gitignore", contents: Data(text.utf8))
        }
    }

    private static func line(_ random: inout SeededGenerator) -> String {
        if Int.random(in: 0..<15, using: &random) == 0 {
            return ["", "# a", "/", "!", " ", "**/", "/**", "//"].randomElement(using: &random)!
        }
        var line = (0..<[1, 1, 1, 2, 2, 3].randomElement(using: &random)!)
            .map { _ in
                Self.pieces.randomElement(using: &random)!
                    + (Int.random(in: 0..<6, using: &random) == 0
                        ? Self.pieces.randomElement(using: &random)! : "")
            }
            .joined(separator: "/")
        if Int.random(in: 0..<4, using: &random) == 0 { line = "/" + line }
        if Int.random(in: 0..<4, using: &random) == 0 { line += "/" }
        if Int.random(in: 0..<4, using: &random) == 0 { line = "!" + line }
        if Int.random(in: 0..<12, using: &random) == 0 {
            line += [" ", "  ", "\\ ", "\r", "\t"].randomElement(using: &random)!
        }
        return line
    }

    static func describe(_ root: String) -> String {
        let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return names.sorted().map { name in
            guard name.hasSuffix(".gitignore") else { return name }
            return
                "\(name): \(String(decoding: FileManager.default.contents(atPath: "\(root)/\(name)") ?? Data(), as: UTF8.self).debugDescription)"
        }.joined(separator: "\n")
    }
}
