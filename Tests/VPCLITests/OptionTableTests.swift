import ArgumentParser
import Foundation
import Testing
import VPEngine
import VPTestSupport

@testable import VPTUICore
@testable import vp

/// Every place that knows verbs or options of its own says what the parser says.
/// A verb or an option that is in one of them and not in another is named here.
@Suite struct OptionTableTests {
    @Test func verbsAreThoseOfTheParser() {
        #expect(OptionTable.verbs == Set(VerbPage.verbs.flatMap(\.names)))
        #expect(OptionTable.verbs.count > 25)
    }

    @Test func optionsWithAValueAreThoseOfTheParser() {
        let pages = [VerbPage.root] + VerbPage.all
        let arguments = pages.flatMap { $0.arguments ?? [] }
        let valued = Set(arguments.filter(\.takesValue).flatMap(\.texts))
        let flags = Set(arguments.filter { $0.kind == "flag" }.flatMap(\.texts))
        #expect(OptionTable.valued.subtracting(valued) == [], "no option of any verb that takes a value")
        #expect(valued.subtracting(OptionTable.valued) == [], "not in OptionTable.valued")
        // One name cannot mean both: words are sorted before the verb is known.
        #expect(valued.intersection(flags) == [])
    }

    @Test func optionsOfTheRootBelongToTheVerbsThatTakeThem() {
        var rest = VerbPage.root.options.subtracting(OptionTable.ofTheRoot).subtracting(["--init"])
        for (options, verbs) in OptionTable.owners {
            for option in options {
                let owners = VerbPage.verbs.filter { $0.options.contains(option) }.flatMap(\.names)
                #expect(Set(verbs) == Set(owners), "\(option)")
            }
            rest.subtract(options)
        }
        #expect(rest == OptionTable.common)
        // Where the root's common options mean nothing, nothing is read that they could change.
        let without = VerbPage.verbs.filter { !OptionTable.common.isSubset(of: $0.options) }.map(
            \.commandName)
        #expect(Set(without) == ["demo", "help", "status", "tui"])
    }

    @Test func thePaletteKnowsEveryVerb() {
        #expect(Set(PaletteVerb.rows.keys).subtracting(PaletteVerb.own) == OptionTable.verbs)
        #expect(PaletteVerb.own.isDisjoint(with: OptionTable.verbs))
        let table = VerbTable(dump: Data(VP._dumpHelp().utf8))
        #expect(Set(table.verbs.map(\.name)) == OptionTable.verbs.subtracting(["help"]))
        for (name, row) in PaletteVerb.rows where row.argument == .job || row.argument == .instance {
            guard let page = VerbPage.verbs.first(where: { $0.names.contains(name) }) else { continue }
            #expect(page.arguments?.contains { $0.kind == "positional" } == true, "\(name) takes no id")
        }
    }

    @Test func theFormKnowsOptionsOfCreate() throws {
        let create = try #require(VerbPage.verbs.first { $0.commandName == "create-instance" })
        let known = Set(State.formFields.keys).union(["--platform", "-p", "--instance-type"])
        #expect(known.subtracting(create.options) == [])
    }

    /// The line that a key's action is copied as is one that `vp` takes.
    @Test(arguments: [
        EngineAction.sync(Self.instance), .download(Self.instance, DownloadRequest()), .start(Self.instance),
        .stop(Self.instance, StopRequest(endsJobs: true)),
        .destroy(Self.instance, DestroyRequest(discardsResults: true, endsJobs: true)),
        .run(Self.instance, RunRequest(command: .shell("make all"))),
        .create(CreateRequest(query: OfferQuery(gpu: "RTX 4090"), platform: .vast, image: "a/b:c")),
    ])
    func linesOfTheDashboardAreTaken(action: EngineAction) throws {
        let words = ShellWords.split(CommandTwin.line(action))
        #expect(words.first == "vp")
        guard case .parsed(let arguments) = CommandLineShape(Array(words.dropFirst())) else {
            Issue.record("\(CommandTwin.line(action))")
            return
        }
        #expect(throws: Never.self) { try VP.parseAsRoot(arguments) }
    }

    private static let instance = InstanceID(platform: .vast, rawValue: "31415")
}
