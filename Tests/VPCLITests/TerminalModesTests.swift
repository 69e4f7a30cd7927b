import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

/// Whatever ends `vp` while it has changed the terminal's modes: the shell behind it finds them as they were.
@Suite(.ownThread, .timeLimit(.minutes(5)))
struct TerminalModesTests {
    private static func asking(_ harness: CLIHarness, _ words: [String], for question: String) async throws
        -> PTYSession
    {
        var environment = harness.environment
        environment["TERM"] = "xterm"
        let session = try PTYSession(
            CLIHarness.products + "/vp", words, environment: environment, directory: harness.project)
        try await session.see(question)
        try await VPTestSupport.wait(for: "a terminal that shows nothing") {
            session.hasModesOfStart ? nil : true
        }
        return session
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
    func aSignalWhileAKeyIsTyped(signal: Int32) async throws {
        let harness = try CLIHarness()
        let session = try await Self.asking(
            harness, ["config-set", "--vast-api-key", "-"], for: "vast.ai key:")
        session.type("half a k")
        session.send(signal: signal)
        #expect(try await session.seeEnd() == .exited(128 + signal))
        #expect(session.hasModesOfStart)
        #expect(!session.screen.text.contains("half"))
    }

    /// The same question of another verb, by the key.
    @Test func controlCWhileAKeyIsTyped() async throws {
        let harness = try CLIHarness()
        let words = [
            "init", "--name", "p", "--data-dir", "d", "--base-image", "a/b:c", "--default-platform", "vast",
        ]
        let session = try await Self.asking(harness, words, for: "vast.ai key")
        session.type("half a k\u{3}")
        #expect(try await session.seeEnd() == .exited(130))
        #expect(session.hasModesOfStart)
    }

    @Test func aStopWhileAKeyIsTyped() async throws {
        let harness = try CLIHarness()
        let session = try await Self.asking(
            harness, ["config-set", "--runpod-api-key", "-"], for: "RunPod key:")
        session.type("\u{1A}")
        try session.waitForStop()
        #expect(session.hasModesOfStart)
        session.send(signal: SIGCONT)
        try await VPTestSupport.wait(for: "a terminal that shows nothing") {
            session.hasModesOfStart ? nil : true
        }
        session.type("rpa_typed_later\r")
        #expect(try await session.seeEnd() == .exited(0))
        #expect(session.hasModesOfStart && !session.screen.text.contains("typed_later"))
        #expect(session.screen.contains("Set platforms.runpod.api_key"))
    }
}
