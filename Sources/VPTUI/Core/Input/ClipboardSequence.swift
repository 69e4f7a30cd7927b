import Foundation

/// Text for the clipboard of whoever sits in front of the terminal, also over ssh (OSC 52).
public enum ClipboardSequence {
    /// Terminals take some 100 kB, and drop what is longer.
    public static let limit = 70_000
    /// GNU screen passes on no longer string.
    private static let screenLimit = 76

    /// What to write to the terminal.
    public static func sequence(for text: String, environment: [String: String]) -> String {
        let command = "\u{1B}]52;c;\(Data(text.utf8.prefix(Self.limit)).base64EncodedString())\u{07}"
        guard Self.isInScreen(environment) else { return command }
        var wrapped = ""
        var rest = command[...]
        while !rest.isEmpty {
            wrapped += "\u{1B}P\(rest.prefix(Self.screenLimit))\u{1B}\\"
            rest = rest.dropFirst(Self.screenLimit)
        }
        return wrapped
    }

    /// GNU screen keeps such a command to itself unless it is wrapped.
    private static func isInScreen(_ environment: [String: String]) -> Bool {
        environment["TMUX", default: ""].isEmpty && !environment["STY", default: ""].isEmpty
    }
}
