import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// A platform that once says that an instance is gone, and is wrong.
@Suite(.requires("sshd"), .timeLimit(.minutes(10)))
struct ReopeningTests {
    /// One look that lacks it, in the list and by its id, closes nothing.
    @Test(arguments: VPEngine.Platform.allCases)
    func oneSlipOfThePlatformClosesNothing(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            try await ReconcilerTests.settle(fixture)
            let id = instance.id.rawValue
            let slips = Mutex<Set<String>>([])
            fixture.cloud.intercept { request in
                guard request.method == "GET", request.platform == platform.market else { return .pass }
                let isList = ["/api/v1/instances", "/v2/pods"].contains(request.path)
                guard isList || request.path.hasSuffix("/\(id)"),
                    slips.withLock({ $0.insert(isList ? "list" : "one").inserted })
                else { return .pass }
                if isList {
                    return .answer(
                        status: 200, body: #"{"success":true,"total_instances":0,"instances":[],"pods":[]}"#)
                }
                return platform == .vast
                    ? .answer(status: 404, body: #"{"success":false,"error":"no_such_instance"}"#)
                    : .answer(status: 200, body: #"{"id":"\#(id)","status":"TERMINATED"}"#)
            }
            _ = await fixture.engine.instances()
            #expect(slips.withLock { $0 } == ["list", "one"])
            fixture.cloud.intercept(nil)
            #expect(try fixture.engine.context.store.openLedgerEntries().map(\.instance) == [instance.id])
            #expect(await fixture.engine.instances().values.map(\.id) == [instance.id])
            #expect(try !fixture.engine.moneyReport().alarms.contains { $0.kind == .instanceLost })
        }
    }

    /// A row that was closed is opened again, with its lease, where the instance is there: it costs money.
    @Test(arguments: VPEngine.Platform.allCases)
    func whatIsThereAgainIsOursAgain(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            try await ReconcilerTests.settle(fixture)
            let entry = try #require(try fixture.engine.context.store.openLedgerEntries().first)
            try fixture.engine.context.store.update(
                entry.name, state: .gone, at: Date(timeIntervalSinceNow: -120),
                because: .lost)
            #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty)
            let seen = await fixture.engine.instances().values
            #expect(seen.map(\.id) == [instance.id] && seen[0].lease != nil)
            let open = try fixture.engine.context.store.openLedgerEntries()
            #expect(open.map(\.name) == [entry.name] && open[0].state == .rented)
            #expect(try !fixture.engine.moneyReport().alarms.contains { $0.kind == .unknownInstance })
        }
    }

    /// What was destroyed from here, and is there again, is still to be destroyed.
    @Test(arguments: VPEngine.Platform.allCases)
    func whatWasDestroyedAndIsThereIsOrderedToEnd(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            _ = try await fixture.create(on: platform)
            try await ReconcilerTests.settle(fixture)
            let entry = try #require(try fixture.engine.context.store.openLedgerEntries().first)
            try fixture.engine.context.store.update(
                entry.name, state: .gone, at: Date(timeIntervalSinceNow: -120),
                because: .destroyed)
            #expect(await fixture.engine.instances().values.map(\.status) == [.destroying])
            try await waitUntil("the destroy that is ordered again") {
                _ = await fixture.engine.instances()
                return await fixture.cloud.instanceCount == 0
            }
        }
    }

    /// What is gone twice is gone.
    @Test(arguments: VPEngine.Platform.allCases)
    func whatIsGoneIsClosed(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            _ = try await fixture.create(on: platform)
            try await ReconcilerTests.settle(fixture)
            await fixture.cloud.inject(.vanished)
            _ = await fixture.engine.instances()
            #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty)
        }
    }
}
