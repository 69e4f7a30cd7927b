import Foundation

/// The verbs and options of `vp`, as the program itself lists them (`--experimental-dump-help`): the palette
/// keeps no list of its own.
public struct VerbTable: Equatable, Sendable {
    public struct Option: Equatable, Sendable {
        /// `--gpu-type`, or the short form if there is no other.
        public var name: String
        public var help: String
        public var takesValue: Bool
    }

    public struct Verb: Equatable, Sendable {
        public var name: String
        public var help: String
        public var options: [Option]
    }

    public var verbs: [Verb] = []

    public init() {}

    public func verb(_ name: some StringProtocol) -> Verb? { self.verbs.first { $0.name == name } }

    /// Reads the dump. A dump that cannot be decoded gives an empty table: the palette then knows only the
    /// dashboard's own words.
    public init(dump: Data) {
        guard let dump = try? JSONDecoder().decode(Dump.self, from: dump) else { return }
        self.verbs = (dump.command.subcommands ?? []).filter { $0.commandName != "help" }.flatMap { command in
            let options = (command.arguments ?? []).compactMap { argument -> Option? in
                guard argument.kind != "positional", argument.shouldDisplay != false,
                    let name = argument.preferredName ?? argument.names?.first
                else { return nil }
                let text = name.kind == "long" ? "--\(name.name)" : "-\(name.name)"
                return Option(
                    name: text, help: argument.abstract ?? "", takesValue: argument.kind == "option")
            }
            return ([command.commandName] + (command.aliases ?? [])).map {
                Verb(name: $0, help: command.abstract ?? "", options: options)
            }
        }
    }

    private struct Dump: Decodable {
        var command: Command
    }

    private struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var aliases: [String]?
        var subcommands: [Command]?
        var arguments: [Argument]?
    }

    private struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }

        var kind: String
        var abstract: String?
        var names: [Name]?
        var preferredName: Name?
        var shouldDisplay: Bool?
    }
}
