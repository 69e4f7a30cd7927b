import Foundation
import Testing

/// Programs that tests put in the place of others.
public enum ProgramFile {
    /// Writes `text` to `path` as a program that everybody may run.
    ///
    /// A separate process writes the file. While this process had it open for writing, a child that another
    /// test starts at that moment would hold it open too, and the kernel runs no file that is open for
    /// writing ("Text file busy").
    public static func write(_ text: String, to path: String) throws {
        let draft = path + ".draft"
        try Data(text.utf8).write(to: URL(fileURLWithPath: draft))
        defer { unlink(draft) }
        // The existing file is unlinked first, since it may be a link to this machine's own program.
        let line = ["install", "-m", "755", draft, path]
        var words = line.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        try #require(posix_spawnp(&child, "install", nil, nil, &words, environ) == 0)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        try #require(status == 0, "\(line)")
    }
}
