/// Sequences for the terminal that draw nothing: modes and questions.
enum TerminalModes {
    /// Turns off the modes that an earlier program may have left on, and those that the dashboard uses: all
    /// mouse reports, focus reports, bracketed paste, `modifyOtherKeys`, the kitty keyboard protocol.
    static let reset =
        "\u{1B}[?9l\u{1B}[?1000l\u{1B}[?1002l\u{1B}[?1003l\u{1B}[?1004l\u{1B}[?1005l\u{1B}[?1006l"
        + "\u{1B}[?1015l\u{1B}[?1016l\u{1B}[?2004l"
    /// Resets the keyboard's modes. Older terminals would show parts of these sequences as text.
    static let resetKeyboard = "\u{1B}[>4;0m\u{1B}[=0;1u"
    static let pasteBrackets = "\u{1B}[?2004h"
    static let mouse = "\u{1B}[?1000h\u{1B}[?1006h"
    /// Asks for the background colour, and then for the terminal's type: answers come in order, and nearly
    /// every terminal answers the second question.
    static let questions = "\u{1B}]11;?\u{07}\u{1B}[c"

    /// `true` if the terminal understands sequences for keyboard modes.
    static func hasKeyboardModes(_ terminal: String) -> Bool {
        let old = ["linux", "vt", "sun", "cons", "ansi", "dumb"]
        return !old.contains { terminal.hasPrefix($0) }
    }
}
