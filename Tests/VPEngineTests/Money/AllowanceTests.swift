import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// The engine itself keeps to `limits.yaml`: whoever asks, and for whatever.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(10)))
struct AllowanceTests {
    /// An engine of the fixture's user under caps.
    private func engine(_ fixture: MoneyFixture, _ yaml: String, now: Date? = nil) throws -> Engine {
        let path = "\(fixture.folder)/limits.yaml"
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        var configuration = fixture.engine.configuration
        configuration.limitsSource = .files([path])
        return try Engine(configuration: configuration)
    }

    private func expectRefusal(_ words: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: EngineError.self) { try await body() }
        #expect(error?.code == .limitRefused, "\(String(describing: error))")
        #expect(error?.detail?.contains(words) == true, "\(error?.detail ?? "")")
        #expect(error?.detail?.contains("limits.yaml") == true, "\(error?.detail ?? "")")
    }

    @Test func nothingIsRentedAgainstACap() async throws {
        try await MoneyFixture.with { fixture in
            let offers = try await fixture.engine.offers(OfferQuery(), platform: .vast).values
            let dear = try #require(offers.last)
            let caps = [
                ("max_price: 0.001\n", "max_price in "), ("max_cost: 0.0001\n", "max_cost in "),
                ("per_day: 0.0001\n", "per_day in "), ("max_instances: 0\n", "max_instances in "),
                ("gpus: [MI300X]\n", "is not among gpus"), ("gpus: 0\n", "gpus in "),
                ("platforms: [runpod]\n", "vast.ai is not among platforms"),
                ("verbs: [ls]\n", "create-instance is not among verbs"),
                ("max_prise: 1\n", "there is no limit"),
            ]
            for (yaml, words) in caps {
                let engine = try self.engine(fixture, yaml)
                for request in [
                    CreateRequest(platform: .vast), CreateRequest(offer: dear.id),
                    CreateRequest(
                        query: OfferQuery(maximumPrice: HourlyPrice(dollarsPerHour: 100)), platform: .vast,
                        maximumCost: 1000),
                ] {
                    await self.expectRefusal(words) {
                        _ = try await engine.perform(.create(request), as: ActionID()) { _ in }
                    }
                }
            }
            #expect(await fixture.cloud.instanceCount == 0)
            #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty)
        }
    }

    /// A dashboard is open for days; its user changes the file meanwhile.
    @Test func aCapThatChangesHoldsForAnEngineThatRuns() async throws {
        try await MoneyFixture.with { fixture in
            let engine = try self.engine(fixture, "max_price: 100\n")
            let request = CreateRequest(platform: .vast)
            #expect(try await engine.rentalPlan(request).offers.isEmpty == false)
            _ = try self.engine(fixture, "max_price: 0.001\nper_day: 3\n")
            await self.expectRefusal("max_price in ") { _ = try await engine.rentalPlan(request) }
            await self.expectRefusal("max_price in ") {
                _ = try await engine.perform(.create(request), as: ActionID()) { _ in }
            }
            #expect(try engine.limitsReport().dayLimit?.dollars == 3)
            _ = try self.engine(fixture, "max_price: [\n")
            await self.expectRefusal("limits.yaml:") { _ = try await engine.rentalPlan(request) }
            try FileManager.default.removeItem(atPath: "\(fixture.folder)/limits.yaml")
            #expect(try await engine.rentalPlan(request).offers.isEmpty == false)
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    @Test func whatIsRentedIsNotStartedOrUsedAgainstACap() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            // A second one is one too many, whatever the history of who asks knows.
            await self.expectRefusal("1 instance is rented, and max_instances in ") {
                let engine = try self.engine(fixture, "max_instances: 1\n")
                _ = try await engine.perform(.create(CreateRequest(platform: .vast)), as: ActionID()) { _ in }
            }
            for yaml in ["verbs: [ls]\n", "nonsense: 1\n"] {
                let engine = try self.engine(fixture, yaml)
                await self.expectRefusal(
                    yaml.hasPrefix("verbs") ? "run is not among verbs" : "there is no limit"
                ) {
                    let request = RunRequest(command: .shell("true"), syncsUp: false, syncsDown: false)
                    _ = try await engine.perform(.run(instance.id, request), as: ActionID()) { _ in }
                }
            }
            // A run takes the cap along, however much was asked for.
            let capped = try self.engine(fixture, "max_cost: 0.5\n")
            let request = RunRequest(
                command: .shell("true"), syncsUp: false, syncsDown: false, maximumCost: 50)
            guard
                case .ran(let summary) = try await capped.perform(
                    .run(instance.id, request), as: ActionID(), report: { _ in })
            else { throw EngineFixture.WrongResult() }
            #expect(summary.job?.record?.maximumCost == 0.5)
            await capped.shutDown()
            _ = try await fixture.perform(.stop(instance.id))
            for (yaml, words) in [
                ("max_price: 0.001\n", "max_price in "), ("gpus: [MI300X]\n", "is not among gpus"),
                ("platforms: [runpod]\n", "is not among platforms"),
                ("verbs: [run]\n", "start is not among verbs"),
                ("max_instances: 0\n", "max_instances in "), ("per_day: 0.0001\n", "per_day in "),
                ("x: 1\n", "there is no limit"),
            ] {
                let engine = try self.engine(fixture, yaml)
                await self.expectRefusal(words) {
                    _ = try await engine.perform(.start(instance.id), as: ActionID()) { _ in }
                }
            }
            #expect(await fixture.engine.instances().values.map(\.status) == [.stopped])
            // What ends an instance is never refused for money, nor by a file that cannot be read.
            let broken = try self.engine(fixture, "nonsense: 1\nper_day: 0\n")
            _ = try await broken.perform(
                .destroy(instance.id, DestroyRequest(discardsResults: true)), as: ActionID()
            ) { _ in }
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    @Test func withinTheCapsAllGoesOn() async throws {
        try await MoneyFixture.with { fixture in
            let engine = try self.engine(
                fixture,
                "max_price: 100\nmax_cost: 100\nper_day: 100\nmax_instances: 1\nplatforms: [vast]\nverbs: [create-instance]\n"
            )
            guard
                case .created(let instance) = try await engine.perform(
                    .create(CreateRequest()), as: ActionID(), report: { _ in })
            else { throw EngineFixture.WrongResult() }
            #expect(instance.id.platform == .vast)
            let report = try engine.limitsReport()
            #expect(report.instances == 1)
            #expect(report.instancesLeft == 0)
            #expect((99.9...100).contains(report.leftToday ?? 0))
            await engine.shutDown()
        }
    }
}
