import Foundation
import Testing
import VPEngine
import VPTestSupport

@testable import vp

@Suite struct WordsTests {
    /// Whatever went wrong: what goes on costing money is what must be done about.
    @Test func aFailureThatLeavesAnInstanceSaysHowToEndIt() {
        let error = EngineError(
            .networkDown, .init("reading an instance", platform: .vast),
            leftoverInstance: InstanceID(platform: .vast, rawValue: "31415"))
        let words = Report.words(for: error)
        #expect(words.message.contains("could not be reached"))
        #expect(words.advice == "31415 still exists and is billed: `vp destroy-instance 31415` destroys it.")
    }

    /// The same failure has other words where nothing was named, or where the name stands for something else.
    @Test(
        arguments: [
            (
                EngineError.Code.noInstance, "nope", ["7800118  moons"],
                "No instance has the id or name nope.",
                "Your instances: 7800118  moons."
            ),
            (
                .noInstance, nil, ["7800118  moons"], "No running instance belongs to this project.",
                "Your instances: 7800118  moons. Use one of another project with -i ID --own-folder, start a stopped "
                    + "one with `vp start ID`, or rent one with `vp create-instance`."
            ),
            (.noSuchJob, "-1", [], "No job has been run yet.", "Run one: `vp run -- python train.py`."),
            (
                .missingKey, nil, [], "No API key was found.",
                "One platform is enough: `vp config-set --vast-api-key -` or `vp config-set --runpod-api-key -`. "
                    + "`vp demo` works without a key."
            ),
        ] as [(EngineError.Code, String?, [String], String, String)])
    func whatIsMissingIsNamed(
        code: EngineError.Code, subject: String?, suggestions: [String], message: String, advice: String
    ) {
        let words = Report.words(
            for: EngineError(code, .init("x", subject: subject), suggestions: suggestions))
        #expect(words.message == message)
        #expect(words.advice == advice)
    }

    /// The balance is that of all accounts, so it is said which of them is empty first.
    @Test func theTimeLeftNamesItsAccount() {
        func report(_ balances: [Balance]) -> MoneyReport {
            let instance = Instance(
                id: .init(platform: .vast, rawValue: "7800"), status: .running, gpuName: "RTX 4090",
                price: .init(dollarsPerHour: 0.5), createdAt: Date(timeIntervalSinceNow: -60))
            return MoneyReport(
                instances: [instance], balances: balances, spentToday: 0, dollarsPerDay: nil, alarms: [],
                asOf: Date())
        }
        let vast = Balance(platform: .vast, dollars: 10)
        #expect(report([vast]).timeLeft == "20 h left")
        #expect(report([vast, Balance(platform: .runpod, dollars: 90)]).timeLeft == "20 h left on vast.ai")
    }

    /// Message and advice for every way to fail; the golden shows them as a user would read them.
    @Test func everyErrorHasWordsAndAStatus() {
        var text = ""
        for code in EngineError.Code.allCases {
            let error = EngineError(
                code, .init("listing instances", platform: .vast, subject: "7800"),
                detail: "the reason.\nmore",
                suggestions: ["one", "two"])
            let words = Report.words(for: error)
            #expect(!words.message.isEmpty && !words.advice.isEmpty)
            #expect(!words.message.contains("\n"))
            text += "\(code.rawValue) (\(Report.status(for: code)))\n  \(words.message)\n  \(words.advice)\n"
        }
        expectGolden(text, named: "errors")
    }

    /// A server's words must not reach the terminal as commands.
    @Test func whatServersSayCannotSteerTheTerminal() {
        let error = EngineError(.platformFailed, .init("x"), detail: "bad\u{1B}[2J\u{07} news")
        #expect(Report.words(for: error).message.contains("bad?[2J? news"))
        #expect(TextTable.Cell("a\u{1B}]0;x\u{7}").text == "a?]0;x?")
        #expect(Terminal.printable("日本 é 🚀") == "日本 é 🚀")
    }

    @Test func jsonIsStableAndEscaped() {
        let value = JSON.object([
            "b": .text("a\"\\\n\u{1}é"), "a": .null, "n": .number(0.1 + 0.2), "w": .number(3), "l": .list([]),
            "i": .list([.integer(1), .flag(true)]),
        ])
        #expect(value.line == #"{"b":"a\"\\\n\u0001é","a":null,"n":0.3,"w":3,"l":[],"i":[1,true]}"#)
        #expect(value.document.hasPrefix("{\n  \"b\": \"a"))
        #expect(JSON.number(Double.nan).line == "null")
    }

    @Test(arguments: [
        (Int64(0), "0 B"), (812, "812 B"), (999, "999 B"), (1000, "1 kB"), (1_234_000, "1.2 MB"),
        (40_000_000_000, "40 GB"), (999_960_000, "1 GB"),
    ])
    func bytes(count: Int64, text: String) {
        #expect(Units.bytes(count) == text)
    }

