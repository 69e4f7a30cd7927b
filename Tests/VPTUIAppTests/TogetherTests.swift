import Foundation
import Testing
import VPTestSupport

/// Two dashboards and a `vp` over the same job, folders and account.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct TogetherTests {
    @Test func twoDashboardsAndVPFollowOneJobIntoOneSpool() async throws {
        try await RentedDashboard.with { rented in
            let first = rented.session
            first.type("r")
            try first.wait(for: "Run on")
            first.type("seq -f 'line %.0f' 3000; while [ ! -e go ]; do sleep 0.1; done; echo over\r")
            try first.wait(for: "line 3000", seconds: 60)

            // Both come to a job that somebody else follows already.
            let second = try rented.start(DashboardSession.program)
            try second.wait(for: "● running")
            second.type("3\r")
            try second.wait(for: "line 3000", seconds: 60)
            let vp = (DashboardSession.program as NSString).deletingLastPathComponent + "/vp"
            let third = try rented.start(vp, ["logs", "-f", "project-1"])
            try third.wait(for: "line 3000", seconds: 60)
            let fourth = try rented.start(vp, ["--no-sync", "run", "--", "touch", "go"])
            #expect(try fourth.waitForEnd(seconds: 60) == .exited(0))

            for session in [first, second, third] { try session.wait(for: "over", seconds: 60) }
            for session in [first, second] { try session.wait(for: "✓ succeeded", seconds: 60) }
            #expect(try third.waitForEnd(seconds: 30) == .exited(0))
            let state = try #require(rented.environment["XDG_STATE_HOME"])
            let spool = try String(
                contentsOfFile: state + "/variousplug/logs/project-1.log", encoding: .utf8)
            #expect(spool == (1...3000).map { "line \($0)\n" }.joined() + "over\n")
            for session in [first, second] {
                try session.wait("the last action to leave") { !$0.contains("▶ run ") }
                session.type("q")
                #expect(try session.waitForEnd(seconds: 30) == .exited(0))
            }
        }
    }
}
