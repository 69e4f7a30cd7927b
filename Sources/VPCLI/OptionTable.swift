import ArgumentParser

/// The verbs and options of `vp` for `CommandLineShape`, which sorts words before anything is parsed.
///
/// The verbs are the parser's own list. What it knows of options it tells only by describing all of them
/// (`--experimental-dump-help`), which takes six times as long as `vp --version` as a whole:
/// that stands here, and `OptionTableTests` holds it against the description.
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

    /// Options of any verb that are followed by a value of their own.
    static let valued: Set<String> = [
        "--after", "--allow", "--base-image", "--bwlimit", "--by", "--config", "--count", "--country",
        "--cuda",
        "--data-dir", "--default-platform", "--destroy-when-idle", "--disk", "--dockerfile", "--env",
        "--exclude",
        "--epochs",
        "--fault", "--folder", "--gpu", "--gpu-count", "--gpu-type", "--grace", "--hours", "--image",
        "--instance-id", "--instance-type", "--lease", "--limit", "--linger", "--load-limit", "--max-cost",
        "--max-price", "--min-cuda", "--min-memory", "--min-reliability", "--name", "--num-gpus", "--offer",
        "--on-start", "--order", "--platform", "--pull-every", "--pull-only", "--region", "--runpod-api-key",
        "--seed", "--since", "--sort", "--speed", "--stop-on", "--stop-when-idle", "--svg", "--tail",
        "--vast-api-key",
        "--working-dir", "-c", "-d", "-e", "-i", "-p", "-w",
    ]

    /// Options that the root declares, for the help and the completions,
    /// and the verbs that know what they mean. Those of every verb with a configuration are not among them:
    /// where one means nothing, the parser says so.
    static let owners: [(options: Set<String>, verbs: [String])] = [
        (["-i", "--instance-id"], ["run", "rerun", "sync", "download", "diff", "ssh"]),
        (["--max-cost"], ["run", "rerun", "create-instance"]),
        (["--yes-big", "--bwlimit"], ["run", "sync", "download"]),
        (["--mine", "--theirs", "--own-folder"], ["run", "rerun", "sync"]),
        (
            [
                "--sync-only", "--no-sync", "-w", "--working-dir", "--enable-docker", "-d", "--dockerfile",
                "--pull-every", "--pull-only",
            ], ["run"]
        ),
        (
            ["-p", "--platform"],
            [
                "run", "list-instances", "ls", "offers", "create-instance", "destroy-instance", "start",
                "stop", "sync", "download", "diff", "ssh", "lease", "reap",
            ]
        ),
    ]

    /// Options of every verb that reads the configuration.
    static let common: Set<String> = ["-c", "--config", "-v", "--verbose", "--allow"]

    /// Options that speak to `vp` as a whole.
    static let ofTheRoot: Set<String> = [
        "--version", "-h", "--help", "--generate-completion-script", "--experimental-dump-help",
    ]
}
