import ArgumentParser

/// The verbs and options of `vp` for `CommandLineShape`, which sorts words before anything is parsed.
///
/// The verbs are the parser's own list. The parser lists options only in a description of all of them
/// (`--experimental-dump-help`), which takes six times as long as a whole `vp --version`.
/// `OptionLists.swift` is therefore written from that description by `scripts/grammar.py`, and
/// `OptionTableTests` compares the two.
enum OptionTable {
    /// Every name that is followed by a verb's own words, aliases included.
    static let verbs: Set<String> = {
        var verbs: Set = ["help"]
        for verb in VP.configuration.subcommands {
            verbs.formUnion(verb.configuration.commandName.map { [$0] } ?? [])
            verbs.formUnion(verb.configuration.aliases)
        }
        return verbs
    }()

    /// Options that speak to `vp` as a whole.
    static let ofTheRoot: Set<String> = [
        "--version", "-h", "--help", "--generate-completion-script", "--experimental-dump-help",
    ]
}
