import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// What the engine finds wrong with money reaches the screen, and a key mends it.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct AlarmActionTests {
    private func list(_ session: PTYSession, _ words: String) throws {
        try session.wait(for: words, seconds: 60)
        try session.press("!", until: { $0.contains("the worst first") })
    }

    @Test func anInstanceWithoutALeaseGetsOne() async throws {
        try await RentedDashboard.open(configuration: "lease: {duration: none}\n") { rented in
            let session = rented.session
            try session.rentSelectedOffer()
            try session.wait(for: "is ready", seconds: 90)
            try self.list(session, "has no lease and runs")
            session.type("\r")
            try session.wait(for: "Extend the lease of")
            try session.press("y", until: { !$0.contains("Extend the lease of") })
            try session.wait(for: "unless it is used", seconds: 60)
            // The engine's next report knows of it.
            try session.wait("the alarm to go", seconds: 60) { !$0.contains("has no lease") }
        }
    }

    /// Rented by us from a machine whose records are not here: a name of ours that nobody answers for.
    @Test func anOrphanIsDestroyed() async throws {
        try await RentedDashboard.open { rented in
            let session = rented.session
            let vp = (DashboardSession.program as NSString).deletingLastPathComponent + "/vp"
            let other = try rented.start(
                vp, ["create-instance", "-y"], ["XDG_STATE_HOME": rented.project + "/../elsewhere"])
            #expect(try other.waitForEnd(seconds: 120) == .exited(0))
            try session.press("\u{12}", until: { $0.contains("has a name of ours") })
            try self.list(session, "has a name of ours")
            session.type("\r")
            try session.wait(for: "Every result", seconds: 90)
            try session.press("\t", until: { $0.contains("▸ Destroy ") })
            session.type("y")
            try session.wait(for: "is gone, confirmed by the platform", seconds: 120)
            #expect(await rented.cloud.instanceCount == 0)
            try session.wait("the alarm to go", seconds: 60) { !$0.contains("has a name of ours") }
        }
    }
}
