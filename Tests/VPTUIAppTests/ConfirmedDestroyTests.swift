import Foundation
import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

/// What was confirmed happens, whatever becomes of the dashboard that counts.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct ConfirmedDestroyTests {
    private func expectGone(_ rented: RentedDashboard, seconds: Double = 120) async throws {
        let deadline = Date().addingTimeInterval(seconds)
        while await rented.cloud.instanceCount > 0 {
            rented.session.read(milliseconds: 50)
            guard Date() < deadline else {
                let log = FileManager.default.contents(
                    atPath: (rented.environment["XDG_STATE_HOME"] ?? "") + "/variousplug/destroys.log")
                Issue.record(
                    "still there after \(seconds) s: \(String(decoding: log ?? Data(), as: UTF8.self))")
                return
            }
        }
    }

    /// Within the five seconds, its results included.
    @Test(arguments: [SIGHUP, SIGTERM])
    func aSignalDoesNotLoseIt(_ signal: Int32) async throws {
        try await RentedDashboard.with { rented in
            try rented.leave("echo weights > model.bin")
            try rented.destroy("Destroy", expecting: "1 file")
            rented.session.send(signal: signal)
            #expect(try rented.session.waitForEnd(seconds: 10) == .exited(128 + signal))
            try await self.expectGone(rented)
            #expect(rented.text("model.bin") == "weights\n")
        }
    }

    @Test func aTerminalThatIsClosedDoesNotLoseIt() async throws {
        try await RentedDashboard.with { rented in
            try rented.destroy("Destroy", expecting: "Every result")
            rented.session.hangUp()
            _ = try rented.session.waitForEnd(seconds: 10)
            try await self.expectGone(rented)
        }
    }

    /// The same where no signal tells of it: another session's terminal.
    @Test(.requires("setsid")) func aTerminalThatIsClosedUnheardDoesNotLoseIt() async throws {
        try await RentedDashboard.with { rented in
            let other = try rented.start(
                "/bin/sh", ["-c", "setsid \"$0\"; true", DashboardSession.program])
            try other.wait(for: "● running")
            other.type("1")
            try other.destroy("Destroy", expecting: "Every result")
            other.hangUp()
            _ = try other.waitForEnd(seconds: 10)
            try await self.expectGone(rented)
        }
    }

    /// The next program goes on with it, whichever that is.
    @Test(arguments: ["vp", "vp-tui"]) func aKillDoesNotLoseIt(_ next: String) async throws {
        try await RentedDashboard.with { rented in
            try rented.destroy("Destroy", expecting: "Every result")
            rented.session.send(signal: SIGKILL)
            #expect(try rented.session.waitForEnd() == .signalled(SIGKILL))
            #expect(await rented.cloud.instanceCount == 1)
            let folder = (DashboardSession.program as NSString).deletingLastPathComponent
            let other = try rented.start("\(folder)/\(next)", next == "vp" ? ["ls"] : [])
            if next == "vp" {
                _ = try other.waitForEnd()
            } else {
                try other.wait(for: "1 Instances")
                other.type("q")
                _ = try other.waitForEnd()
            }
            try await self.expectGone(rented)
        }
    }

    @Test func quittingDoesNotLoseIt() async throws {
        try await RentedDashboard.with { rented in
            try rented.destroy("Destroy", expecting: "Every result")
            rented.session.type("q")
            try rented.session.wait(for: "continues without the dashboard")
            try rented.session.press("y", until: { !$0.isAlternateScreen })
            #expect(try rented.session.waitForEnd() == .exited(0))
            try await self.expectGone(rented)
        }
    }

    @Test func whatWasTakenBackStays() async throws {
        try await RentedDashboard.with { rented in
            try rented.destroy("Destroy", expecting: "Every result")
            rented.session.type("z")
            try rented.session.wait(for: "is kept")
            rented.session.send(signal: SIGKILL)
            _ = try rented.session.waitForEnd()
            let folder = (DashboardSession.program as NSString).deletingLastPathComponent
            let other = try rented.start("\(folder)/vp", ["ls"])
            _ = try other.waitForEnd()
            #expect(await rented.cloud.instanceCount == 1)
            #expect(
                !FileManager.default.fileExists(
                    atPath: (rented.environment["XDG_STATE_HOME"] ?? "") + "/variousplug/destroys.log"))
        }
    }

    /// Ctrl-z, and nobody continues it.
    @Test func stoppingTheDashboardDoesNotDelayIt() async throws {
        try await RentedDashboard.with { rented in
            let script = "set -m; \"$0\"; echo \"stopped $?\"; read line"
            let other = try rented.start("/bin/sh", ["-c", script, DashboardSession.program])
            try other.wait(for: "● running")
            other.type("1")
            try other.destroy("Destroy", expecting: "Every result")
            other.type("\u{1A}")
            try other.wait(for: "stopped 148")
            try await self.expectGone(rented)
        }
    }

    /// Nobody sees the countdown while a shell has the terminal.
    @Test func aShellOnAnotherInstanceDoesNotDelayIt() async throws {
        try await RentedDashboard.with { rented in
            let session = rented.session
            // The first one is taken by now.
            session.type("2j")
            try session.rentSelectedOffer()
            try session.wait("two instances", seconds: 90) {
                $0.lines.filter { $0.contains("● running") }.count == 2
            }
            // The second boot is over when its row is gone.
            try session.wait("both to be ready", seconds: 90) {
                !$0.lines.contains { $0.contains(" create ") && !$0.contains("c create") }
            }
            session.type("1g")
            try rented.destroy("Destroy", expecting: "Every result")
            session.type("js")
            try session.wait(for: "returns to the dashboard")
            let deadline = Date().addingTimeInterval(90)
            while await rented.cloud.instanceCount > 1, Date() < deadline { session.read(milliseconds: 50) }
            #expect(await rented.cloud.instanceCount == 1)
            #expect(!session.screen.isAlternateScreen)
            session.type("exit\n")
            try session.wait("the dashboard") { $0.isAlternateScreen && $0.contains("1 Instances") }
        }
    }
}
