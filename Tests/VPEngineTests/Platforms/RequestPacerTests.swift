import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

@Suite("Keeping to the limits")
struct RequestPacerTests {
    @Test func callsAreSpacedByTheInterval() async throws {
        let clock = ScriptedClock()
        let pacer = RequestPacer(clock: clock.pacing)
        let limit = RateLimit("list", per: .seconds(3))
        for _ in 0..<3 { _ = try await pacer.waitForTurn(limit, patience: .seconds(60)) }
        #expect(clock.sleeps == [.seconds(3), .seconds(3)])
        clock.advance(by: .seconds(2))
        _ = try await pacer.waitForTurn(limit, patience: .seconds(60))
        #expect(clock.sleeps.last == .seconds(1))
    }

    @Test func aWindowLetsABurstThrough() async throws {
        let clock = ScriptedClock()
        let pacer = RequestPacer(clock: clock.pacing)
        let limit = RateLimit("search", calls: 10, per: .seconds(60))
        for _ in 0..<10 { _ = try await pacer.waitForTurn(limit, patience: .seconds(60)) }
        #expect(clock.sleeps.isEmpty)
        clock.advance(by: .seconds(20))
        _ = try await pacer.waitForTurn(limit, patience: .seconds(60))
        #expect(clock.sleeps == [.seconds(40)])
    }

    @Test func endpointsDoNotWaitForEachOther() async throws {
        let clock = ScriptedClock()
        let pacer = RequestPacer(clock: clock.pacing)
        _ = try await pacer.waitForTurn(RateLimit("a", per: .seconds(5)), patience: .seconds(60))
        _ = try await pacer.waitForTurn(RateLimit("b", per: .seconds(5)), patience: .seconds(60))
        #expect(clock.sleeps.isEmpty)
    }

    @Test func aScaleOfZeroWaitsOnlyWhenTold() async throws {
        let clock = ScriptedClock()
        let pacer = RequestPacer(scale: 0, clock: clock.pacing)
        let limit = RateLimit("list", per: .seconds(3))
        for _ in 0..<5 { _ = try await pacer.waitForTurn(limit, patience: .seconds(60)) }
        #expect(clock.sleeps.isEmpty)
        await pacer.close(limit, for: .seconds(4))
        #expect(try await pacer.waitForTurn(limit, patience: .seconds(60)) == nil)
        #expect(clock.sleeps == [.seconds(4)])
    }

    @Test func whatIsClosedForTooLongIsRefusedAtOnce() async throws {
        let clock = ScriptedClock()
        let pacer = RequestPacer(scale: 0, clock: clock.pacing)
        let limit = RateLimit("list", per: .seconds(3))
        await pacer.close(limit, for: .seconds(600))
        #expect(try await pacer.waitForTurn(limit, patience: .seconds(60)) == .seconds(600))
        #expect(clock.sleeps.isEmpty)
    }

    /// Two programs are one account to the platform.
    @Test func programsShareTheLimits() async throws {
        try await TemporaryFolder.with { folder async throws in
            let clock = ScriptedClock()
            func pacer(_ account: String = "a") -> RequestPacer {
                RequestPacer(clock: clock.pacing, shared: SharedPace(folder: folder.path, account: account))
            }
            let (first, second, other) = (pacer(), pacer(), pacer("b"))
            let limit = RateLimit("list", per: .seconds(3))
            _ = try await first.waitForTurn(limit, patience: .seconds(60))
            _ = try await second.waitForTurn(limit, patience: .seconds(60))
            _ = try await first.waitForTurn(limit, patience: .seconds(60))
            #expect(clock.sleeps == [.seconds(3), .seconds(3)])
            // Another account has limits of its own, and so has another endpoint.
            _ = try await other.waitForTurn(limit, patience: .seconds(60))
            _ = try await second.waitForTurn(RateLimit("show", per: .seconds(3)), patience: .seconds(60))
            #expect(clock.sleeps.count == 2)
            let window = RateLimit("search", calls: 3, per: .seconds(60))
            for each in [first, second, first, second] {
                _ = try await each.waitForTurn(window, patience: .seconds(90))
            }
            #expect(clock.sleeps.dropFirst(2) == [.seconds(60)])
            // One whose turn is too far away is told so, and takes nobody's.
            #expect(try await first.waitForTurn(window, patience: .seconds(1)) == nil)
            #expect(try await second.waitForTurn(window, patience: .seconds(1)) == nil)
            #expect(try await first.waitForTurn(window, patience: .seconds(1)) == .seconds(60))
        }
    }

