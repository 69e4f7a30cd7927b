import ArgumentParser
import Foundation
import Testing

@testable import vp

/// The parser is the one place that defines verbs; every other place follows it.
@Suite struct GrammarTests {
    @Test func everyPlaceKnowsEveryVerb() throws {
        for place in try VerbPlace.all() {
            #expect(place.missing(of: VerbPage.verbs) == [], "\(place.name) misses these verbs")
        }
    }

    /// Goldens, man pages and palette rows of verbs that no longer exist.
    @Test func noPlaceKnowsAnotherVerb() throws {
        let names = Set(VerbPage.verbs.flatMap(\.names))
        let others: Set = [
            "help-vp", "vp", "tui", "demo-serve", "vp-tui",
        ]
        for place in try VerbPlace.all() where place.name.contains("/") {
            #expect(
                place.verbs.subtracting(names).subtracting(others) == [],
                "\(place.name) has verbs that the parser lacks")
        }
    }

    /// A verb that is only in the parser is named for each place that somebody has to complete.
    @Test func aVerbInTheParserAloneIsMissedEverywhere() throws {
        let invented = try JSONDecoder().decode(
            VerbPage.self, from: Data(#"{"commandName": "frobnicate", "aliases": ["frob"]}"#.utf8))
        let places = try VerbPlace.all()
        #expect(places.count >= 7)
        for place in places {
            #expect(
                place.missing(of: [invented])
                    == (place.hasAliases ? ["frobnicate", "frob"] : ["frobnicate"]),
                "\(place.name)")
        }
    }

    /// `OptionLists.swift` is written by a script from the same description.
    @Test func theListsOfOptionsAreUpToDate() {
        let pages = [VerbPage.root] + VerbPage.all
        let valued = Set(pages.flatMap { $0.arguments ?? [] }.filter(\.takesValue).flatMap(\.texts))
        #expect(OptionTable.valued == valued, "run scripts/grammar.py")
    }

    // MARK: Mistyped verbs

    private static func shape(_ line: String, isProgram: Bool = false) -> CommandLineShape {
        CommandLineShape(line.split(separator: " ").map(String.init), isProgram: { _ in isProgram })
    }

    @Test(arguments: [
        ("lss", "ls"), ("sl", "ls"), ("job", "jobs"), ("job -1", "jobs"), ("log", "logs"),
        ("log train-7", "logs"),
        ("destroy 7", "destroy-instance"), ("destory 7", "destroy-instance"), ("list", "list-instances"),
        ("destory-instance 7", "destroy-instance"), ("create-instance-s --env A=b", "create-instance"),
        ("create --gpu-type RTX4090", "create-instance"), ("sycn", "sync"), ("synch src/a.py", "sync"),
        ("runn -- python x.py", "run"), ("offer --limit 3", "offers"), ("downlaod out/", "download"),
        ("atach train-7", "attach"), ("doctr", "doctor"), ("-v lss --json", "ls"), ("config", "config-show"),
    ])
    func aWordCloseToAVerbIsAskedAbout(line: String, verb: String) {
        guard case .mistyped(_, let found) = Self.shape(line) else {
            Issue.record("\(Self.shape(line))")
            return
        }
        #expect(found == verb)
    }

    @Test(arguments: [
        "make", "make -j4 all", "jab", "jab x.py", "top", "python x.py", "sync.sh", "./lss",
        "ssh-keygen -t ed25519",
        "ssh-copy-id host", "stat x", "star -c", "rsync -a x y", "who", "ps", "sh x.sh", "nvidia-smi", "lsof",
        "log x=1", "job run.sh", "job 'a|b'", "--no-sync lss", "-w src log", "run lss", "-- lss", "step",
        "cast",
        "uv run train.py", "torchrun train.py", "tail -f x", "test -e x", "tee", "cat", "Ls", "LSS", "ls2",
    ])
    func programsPassUntouched(line: String) {
        guard
            case .parsed(let words) = CommandLineShape(
                line.split(separator: " ").map(String.init),
                // The list of known programs counts, this machine's do not.
                isProgram: { ["stat", "star"].contains($0) })
        else {
            Issue.record("\(Self.shape(line))")
            return
        }
        #expect(words.first == "run")
    }

    @Test func aProgramOfThatNamePasses() {
        #expect(Self.shape("lss", isProgram: true) == .parsed(["run", "--", "lss"]))
        #expect(CommandLineShape(["lss"], guesses: false) == .parsed(["run", "--", "lss"]))
        #expect(
            CommandLineShape.replacingWord(of: ["-v", "lss", "--json"], by: "ls") == ["-v", "ls", "--json"])
        #expect(VerbGuess.isProgram("stat") && VerbGuess.isProgram("sh") && !VerbGuess.isProgram("lss"))
    }

    /// Without a terminal nothing is run, and the words say how to run it.
    @Test(arguments: [
        (["lss"], "`vp ls`"), (["destroy", "7"], "`vp destroy-instance`"), (["job"], "`vp jobs`"),
        (["-v", "log", "train-7"], "`vp logs`"),
    ])
    func aMistypedVerbIsRefusedWithoutATerminal(words: [String], verb: String) async throws {
        let harness = try CLIHarness([
            "VAST_API_KEY": ConfigCommandTests.key, "VAST_URL": "http://127.0.0.1:9",
        ])
        let output = try await harness.start(words).output()
        #expect(output.status == 64, "\(output)")
        #expect(output.stderr.contains("Did you mean \(verb)?"), "\(output)")
        #expect(output.stderr.contains("vp run -- "), "\(output)")
    }

    @Test func wrongWordsEndWith64() async throws {
        let harness = try CLIHarness()
        for words in [
            ["help", "nope"], ["help", "destory"], ["ls", "--nope"], ["ls", "extra"], ["lss", "--json"],
        ] {
            let output = try await harness.start(words).output()
            #expect(output.status == 64, "\(words): \(output)")
        }
        let json = try await harness.vp("lss", "--json")
        #expect(try json.error()["code"] == "usage", "\(json)")
        let help = try await harness.vp("help", "log")
        #expect(help.stderr.contains("Did you mean `vp help logs`?"), "\(help)")
    }
}
