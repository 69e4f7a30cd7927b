import Foundation
import Glibc
import VPEngine
import VPTUICore

/// The clipboard of tmux.
enum TmuxClipboard {
    /// Gives tmux the text as well. By default tmux accepts no clipboard from programs inside it, but it
    /// passes its own on to its terminal (`set-clipboard external`).
    static func give(_ text: String, environment: [String: String]) {
        guard !environment["TMUX", default: ""].isEmpty else { return }
        // A file, not a pipe: a reader that does not read must not hold up the loop.
        guard let file = tmpfile() else { return }
        defer { fclose(file) }
        let descriptor = fileno(file)
        guard StandardStreams.write(text.utf8.prefix(ClipboardSequence.limit), to: descriptor) else { return }
        lseek(descriptor, 0, SEEK_SET)
        DetachedProcess.start(
            ["tmux", "load-buffer", "-w", "-"], environment: environment, directory: "/", input: descriptor)
    }
}