    /// What one program was refused, none asks before its time;
    /// a program that was killed while it waited holds nobody up.
    @Test func programsShareARefusal() async throws {
        try await TemporaryFolder.with { folder async throws in
            let clock = ScriptedClock()
            let pace = SharedPace(folder: folder.path, account: "a")
            let first = RequestPacer(clock: clock.pacing, shared: pace)
            let limit = RateLimit("list", per: .seconds(3))
            await first.close(limit, for: .seconds(600))
            let second = RequestPacer(clock: clock.pacing, shared: pace)
            #expect(try await second.waitForTurn(limit, patience: .seconds(60)) == .seconds(600))
            #expect(try await second.waitForTurn(limit, patience: .seconds(900)) == nil)
            #expect(clock.sleeps == [.seconds(600)])
            let third = RequestPacer(clock: clock.pacing, shared: pace)
            #expect(try await third.waitForTurn(limit, patience: .seconds(900)) == nil)
            #expect(clock.sleeps == [.seconds(600), .seconds(3)])
        }
    }

    /// A damaged file, one of another start of the machine,
    /// and a folder that is none keep nobody from asking.
    @Test func whatCannotBeReadHoldsNobodyUp() async throws {
        try await TemporaryFolder.with { folder async throws in
            let clock = ScriptedClock()
            let limit = RateLimit("list", per: .seconds(3))
            let pace = SharedPace(folder: folder.path, account: "a")
            _ = try await RequestPacer(clock: clock.pacing, shared: pace).waitForTurn(
                limit, patience: .seconds(9))
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).first {
                    $0.hasSuffix(".json")
                })
            for text in [
                "{", #"{"boot":"other","starts":{"list":[1e9]},"closedUntil":{"list":1e9}}"#,
                #"{"boot":"","starts":{"list":[-1,1e300]},"closedUntil":{"list":1e300}}"#,
            ] {
                try folder.write(text, to: name)
                _ = try await RequestPacer(clock: clock.pacing, shared: pace).waitForTurn(
                    limit, patience: .seconds(9))
            }
            let nowhere = SharedPace(folder: "/proc/none", account: "a")
            let pacer = RequestPacer(clock: clock.pacing, shared: nowhere)
            _ = try await pacer.waitForTurn(limit, patience: .seconds(9))
            #expect(clock.sleeps.isEmpty)
            await pacer.close(limit, for: .seconds(2))
            #expect(try await pacer.waitForTurn(limit, patience: .seconds(9)) == nil)
            #expect(clock.sleeps == [.seconds(3)])
        }
    }

    @Test func aCancelledWaitEnds() async {
        let pacer = RequestPacer()
        let limit = RateLimit("list", per: .seconds(3600))
        _ = try? await pacer.waitForTurn(limit, patience: .seconds(9999))
        let waiting = Task { () -> Bool in
            do throws(CancellationError) {
                _ = try await pacer.waitForTurn(limit, patience: .seconds(9999))
                return false
            } catch {
                return true
            }
        }
        waiting.cancel()
        #expect(await waiting.value)
    }
}

@Suite("Repeating calls")
struct APICallerTests {
    private static let instance = InstanceID(platform: .vast, rawValue: "1")

    @Test(arguments: [
        #"{"detail":"API requests too frequent endpoint threshold=4.5"}"#,
        "API requests too frequent: endpoint threshold=4.5",
    ])
    func theThresholdInTheBodyIsKept(body: String) async throws {
        let bench = VastBench([.json(429, body), .ok(VastSamples.page([]))])
        _ = try await bench.client.instances()
        #expect(bench.clock.sleeps == [.seconds(4.5)])
    }

    @Test func retryAfterIsHonoured() async throws {
        let bench = VastBench([
            .json(429, "slow down", headers: ["retry-after": "7"]), .ok(VastSamples.page([])),
        ])
        _ = try await bench.client.instances()
        #expect(bench.clock.sleeps == [.seconds(7)])
    }

    @Test func withoutANumberThePausesDouble() async {
        let bench = VastBench([.json(429, "slow down")], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == .rateLimited)
        #expect(bench.clock.sleeps == [.seconds(2), .seconds(4), .seconds(8)])
        #expect(bench.lines.count == 4)
    }

