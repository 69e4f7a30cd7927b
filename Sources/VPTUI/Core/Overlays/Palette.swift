import Foundation
import VPEngine

/// The dashboard's command line: the verbs and options of `vp`, and every key command by name.
public struct Palette: Equatable, Sendable {
    public struct Candidate: Equatable, Sendable {
        /// The text that it inserts.
        public var text: String
        public var help: String
        /// It is a complete command.
        public var isWhole: Bool
        /// The key that does the same.
        public var key: String?
    }

    public var field = TextField()
    /// The index of the selected candidate; nil for the line as typed.
    public internal(set) var selected: Int?
    var historyIndex: Int?
    var draft = ""
    public internal(set) var problem: String?
    /// The listing of the last requested folder.
    public internal(set) var listing: Listing?

    public init() {}

    /// Returns the completions of the line, best first.
    public func candidates(_ state: State) -> [Candidate] {
        let words = self.field.text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count > 1, let verb = words.first.map(String.init) else {
            let all = Self.commands(matching: self.field.text, state)
            return self.field.text.isEmpty ? Self.fitting(state) + all : all
        }
        let last = String(words.last ?? "")
        let head = words.dropLast().joined(separator: " ") + " "
        if let values = Self.values(of: String(words[words.count - 2]), state) {
            return Self.ranked(
                values.map { Candidate(text: $0, help: "", isWhole: true, key: nil) }, by: last
            ).map {
                Candidate(text: head + ShellQuoting.quoted($0.text), help: $0.help, isWhole: true, key: nil)
            }
        }
        if Self.isPath(last) { return self.paths(last, head) }
        if last.hasPrefix("-") { return Self.options(of: verb, matching: last, head, state) }
        return Self.arguments(of: verb, matching: last, head, state)
    }

    /// Returns complete commands for the selection: Enter carries them out.
    private static func fitting(_ state: State) -> [Candidate] {
        func candidates(_ verbs: [(name: String, command: Command)], _ id: String) -> [Candidate] {
            verbs.map { verb in
                let binding = state.keyMap.bindings.first { $0.command == verb.command }
                return Candidate(
                    text: "\(verb.name) \(ShellQuoting.quoted(id))", help: binding?.help ?? "", isWhole: true,
                    key: binding?.keys.first?.name)
            }
        }
        switch state.lastList {
        case .instances, .main:
            guard let instance = state.instances.selectedRow else { return [] }
            let isRunning = instance.status == .running
            return candidates(
                (isRunning
                    ? [("sync", .sync), ("download", .download), ("lease", .lease), ("stop", .stopOrStart)]
                    : [("start", .stopOrStart)]) + [("destroy-instance", .destroy)], instance.id.rawValue)
        case .jobs:
            guard let job = state.jobs.selectedRow else { return [] }
            return candidates(
                [("logs", .openLog), ("metrics", .metrics)]
                    + (job.state.isOver ? [("rerun", .runAgain)] : [("cancel", .cancel)]), job.id.rawValue)
        case .offers: return []
        }
    }

    /// Returns the values of an option; nil if any value is allowed.
    private static func values(of option: String, _ state: State) -> [String]? {
        switch option {
        case "--gpu-type", "--gpu":
            Self.unique(state.offers.rows.map(\.gpuName) + GPUName.table.map(\.name))
        case "--platform", "-p": Platform.allCases.map(\.rawValue)
        case "--image":
            Self.unique([state.settings.defaults.image] + state.instances.rows.compactMap(\.image))
        case "--instance", "-i": state.instances.rows.map(\.id.rawValue)
        case "--lease": ["2h", "4h", "12h", "1d", "3d"]
        case "--after", "--job": state.jobs.rows.prefix(50).map(\.id.rawValue)
        default: nil
        }
    }

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    // MARK: Paths

    /// The contents of a folder at the time of the request.
    public struct Listing: Equatable, Sendable {
        public var folder: String
        /// Folders end in a slash.
        public var names: [String]

        public init(folder: String, names: [String]) {
            self.folder = folder
            self.names = names
        }
    }

    private static func isPath(_ word: String) -> Bool {
        word.contains("/") || word.hasPrefix(".") || word.hasPrefix("~")
    }

