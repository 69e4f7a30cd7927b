import Foundation
import Glibc
import VPEngine
import VPTUICore

/// Asks about the settings that a project wants, before the dashboard takes the screen; afterwards
/// the question could not be seen.
enum ConsentQuestion {
    /// Asks about each request and remembers the answers. Without a terminal it asks nothing
    /// and grants nothing.
    static func ask(_ requests: [ConsentRequest], stateFolder: String) throws(EngineError) {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return }
        let store = ConsentStore(stateFolder: stateFolder)
        for request in requests {
            let words = Self.printable("\(request.words): \(request.name) in \(request.place)")
            let question =
                "vp-tui: This project wants to \(words).\n"
                + "Allow it for this project, until the setting changes? [y/N]: "
            StandardStreams.write(question.utf8, to: STDERR_FILENO)
            let answer = (readLine() ?? "").trimmingCharacters(in: .whitespaces).lowercased()
            try store.remember(answer == "y" || answer == "yes", for: request)
        }
    }

    /// Writes a line to stderr.
    static func say(_ warning: String) {
        StandardStreams.write("vp-tui: \(Self.printable(warning))\n".utf8, to: STDERR_FILENO)
    }

    /// Replaces control characters, so that a project's text cannot steer the terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
