/// Everything that a key can do. The raw value is the name in key files and documents.
public enum Command: String, CaseIterable, Hashable, Sendable {
    case nextPane, previousPane, instancesPane, offersPane, jobsPane, logPane, zoomIn, zoomOut
    case down, up, top, bottom, halfPageDown, halfPageUp, pageDown, pageUp
    case search, help, refresh, back, quit, suspend, undo
    case palette, history, actions, alarms, limits, toggleTheme
    case mark, markRange, unmark
    case create, sync, run, download, destroy, shell, stopOrStart, openLog, details, copyID, copyLine
    case forwardPort, rename, lease, files, providerLog
    case rent, rentDirectly, editQuery, sortColumn, reverseSort
    case cancel, runAgain
    case follow, wrap, scrollLeft, scrollRight, nextHit, previousHit
    case keepLines, context, metrics, times, goToTime, writeLog, nextJob, previousJob
    case cursorLeft, cursorRight, smoothCurves, logScale, changeAxis, fullRange, pinJob, overlayJobs
    case compareJobs

    /// `true` for commands that spend money, move files or end something; `--readonly` refuses these.
    public var changesSomething: Bool {
        switch self {
        case .create, .sync, .run, .download, .destroy, .shell, .stopOrStart, .rent, .rentDirectly, .cancel,
            .runAgain, .forwardPort, .rename, .lease:
            true
        case .nextPane, .previousPane, .instancesPane, .offersPane, .jobsPane, .logPane, .zoomIn, .zoomOut,
            .down, .up, .top, .bottom, .halfPageDown, .halfPageUp, .pageDown, .pageUp, .search, .help,
            .refresh, .back, .quit, .suspend, .undo, .palette, .history, .actions, .alarms, .limits,
            .toggleTheme,
            .mark, .markRange, .unmark, .openLog, .details, .copyID, .copyLine, .files, .providerLog,
            .editQuery, .sortColumn, .reverseSort, .follow, .wrap, .scrollLeft, .scrollRight, .nextHit,
            .previousHit, .keepLines, .context, .metrics, .times, .goToTime, .writeLog, .nextJob,
            .previousJob, .cursorLeft, .cursorRight, .smoothCurves, .logScale, .changeAxis, .fullRange,
            .pinJob, .overlayJobs, .compareJobs:
            false
        }
    }

    /// `true` if the command applies to all marked rows.
    var appliesToMarks: Bool {
        switch self {
        case .sync, .run, .download, .destroy, .stopOrStart, .cancel, .runAgain: true
        default: false
        }
    }

    /// `true` for movements, which the palette omits: nobody types the name of an arrow key.
    var isMovement: Bool {
        switch self {
        case .down, .up, .top, .bottom, .halfPageDown, .halfPageUp, .pageDown, .pageUp, .scrollLeft,
            .scrollRight, .cursorLeft, .cursorRight, .back, .palette, .suspend, .nextPane, .previousPane:
            true
        default: false
        }
    }

    /// The name in the palette: `sort-column`.
    var words: String {
        self.rawValue.reduce(into: "") { text, letter in
            if letter.isUppercase, text.last?.isUppercase == false, text.last != "-" { text += "-" }
            text += letter.lowercased()
        }
    }
}

/// The meaning of keys by context. Keys, the help overlay, the hint bar and `docs/keys.md`
/// all come from here.
public struct KeyMap: Hashable, Sendable {
    public enum Context: String, CaseIterable, Hashable, Sendable {
        case everywhere, lists, instances, offers, jobs, log, metrics

        public var title: String {
            switch self {
            case .everywhere: "Everywhere"
            case .lists: "Lists"
            case .instances: "Instances"
            case .offers: "Offers"
            case .jobs: "Jobs"
            case .log: "Log, files, details"
            case .metrics: "Metrics"
            }
        }
    }

    public struct Binding: Hashable, Sendable {
        public var keys: [Key]
        public var command: Command
        public var context: Context
        /// The effect, for help: completes “it …”.
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

    /// - Parameter content: the content of the main pane.
    public func command(for key: Key, focus: Pane, content: State.MainContent = .log) -> Command? {
        for context in Self.contexts(of: focus, content) {
            if let binding = self.bindings.first(where: { $0.context == context && $0.keys.contains(key) }) {
                return binding.command
            }
        }
        return nil
    }

    /// The contexts whose keys work while `focus` is focused, the narrowest first.
    public static func contexts(of focus: Pane, _ content: State.MainContent = .log) -> [Context] {
        switch focus {
        case .instances: [.instances, .lists, .everywhere]
        case .offers: [.offers, .lists, .everywhere]
        case .jobs: [.jobs, .lists, .everywhere]
        case .main: [content == .metrics ? .metrics : .log, .everywhere]
        }
    }

    /// Keys with two meanings in one place, as sentences. Empty for a usable map.
    public var conflicts: [String] {
        var conflicts: [String] = []
        let places =
            Pane.allCases.map { (title: $0.title, contexts: Self.contexts(of: $0)) } + [
                (title: Context.metrics.title, contexts: Self.contexts(of: .main, .metrics))
            ]
        for place in places {
            var seen: [Key: Binding] = [:]
            for binding in self.bindings where place.contexts.contains(binding.context) {
                for key in binding.keys {
                    if let other = seen[key] {
                        let sentence =
                            "\(key.name) means \(other.command.rawValue) and \(binding.command.rawValue) "
                            + "in \(place.title)"
                        if !conflicts.contains(sentence) { conflicts.append(sentence) }
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

    /// Returns this map with the keys from a file: `keys.<context>.<command>`. Throws an error that
    /// describes the problem.
    public func applying(_ changes: [String: [String: [String]]]) throws(DashboardFileError) -> KeyMap {
        var map = self
        for (contextName, commands) in changes.sorted(by: { $0.key < $1.key }) {
            guard let context = Context(rawValue: contextName) else {
                let names = Context.allCases.map(\.rawValue).joined(separator: ", ")
                throw DashboardFileError("keys: “\(contextName)” is not a pane; the panes are \(names)")
            }
            for (name, keys) in commands.sorted(by: { $0.key < $1.key }) {
                guard
                    let index = map.bindings.firstIndex(where: {
                        $0.context == context && $0.command.rawValue == name
                    })
                else {
                    throw DashboardFileError(
                        "keys.\(contextName): “\(name)” is not an action; `vp-tui --print-keys` lists them")
                }
                map.bindings[index].keys = try keys.map { text throws(DashboardFileError) in
                    guard let key = Key(name: text) else {
                        throw DashboardFileError(
                            "keys.\(contextName).\(name): “\(text)” is not a key; examples: x, Ctrl-x, F5, Space"
                        )
                    }
                    return key
                }
            }
        }
        if let conflict = map.conflicts.first { throw DashboardFileError("keys: \(conflict)") }
        return map
    }
}

/// A problem in the file of themes and keys, as a sentence.
public struct DashboardFileError: Error, Hashable, Sendable {
    public var sentence: String

    public init(_ sentence: String) {
        self.sentence = sentence
    }
}
