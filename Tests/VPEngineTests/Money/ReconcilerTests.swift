import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// What may be believed of a list, and what follows from it.
@Suite(.requires("sshd"), .timeLimit(.minutes(15)))
struct ReconcilerTests {
    /// Answers to the request for the list that say nothing.
    enum Lie: String, CaseIterable {
        case garbage, retired, broken, empty, noInstances
    }

    @Test(arguments: VPEngine.Platform.allCases, Lie.allCases)
    func aListThatCannotBeBelievedChangesNothing(platform: VPEngine.Platform, lie: Lie) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            try await Self.settle(fixture)
            let before = try #require(fixture.engine.cachedInstances())
            let ledger = try fixture.engine.context.store.openLedgerEntries()
            let destroys = Mutex(0)
            fixture.cloud.intercept { request in
                if request.method == "DELETE" { destroys.withLock { $0 += 1 } }
                guard request.method == "GET", ["/api/v1/instances", "/v2/pods"].contains(request.path),
                    request.platform == platform.market
                else { return .pass }
                return switch lie {
                case .garbage: .answer(status: 200, body: "<html>hello</html>", type: "text/html")
                case .retired: .answer(status: 410, body: #"{"error":"gone"}"#)
                case .broken: .answer(status: 500, body: "")
                case .empty: .answer(status: 200, body: "")
                case .noInstances:
                    .answer(status: 200, body: #"{"success":true,"instances":[],"pods":[]}"#)
                }
            }
            let answers = await fixture.engine.instances()
            #expect(answers.failures.map(\.platform) == [platform])
            #expect(answers.values.isEmpty)
            // The last truth stays, with the time it is from.
            let kept = try #require(fixture.engine.cachedInstances())
            #expect(kept.values.map(\.id) == [instance.id])
            #expect(kept.seenAt[platform] == before.fetchedAt)
            #expect(try fixture.engine.moneyReport().alarms.contains { $0.kind == .untrusted })
            // Nothing is rented beside it …
            let rentals = await fixture.cloud.instanceCount
            await #expect(throws: EngineError.self) { try await fixture.create(on: platform) }
            #expect(await fixture.cloud.instanceCount == rentals)
            // … nothing ended, and nothing forgotten.
            #expect(destroys.withLock { $0 } == 0)
            #expect(try fixture.engine.context.store.openLedgerEntries().map(\.state) == ledger.map(\.state))
            fixture.cloud.intercept(nil)
            #expect(await fixture.engine.instances().values.map(\.id) == [instance.id])
        }
    }

    /// Waits until a list may be missing what was just rented no more.
    static func settle(_ fixture: MoneyFixture) async throws {
        let rented = try fixture.engine.context.store.openLedgerEntries().map(\.createdAt).max() ?? Date()
        let grace = 30 * fixture.engine.configuration.timeScale
        try await waitUntil("the list's grace to pass") { Date().timeIntervalSince(rented) > grace }
        _ = await fixture.engine.instances()
    }

    // MARK: What is left over

    @Test(arguments: VPEngine.Platform.allCases)
    func leftoversAreSorted(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let kept = try await fixture.create(on: platform)
            // Another machine of the same user, and somebody else.
            let other = try Engine(configuration: Self.otherUser(of: fixture))
            var names: [String: String] = [:]
            for (word, name) in [
                ("orphan", "vp-elsewhere-abc"), ("foreign", "notebook"), ("duplicate", kept.name!),
            ] {
                let client = try #require(other.context.clients[platform])
                let offers = try await client.offers(OfferQuery())
                let id = try await client.rent(
                    RentRequest(offer: offers[0], name: name, image: "x", diskBytes: 20_000_000_000))
                names[id.rawValue] = word
            }
            let volume = await fixture.cloud.addVolume(name: "data", size: 100, on: platform.market)
            if platform == .vast {
                _ = await fixture.cloud.addVolume(
                    name: "used", size: 100, usedBy: kept.id.rawValue, on: .vast)
            }
            let leftovers = try await fixture.engine.leftovers()
            #expect(leftovers.failures.isEmpty)
            let kinds = Dictionary(uniqueKeysWithValues: leftovers.values.map { ($0.id, $0.kind.rawValue) })
            #expect(kinds == names.merging([volume: "volume"]) { $1 })
            #expect(!leftovers.values.contains { $0.dollarsPerDay <= 0 })
            let unknown = try fixture.engine.moneyReport().alarms.filter { $0.kind == .unknownInstance }
            #expect(
                Set(unknown.compactMap(\.instance?.rawValue))
                    == Set(names.filter { $0.value != "foreign" }.keys))

