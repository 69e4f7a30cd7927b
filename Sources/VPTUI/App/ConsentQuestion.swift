import Foundation
import Glibc
import VPEngine
import VPTUICore

/// What a project asks for is asked about before the screen is taken;
/// afterwards nobody could read the question.
enum ConsentQuestion {
    /// Remembers the answers. Without a terminal nothing is asked, and nothing of it counts.
    static func ask(_ requests: [ConsentRequest], stateFolder: String) throws(EngineError) {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return }
        let store = ConsentStore(stateFolder: stateFolder)
        for request in requests {
            let words = Self.printable("\(request.words): \(request.name) in \(request.place)")
            let question =
                "vp-tui: This project wants to \(words).\n"
                + "Allow it, for this project, as long as it stays as it is? [y/N]: "
            FileHandle.standardError.write(Data(question.utf8))
            let answer = (readLine() ?? "").trimmingCharacters(in: .whitespaces).lowercased()
            try store.remember(answer == "y" || answer == "yes", for: request)
        }
    }

    /// A line on stderr.
    static func say(_ warning: String) {
        FileHandle.standardError.write(Data("vp-tui: \(Self.printable(warning))\n".utf8))
    }

    /// A project's text must not steer the terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
