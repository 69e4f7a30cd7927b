import VPEngine

/// The kind of a command line, decided before any option is parsed.
///
/// `vp python train.py` runs `python train.py` on an instance:
/// a first word that is no verb begins a command, and vp interprets none of the words from there on. The same
/// holds behind `vp run`. Options may precede the verb, as in the original tool (`vp --sync-only run --
/// make`). This type brings both into one form for the parser.
enum CommandLineShape: Hashable {
    /// Arguments for the parser.
    case parsed([String])
    /// A first word that is probably a typing error for `verb`.
    case mistyped(word: String, verb: String)
    /// An option that only other verbs have. The parser would accept it as the root's and ignore it.
    case misplaced(option: String, verb: String, verbs: [String])

    /// A word that the parser would read as flags (`-1h` contains `-h`),
    /// or a subject that `help` does not have.
    case unusable(word: String, verb: String)

    private static let runVerb = "run"
    /// The first word with which a completion script asks the parser for values.
    private static let completionRequest = "---completion"

    /// - Parameters:
    ///   - guesses: `false` takes a word that is no verb for a program, however close to a verb it is.
    ///   - isProgram: see `VerbGuess`.
    init(
        _ arguments: [String], guesses: Bool = true, isProgram: (String) -> Bool = VerbGuess.isProgram
    ) {
        if arguments.first == Self.completionRequest {
            self = .parsed(arguments)
            return
        }
        let (options, rest) = Self.split(arguments)
        if let index = options.firstIndex(where: OptionTable.ofTheRoot.contains) {
            self = .parsed(Array(arguments[index...]))
            return
        }
        if options.contains("--init") {
            // The original tool spells this verb as an option.
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
        } else if ["attach", "cancel", "jobs", "logs", "metrics", "rerun"].contains(word),
            let index = rest.indices.first(where: {
                rest[$0] == "-1" && !OptionTable.valued.contains(rest[$0 - 1])
            })
        {
            // -1 is the newest job; the parser would look for an option of that name.
            var others = rest.dropFirst()
            others.remove(at: index)
            self = Self.verb(word, options + others, ["--", "-1"])
        } else if word == "help", let subject = rest.dropFirst().first, !subject.hasPrefix("-"),
            !OptionTable.verbs.contains(subject)
        {
            self = .unusable(word: subject, verb: word)
        } else if OptionTable.verbs.contains(word) {
            self = Self.verb(word, options + rest.dropFirst())
        } else if guesses,
            let verb = VerbGuess.verb(
                for: word, before: Array(rest.dropFirst()), behind: options, isProgram: isProgram)
        {
            self = .mistyped(word: word, verb: verb)
        } else {
            self = .parsed([Self.runVerb] + options + ["--"] + rest)
        }
    }

    /// The shape of a verb other than `run`: refused if one of its words is an option that it does not have.
    private static func verb(_ verb: String, _ words: [String], _ last: [String] = []) -> Self {
        var index = 0
        while index < words.count, words[index] != "--" {
            let option = words[index].prefix { $0 != "=" }
            if let owner = OptionTable.owners.first(where: { $0.options.contains(String(option)) }),
                !owner.verbs.contains(verb)
            {
                return .misplaced(option: String(option), verb: verb, verbs: owner.verbs)
            }
            // None of our options begins with a digit.
            if words[index].dropFirst().first?.isNumber == true, words[index].hasPrefix("-") {
                return .unusable(word: words[index], verb: verb)
            }
            index += OptionTable.valued.contains(words[index]) ? 2 : 1
        }
        return .parsed([verb] + words + last)
    }

    /// Splits `arguments` into the leading options, each with its value, and the rest,
    /// which begins with a word or `--`.
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

    /// `arguments` with `verb` in the place of the first word that is no option.
    static func replacingWord(of arguments: [String], by verb: String) -> [String] {
        let (options, rest) = Self.split(arguments)
        return options + [verb] + rest.dropFirst()
    }
}
