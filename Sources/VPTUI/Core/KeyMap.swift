/// Everything a key can ask for. The raw value is the name that a key file and documents use.
public enum Command: String, CaseIterable, Hashable, Sendable {
    case nextPane, previousPane, instancesPane, offersPane, jobsPane, logPane, zoomIn, zoomOut
    case down, up, top, bottom, halfPageDown, halfPageUp, pageDown, pageUp
    case search, help, refresh, back, quit, suspend, undo
    case create, sync, run, download, destroy, shell, stopOrStart, openLog, details, copyID
    case rent, editQuery, sortColumn, reverseSort
    case cancel, runAgain
    case follow, wrap, scrollLeft, scrollRight, nextHit, previousHit

    /// True for what spends money, moves files or ends something; `--readonly` refuses these.
    public var changesSomething: Bool {
        switch self {
        case .create, .sync, .run, .download, .destroy, .shell, .stopOrStart, .rent, .cancel, .runAgain: true
        default: false
        }
    }
}

/// Which keys mean what, where. Keys, the help overlay, the hint bar and `docs/keys.md` all come from here.
public struct KeyMap: Hashable, Sendable {
    public enum Context: String, CaseIterable, Hashable, Sendable {
        case everywhere, lists, instances, offers, jobs, log

        public var title: String {
            switch self {
            case .everywhere: "Everywhere"
            case .lists: "Lists"
            case .instances: "Instances"
            case .offers: "Offers"
            case .jobs: "Jobs"
            case .log: "Log"
            }
        }
    }

    public struct Binding: Hashable, Sendable {
        public var keys: [Key]
        public var command: Command
        public var context: Context
        /// What it does, for help: completes "it …".
        public var help: String
        /// One or two words for the hint bar; nil keeps it off.
        public var hint: String?

        init(_ keys: [Key], _ command: Command, _ context: Context, _ help: String, hint: String? = nil) {
            self.keys = keys
            self.command = command
            self.context = context
            self.help = help
            self.hint = hint
        }
    }

    public var bindings: [Binding]

    public init(bindings: [Binding]) {
        self.bindings = bindings
    }

    public func command(for key: Key, focus: Pane) -> Command? {
        for context in Self.contexts(of: focus) {
            if let binding = self.bindings.first(where: { $0.context == context && $0.keys.contains(key) }) {
                return binding.command
            }
        }
        return nil
    }

    /// The contexts whose keys work while `focus` has them, the narrowest first.
    public static func contexts(of focus: Pane) -> [Context] {
        switch focus {
        case .instances: [.instances, .lists, .everywhere]
        case .offers: [.offers, .lists, .everywhere]
        case .jobs: [.jobs, .lists, .everywhere]
        case .main: [.log, .everywhere]
        }
    }

    /// Keys that mean two things in one place, as sentences. Empty for a usable map.
    public var conflicts: [String] {
        var conflicts: [String] = []
        for focus in Pane.allCases {
            var seen: [Key: Binding] = [:]
            for binding in self.bindings where Self.contexts(of: focus).contains(binding.context) {
                for key in binding.keys {
                    if let other = seen[key] {
                        conflicts.append(
                            "\(key.name) means \(other.command.rawValue) and \(binding.command.rawValue) "
                                + "in \(focus.title)")
                    }
                    seen[key] = binding
                }
            }
        }
        return conflicts
    }

    public func bindings(in context: Context) -> [Binding] {
        self.bindings.filter { $0.context == context }
    }

    /// `docs/keys.md`.
    public var markdown: String {
        var text = """
            # Keys of the dashboard

            Generated from `KeyMap` by the tests (`VP_RECORD_GOLDENS=1`); `vp-tui --print-keys` prints the same.

            """
        for context in Context.allCases {
            text += "\n## \(context.title)\n\n| Key | Does | Name |\n|---|---|---|\n"
            for binding in self.bindings(in: context) {
                let keys = binding.keys.map { "`\($0.name == "|" ? "\\|" : $0.name)`" }
                    .joined(separator: " ")
                text += "| \(keys) | \(binding.help) | \(binding.command.rawValue) |\n"
            }
        }
        text += "\n## In a dialog\n\n| Key | Does |\n|---|---|\n"
        for (keys, help) in Self.dialogKeys {
            text += "| \(keys.map { "`\($0)`" }.joined(separator: " ")) | \(help) |\n"
        }
        return text
    }

    /// Dialogs decide by what they show, so these are not remapped.
    public static let dialogKeys: [([String], String)] = [
        (["Tab", "←", "→"], "goes to the next button; Cancel has the focus at first"),
        (["y"], "confirms, on the button that has the focus where something would be lost"),
        (["Enter"], "presses the button; it never destroys"),
        (["Esc"], "closes the dialog and does nothing"),
    ]

