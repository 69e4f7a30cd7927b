import Foundation
import Testing
import VPTestSupport

/// The whole main job by keys alone, on the loopback cloud.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync", "python3")) struct DemoTests {
    @Test(arguments: [
        (200, 50, "vast.ai"), (80, 24, "vast.ai"), (200, 50, "RunPod"), (80, 24, "RunPod"),
    ])
    func rentsSyncsRunsDownloadsAndDestroys(width: Int, height: Int, platform: String) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            try self.mainJob(in: folder.path, width: width, height: height, on: platform)
        }
    }

    /// By the launch form, which asks one platform alone.
    private func fillForm(_ session: PTYSession, platform: String) throws {
        // A dashboard without instances begins in Offers.
        session.type("1c")
        try session.wait(for: "Rent an instance")
        session.type("\t\t")
        try session.press(" ", until: { $0.contains("‹ \(platform) ›") })
        // The project's limit is below all prices there, and the form stays until that is changed.
        try session.wait(for: "the cheapest offer costs $0.698/h and the limit is $0.600/h")
        try session.press("\u{13}", until: { $0.contains("▸ at most $/h") })
        session.type("\u{15}0.70")
        try session.wait(for: "the cheapest of")
        try session.press("\u{13}", until: { !$0.contains("Rent an instance") })
    }

    private func mainJob(in folder: String, width: Int, height: Int, on platform: String) throws {
        let session = try DashboardSession.start(in: folder, ["--demo"], width: width, height: height)
        try session.wait(for: "No instances")
        if platform == "RunPod" {
            try self.fillForm(session, platform: platform)
        } else {
            // The title names the GPU too; a row has the platform before it.
            try session.wait(for: "vast RTX 4090")
            try session.rentSelectedOffer()
        }
        try session.wait(for: "is ready", seconds: 90)
        session.type("S")
        try session.wait(for: "files uploaded", seconds: 60)
        session.type("r")
        try session.wait(for: "Run on")
        session.type("python3 train.py --epochs 3\r")
        // The strip of actions names the command before there is a job whose log could be opened.
        try session.wait("the job to be listed", seconds: 60) {
            $0.contains("two-moons-1 ") && !$0.contains("Run on")
        }
        // A narrow screen shows the lists or the log.
        if width < 100 { session.type("l") }
        try session.wait(for: "epoch 3/3")
        if width < 100 { session.type("1") }
        try session.wait(for: "✓ succeeded", seconds: 60)
        session.type("d")
        try session.wait("a download") {
            $0.contains("nothing new to download") || $0.contains(" downloaded, ")
        }
        session.type("D")
        try session.wait(for: "Every result is downloaded", seconds: 60)
        // Enter does not destroy.
        try session.press("\t", until: { $0.contains("▸ Destroy") })
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
}
