import Foundation
import Testing
import VPEngine
import VPTestSupport

/// Ends that were confirmed and have not come yet: who has them, and when they are forgotten.
@Suite struct ConfirmedEndTests {
    private static let id = InstanceID(platform: .vast, rawValue: "31415")
    private static let other = InstanceID(platform: .runpod, rawValue: "31415")
    private static let end = ConfirmedEnd(
        instance: id, dueAt: Date(timeIntervalSince1970: 1_700_000_000),
        words: ["destroy-instance", "31415", "--yes"], directory: "/home/ada/two words")

    private func with(_ body: (Store) throws -> Void) async throws {
        try await TemporaryFolder.with(named: "history") { folder in
            try body(try Store(stateFolder: folder.path))
            // A second program finds the same.
            _ = try Store(stateFolder: folder.path)
        }
    }

    private var dead: ProcessIdentity { ProcessIdentity(text: "1 0 another-boot")! }

    @Test func areKeptAsTheyWereConfirmed() async throws {
        try await self.with { history in
            var second = Self.end
            second.instance = Self.other
            try history.confirm([Self.end, second], heldBy: .current)
            #expect(try history.confirmedEnds().map(\.end) == [Self.end, second])
            #expect(try history.confirmedEnd(of: Self.id)?.holder == .current)
            #expect(try history.forgetConfirmedEnd(of: Self.id))
            #expect(try !history.forgetConfirmedEnd(of: Self.id))
            #expect(try history.confirmedEnds().map(\.end.instance) == [Self.other])
        }
    }

    @Test func ofTwoProgramsOneGetsIt() async throws {
        try await self.with { history in
            try history.confirm([Self.end], heldBy: self.dead)
            #expect(try history.passConfirmedEnd(of: Self.id, from: self.dead, to: .current))
            #expect(try !history.passConfirmedEnd(of: Self.id, from: self.dead, to: .current))
            // Nor does one get it that nobody has left.
            #expect(try !history.passConfirmedEnd(of: Self.id, from: nil, to: self.dead))
            #expect(try history.confirmedEnd(of: Self.id)?.holder == .current)
        }
    }

    @Test func oneThatHasBegunIsNotTakenBack() async throws {
        try await self.with { history in
            try history.confirm([Self.end], heldBy: self.dead)
            #expect(try !history.beginConfirmedEnd(of: Self.id))
            #expect(try history.reclaimConfirmedEnd(of: Self.id))
            #expect(try history.beginConfirmedEnd(of: Self.id))
            #expect(try !history.reclaimConfirmedEnd(of: Self.id))
            #expect(try !history.reclaimConfirmedEnd(of: Self.other))
        }
    }

    @Test func oneThatWasPassedOnIsNotForgottenByWhoeverHadIt() async throws {
        try await self.with { history in
            try history.confirm([Self.end], heldBy: nil)
            #expect(try !history.forgetConfirmedEnd(of: Self.id, heldBy: .current))
            try history.confirm([Self.end], heldBy: .current)
            try history.postponeConfirmedEnd(of: Self.id, to: Self.end.dueAt.addingTimeInterval(60))
            let row = try #require(try history.confirmedEnd(of: Self.id))
            #expect(row.holder == nil && row.end.dueAt == Self.end.dueAt.addingTimeInterval(60))
        }
    }
}
