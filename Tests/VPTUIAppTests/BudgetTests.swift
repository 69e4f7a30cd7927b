import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Limits of money stop what they should, by keys, and say why.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct BudgetTests {
    /// Of all that it may cost; typed into the launch form.
    @Test func aRentalThatBuysNoMoreThanItsBootIsRefused() async throws {
        try await RentedDashboard.open { rented in
            let session = rented.session
            session.type("1c")
            try session.wait(for: "the cheapest of")
            session.type("\t\t\t\t0.001")
            try session.wait(for: "$0.00 buys")
            try session.press("\u{13}", until: { !$0.contains("Rent an instance") })
            try session.wait(for: "One of your limits does not allow this", seconds: 60)
            try session.wait(for: "--max-cost $0.0010 buys")
            #expect(await rented.cloud.instanceCount == 0)
        }
    }

    @Test func aDayThatIsSpentIsRefused() async throws {
        try await RentedDashboard.open(configuration: "budget:\n  per_day: 0.01\n") { rented in
            try rented.session.rentSelectedOffer()
            try rented.session.wait(for: "(budget.per_day)", seconds: 60)
            #expect(rented.session.screen.contains("One of your limits does not allow this"))
            #expect(await rented.cloud.instanceCount == 0)
        }
    }

    /// The job is ended, its results are here, and the instance goes on.
    @Test func aRunThatHasCostWhatItMayIsEnded() async throws {
        try await RentedDashboard.with { rented in
            let session = rented.session
            session.type("r")
            try session.wait(for: "Run on")
            // A few seconds of the cheapest.
            session.type("--max-cost 0.00006 echo partial > result.txt; sleep 1000\r")
            try session.wait(for: "was ended", seconds: 90)
            try session.wait(for: "for this run (--max-cost) is reached")
            #expect(session.screen.contains("What it had written is downloaded."))
            #expect(rented.text("result.txt") == "partial\n")
            try session.press("\u{1B}", until: RentedDashboard.isFree)
            #expect(await rented.cloud.instanceCount == 1)
        }
    }
}
