import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// `vp` without arguments on a terminal while no key is set up.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct FirstContactTests {
    /// A terminal with `vp`, and the number of answers that were typed.
    private final class Talk {
        let session: PTYSession
        private(set) var answers = 0

        init(_ harness: CLIHarness) throws {
            self.session = try PTYSession(
                CLIHarness.products + "/vp", width: 160, height: 200, environment: harness.environment,
                directory: harness.project)
        }

        func answer(_ question: String, _ text: String) async throws {
            try await self.session.see(question)
            self.session.type(text)
            self.answers += 1
        }

        /// Types a key once the terminal hides what is typed; earlier typing would be discarded.
        func typeKey(_ text: String) async throws {
            try await VPTestSupport.wait(for: "a terminal that shows nothing") { [session] in
                _ = session.read(milliseconds: 0)
                return session.hasModesOfStart ? nil : true
            }
            self.session.type(text)
            self.answers += 1
        }
    }

    private static let file = ".config/variousplug/config.yaml"

    /// A home that can reach `cloud` and has neither an API key nor an ssh key.
    private static func home(_ cloud: LoopbackCloud) throws -> CLIHarness {
        var environment = CLIHarness.withoutFolders(cloud.environment)
        for name in ["VAST_API_KEY", "RUNPOD_API_KEY", "VP_SSH_IDENTITY"] { environment[name] = nil }
        return try CLIHarness(environment)
    }

    /// From nothing to a project that can rent, in less than ten answers.
    @Test func theSetUpEndsInAProject() async throws {
        try await withLoopbackCloud { cloud in
            let harness = try Self.home(cloud)
            let talk = try Talk(harness)
            try await talk.answer("Choose 1, 2 or 3", "1\r")
            try await talk.answer("On which platform", "\r")
            try await talk.typeKey("wrong-0123456789\r")
            try await talk.session.see("vast.ai refused the API key")
            #expect(!harness.exists(".config") && !harness.exists(".local"))
            try await talk.typeKey(cloud.vastAPIKey + "\r")
            try await talk.answer("No ssh key was found. Create one", "y\r")
            try await talk.answer("does not have your ssh key. Add it?", "\r")
            try await talk.answer("as a project?", "y\r")
            #expect(try await talk.session.seeEnd() == .exited(0), "\(talk.session.screen.text)")
            let screen = talk.session.screen
            #expect(talk.answers < 10)
            #expect(screen.contains("The cheapest offer now: "), "\(screen.text)")
            #expect(screen.contains("vast.ai key") && !screen.text.contains(cloud.vastAPIKey))
            #expect(talk.session.hasModesOfStart)

            let mode = try FileManager.default.attributesOfItem(atPath: harness.path(Self.file))
            #expect(mode[.posixPermissions] as? Int == 0o600)
            #expect(try harness.files(containing: cloud.vastAPIKey) == [Self.file])
            #expect(harness.exists("project/.vp/config.yaml") && harness.exists("project/.vpignore"))
            #expect(harness.exists(".ssh/id_ed25519"))
            #expect(await cloud.instanceCount == 0)
            #expect(try await harness.vp("doctor").status == 0)
            // From now on `vp` shows the help.
            let second = try Talk(harness)
            #expect(try await second.session.seeEnd() == .exited(0))
            #expect(second.session.screen.contains("USAGE: vp"))
        }
    }

    @Test func theDemoIsOneAnswerAway() async throws {
        let harness = try CLIHarness()
        let talk = try Talk(harness)
        try await talk.answer("Choose 1, 2 or 3", "2\r")
        try await talk.session.see("vp create-instance --gpu-type RTX4090")
        talk.session.type("\u{3}")
        _ = try await talk.session.seeEnd()
        #expect(!harness.exists(".config"))
    }

    @Test func theHelpIsTheThirdChoice() async throws {
        let harness = try CLIHarness()
        let talk = try Talk(harness)
        try await talk.answer("Choose 1, 2 or 3", "7\r")
        try await talk.session.see("7 is not one of the choices")
        talk.session.type("3\r")
        #expect(try await talk.session.seeEnd() == .exited(0))
        #expect(talk.session.screen.contains("USAGE: vp"))
    }

    /// Ctrl-C and the end of input before the key is accepted leave nothing behind.
    @Test(arguments: ["\u{3}", "\u{4}"], 0...2)
    func leavingEarlyWritesNothing(key: String, answers: Int) async throws {
        let harness = try CLIHarness()
        let talk = try Talk(harness)
        try await talk.session.see("Choose 1, 2 or 3")
        if answers > 0 { try await talk.answer("Choose 1, 2 or 3", "1\r") }
        if answers > 1 { try await talk.answer("On which platform", "2\r") }
        if answers == 2 {
            try await talk.typeKey(key)
        } else {
            try await talk.session.see(answers == 0 ? "Choose" : "On which platform")
            talk.session.type(key)
        }
        #expect(try await talk.session.seeEnd() == .exited(130), "\(talk.session.screen.text)")
        #expect(talk.session.screen.contains("nothing was written"), "\(talk.session.screen.text)")
        #expect(talk.session.hasModesOfStart)
        #expect(try FileManager.default.contentsOfDirectory(atPath: harness.root) == ["project"])
    }

    /// Later it says what is there.
    @Test(arguments: ["\u{3}", "\u{4}"])
    func leavingLaterSaysWhatWasWritten(key: String) async throws {
        try await withLoopbackCloud { cloud in
            let harness = try Self.home(cloud)
            let talk = try Talk(harness)
            try await talk.answer("Choose 1, 2 or 3", "1\r")
            try await talk.answer("On which platform", "runpod\r")
            try await talk.typeKey(cloud.runPodAPIKey + "\r")
            try await talk.answer("No ssh key was found. Create one", key)
            #expect(try await talk.session.seeEnd() == .exited(130), "\(talk.session.screen.text)")
            #expect(
                talk.session.screen.contains("Written so far: the RunPod key in"),
                "\(talk.session.screen.text)")
            #expect(try harness.files(containing: cloud.runPodAPIKey) == [Self.file])
            #expect(!harness.exists(".ssh") && !harness.exists("project/.vp"))
        }
    }
}