    /// The folder whose names complete the word being typed; nil if the word is not a path.
    var wantedFolder: String? {
        let words = self.field.text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count > 1, let last = words.last.map(String.init), Self.isPath(last) else { return nil }
        return Self.folder(of: last)
    }

    private static func folder(of word: String) -> String {
        word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
    }

    private func paths(_ word: String, _ head: String) -> [Candidate] {
        let folder = Self.folder(of: word)
        guard let listing = self.listing, listing.folder == folder else { return [] }
        let typed = word.dropFirst(folder.count)
        return listing.names.filter { $0.hasPrefix(typed) && (typed.hasPrefix(".") || !$0.hasPrefix(".")) }
            .prefix(100).map { name in
                let isFolder = name.hasSuffix("/")
                let path = ShellQuoting.quoted(folder + name)
                return Candidate(
                    text: head + path, help: isFolder ? "folder" : "", isWhole: !isFolder, key: nil)
            }
    }

    private static func commands(matching text: String, _ state: State) -> [Candidate] {
        var all: [Candidate] = state.verbs.verbs.map { verb in
            let needsMore = PaletteVerb.named(verb.name)?.needsMore ?? false
            return Candidate(text: verb.name, help: verb.help, isWhole: !needsMore, key: nil)
        }
        let known = Set(all.map(\.text))
        for command in Command.allCases where !command.isMovement {
            let name = command.words
            guard !known.contains(name) else { continue }
            let binding = state.keyMap.bindings.first { $0.command == command }
            all.append(
                Candidate(
                    text: name, help: binding.map(\.help) ?? "", isWhole: true,
                    key: binding?.keys.first?.name))
        }
        return Self.ranked(all, by: text)
    }

    private static func options(of verb: String, matching text: String, _ head: String, _ state: State)
        -> [Candidate]
    {
        let options = state.verbs.verb(verb)?.options ?? []
        return Self.ranked(
            options.map {
                Candidate(text: $0.name, help: $0.help, isWhole: !$0.takesValue, key: nil)
            }, by: text
        ).map { Candidate(text: head + $0.text, help: $0.help, isWhole: $0.isWhole, key: nil) }
    }

    /// Returns ids for verbs that take one.
    private static func arguments(of verb: String, matching text: String, _ head: String, _ state: State)
        -> [Candidate]
    {
        let all: [Candidate]
        switch PaletteVerb.named(verb)?.argument ?? .nothing {
        case .job:
            all = state.jobs.rows.prefix(50).map {
                Candidate(text: $0.id.rawValue, help: $0.command.shellText, isWhole: true, key: nil)
            }
        case .instance:
            all = state.instances.rows.map {
                Candidate(
                    text: $0.id.rawValue, help: "\($0.name ?? "") \($0.gpuName) \($0.status.rawValue)",
                    isWhole: true, key: nil)
            }
        case .command:
            all = state.commandHistory.map { Candidate(text: $0, help: "", isWhole: true, key: nil) }
        case .nothing: return []
        }
        return Self.ranked(all, by: text).map {
            Candidate(text: head + $0.text, help: $0.help, isWhole: true, key: nil)
        }
    }

    private static func ranked(_ all: [Candidate], by text: String) -> [Candidate] {
        guard !text.isEmpty else { return Array(all.prefix(100)) }
        let scored = all.enumerated().compactMap { place, candidate in
            FuzzyMatch.score(text, in: candidate.text).map { (score: $0, place: place, candidate: candidate) }
        }
        return scored.sorted { ($1.score, $0.place) < ($0.score, $1.place) }.prefix(100).map(\.candidate)
    }
}

/// Splits a line into words like a shell: with quotes and backslashes, nothing else.
enum ShellWords {
    static func split(_ line: some StringProtocol) -> [String] {
        var words: [String] = []
        var word = ""
        var isInWord = false
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
                isInWord = true
            } else if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isInWord = true
            } else if character.isWhitespace {
                if isInWord { words.append(word) }
                word = ""
                isInWord = false
            } else {
                word.append(character)
                isInWord = true
            }
        }
        if isInWord { words.append(word) }
        return words
    }
}