    @Test(arguments: [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (187.0, "3:07"), (3727.0, "1:02:07")])
    func durations(seconds: Double, text: String) {
        #expect(TimeSpan.exact(seconds) == text)
    }

    @Test func tablesAlignWideCharactersAndLeaveOutEmptyColumns() {
        var table = TextTable([("NAME", .left), ("EMPTY", .left), ("SIZE", .right)])
        table.add([.init("日本"), .init(""), .init("1")])
        table.add([.init("ab", .good), .init(""), .init("1000")])
        #expect(table.lines(colour: false) == ["NAME  SIZE", "日本     1", "ab    1000"])
        #expect(table.lines(colour: true)[2] == "\u{1B}[32mab\u{1B}[0m    1000")
    }

    @Test(arguments: [
        (["TERM": "xterm"], true), (["TERM": "dumb"], false), ([:], false),
        (["TERM": "xterm", "NO_COLOR": "1"], false), (["TERM": "xterm", "NO_COLOR": ""], true),
        (["TERM": "xterm", "CLICOLOR": "0"], false), (["CLICOLOR_FORCE": "1"], true),
    ])
    func colourFollowsTheEnvironment(environment: [String: String], expected: Bool) {
        #expect(Terminal.hasColour(isTTY: true, environment) == expected)
    }

    @Test func noColourWithoutATerminal() {
        #expect(!Terminal.hasColour(isTTY: false, ["TERM": "xterm"]))
    }

    @Test func instancesAndOffersAndJobsAreTables() {
        let terminal = Terminal(environment: ["LANG": "C.UTF-8", "NO_COLOR": "1"])
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let instances = [
            Instance(
                id: .init(platform: .vast, rawValue: "31415"), name: "vp-train-abc", status: .running,
                gpuName: "RTX 4090", price: .init(dollarsPerHour: 0.354), createdAt: now - 7500, image: "x",
                addresses: [.init(host: "203.0.113.7", port: 41001)], location: "Quebec, CA"),
            Instance(
                id: .init(platform: .vast, rawValue: "27"), status: .stopped, gpuName: "H100 SXM",
                gpuCount: 8,
                price: .init(dollarsPerHour: 0.005), createdAt: now - 300_000),
            Instance(
                id: .init(platform: .vast, rawValue: "28"), name: "日本語", status: .failed,
                gpuName: "A100 PCIE",
                price: .init(dollarsPerHour: 0.01)),
        ]
        let jobs = [
            Job(
                id: .init("train-7"), instance: instances[0].id, command: .arguments(["python", "a b.py"]),
                state: .running, createdAt: now - 61, startedAt: now - 61, workspacePath: "/p", logPath: "/l"),
            Job(
                id: .init("train-6"), instance: instances[0].id, command: .shell("make\nall"), state: .failed,
                outcome: .signalled(9), createdAt: now - 9000, startedAt: now - 9000, endedAt: now - 2000,
                dollars: 0.688, workspacePath: "/p", logPath: "/l"),
        ]
        let offer = Offer(
            id: .init(platform: .vast, rawValue: "4411"), gpuName: "RTX 4090", gpuCount: 2,
            gpuMemoryBytes: 24_564_000_000, price: .init(dollarsPerHour: 0.61), cpuCores: 12,
            memoryBytes: 64_000_000_000, downloadMbps: 934.8, reliability: 0.9981, location: "Quebec, CA",
            cudaVersion: 12.8)
        let lines =
            InstanceTable.lines(instances, terminal: terminal, now: now) + [""]
            + InstanceTable.lines([], terminal: terminal, now: now) + [""]
            + JobsCommand.lines(jobs, terminal: terminal, now: now) + [""]
            + JobsCommand.lines([], terminal: terminal, now: now) + [""]
            + OffersCommand.lines([offer], query: OfferQuery(), terminal: terminal) + [""]
            + OffersCommand.lines([], query: OfferQuery(), terminal: terminal)
        expectGolden(lines.joined(separator: "\n") + "\n", named: "tables")
    }

    @Test func aPlatformThatIsTooDearIsNamed() {
        let query = OfferQuery(maximumPrice: .init(dollarsPerHour: 0.4))
        #expect(
            OffersCommand.lines(dearer: [.runpod: 12, .vast: 1], query: query) == [
                "vast.ai: 1 offer, dearer than $0.400/h.", "RunPod: 12 offers, all dearer than $0.400/h.",
            ])
        #expect(OffersCommand.lines(dearer: [:], query: query) == [])
    }
}

/// Compares with `Goldens/<name>.txt`.
func expectGolden(
    _ text: String, named name: String, file: String = #filePath,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let path = ((file as NSString).deletingLastPathComponent as NSString).appendingPathComponent(
        "Goldens/\(name).txt")
    expectGolden(text, at: path, sourceLocation: sourceLocation)
}
