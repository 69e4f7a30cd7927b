import VPEngine

/// What kind of command line this is, decided before any option is parsed.
///
/// `vp python train.py` runs `python train.py` on an instance:
/// a first word that is no verb is the command, and from there on not one word is ours to interpret. The same
/// holds behind `vp run`. Options may stand before the verb, as the original tool had them (`vp --sync-only
/// run -- make`). Both are settled here, so that the parser sees one form only.
enum CommandLineShape: Hashable {
    /// What the parser gets.
    case parsed([String])
    /// A word that is so near to a verb that running it on an instance is hardly meant.
    case mistyped(word: String, verb: String)
    /// An option of other verbs, which the parser would take from before any and hand to none.
    case misplaced(option: String, verb: String, verbs: [String])

    /// A word that the parser would take for flags (`-1h` holds `-h`),
    /// or a subject of help that there is not.
    case unusable(word: String, verb: String)

    private static let runVerb = "run"

    init(_ arguments: [String]) {
        let (options, rest) = Self.split(arguments)
        if let index = options.firstIndex(where: OptionTable.ofTheRoot.contains) {
            self = .parsed(Array(arguments[index...]))
            return
        }
        if options.contains("--init") {
            // The original's spelling of a verb.
            self = .parsed(["init"] + options.filter { $0 != "--init" } + rest)
            return
        }
        guard let word = rest.first else {
            self = .parsed(arguments)
            return
        }
        if word == "--" {
            self = rest.count > 1 ? .parsed([Self.runVerb] + options + rest) : .parsed(arguments)
        } else if word == Self.runVerb {
            let (own, command) = Self.split(Array(rest.dropFirst()))
            let words = command.first == "--" ? Array(command.dropFirst()) : command
            self = .parsed([Self.runVerb] + options + own + (words.isEmpty ? [] : ["--"] + words))
        } else if ["attach", "cancel", "jobs", "logs", "rerun"].contains(word),
            let index = rest.indices.first(where: {
                rest[$0] == "-1" && !OptionTable.valued.contains(rest[$0 - 1])
            })
        {
            // The newest job; a parser would look for an option of that name.
            var others = rest.dropFirst()
            others.remove(at: index)
            self = Self.verb(word, options + others, ["--", "-1"])
        } else if word == "help", let subject = rest.dropFirst().first, !subject.hasPrefix("-"),
            !OptionTable.verbs.contains(subject)
        {
            self = .unusable(word: subject, verb: word)
        } else if OptionTable.verbs.contains(word) {
            self = Self.verb(word, options + rest.dropFirst())
        } else if let verb = Self.verbMeant(by: word) {
            self = .mistyped(word: word, verb: verb)
        } else {
            self = .parsed([Self.runVerb] + options + ["--"] + rest)
        }
    }

    /// A verb that is not `run`, unless an option is among its words that means nothing to it.
    private static func verb(_ verb: String, _ words: [String], _ last: [String] = []) -> Self {
        var index = 0
        while index < words.count, words[index] != "--" {
            let option = words[index].prefix { $0 != "=" }
            if let owner = OptionTable.owners.first(where: { $0.options.contains(String(option)) }),
                !owner.verbs.contains(verb)
            {
                return .misplaced(option: String(option), verb: verb, verbs: owner.verbs)
            }
            // No option of ours begins with a digit.
            if words[index].dropFirst().first?.isNumber == true, words[index].hasPrefix("-") {
                return .unusable(word: words[index], verb: verb)
            }
            index += OptionTable.valued.contains(words[index]) ? 2 : 1
        }
        return .parsed([verb] + words + last)
    }

    /// The options at the start, each with its value, and what follows them: a word, `--` or nothing.
    private static func split(_ arguments: [String]) -> (options: [String], rest: [String]) {
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            guard argument.hasPrefix("-"), argument != "--", argument != "-" else { break }
            if OptionTable.ofTheRoot.contains(argument) {
                index = arguments.count
                break
            }
            index += OptionTable.valued.contains(argument) ? 2 : 1
        }
        index = min(index, arguments.count)
        return (Array(arguments[..<index]), Array(arguments[index...]))
    }

    /// Only our verbs with a hyphen are guarded: `instance` and `config` in a program's name are rare,
    /// while a short word such as `jab` may well be a program.
    private static func verbMeant(by word: String) -> String? {
        guard word.contains("-"), !word.contains("/"), !word.contains(" ") else { return nil }
        return OptionTable.verbs.filter { $0.contains("-") }
            .map { (verb: $0, distance: EditDistance.between(word, $0)) }
            .filter { $0.distance <= 2 }
            .min { $0.distance < $1.distance }?.verb
    }
}