    @Test func anHourIsNotWaitedForAndNotAskedAgain() async {
        let bench = VastBench(
            [.json(429, "no", headers: ["retry-after": "3600"])], repeatsLast: true)
        for _ in 0..<2 {
            let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances()
            }
            #expect(error?.code == .rateLimited)
        }
        #expect(bench.lines.count == 1)
        #expect(bench.clock.sleeps.isEmpty)
    }

    @Test(arguments: [502, 503, 504])
    func gatewayErrorsAreRepeated(status: Int) async throws {
        let bench = VastBench([.json(status, "<html>"), .ok(VastSamples.page([]))])
        _ = try await bench.client.instances()
        #expect(bench.lines.count == 2)
    }

    /// What something in between has put in the place of a list, or cut, comes whole the next time.
    @Test(arguments: ["<html>busy</html>", "", "  \n", "{\"instances\":[{\"id\":1}", "[{\"id\":1},"])
    func damagedReadsAreRepeated(body: String) async throws {
        let bench = VastBench([.ok(body), .ok(VastSamples.page([]))])
        #expect(try await bench.client.instances().isEmpty)
        #expect(bench.lines.count == 2)
        let damaged = VastBench([.ok(body)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await damaged.client.instances() }
        #expect(error?.code == .badResponse)
        #expect(damaged.lines.count == 3)
    }

    /// A whole document of another kind says something, and an order may have been carried out.
    @Test func whatIsWholeOrOrdersIsNotRepeated() async throws {
        for body in [#"{"success":false}"#, "[]", "null"] {
            let bench = VastBench([.ok(body)], repeatsLast: true)
            _ = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
            #expect(bench.lines.count == 1)
        }
        let order = VastBench([.ok("<html>")], repeatsLast: true)
        _ = await failure { () async throws(EngineError) in
            try await order.client.stop(APICallerTests.instance)
        }
        #expect(order.lines.count == 1)
    }

    /// An order goes out once; the instance tells whether it was carried out.
    @Test(arguments: [EngineError.Code.networkDown, .timedOut])
    func aLostOrderIsLookedFor(code: EngineError.Code) async throws {
        let stopped = VastSamples.edit(
            VastSamples.row,
            ["actual_status": "exited", "intended_status": "stopped", "cur_state": "stopped"])
        let done = VastBench([.fail(code), .ok("{\"instances\":\(stopped)}")], repeatsLast: true)
        try await done.client.stop(APICallerTests.instance)
        #expect(done.lines.map { $0.prefix(3) } == ["PUT", "GET"])

        let running = VastBench([.fail(code), .ok("{\"instances\":\(VastSamples.row)}")], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in
            try await running.client.stop(APICallerTests.instance)
        }
        #expect(error?.code == code)
        #expect(running.lines.map { $0.prefix(3) } == ["PUT", "GET", "GET", "GET"])
        #expect(running.clock.now < .seconds(10))
    }

    /// Whoever waits for two platforms waits for the slower one.
    @Test func aLongSilenceIsNotRepeated() async {
        let bench = VastBench([.silence(.seconds(15))], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == .timedOut)
        #expect(bench.lines.count == 1)
    }

    @Test func lostConnectionsAreRepeatedAFewTimes() async {
        let bench = VastBench([.fail(.networkDown)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == .networkDown)
        #expect(bench.lines.count == 4)
        #expect(bench.clock.now < .seconds(5))
    }

    @Test(arguments: [400, 401, 403, 404, 410, 500])
    func answersAreNotRepeated(status: Int) async {
        let bench = VastBench([.json(status, #"{"error":"x"}"#)], repeatsLast: true)
        _ = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(bench.lines.count == 1)
    }

    @Test func aDestroyIsRepeated() async throws {
        let bench = VastBench([
            .json(429, "API requests too frequent"), .fail(.timedOut),
            .json(404, #"{"success":false,"error":"no_such_instance"}"#),
        ])
        try await bench.client.destroy(APICallerTests.instance)
        #expect(bench.lines.count == 3)
    }

    /// A call that came too fast was not looked at.
    @Test func aKeyIsAddedAfterAPause() async throws {
        let bench = VastBench([.json(429, "API requests too frequent"), .ok(#"{"success":true}"#)])
        try await bench.client.addAccountKey("ssh-ed25519 A")
        #expect(bench.lines == Array(repeating: "POST /api/v0/ssh/", count: 2))
        #expect(bench.clock.now >= .seconds(2))
    }

    @Test func aKeyIsAddedOnce() async {
        let bench = VastBench([.json(503, "")], repeatsLast: true)
        _ = await failure { () async throws(EngineError) in
            try await bench.client.addAccountKey("ssh-ed25519 A")
        }
        #expect(bench.lines.count == 1)
    }

    @Test func theListStaysUnderItsLimit() async throws {
        let bench = VastBench([.ok(VastSamples.page([]))], repeatsLast: true, scale: 1)
        for _ in 0..<5 { _ = try await bench.client.instances() }
        // Doubles make the sum a little less than it is.
        #expect(bench.clock.now > .seconds(4.399))
    }
}
