import Foundation
import Testing
import VPTestSupport

/// The whole main job by keys alone, on the loopback cloud.
@Suite(.serialized, .requires("sshd", "ssh", "rsync", "python3")) struct DemoTests {
    @Test func rentsSyncsRunsDownloadsAndDestroys() async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in try self.mainJob(in: folder.path) }
    }

    private func mainJob(in folder: String) throws {
        let session = try DashboardSession.start(in: folder, ["--demo"], width: 140, height: 42)
        // The title names the GPU too; a row has the platform before it.
        try session.wait(for: "vast RTX 4090")
        session.type("2")
        session.type("\r")
        try session.wait(for: "Rent from vast.ai")
        // Keys that come too soon are dropped, so it is typed until it is taken.
        try self.press("y", in: session, until: { !$0.contains("Rent from vast.ai") })
        try session.wait(for: "is ready", seconds: 90)
        session.type("S")
        try session.wait(for: "files sent", seconds: 60)
        session.type("r")
        try session.wait(for: "Run on")
        session.type("python3 train.py --epochs 3\r")
        try session.wait("the log") { $0.contains("epoch 3/3") }
        try session.wait(for: "succeeded", seconds: 60)
        session.type("d")
        try session.wait("a download") {
            $0.contains("nothing new to bring back") || $0.contains("brought back")
        }
        session.type("D")
        try session.wait(for: "Every result is here", seconds: 60)
        // Enter does not destroy.
        try self.press("\t", in: session, until: { $0.contains("▸ Destroy") })
        session.type("\r")
        try session.wait(for: "Enter does not destroy")
        session.type("y")
        try session.wait(for: "takes it back")
        try session.wait(for: "is gone, confirmed by the platform", seconds: 60)
        try session.wait(for: "No instances: nothing is costing money.")
        session.type("q")
        #expect(try session.waitForEnd(seconds: 30) == .exited(0))
        #expect(!session.screen.isAlternateScreen)
        #expect(session.hasModesOfStart)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!left.contains { $0.hasPrefix("vp-cloud") || $0.contains("moons") })
    }

    @Test func leavesNothingWhenItsTerminalIsClosed() async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let session = try DashboardSession.start(in: folder.path, ["--demo"], width: 140, height: 42)
            try session.wait(for: "vast RTX 4090")
            session.hangUp()
            _ = try session.waitForEnd(seconds: 2)
            // The cloud's watchdog removes the folder a moment later.
            let deadline = Date().addingTimeInterval(20)
            var left = ["?"]
            while !left.isEmpty, Date() < deadline {
                session.read(milliseconds: 50)
                left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                    .filter { $0.hasPrefix("vp-cloud") }
            }
            #expect(left.isEmpty)
        }
    }

    private func press(
        _ key: String, in session: PTYSession, until condition: (VirtualTerminal) -> Bool
    ) throws {
        for _ in 0..<50 {
            session.type(key)
            session.read(milliseconds: 100)
            if condition(session.screen) { return }
        }
        throw PTYSession.Failure(description: "“\(key)” was not taken:\n\(session.screen.text)")
    }
}
