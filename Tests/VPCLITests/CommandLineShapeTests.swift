import ArgumentParser
import Testing

@testable import vp

@Suite struct CommandLineShapeTests {
    @Test(arguments: [
        // The direct form: from the first word on, nothing is ours.
        ("python train.py", "run -- python train.py"),
        ("python --version", "run -- python --version"),
        ("python train.py --json -v run", "run -- python train.py --json -v run"),
        ("nvidia-smi", "run -- nvidia-smi"),
        ("-i 7 python x.py -i 8", "run -i 7 -- python x.py -i 8"),
        ("--platform=vast python x.py", "run --platform=vast -- python x.py"),
        ("-- ls -la", "run -- ls -la"),
        // The explicit form, with options on either side of the verb.
        ("run -- python script.py", "run -- python script.py"),
        ("run python script.py -p 3", "run -- python script.py -p 3"),
        ("--platform vast run -- python x.py", "run --platform vast -- python x.py"),
        ("--sync-only run -- make", "run --sync-only -- make"),
        ("--no-sync run -- make -j4", "run --no-sync -- make -j4"),
        ("run -w src --no-sync make all", "run -w src --no-sync -- make all"),
        ("run --enable-docker --dockerfile D -- make", "run --enable-docker --dockerfile D -- make"),
        (
            "run --create --gpu-type RTX4090 --max-price 1 --destroy python x.py",
            "run --create --gpu-type RTX4090 --max-price 1 --destroy -- python x.py"
        ),
        ("--sync-only run", "run --sync-only"),
        ("run -- -- x", "run -- -- x"),
        ("run --help python", "run --help python"),
        // Other verbs keep their own words; options before them move behind.
        ("ls -p vast", "ls -p vast"),
        ("-v --config c.yaml ls --json", "ls -v --config c.yaml --json"),
        ("--json ls", "ls --json"),
        ("ssh 7 -- nvidia-smi -L", "ssh 7 -- nvidia-smi -L"),
        ("logs -1", "logs -- -1"),
        ("logs -f -1", "logs -f -- -1"),
        ("jobs -1 --json", "jobs --json -- -1"),
        ("rerun -1", "rerun -- -1"),
        ("rerun --after -1 train-2", "rerun --after -1 train-2"),
        ("rerun --after -1 -1", "rerun --after -1 -- -1"),
        ("--tail 5 logs -1", "logs --tail 5 -- -1"), ("--limit 3 jobs", "jobs --limit 3"),
        ("--offer 7 create-instance -y", "create-instance --offer 7 -y"),
        ("run --detach --after -1 -e A=b python x.py", "run --detach --after -1 -e A=b -- python x.py"),
        ("-e A python x.py -e B", "run -e A -- python x.py -e B"),
        ("--init", "init"),
        ("--init --name x", "init --name x"),
        ("-c f --init --yes", "init -c f --yes"),
        // Ours alone.
        ("", ""),
        ("--version", "--version"),
        ("-v --help", "--help"),
        ("help run", "help run"),
        ("--generate-completion-script zsh", "--generate-completion-script zsh"),
    ])
    func wordsAreSorted(line: String, expected: String) {
        let words = { (text: String) in text.split(separator: " ").map(String.init) }
        #expect(CommandLineShape(words(line)) == .parsed(words(expected)))
    }

    /// The parser would take these for the root's, and no verb would ever hear of them.
    @Test(arguments: [
        ("jobs -i 7", "-i", "jobs"), ("-i 7 logs -1", "-i", "logs"),
        ("--max-cost=3 sync", "--max-cost", "sync"),
        ("--no-sync download", "--no-sync", "download"), ("why -p vast a.py", "-p", "why"),
        ("jobs --platform vast --json", "--platform", "jobs"), ("stop -i 7", "-i", "stop"),
    ])
    func anOptionThatMeansNothingIsRefused(line: String, option: String, verb: String) {
        let words = line.split(separator: " ").map(String.init)
        guard case .misplaced(option, verb, let verbs) = CommandLineShape(words) else {
            Issue.record("\(CommandLineShape(words))")
            return
        }
        #expect(!verbs.isEmpty)
    }

    @Test(arguments: [
        ("sync -i 7", "sync -i 7"), ("-i 7 download --verify", "download -i 7 --verify"),
        ("rerun -i 7 -1", "rerun -i 7 -- -1"), ("ssh -i 7 -- ls -i", "ssh -i 7 -- ls -i"),
        ("--max-cost 3 create-instance -y", "create-instance --max-cost 3 -y"),
        ("-p vast reap", "reap -p vast"),
    ])
    func anOptionThatMeansSomethingStays(line: String, expected: String) {
        let words = { (text: String) in text.split(separator: " ").map(String.init) }
        #expect(CommandLineShape(words(line)) == .parsed(words(expected)))
    }

    @Test(arguments: [
        ("us", ["US"]), ("North-America", ["US", "CA", "MX"]), ("oceania", ["AU", "NZ"]), ("USA", nil),
        ("", nil),
        ("9x", nil),
    ])
    func regionsAreCountries(text: String, countries: [String]?) {
        #expect(RegionArgument(argument: text)?.countries == countries)
    }

    @Test func variablesHaveNames() throws {
        #expect(try EnvironmentArgument.read("A=b=c").value == "b=c")
        #expect(try EnvironmentArgument.read("A=").value == "")
        #expect(try EnvironmentArgument.read("A").value == nil)
        for text in ["", "=x", "1A=b", "A B=c", "Ä=1"] {
            #expect(throws: ValidationError.self) { try EnvironmentArgument.read(text) }
        }
        let arguments = try ["A=1", "HERE"].map(EnvironmentArgument.read)
        #expect(try EnvironmentArgument.values(arguments, from: ["HERE": "x"]) == ["A": "1", "HERE": "x"])
        #expect(throws: CommandFailure.self) { try EnvironmentArgument.values(arguments, from: [:]) }
    }

    @Test func quotedWordsStayWhole() {
        #expect(
            CommandLineShape(["cd /workspace && python train.py"])
                == .parsed(["run", "--", "cd /workspace && python train.py"]))
        #expect(
            CommandLineShape(["python", "-c", "print(\"a b\")", ""])
                == .parsed(["run", "--", "python", "-c", "print(\"a b\")", ""]))
    }

    @Test(arguments: [
        ("create-instances", "create-instance"), ("destory-instance", "destroy-instance"),
        ("list-instance", "list-instances"), ("config-shwo", "config-show"),
    ])
    func aMistypedVerbIsNotRunOnAnInstance(word: String, verb: String) {
        #expect(CommandLineShape([word, "7"]) == .mistyped(word: word, verb: verb))
    }

    @Test(arguments: ["pip-compile", "torchrun", "./create-instances", "jab"])
    func otherProgramsAre(word: String) {
        #expect(CommandLineShape([word]) == .parsed(["run", "--", word]))
    }
}
