/// What a terminal is told besides what is drawn.
enum TerminalModes {
    /// Turns off what an earlier program may have left on, and what this one uses: all mouse reports,
    /// focus reports, brackets around pastes, `modifyOtherKeys`, the keyboard protocol of kitty.
    static let reset =
        "\u{1B}[?9l\u{1B}[?1000l\u{1B}[?1002l\u{1B}[?1003l\u{1B}[?1004l\u{1B}[?1005l\u{1B}[?1006l"
        + "\u{1B}[?1015l\u{1B}[?1016l\u{1B}[?2004l"
    /// Older terminals would show parts of these.
    static let resetKeyboard = "\u{1B}[>4;0m\u{1B}[=0;1u"
    static let pasteBrackets = "\u{1B}[?2004h"
    static let mouse = "\u{1B}[?1000h\u{1B}[?1006h"
    /// The background colour, and then what the terminal is: it answers in order,
    /// and nearly every one answers this.
    static let questions = "\u{1B}]11;?\u{07}\u{1B}[c"

    /// True where the keyboard's own modes may be spoken of.
    static func hasKeyboardModes(_ terminal: String) -> Bool {
        let old = ["linux", "vt", "sun", "cons", "ansi", "dumb"]
        return !old.contains { terminal.hasPrefix($0) }
    }
}
