/// The dashboard's own knowledge of a verb, beyond the descriptions that `vp` prints (`VerbTable`).
///
/// Every verb has a row, so that somebody has decided whether it is read-only: a test in VPCLITests compares
/// the rows with the parser's own list.
struct PaletteVerb: Equatable, Sendable {
    /// The kind of argument that follows the verb, for completions.
    enum Argument: Equatable, Sendable { case nothing, job, instance, command }

    var argument = Argument.nothing
    /// The list's key command that does the same.
    var command: Command?
    /// The verb changes nothing, here or on a platform: it is allowed with `--readonly`.
    var isLooking = false
    /// The verb does nothing without arguments.
    var needsMore = false
    /// The verb needs the whole terminal, which the dashboard occupies.
    var needsTerminal = false

    static func named(_ name: some StringProtocol) -> Self? { Self.rows[String(name)] }

    /// The dashboard's own short names, which are not verbs of `vp`.
    static let own: Set<String> = ["create", "destroy", "rename"]

    /// The verbs of `vp` for lines that begin with a short name and that the dashboard leaves to `vp`.
    static let longNames = ["create": "create-instance", "destroy": "destroy-instance"]

    static let rows: [String: Self] = [
        "attach": Self(argument: .job, command: .openLog),
        "cancel": Self(argument: .job, command: .cancel),
        "config-set": Self(needsMore: true),
        "config-show": Self(isLooking: true),
        "cost": Self(isLooking: true),
        "create": Self(),
        "create-instance": Self(),
        "demo": Self(needsTerminal: true),
        "destroy": Self(argument: .instance, command: .destroy),
        "destroy-instance": Self(argument: .instance, command: .destroy),
        "diff": Self(isLooking: true),
        "doctor": Self(isLooking: true),
        "download": Self(argument: .instance, command: .download),
        "help": Self(isLooking: true),
        "init": Self(),
        "jobs": Self(isLooking: true),
        "lease": Self(argument: .instance),
        "limits": Self(isLooking: true),
        "list-instances": Self(isLooking: true),
        "logs": Self(argument: .job, command: .openLog, isLooking: true),
        "ls": Self(isLooking: true),
        "metrics": Self(argument: .job, command: .metrics, isLooking: true),
        "offers": Self(isLooking: true),
        "reap": Self(),
        "rename": Self(argument: .instance, needsMore: true),
        "rerun": Self(argument: .job, command: .runAgain),
        "run": Self(argument: .command, needsMore: true),
        "ssh": Self(argument: .instance, command: .shell, needsMore: true),
        "start": Self(argument: .instance, command: .stopOrStart),
        "status": Self(isLooking: true),
        "stop": Self(argument: .instance, command: .stopOrStart),
        "sync": Self(argument: .instance, command: .sync),
        "tui": Self(needsTerminal: true),
        "why": Self(isLooking: true, needsMore: true),
    ]
}
