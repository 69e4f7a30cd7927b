// Written by scripts/grammar.py from the parser's description. Edit the parser and run the script.

extension OptionTable {
    /// Options of any verb that are followed by a value of their own.
    static let valued: Set<String> = [
        "--after", "--allow", "--base-image", "--bwlimit", "--by", "--config", "--count", "--country",
        "--cuda", "--data-dir", "--default-platform", "--destroy-when-idle", "--disk", "--dockerfile",
        "--env", "--epochs", "--exclude", "--fault", "--folder", "--gpu", "--gpu-count", "--gpu-type",
        "--grace", "--hours", "--image", "--instance-id", "--instance-type", "--lease", "--limit", "--linger",
        "--load-limit", "--max-cost", "--max-price", "--min-cuda", "--min-memory", "--min-reliability",
        "--name", "--num-gpus", "--offer", "--on-start", "--order", "--platform", "--pull-every",
        "--pull-only", "--region", "--runpod-api-key", "--seed", "--since", "--sort", "--speed", "--stop-on",
        "--stop-when-idle", "--svg", "--tail", "--vast-api-key", "--working-dir", "-c", "-d", "-e", "-i",
        "-p", "-w",
    ]

    /// The options that the root declares for single verbs, with the verbs that take them.
    static let owners: [(options: Set<String>, verbs: [String])] = [
        (["--bwlimit", "--yes-big"], ["run", "sync", "download"]),
        (
            [
                "--dockerfile", "--enable-docker", "--no-sync", "--pull-every", "--pull-only", "--sync-only",
                "--working-dir", "-d", "-w",
            ],
            [
                "run"
            ]
        ),
        (["--instance-id", "-i"], ["run", "rerun", "sync", "download", "diff", "ssh"]),
        (["--max-cost"], ["run", "rerun", "create-instance"]),
        (["--mine", "--own-folder", "--theirs"], ["run", "rerun", "sync"]),
        (
            [
                "--platform", "-p",
            ],
            [
                "run", "sync", "download", "diff", "list-instances", "ls", "offers", "create-instance", "ssh",
                "start", "stop", "destroy-instance", "lease", "reap",
            ]
        ),
    ]

    /// The options of every verb that reads the configuration.
    static let common: Set<String> = [
        "--allow", "--config", "--verbose", "-c", "-v",
    ]
}
