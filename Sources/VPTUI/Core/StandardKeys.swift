extension KeyMap {
    /// The text of `docs/keys.md`.
    public var markdown: String {
        var text = """
            # Keys of the dashboard

            Generated from `KeyMap` by the tests (`VP_RECORD_GOLDENS=1`); `vp-tui --print-keys` prints those that
            are in force. The last column is the name for `keys:` in `dashboard.yaml`.

            """
        for context in Context.allCases {
            text += "\n## \(context.title) (`\(context.rawValue)`)\n\n| Key | Does | Name |\n|---|---|---|\n"
            for binding in self.bindings(in: context) {
                let keys = binding.keys.map { "`\($0.name == "|" ? "\\|" : $0.name)`" }
                    .joined(separator: " ")
                text += "| \(keys) | \(binding.help) | \(binding.command.rawValue) |\n"
            }
        }
        for (title, keys) in Self.fixedKeys {
            text += "\n## \(title)\n\n| Key | Does |\n|---|---|\n"
            for (keys, help) in keys {
                text += "| \(keys.map { "`\($0)`" }.joined(separator: " ")) | \(help) |\n"
            }
        }
        return text
    }

    /// Keys of boxes depend on their content, so they cannot be remapped.
    public static let fixedKeys: [(String, [([String], String)])] = [
        (
            "In a dialog",
            [
                (["Tab", "←", "→"], "goes to the next button; at first, Cancel has the focus"),
                (["y"], "confirms; a question about destroying: only the focused button"),
                (["Enter"], "presses the button; it never destroys"),
                (["Esc"], "closes the dialog and does nothing"),
            ]
        ),
        (
            "In the launch form",
            [
                (["Tab", "↓", "Enter"], "goes to the next field; Enter on “Rent it” rents"),
                (["Shift-Tab", "↑"], "goes to the previous field"),
                (["→"], "at the end of a field, takes the first completion"),
                (["Space", "←", "→"], "changes a choice"),
                (["Ctrl-s"], "rents, from any field"),
            ]
        ),
        (
            "In the palette",
            [
                (["Tab"], "completes the line with the selected candidate"),
                (["↓", "↑"], "selects a candidate; above the first are earlier lines"),
                (["Enter"], "runs the line"),
            ]
        ),
        (
            "In the history, the list of actions and the alarms",
            [
                (["j", "k"], "move down and up"), (["y"], "copies the `vp` command"),
                (["p"], "in the history: shows or hides the requests to the platforms"),
                (["/"], "in the history: filters"),
                (["X"], "cancels the action"), (["Enter"], "does what the alarm's last lines offer"),
                (["Esc"], "closes"),
            ]
        ),
    ]

    public static let standard = KeyMap(bindings: [
        Binding([.tab], .nextPane, .everywhere, "goes to the next pane"),
        Binding([.backTab], .previousPane, .everywhere, "goes to the previous pane"),
        Binding([.character("1")], .instancesPane, .everywhere, "goes to Instances"),
        Binding([.character("2")], .offersPane, .everywhere, "goes to Offers"),
        Binding([.character("3")], .jobsPane, .everywhere, "goes to Jobs"),
        Binding([.character("4")], .logPane, .everywhere, "goes to the log"),
        Binding([.character("j"), .down], .down, .everywhere, "moves down"),
        Binding([.character("k"), .up], .up, .everywhere, "moves up"),
        Binding([.character("g"), .home], .top, .everywhere, "moves to the first line"),
        Binding(
            [.character("G"), .end], .bottom, .everywhere,
            "moves to the last line; a log follows its output again"),
        Binding([.control("d")], .halfPageDown, .everywhere, "moves half a page down"),
        Binding([.control("u")], .halfPageUp, .everywhere, "moves half a page up"),
        Binding([.pageDown], .pageDown, .everywhere, "moves a page down"),
        Binding([.pageUp], .pageUp, .everywhere, "moves a page up"),
        Binding([.character("+")], .zoomIn, .everywhere, "shows only the side that has the focus"),
        Binding(
            [.character("_")], .zoomOut, .everywhere, "shows both sides again; if too narrow, the other one"),
        Binding([.control("r")], .refresh, .everywhere, "asks the platforms again"),
        Binding([.character("z")], .undo, .everywhere, "cancels a destroy that is still counting down"),
        Binding(
            [.escape], .back, .everywhere,
            "goes back: closes, clears marks or a filter, leaves the log; never quits"),
        Binding(
            [.character(":")], .palette, .everywhere, "runs any command of `vp` by name", hint: "command"),
        Binding(
            [.character("@")], .history, .everywhere, "shows the history of actions, with their `vp` commands"
        ),
        Binding([.character("a")], .actions, .everywhere, "lists the actions in progress; X cancels one"),
        Binding(
            [.character("!")], .alarms, .everywhere, "lists the alarms and what you can do about each"),
        Binding(
            [.character("$")], .limits, .everywhere, "shows the spending limits and how much is left today"
        ),
        Binding(
            [.character("T")], .toggleTheme, .everywhere, "switches between the dark and the light theme"),
        Binding([.character("?")], .help, .everywhere, "shows the keys of this pane", hint: "help"),
        Binding([.control("z")], .suspend, .everywhere, "suspends the dashboard; `fg` brings it back"),
        Binding(
            [.character("q"), .control("c")], .quit, .everywhere, "quits; jobs keep running", hint: "quit"),

        Binding(
            [.character("/")], .search, .lists,
            "filters: `word`, `!word`, `~regex`, `gpu:4090`, `price:<0.6`", hint: "filter"),
        Binding([.character("o")], .sortColumn, .lists, "sorts by the next column", hint: "sort"),
        Binding([.character("O")], .reverseSort, .lists, "reverses the order"),
        Binding(
            [.character(" ")], .mark, .lists, "marks the row; actions apply to all marked",
            hint: "mark"),
        Binding([.character("v")], .markRange, .lists, "marks the rows you move over; pressed again, stops"),
        Binding([.character("u")], .unmark, .lists, "removes all marks"),
        Binding([.character("y")], .copyID, .lists, "copies the id to the clipboard"),

        Binding(
            [.character("c")], .create, .instances, "opens the form for renting, which shows the price",
            hint: "create"),
        Binding(
            [.character("S")], .sync, .instances, "uploads the project's changes to the instance",
            hint: "sync"),
        Binding(
            [.character("r")], .run, .instances, "runs a command on it: upload, run, download", hint: "run"),
        Binding([.character("d")], .download, .instances, "downloads its results", hint: "download"),
        Binding(
            [.character("D")], .destroy, .instances, "destroys the instance, after asking", hint: "destroy"),
        Binding([.character("s")], .shell, .instances, "opens a shell on it", hint: "shell"),
        Binding([.character("l")], .openLog, .instances, "shows the log of its newest job", hint: "log"),
        Binding(
            [.character("x")], .stopOrStart, .instances, "stops it, or starts it again, after asking",
            hint: "stop/start"),
        Binding(
            [.enter, .character("i")], .details, .instances, "shows its details and its load", hint: "details"
        ),
        Binding(
            [.character("F")], .files, .instances, "shows what a sync would upload, and the files on it",
            hint: "files"),
        Binding([.character("m")], .metrics, .instances, "plots the figures of its newest job"),
        Binding([.character("L")], .providerLog, .instances, "shows the platform's own log of its start"),
        Binding([.character("p")], .forwardPort, .instances, "forwards a local port to the instance"),
        Binding([.character("N")], .rename, .instances, "gives it another name"),
        Binding(
            [.character("e")], .lease, .instances, "sets when it ends by itself: 4h, 2d", hint: "lease"),
        Binding([.character("X")], .cancel, .instances, "cancels the action in progress on it, after asking"),
        Binding([.character("Y")], .copyLine, .instances, "copies its ssh command to the clipboard"),

        Binding([.enter], .rentDirectly, .offers, "rents this one, after asking", hint: "rent"),
        Binding(
            [.character("c")], .rent, .offers, "opens the form for renting this one: image, disk, command",
            hint: "choose…"),
        Binding(
            [.character("e")], .editQuery, .offers, "edits the query: `4090 x2 <0.6 runpod`",
            hint: "edit query"),
        Binding([.character("i")], .details, .offers, "shows everything known about it", hint: "details"),
        Binding([.character("Y")], .copyLine, .offers, "copies the `vp` command that rents it"),

        Binding([.enter, .character("l")], .openLog, .jobs, "shows its log", hint: "log"),
        Binding([.character("m")], .metrics, .jobs, "plots its figures", hint: "metrics"),
        Binding([.character("i")], .details, .jobs, "shows its record"),
        Binding([.character("X")], .cancel, .jobs, "stops the job, after asking", hint: "cancel"),
        Binding(
            [.character("R")], .runAgain, .jobs, "runs the same command again, after asking",
            hint: "run again"),
        Binding([.character("d")], .download, .jobs, "downloads its results", hint: "download"),
        Binding([.character("Y")], .copyLine, .jobs, "copies the `vp` command that runs it again"),

        Binding([.character("/")], .search, .log, "searches the whole log: `word`, `~regex`", hint: "search"),
        Binding([.character("n")], .nextHit, .log, "goes to the next hit"),
        Binding([.character("N")], .previousHit, .log, "goes to the previous hit"),
        Binding(
            [.character("&")], .keepLines, .log, "keeps only matching lines; `!word` drops them", hint: "keep"
        ),
        Binding([.character("C")], .context, .log, "shows the lines around those kept"),
        Binding([.character("f")], .follow, .log, "follows the end, or stops following", hint: "follow"),
        Binding([.character("w")], .wrap, .log, "wraps long lines, or cuts them", hint: "wrap"),
        Binding([.character("h"), .left], .scrollLeft, .log, "scrolls left"),
        Binding([.character("l"), .right], .scrollRight, .log, "scrolls right"),
        Binding([.character("[")], .previousJob, .log, "shows the log of the previous job"),
        Binding([.character("]")], .nextJob, .log, "shows the log of the next job"),
        Binding(
            [.character("m")], .metrics, .log, "plots the figures in it; again goes back", hint: "metrics"),
        Binding([.character("t")], .times, .log, "shows the time at which each line arrived"),
        Binding([.character("J")], .goToTime, .log, "goes to the output of a given time: `12:30`"),
        Binding([.character("W")], .writeLog, .log, "writes the log, or the kept lines, to a file"),
        Binding([.character("F")], .files, .log, "shows the files of the instance"),
        Binding(
            [.character("d")], .download, .log, "downloads the results of its instance", hint: "download"),
        Binding([.character("i"), .enter], .details, .log, "shows the details of the selection"),
        Binding([.character("y")], .copyLine, .log, "copies the `vp` command that shows it"),
        Binding([.character("X")], .cancel, .log, "stops the job, after asking", hint: "cancel"),

        Binding(
            [.character("e")], .smoothCurves, .metrics, "smooths the curves: EMA 0.6, 0.9, 0.97, off",
            hint: "smooth"),
        Binding(
            [.character("y")], .logScale, .metrics, "makes the value axis logarithmic, or linear again",
            hint: "log axis"),
        Binding([.character("x")], .changeAxis, .metrics, "draws by step, by time or by epoch", hint: "axis"),
        Binding(
            [.character("r")], .fullRange, .metrics, "clips extremes, or shows every figure", hint: "range"),
        Binding([.character("h"), .left], .cursorLeft, .metrics, "moves the cursor, which shows the values"),
        Binding([.character("l"), .right], .cursorRight, .metrics, "moves the cursor to the right"),
        Binding(
            [.character("p")], .pinJob, .metrics, "keeps its curves visible behind those of other jobs",
            hint: "pin"),
        Binding(
            [.character("o")], .overlayJobs, .metrics, "shows or hides the curves of the jobs marked in Jobs",
            hint: "overlay"),
        Binding(
            [.character("t")], .compareJobs, .metrics, "compares the jobs in a table; again goes back",
            hint: "table"
        ),
        Binding([.character("[")], .previousJob, .metrics, "shows the figures of the previous job"),
        Binding([.character("]")], .nextJob, .metrics, "shows the figures of the next job"),
        Binding([.character("m")], .metrics, .metrics, "goes back to the log", hint: "back"),
        Binding([.character("F")], .files, .metrics, "shows the files of the instance"),
        Binding([.character("i"), .enter], .details, .metrics, "shows the details of the selection"),
        Binding([.character("Y")], .copyLine, .metrics, "copies the `vp` command that shows it"),
        Binding([.character("X")], .cancel, .metrics, "stops the job, after asking", hint: "cancel"),
    ])
}
