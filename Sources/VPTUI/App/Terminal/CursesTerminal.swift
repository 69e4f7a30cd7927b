import CNcurses
import Foundation
import Glibc
import VPEngine
import VPTUICore

/// The terminal through ncurses: the only place that draws on it. `TerminalInput` reads it.
///
/// Only the loop touches it: curses keeps global state and takes no locks. The class is not `Sendable`, so a
/// background task cannot reach it.
final class CursesTerminal {
    /// The reason why the dashboard cannot run here, in a sentence that says what to do.
    struct Refusal: Error {
        var sentence: String
    }

    /// `true` if the locale or the terminal can show only ASCII.
    let isASCII: Bool
    /// A new theme is drawn everywhere by the next `present`.
    var theme: Theme {
        didSet { if self.theme != oldValue { self.themeChanged() } }
    }
    let depth: Theme.Depth
    private let usesMouse: Bool
    private let environment: [String: String]
    private let hasKeyboardModes: Bool
    private var shown: CellBuffer?
    private var pairs: [Int: Int16] = [:]
    private var isOpen = false

    /// Takes the terminal over: alternate screen, raw keys.
    init(environment: [String: String], theme: Theme, usesMouse: Bool) throws(Refusal) {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw Refusal(
                sentence:
                    "vp-tui needs a terminal for input and output. Use `vp ls`, `vp jobs` or `vp logs` here.")
        }
        // The locale must be set before curses asks for the width of characters.
        setlocale(LC_ALL, "")
        let name = environment["TERM"] ?? ""
        guard !name.isEmpty, name != "dumb", vp_terminal_is_known() == 1 else {
            let what =
                name.isEmpty
                ? "TERM is not set" : "This computer has no usable description of the terminal “\(name)”"
            throw Refusal(
                sentence: "\(what). Set TERM to its type, for example `TERM=xterm-256color vp-tui`.")
        }
        self.environment = environment
        self.hasKeyboardModes = TerminalModes.hasKeyboardModes(name)
        // The main screen may have modes of its own.
        Self.write(
            TerminalModes.reset + (TerminalModes.hasKeyboardModes(name) ? TerminalModes.resetKeyboard : ""))
        // Terminals that show any colour have a second description under another name, if it is installed.
        let hasDirectColor =
            ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "") && !Mosh.isAround(environment)
        let direct = name.replacingOccurrences(of: "-256color", with: "") + "-direct"
        let isDirect = hasDirectColor && vp_newterm(direct) != nil
        guard isDirect || vp_newterm(nil) != nil else {
            throw Refusal(
                sentence: "The terminal “\(name)” cannot display full screens. Try `TERM=xterm vp-tui`.")
        }
        let charset = nl_langinfo(Int32(CODESET)).map { String(cString: $0) } ?? ""
        // The Linux console's font has square boxes and little else of what the dashboard draws.
        self.isASCII = charset != "UTF-8" || name == "linux"
        self.usesMouse = usesMouse && vp_capability("kmous") != nil
        start_color()
        use_default_colors()
        let depth = Self.depth(environment, isDirect: isDirect)
        self.depth = depth
        self.theme = theme.with(depth: depth)
        self.startScreen()
    }

    deinit { self.close() }

    /// Leaves the alternate screen and restores all modes. Safe to call twice.
    func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        Self.write(self.resets)
        endwin()
        if self.hasKeyboardModes { Self.write(TerminalModes.resetKeyboard) }
    }

    /// Takes the terminal again after `close`, and redraws everything.
    func reopen() {
        guard !self.isOpen else { return }
        reset_prog_mode()
        self.enterModes()
        self.adoptSize()
    }

    var size: Size {
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0
        else {
            return Size(width: 80, height: 24)
        }
        return Size(width: Int(window.ws_col), height: Int(window.ws_row))
    }

    /// Tells curses the terminal's size. The next `present` draws every cell.
    func adoptSize() {
        let size = self.size
        resizeterm(Int32(size.height), Int32(size.width))
        self.redraw()
    }

    func redraw() {
        self.shown = nil
        wclear(vp_screen())
    }

    /// Draws the cells that differ from the last frame. Writes nothing if none does.
    func present(_ buffer: CellBuffer) {
        if let shown = self.shown, shown == buffer { return }
        for y in 0..<buffer.size.height {
            if let shown = self.shown, shown.size == buffer.size, shown.row(y) == buffer.row(y) { continue }
            self.drawRow(y, buffer)
        }
        if let cursor = buffer.cursor {
            curs_set(1)
            wmove(vp_screen(), Int32(cursor.y), Int32(cursor.x))
        } else {
            curs_set(0)
        }
        self.shown = buffer
        wrefresh(vp_screen())
    }

    /// Copies `text` to the clipboard of the user's own terminal, also over ssh (OSC 52).
    func copy(_ text: String) {
        Self.write(ClipboardSequence.sequence(for: text, environment: self.environment))
        TmuxClipboard.give(text, environment: self.environment)
    }

    var inputSettings: InputDecoder.Settings {
        TerminalKeys.settings(self.environment, takesMouse: self.usesMouse)
    }

    private func startScreen() {
        raw()
        noecho()
        nonl()
        // Terminal descriptions name the sequences that keys send in this mode.
        keypad(vp_screen(), true)
        // Otherwise curses checks for typed keys at every line that it paints, and flushes: one frame becomes
        // fifty writes, and a paint may be interrupted half-way.
        typeahead(-1)
        leaveok(vp_screen(), false)
        curs_set(0)
        self.enterModes()
        self.adoptSize()
    }

    private var resets: String {
        TerminalModes.reset + (self.hasKeyboardModes ? TerminalModes.resetKeyboard : "")
    }

    private func enterModes() {
        self.isOpen = true
        Self.write(self.resets + TerminalModes.pasteBrackets + (self.usesMouse ? TerminalModes.mouse : ""))
    }

    /// Asks the terminal for its background; the answer arrives among the keys,
    /// if the terminal answers at all.
    func askForBackground() { Self.write(TerminalModes.questions) }

    private func themeChanged() {
        self.theme.depth = self.depth
        self.pairs = [:]
        self.redraw()
    }

    private static func depth(_ environment: [String: String], isDirect: Bool) -> Theme.Depth {
        if environment["NO_COLOR", default: ""] != "" || environment["CLICOLOR"] == "0" { return .mono }
        // A description with direct colour (TERM=xterm-direct) takes numbers of a palette for colours.
        if isDirect || vp_colors() >= 1 << 24 { return .direct }
        switch vp_colors() {
        case 256...: return .many
        case 16...: return .sixteen
        case 8...: return .eight
        default: return .mono
        }
    }

    private func drawRow(_ y: Int, _ buffer: CellBuffer) {
        let row = Array(buffer.row(y))
        var x = 0
        var text: [wchar_t] = []
        while x < row.count {
            let start = x
            let style = row[x].style
            text.removeAll(keepingCapacity: true)
            while x < row.count, row[x].style == style {
                Self.append(row[x], to: &text)
                x += 1
            }
            let paint = self.theme.paint(style)
            vp_put(
                Int32(y), Int32(start), text, Int32(text.count), Self.attributes(paint.attributes),
                self.pair(paint.foreground, paint.background))
        }
    }

    /// Adds the cell's scalars so that they take exactly the cell's columns.
    ///
    /// The C library has a width table of its own. Where it disagrees with ours, curses would shift the rest
    /// of the row; such a cell shows only its first scalar, padded with blanks.
    private static func append(_ cell: Cell, to text: inout [wchar_t]) {
        guard cell.width > 0 else { return }
        // Nearly all cells have one scalar.
        let unicode = cell.text.unicodeScalars
        if let only = unicode.first, unicode.index(after: unicode.startIndex) == unicode.endIndex {
            let value = wchar_t(bitPattern: only.value)
            if (value < 0x80 ? 1 : Int(wcwidth(value))) == Int(cell.width) {
                text.append(value)
                return
            }
        }
        var scalars: [wchar_t] = []
        var width = 0
        for scalar in unicode.prefix(5) {
            let value = wchar_t(bitPattern: scalar.value)
            let columns = value < 0x80 ? 1 : Int(wcwidth(value))
            scalars.append(value)
            width = columns < 0 ? .max / 2 : width + columns
        }
        if width == Int(cell.width) {
            text += scalars
            return
        }
        var first = scalars.first ?? 0x20
        var columns = first < 0x80 ? 1 : Int(wcwidth(first))
        if columns < 1 || columns > Int(cell.width) { (first, columns) = (0x3F, 1) }
        text.append(first)
        for _ in columns..<Int(cell.width) { text.append(0x20) }
    }

    private static func attributes(_ attributes: TextAttributes) -> Int32 {
        func flag(_ attribute: TextAttributes) -> Int32 { attributes.contains(attribute) ? 1 : 0 }
        return vp_attributes(flag(.bold), flag(.dim), flag(.underline), flag(.reverse), flag(.italic))
    }

    private func pair(_ foreground: Int, _ background: Int) -> Int16 {
        if foreground < 0, background < 0 { return 0 }
        let key = (foreground + 1) << 32 | (background + 1)
        if let pair = self.pairs[key] { return pair }
        let next = self.pairs.count + 1
        // Terminals with eight colours have 64 pairs; text beyond them stays legible without colour.
        guard next < Int(vp_color_pairs()), next < Int(Int16.max) else { return 0 }
        init_extended_pair(Int32(next), Int32(foreground), Int32(background))
        self.pairs[key] = Int16(next)
        return Int16(next)
    }

    private static func write(_ text: String) {
        fflush(nil)
        StandardStreams.write(text.utf8, to: STDOUT_FILENO)
    }
}