    public static let standard = KeyMap(bindings: [
        Binding([.tab], .nextPane, .everywhere, "goes to the next pane"),
        Binding([.backTab], .previousPane, .everywhere, "goes to the pane before"),
        Binding([.character("1")], .instancesPane, .everywhere, "goes to Instances"),
        Binding([.character("2")], .offersPane, .everywhere, "goes to Offers"),
        Binding([.character("3")], .jobsPane, .everywhere, "goes to Jobs"),
        Binding([.character("4")], .logPane, .everywhere, "goes to the log"),
        Binding([.character("j"), .down], .down, .everywhere, "moves down"),
        Binding([.character("k"), .up], .up, .everywhere, "moves up"),
        Binding([.character("g"), .home], .top, .everywhere, "moves to the first line"),
        Binding(
            [.character("G"), .end], .bottom, .everywhere, "moves to the last line; a log follows again"),
        Binding([.control("d")], .halfPageDown, .everywhere, "moves half a page down"),
        Binding([.control("u")], .halfPageUp, .everywhere, "moves half a page up"),
        Binding([.pageDown], .pageDown, .everywhere, "moves a page down"),
        Binding([.pageUp], .pageUp, .everywhere, "moves a page up"),
        Binding([.character("+")], .zoomIn, .everywhere, "gives the screen to the side with the focus"),
        Binding([.character("_")], .zoomOut, .everywhere, "shows both sides again, or the other one"),
        Binding([.control("r")], .refresh, .everywhere, "asks the platforms again"),
        Binding([.character("z")], .undo, .everywhere, "takes back a destroy that is still counting down"),
        Binding(
            [.escape], .back, .everywhere, "goes back: closes, clears a filter, leaves the log; never quits"),
        Binding([.character("?")], .help, .everywhere, "shows the keys of this pane", hint: "help"),
        Binding([.control("z")], .suspend, .everywhere, "suspends the dashboard; `fg` brings it back"),
        Binding([.character("q"), .control("c")], .quit, .everywhere, "quits; jobs go on", hint: "quit"),

        Binding(
            [.character("/")], .search, .lists, "filters the list; `!word` leaves rows out", hint: "filter"),
        Binding([.character("o")], .sortColumn, .lists, "sorts by the next column"),
        Binding([.character("O")], .reverseSort, .lists, "reverses the order"),

        Binding(
            [.character("S")], .sync, .instances, "sends the project's changes to the instance", hint: "sync"),
        Binding(
            [.character("r")], .run, .instances, "runs a command there: sync, run, results back", hint: "run"),
        Binding([.character("d")], .download, .instances, "brings the results here", hint: "download"),
        Binding(
            [.character("D")], .destroy, .instances, "destroys the instance, after asking", hint: "destroy"),
        Binding([.character("s")], .shell, .instances, "opens a shell there", hint: "shell"),
        Binding([.character("l")], .openLog, .instances, "shows the log of its newest job", hint: "log"),
        Binding(
            [.character("x")], .stopOrStart, .instances, "stops it, or starts it again, after asking",
            hint: "stop/start"),
        Binding([.enter], .details, .instances, "shows its details", hint: "details"),
        Binding([.character("c")], .create, .instances, "goes to Offers, to rent another", hint: "create"),
        Binding([.character("X")], .cancel, .instances, "cancels what is being done to it, after asking"),
        Binding([.character("y")], .copyID, .instances, "copies its id to the clipboard"),

        Binding([.enter, .character("c")], .rent, .offers, "rents this one, after asking", hint: "rent"),
        Binding(
            [.character("e")], .editQuery, .offers, "edits the query: `4090 x2 <0.6`", hint: "edit query"),
        Binding([.character("y")], .copyID, .offers, "copies its id to the clipboard"),

        Binding([.enter, .character("l")], .openLog, .jobs, "shows its log", hint: "log"),
        Binding([.character("X")], .cancel, .jobs, "stops the job, after asking", hint: "cancel"),
        Binding([.character("R")], .runAgain, .jobs, "runs the same command again", hint: "run again"),
        Binding([.character("d")], .download, .jobs, "brings its results here", hint: "download"),
        Binding([.character("y")], .copyID, .jobs, "copies its id to the clipboard"),

        Binding([.character("/")], .search, .log, "searches the log", hint: "search"),
        Binding([.character("n")], .nextHit, .log, "goes to the next hit"),
        Binding([.character("N")], .previousHit, .log, "goes to the hit before"),
        Binding([.character("f")], .follow, .log, "follows the end, or stops following", hint: "follow"),
        Binding([.character("w")], .wrap, .log, "wraps long lines, or cuts them", hint: "wrap"),
        Binding([.character("h"), .left], .scrollLeft, .log, "scrolls left"),
        Binding([.character("l"), .right], .scrollRight, .log, "scrolls right"),
        Binding([.character("X")], .cancel, .log, "stops the job, after asking", hint: "cancel"),
    ])
}
