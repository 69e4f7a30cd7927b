import Foundation
import Glibc

/// Tells whether mosh runs between the dashboard and the terminal. Mosh passes `COLORTERM` on, but does not
/// understand the form of colours that the descriptions with direct colour use.
enum Mosh {
    static func isAround(_ environment: [String: String]) -> Bool {
        // mosh-server sets this for its shell.
        if environment["NCURSES_NO_UTF8_ACS"] == "1" { return true }
        var process = getppid()
        // The parent of a tmux or screen server is init, so the search ends there; both understand that form
        // themselves.
        for _ in 0..<32 where process > 1 {
            guard let (name, parent) = Self.look(process) else { return false }
            if name.hasPrefix("mosh-server") { return true }
            process = parent
        }
        return false
    }

    private static func look(_ process: pid_t) -> (name: String, parent: pid_t)? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        // The name, in parentheses, may contain blanks and parentheses itself.
        guard let start = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), start < end else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 1, let parent = pid_t(fields[1]) else { return nil }
        return (String(text[text.index(after: start)..<end]), parent)
    }
}
