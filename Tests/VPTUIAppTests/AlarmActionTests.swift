import Foundation
import LoopbackCloud
import Testing
import VPEngine
import VPTestSupport

/// What the engine finds wrong with money reaches the screen,
/// and Enter in the list of alarms acts on it: every kind of alarm once. Several share an instance, since a
/// boot is what takes long.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct AlarmActionTests {
    /// Asks the engine anew until it tells of the alarm, and presses Enter on it in the list.
    private func act(on words: String, in session: PTYSession) throws {
        let deadline = Date().addingTimeInterval(60)
        while true {
            session.type("\u{12}")
            session.settle()
            try session.press("!", until: { $0.contains("the worst first") || $0.contains("looks good") })
            if session.screen.contains(words) && session.screen.contains("the worst first") { break }
            try session.press("\u{1B}", until: { !$0.contains("Esc close") })
            guard Date() < deadline else { throw NoAlarm(words: words, screen: session.screen.text) }
        }
        // As many keys as there are rows between: one that is pressed again and again goes too far.
        let rows = session.screen.lines.filter { $0.contains("│  ") || $0.contains("│▸ ") }
        let selected = try #require(rows.firstIndex { $0.contains("│▸ ") })
        let wanted = try #require(rows.firstIndex { $0.contains(words) })
        session.type(String(repeating: selected < wanted ? "j" : "k", count: abs(wanted - selected)))
        try session.wait("“\(words)” to be selected") { screen in
            screen.lines.contains { $0.contains("│▸ ") && $0.contains(words) }
        }
        session.type("\r")
    }

    private static var vp: String {
        (DashboardSession.program as NSString).deletingLastPathComponent + "/vp"
    }

    private struct NoAlarm: Error {
        let words: String
        let screen: String
    }

    private func confirm(_ title: String, in session: PTYSession) throws {
        try session.wait(for: title, seconds: 60)
        try session.press("y", until: { !$0.contains(title) })
    }

    private func destroy(_ button: String, in session: PTYSession) throws {
        try session.press("\t", until: { $0.contains("▸ \(button) ") })
        session.type("y")
        try session.wait(for: "is gone, confirmed by the platform", seconds: 120)
    }

    @Test func anInstanceWithoutALeaseGetsOne() async throws {
        try await RentedDashboard.with(configuration: "lease: {duration: none}\n") { rented in
            let session = rented.session
            try self.act(on: "has no lease and runs", in: session)
            try self.confirm("Extend the lease of", in: session)
            try session.wait(for: "unless it is used", seconds: 60)
            // The engine's next report knows of it.
            try session.wait("the alarm to go", seconds: 60) { !$0.contains("has no lease") }
        }
    }

    /// Rented by us from a machine whose records are not here: a name of ours that nobody answers for.
    @Test func anOrphanIsDestroyed() async throws {
        try await RentedDashboard.open { rented in
            let session = rented.session
            let other = try rented.start(
                Self.vp, ["create-instance", "-y"], ["XDG_STATE_HOME": rented.project + "/../elsewhere"])
            #expect(try other.waitForEnd(seconds: 120) == .exited(0))
            try self.act(on: "was named by vp", in: session)
            try session.wait(for: "Every result", seconds: 90)
            try self.destroy("Destroy", in: session)
            #expect(await rented.cloud.instanceCount == 0)
            try session.wait("the alarm to go", seconds: 60) { !$0.contains("was named by vp") }
        }
    }

    /// A platform that does not tell what is rented, an instance that is lost,
    /// and an end without confirmation.
    @Test func whatThePlatformDoesIsMended() async throws {
        try await RentedDashboard.with { rented in
            let session = rented.session
            rented.cloud.intercept { request in
                guard request.method == "GET", request.path.hasSuffix("/instances") else { return .pass }
                return .answer(status: 200, body: #"{"success":true}"#)
            }
            try self.act(on: "cannot be trusted", in: session)
            try session.wait("the list to close") { !$0.contains("the worst first") }
            rented.cloud.intercept(nil)
            try session.wait("the alarm to go", seconds: 60) { !$0.contains("cannot be trusted") }

            await rented.cloud.inject(.vanished)
            try self.act(on: "is lost", in: session)
            try session.wait(for: "Rent an instance")
            try session.press("\u{13}", until: { !$0.contains("Rent an instance") })
            try session.wait(for: "is ready", seconds: 90)

            rented.cloud.intercept { request in
                guard request.method == "DELETE" else { return .pass }
                return .answer(status: 400, body: #"{"success":false,"error":"locked","msg":"locked"}"#)
            }
            try rented.destroy("Destroy", expecting: "Every result")
            try session.wait(for: "has not confirmed it", seconds: 120)
            try session.press("\u{1B}", until: RentedDashboard.isFree)
            #expect(await rented.cloud.instanceCount == 1)
            rented.cloud.intercept(nil)
            try self.act(on: "has not confirmed it", in: session)
            try session.wait("the alarm to go", seconds: 60) { !$0.contains("has not confirmed it") }
            #expect(await rented.cloud.instanceCount == 0)
        }
    }

    /// A day's limit, an account that runs dry, and a disk that is paid for.
    @Test func whatMoneyRunsOutIsMended() async throws {
        let noLease = "lease: {duration: none}\n"
        try await RentedDashboard.with(configuration: noLease) { first in
            let second = try first.reopened(configuration: noLease + "budget: {per_day: 0.000001}\n")
            try self.act(on: "is spent", in: second.session)
            try second.session.wait(for: "Rent an instance")
            // Its cost limit has the cursor.
            second.session.type("0.001")
            try second.session.wait(for: "$0.00 buys")
            try second.session.press("\u{1B}", until: RentedDashboard.isFree)

            let third = try second.reopened(configuration: "lease: {duration: none, parked: 1s}\n")
            let credit = await third.cloud.credit
            await third.cloud.advance(by: 3600)
            let left = await third.cloud.credit
            await third.cloud.advance(by: 3600 * (left / (credit - left) - 2))
            try self.act(on: "the credit lasts", in: third.session)
            try self.confirm("Stop ", in: third.session)
            try third.session.wait(for: "○ stopped", seconds: 60)

            try self.act(on: "and its disk costs", in: third.session)
            try third.session.wait(for: "discard results", seconds: 90)
            try self.destroy("Destroy, discard results", in: third.session)
            #expect(await third.cloud.instanceCount == 0)
        }
    }

    /// A lease that nobody there guards, one that ends, and an instance that nobody uses.
    @Test func whatTheLeaseSaysIsMended() async throws {
        let options = LoopbackCloud.Options(speed: 100, usesSandboxes: false)
        try await RentedDashboard.with(options: options) { rented in
            let session = rented.session
            try self.act(on: "cannot end itself", in: session)
            try self.confirm("Extend the lease of", in: session)
            try session.wait(for: "unless it is used", seconds: 60)

            // Hours later.
            let store = try Store(stateFolder: (rented.environment["XDG_STATE_HOME"] ?? "") + "/variousplug")
            let entry = try #require(try store.openLedgerEntries().first)
            var lease = try #require(entry.lease)
            lease.endsAt = Date().addingTimeInterval(300)
            lease.use = .idle(3000)
            try store.setLease(lease, of: entry.name)
            try self.act(on: "ends in 4 min", in: session)
            try self.confirm("Extend the lease of", in: session)
            try session.wait(for: "unless it is used", seconds: 60)
            #expect(
                try store.openLedgerEntries().first?.lease?.endsAt ?? .distantPast > lease.endsAt ?? Date())
            lease.endsAt = nil
            try store.setLease(lease, of: entry.name)
            try self.act(on: "has been idle for", in: session)
            try self.confirm("Stop ", in: session)
            try session.wait(for: "○ stopped", seconds: 60)
        }
    }

    /// More behind a link than an end brings, and an end that was refused for it.
    @Test func whatIsBehindALinkIsDecided() async throws {
        try await RentedDashboard.with(configuration: "sync: {limit: 100kB}\n") { rented in
            let session = rented.session
            let set =
                "mkdir -p /srv/set; head -c 500000 /dev/zero > /srv/set/big; ln -s /srv/set /workspace/data"
            #expect(try rented.start(Self.vp, ["ssh", "--", set]).waitForEnd() == .exited(0))
            try rented.leave("echo 1 > few")
            try self.act(on: "leads to 50", in: session)
            // The run brings its own results first.
            try session.wait(for: "waits for its turn")
            let cancel = try rented.start(Self.vp, ["cancel", "project-1"])
            #expect(try cancel.waitForEnd() == .exited(0))
            try session.wait(for: " downloaded, ", seconds: 60)
            #expect(rented.text("few") == "1\n")
            try rented.destroy("Destroy", expecting: "Destroy")
            try session.wait(for: "was not destroyed", seconds: 90)
            try session.press("\u{1B}", until: RentedDashboard.isFree)
            try self.act(on: "was not destroyed", in: session)
            try session.wait(for: "Destroy, discard results", seconds: 90)
            try self.destroy("Destroy, discard results", in: session)
            #expect(await rented.cloud.instanceCount == 0)
        }
    }
}
