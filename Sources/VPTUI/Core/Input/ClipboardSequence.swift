import Foundation

/// Puts text on the clipboard of the user's own terminal, also over ssh (OSC 52).
public enum ClipboardSequence {
    /// The most bytes that are sent: terminals take about 100 kB, and drop longer sequences.
    public static let limit = 70_000
    /// The longest string that GNU screen passes on.
    private static let screenLimit = 76

    /// The bytes to write to the terminal.
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

    /// `true` inside GNU screen, which does not pass the command on unless it is wrapped.
    private static func isInScreen(_ environment: [String: String]) -> Bool {
        environment["TMUX", default: ""].isEmpty && !environment["STY", default: ""].isEmpty
    }
}
