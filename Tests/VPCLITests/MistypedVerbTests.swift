import Testing
import VPTestSupport

/// On a terminal a word that is close to a verb is asked about.
@Suite(.ownThread) struct MistypedVerbTests {
    @Test(arguments: [
        // The help needs no key; a run without one ends with 200.
        (["hel"], "\r", Int32(0)), (["hel"], "y\r", 0), (["hel"], "run\r", 200), (["hel"], "n\r", 64),
        (["hel"], "\u{4}", 64),
        // Enter alone destroys nothing.
        (["destroy", "7"], "\r", 64), (["destroy", "7"], "y\r", 200),
    ])
    func theAnswerDecides(words: [String], answer: String, status: Int32) throws {
        let harness = try CLIHarness()
        let session = try PTYSession(
            CLIHarness.products + "/vp", words, width: 160, height: 200, environment: harness.environment,
            directory: harness.project)
        try session.wait(for: "is not a vp command. Did you mean `vp ")
        try session.wait(for: "/run]")
        session.type(answer)
        #expect(try session.waitForEnd() == .exited(status), "\(session.screen.text)")
    }
}