            _ = try await fixture.perform(.stop(kept.id))
            let parked = try await fixture.engine.leftovers().values.filter { $0.kind == .parked }
            #expect(parked.map(\.id) == [kept.id.rawValue])
            #expect(parked[0].dollarsPerDay < kept.price.dollarsPerDay)
            // Looking ends nothing.
            #expect(await fixture.cloud.instanceCount == 4)
        }
    }

    static func otherUser(of fixture: MoneyFixture) -> EngineConfiguration {
        var configuration = fixture.engine.configuration
        configuration.paths.stateFolder = "\(fixture.folder)/other"
        configuration.paths.cacheFolder = "\(fixture.folder)/other-cache"
        return configuration
    }

    @Test func anInstanceThatThePlatformLostIsAnAlarm() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            try await Self.settle(fixture)
            await fixture.cloud.inject(.vanished)
            #expect(await fixture.engine.instances().values.isEmpty)
            #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty)
            let alarms = try fixture.engine.moneyReport().alarms
            #expect(alarms.map(\.kind) == [.instanceLost])
            #expect(alarms[0].instance == instance.id)
        }
    }

    /// A disk that is paid for longer than was meant rings, and is ended only where the user has said so.
    @Test(arguments: VPEngine.Platform.allCases, [false, true])
    func aDiskThatIsParkedForTooLongRings(platform: VPEngine.Platform, isDestroyed: Bool) async throws {
        let money = EngineConfiguration.Money(parkedSeconds: 7200, destroysParked: isDestroyed)
        try await MoneyFixture.with(money: money, followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: platform, lease: LeaseTerms(seconds: nil))
            func park() async throws {
                _ = try await fixture.perform(.stop(instance.id))
                _ = await fixture.engine.instances()
            }
            func alarms() throws -> [Alarm] {
                try fixture.engine.moneyReport().alarms.filter { $0.kind == .parked }
            }
            try await park()
            #expect(try alarms().isEmpty)
            // Used in between, it counts from its next stop.
            await fixture.cloud.advance(by: 3600)
            _ = try await fixture.perform(.start(instance.id))
            _ = await fixture.engine.instances()
            try await park()
            await fixture.cloud.advance(by: 5400)
            #expect(await fixture.engine.instances().values.map(\.status) == [.stopped])
            #expect(try alarms().isEmpty)
            await fixture.cloud.advance(by: 3600)
            _ = await fixture.engine.instances()
            if isDestroyed {
                try await waitUntil("the disk to be gone") {
                    await fixture.engine.instances().values.isEmpty
                }
                #expect(await fixture.cloud.instanceCount == 0)
                let entry = try #require(try fixture.engine.context.store.ledgerEntry(for: instance.id))
                let steps = try fixture.engine.context.store.ledgerSteps(of: entry.name)
                #expect(steps.contains("destroying: stopped for longer than lease.parked"), "\(steps)")
                #expect(steps.last == "gone: destroyed")
            } else {
                let alarm = try #require(try alarms().first)
                #expect(alarm.instance == instance.id)
                let daily = String(
                    format: "$%.2f a day",
                    try #require(
                        fixture.engine.cachedInstances()?.values.first
                    ).price.dollarsPerDay)
                #expect(alarm.words.contains(daily), "\(alarm.words)")
                #expect(alarm.words.contains("`vp destroy-instance \(instance.id)`"))
                #expect(await fixture.cloud.instanceCount == 1)
            }
        }
    }

    /// Only the user's own file may say so: a project that came from elsewhere could end the only copy of a
    /// result.
    @Test func onlyTheUserHasParkedDisksDestroyed() async throws {
        try await TemporaryFolder.with { folder in
            let project = folder.path + "/project"
            try folder.write("lease:\n  parked: 2d\n  parked_end: destroy\n", to: "project/.vp/config.yaml")
            let environment = ["HOME": folder.path, "XDG_CONFIG_HOME": folder.path + "/config"]
            let theirs = try EngineConfiguration.load(environment: environment, directory: project)
            #expect(theirs.money.parkedSeconds == 172_800)
            #expect(!theirs.money.destroysParked)
            let path = "config/variousplug/config.yaml"
            try folder.write("lease:\n  parked_end: destroy\n", to: path)
            chmod(folder.path + "/" + path, 0o600)
            #expect(
                try EngineConfiguration.load(environment: environment, directory: project).money
                    .destroysParked)
        }
    }

    /// An instance that did as its lease said is no alarm.
    @Test(.requires("bwrap")) func anInstanceThatEndedByItsLeaseIsNotLost() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(
                on: .vast, lease: LeaseTerms(seconds: 4, maximumSeconds: nil))
            await fixture.engine.shutDown()
            try await waitUntil("the instance to end itself") { await fixture.cloud.instanceCount == 0 }
            #expect(await fixture.engine.instances().values.isEmpty)
            #expect(try fixture.engine.moneyReport().alarms.isEmpty)
            let entry = try #require(try fixture.engine.context.store.ledgerEntry(for: instance.id))
            #expect(
                try fixture.engine.context.store.ledgerSteps(of: entry.name).last == "gone: its lease ran out"
            )
        }
    }

    // MARK: Destroying

    /// What can come of an order to destroy.
    enum Refusal: String, CaseIterable {
        case doneButNot, notFound, locked, tooFrequent
    }

    @Test(arguments: VPEngine.Platform.allCases, Refusal.allCases)
    func whatIsNotGoneIsNotCalledGone(platform: VPEngine.Platform, refusal: Refusal) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            fixture.cloud.intercept { request in
                guard request.method == "DELETE" else { return .pass }
                return Self.answer(refusal, platform)
            }
            await #expect {
                _ = try await fixture.perform(.destroy(instance.id, DestroyRequest(discardsResults: true)))
            } throws: { error in
                (error as? EngineError)?.code == .destroyUnconfirmed
            }
            #expect(await fixture.cloud.instanceCount == 1)
            let entry = try #require(try fixture.engine.context.store.openLedgerEntries().first)
            #expect(entry.state == .destroying)
            let shown = await fixture.engine.instances().values
            #expect(shown.map(\.status) == [.destroying])
            #expect(try fixture.engine.moneyReport().alarms.contains { $0.kind == .destroyUnconfirmed })

            // The next start takes it from there.
            fixture.cloud.intercept(nil)
            let restarted = try fixture.restarted()
            try await waitUntil("the instance to be gone") {
                await restarted.instances().values.isEmpty
            }
            #expect(await fixture.cloud.instanceCount == 0)
            #expect(try restarted.context.store.openLedgerEntries().isEmpty)
            #expect(try restarted.context.store.ledgerSteps(of: entry.name).last == "gone: destroyed")
        }
    }

    /// It ends right as soon as the platform does what it was told.
    @Test(arguments: VPEngine.Platform.allCases, Refusal.allCases)
    func aRefusalThatPassesIsWaitedFor(platform: VPEngine.Platform, refusal: Refusal) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            let refusals = Mutex(2)
            fixture.cloud.intercept { request in
                guard request.method == "DELETE",
                    refusals.withLock({ left in
                        left -= 1
                        return left >= 0
                    })
                else { return .pass }
                return Self.answer(refusal, platform)
            }
            guard
                case .destroyed(let receipt) = try await fixture.perform(
                    .destroy(instance.id, DestroyRequest(discardsResults: true)))
            else { throw EngineFixture.WrongResult() }
            #expect(receipt.instance == instance.id)
            #expect((receipt.dollars ?? 0) > 0)
            #expect(await fixture.cloud.instanceCount == 0)
            #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty)
        }
    }

    private static func answer(_ refusal: Refusal, _ platform: VPEngine.Platform) -> Interception {
        switch (refusal, platform) {
        case (.doneButNot, .vast): .answer(status: 200, body: #"{"success":true}"#)
        case (.doneButNot, .runpod): .answer(status: 204, body: "")
        case (.notFound, .vast):
            .answer(
                status: 404,
                body: #"{"success":false,"error":"no_such_instance","msg":"Instance not found."}"#)
        case (.notFound, .runpod):
            .answer(status: 404, body: #"{"title":"Not Found","status":404,"detail":"pod not found"}"#)
        case (.locked, .vast):
            .answer(status: 400, body: #"{"success":false,"error":"locked","msg":"instance is locked"}"#)
        case (.locked, .runpod):
            .answer(status: 409, body: #"{"title":"Conflict","status":409,"detail":"the pod is locked"}"#)
        case (.tooFrequent, _):
            .answer(status: 429, body: "API requests too frequent", type: "text/plain")
        }
    }
}
