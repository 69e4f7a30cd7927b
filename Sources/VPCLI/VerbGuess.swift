import Foundation
import Glibc
import VPEngine

/// The verb that a first word which is no verb was probably meant to be.
///
/// Such a word is a program for the instance, so a typing error would be sent,
/// started and paid for as a job. But real programs must pass untouched, some of them with names close to a
/// verb (`top`, `stat`, `ssh-keygen`). A word is therefore taken for a typing error only if it is close to a
/// verb, its arguments could be the verb's, and no program of that name is known.
enum VerbGuess {
    /// The verb that `word` is close to; nil if `word` is more likely a program.
    ///
    /// - Parameters:
    ///   - rest: the words behind `word`.
    ///   - options: the words before it. An option that only `run` has shows that a program is meant.
    ///   - isProgram: whether a program of that name is known; asked only for a word close to a verb.
    static func verb(
        for word: String, before rest: [String], behind options: [String],
        isProgram: (String) -> Bool = Self.isProgram
    ) -> String? {
        guard let verb = Self.closest(to: word), !options.contains(where: Self.isOfRunOnly),
            Self.couldFollow(verb, rest), !isProgram(word)
        else { return nil }
        return verb
    }

    /// Verbs that end something: a question about one of them is not answered by Enter alone.
    static let ending: Set<String> = ["cancel", "destroy-instance", "stop"]

    /// The verb that resembles `word`, whatever its arguments are; nil if none does.
    static func closest(to word: String) -> String? {
        guard word.count > 1, word.allSatisfy({ $0 == "-" || ("a"..."z").contains($0) }) else { return nil }
        let verbs = OptionTable.verbs.sorted()
        guard !word.contains("-") else {
            // Only verbs with a hyphen are compared: `ssh-keygen` must not become `ssh`.
            return verbs.filter { $0.contains("-") }
                .map { (verb: $0, distance: $0.hasPrefix(word) ? 1 : EditDistance.between(word, $0)) }
                .filter { $0.distance <= 2 }.min { $0.distance < $1.distance }?.verb
        }
        if let verb = verbs.first(where: { !$0.contains("-") && Self.isClose(word, to: $0) }) { return verb }
        // `vp destroy 7` and `vp list`: the first half of a verb.
        let halves = Self.halves.sorted { $0.key < $1.key }
        return Self.halves[word] ?? halves.first { Self.isClose(word, to: $0.key) }?.value
    }

    /// Halves of verbs that people type alone.
    private static let halves = [
        "config": "config-show", "create": "create-instance", "destroy": "destroy-instance",
        "instances": "list-instances", "list": "list-instances",
    ]

    /// The shorter the verb, the less may differ: most short words are programs.
    private static func isClose(_ word: String, to verb: String) -> Bool {
        if Self.isTransposed(word, verb) { return true }
        guard word.first == verb.first else { return false }
        if word.count >= 4, verb.hasPrefix(word) { return true }
        switch verb.count {
        case ...3: return Self.repeatsALetter(word, of: verb)
        case 4: return word.count != verb.count && EditDistance.between(word, verb) == 1
        case ...7: return EditDistance.between(word, verb) == 1
        default: return EditDistance.between(word, verb) <= 2
        }
    }

    /// `sycn` for `sync`.
    private static func isTransposed(_ word: String, _ verb: String) -> Bool {
        let (typed, meant) = (Array(word), Array(verb))
        guard typed.count == meant.count else { return false }
        let places = typed.indices.filter { typed[$0] != meant[$0] }
        guard places.count == 2, places[1] == places[0] + 1 else { return false }
        return typed[places[0]] == meant[places[1]] && typed[places[1]] == meant[places[0]]
    }

    /// `lss` for `ls`.
    private static func repeatsALetter(_ word: String, of verb: String) -> Bool {
        let typed = Array(word)
        return typed.count == verb.count + 1
            && typed.indices.dropFirst().contains { place in
                typed[place] == typed[place - 1] && String(typed[..<place] + typed[(place + 1)...]) == verb
            }
    }

    /// Whether `rest` could be arguments of `verb`. A path,
    /// an assignment or an operator of the shell belongs to a program, except behind verbs that take paths or
    /// commands, and behind long verbs, which no program resembles.
    private static func couldFollow(_ verb: String, _ rest: [String]) -> Bool {
        guard !verb.contains("-"), !Self.takingPaths.contains(verb) else { return true }
        return !rest.contains { word in
            !word.hasPrefix("-") && word.contains { "./=*$|;&<>".contains($0) }
        }
    }

    private static let takingPaths: Set<String> = [
        "diff", "download", "init", "metrics", "rerun", "run", "ssh", "sync", "why",
    ]

    private static func isOfRunOnly(_ word: String) -> Bool {
        let option = String(word.prefix { $0 != "=" })
        return OptionTable.owners.contains { $0.verbs == ["run"] && $0.options.contains(option) }
    }

    /// Whether a program called `word` is installed here or lies in this folder,
    /// or is known to exist elsewhere.
    static func isProgram(_ word: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        var information = stat()
        let isFileHere = stat(word, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
        return isFileHere || Self.programs.contains(word) || ProgramFile.find([word], path: path) != nil
    }

    /// Programs close to a verb that an instance may have although this machine does not.
    private static let programs: Set<String> = ["difft", "doctoc", "star", "stat"]
}
