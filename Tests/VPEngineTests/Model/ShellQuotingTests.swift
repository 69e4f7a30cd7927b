import Foundation
import Testing

@testable import VPEngine

struct ShellQuotingTests {
    /// The real sh is the judge: each word comes back as it was.
    @Test(
        arguments: [
            "plain", "", "a b", "it's", "\"double\"", "$HOME", "`date`", "a\nb", "*", "~", "\\", "-n", "a=b",
            "é 日本 🚀",
            "#x", "!", "a;b&&c|d>e<f(g)", "tab\there",
        ])
    func aQuotedWordIsOneWordAgain(word: String) async throws {
        let result = try await SystemProcessRunner().run(
            ProcessCommand("sh", ["-c", "printf '%s.' \(ShellQuoting.quoted(word))"], environment: [:]))
        #expect(String(decoding: result.output, as: UTF8.self) == word + ".")
    }

    @Test func oneWordIsShellTextAndSeveralAreExact() {
        #expect(JobCommand(words: ["cd a && make"]).shellText == "cd a && make")
        #expect(
            JobCommand(words: ["python", "-c", "print(\"a b\")"]).shellText == "python -c 'print(\"a b\")'")
        #expect(JobCommand(words: ["A=b", "c"]).shellText == "'A=b' c")
    }
}
