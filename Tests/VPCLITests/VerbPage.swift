import ArgumentParser
import Foundation

@testable import vp

/// A verb as the parser itself describes it.
struct VerbPage: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String

            var text: String { (self.kind == "long" ? "--" : "-") + self.name }
        }

        var kind: String
        var names: [Name]?

        var takesValue: Bool { self.kind == "option" }
        var texts: [String] { (self.names ?? []).map(\.text) }
    }

    var commandName: String
    var aliases: [String]?
    var subcommands: [VerbPage]?
    var arguments: [Argument]?
    /// `demo serve`
    var words: String { ((self.superCommands ?? []).dropFirst() + [self.commandName]).joined(separator: " ") }
    private var superCommands: [String]?

    var names: [String] { [self.commandName] + (self.aliases ?? []) }
    var options: Set<String> { Set((self.arguments ?? []).flatMap(\.texts)) }

    private struct Dump: Decodable {
        var command: VerbPage
    }

    static let root: VerbPage = {
        guard let dump = try? JSONDecoder().decode(Dump.self, from: Data(VP._dumpHelp().utf8)) else {
            fatalError(
                "the parser does not describe its commands as it did: see `vp --experimental-dump-help`")
        }
        return dump.command
    }()

    static let verbs: [VerbPage] = Self.root.subcommands ?? []
    /// Verbs, and verbs of verbs.
    static let all: [VerbPage] = Self.verbs.flatMap { [$0] + ($0.subcommands ?? []) }
}
