import Foundation
import Testing
import VPEngine
import VPTUICore
import VPTestSupport

/// How often the platforms are asked: a minute of `vp ls` and of the dashboard with twenty instances on each.
@Suite struct PollingTests {
    /// No more than `calls` requests that begin with `line` in any span of `seconds`, as published.
    private struct Rule {
        let line: String
        let calls: Int
        let seconds: Double
    }

    private static let rules = [
        Rule(line: "GET /api/v1/instances", calls: 1, seconds: 1),
        Rule(line: "POST /api/v0/bundles", calls: 10, seconds: 60),
        Rule(line: "GET /api/v0/users/current", calls: 1, seconds: 1),
        // All calls of RunPod's REST API together.
        Rule(line: "GET /v2/", calls: 60, seconds: 60),
        Rule(line: "GET /v2/", calls: 3000, seconds: 3600),
        Rule(line: "GET /v2/", calls: 50_000, seconds: 86_400),
    ]

    @Test func aListAsksEachPlatformOnce() async throws {
        try await Self.withEngine { engine, platforms in
            let answers = await engine.instances()
            #expect(answers.failures.isEmpty && answers.values.count == 40)
            #expect(Set(platforms.lines) == ["GET /api/v1/instances/", "GET /v2/pods"])
            #expect(platforms.lines.count == 2)
        }
    }

    /// Left alone, the dashboard sleeps; with somebody at the keys it takes a fifth of what RunPod allows.
    @Test(arguments: [(false, 3...5), (true, 11...13)])
    func aMinuteIsQuiet(isTypedAt: Bool, lists: ClosedRange<Int>) async throws {
        try await Self.withEngine { engine, platforms in
            await Self.minute(engine, platforms) { state, date in
                isTypedAt ? update(&state, .key(.character("j"), at: date)) : []
            }
            let counts = Dictionary(platforms.lines.map { ($0, 1) }, uniquingKeysWith: +)
            #expect(lists.contains(counts["GET /api/v1/instances/", default: 0]), "\(counts)")
            #expect(lists.contains(counts["GET /v2/pods", default: 0]), "\(counts)")
            #expect(counts["POST /api/v0/bundles/", default: 0] <= 4)
            #expect(counts["POST /graphql", default: 0] <= 2)
            Self.expectKept(platforms)
        }
    }

    /// Whoever leans on the refresh key waits longer, and nobody is refused.
    @Test func anImpatientMinuteKeepsTheLimits() async throws {
        try await Self.withEngine { engine, platforms in
            await Self.minute(engine, platforms) { state, date in
                update(&state, .key(.control("r"), at: date))
            }
            #expect(platforms.lines.count { $0.hasPrefix("POST /api/v0/bundles") } >= 8)
            Self.expectKept(platforms)
        }
    }

    private static func expectKept(_ platforms: FullPlatforms) {
        for rule in self.rules {
            let times = platforms.times(of: rule.line)
            for (earlier, later) in zip(times, times.dropFirst(rule.calls)) {
                #expect(later - earlier >= rule.seconds, "\(rule.line) at \(earlier) s and \(later) s")
            }
        }
    }

    /// Two dashboards, each started in a second of its own, and a `vp ls` now and then:
    /// the platforms hear no more of them than of one.
    @Test(arguments: [(false, 3...6), (true, 11...15)])
    func twoDashboardsAskNoMoreThanOne(isTypedAt: Bool, lists: ClosedRange<Int>) async throws {
        try await Self.withEngine { engine, platforms in
            await Self.minute(engine, platforms, startingAt: [0, 3.25]) { state, date in
                isTypedAt ? update(&state, .key(.character("j"), at: date)) : []
            }
            let counts = Dictionary(platforms.lines.map { ($0, 1) }, uniquingKeysWith: +)
            #expect(lists.contains(counts["GET /api/v1/instances/", default: 0]), "\(counts)")
            #expect(lists.contains(counts["GET /v2/pods", default: 0]), "\(counts)")
            #expect(counts["POST /api/v0/bundles/", default: 0] <= 4)
            #expect(counts["POST /graphql", default: 0] <= 3)
            Self.expectKept(platforms)
        }
    }

    /// vast.ai has so many searches a day. Two dashboards at which somebody types all day take at most sixty
    /// of them and the two of their starts; left alone they take none.
    @Test(arguments: [(true, 40...62), (false, 0...2)])
    func aDayHasFewSearches(isTypedAt: Bool, searches: ClosedRange<Int>) async throws {
        try await Self.withEngine { engine, platforms in
            let other = try Self.engine(like: engine, platforms)
            var states = [Samples.empty(), Samples.empty()]
            for index in states.indices {
                _ = update(&states[index], .tick(Samples.now))
                for effect in states[index].begin() {
                    await Self.performOffers(effect, index == 0 ? engine : other, &states[index])
                }
            }
            for step in 1..<(24 * 60 * 3) {
                platforms.advance(to: Double(step) * 20)
                let date = Samples.now.addingTimeInterval(Double(step) * 20)
                for index in states.indices {
                    var effects = update(&states[index], .tick(date))
                    if isTypedAt { effects += update(&states[index], .key(.character("j"), at: date)) }
                    for effect in effects {
                        await Self.performOffers(effect, index == 0 ? engine : other, &states[index])
                    }
                }
            }
            let count = platforms.lines.count { $0 == "POST /api/v0/bundles/" }
            #expect(searches.contains(count), "\(count) searches")
            // What is not asked for stays on screen.
            #expect(states.allSatisfy { $0.offers.rows.count == 20 && $0.market.error == nil })
        }
    }

    /// Two dashboards, at which somebody types for a third of the time, and a `vp ls` every minute at the
    /// very same moments: within what both platforms publish, so that neither ever has to refuse.
    ///
    /// Four hours of it; `VP_TEST_HOURS=24` is the whole day.
    @Test func aDayOfTwoDashboardsAndALookEachMinuteKeepsTheLimits() async throws {
        let hours = ProcessInfo.processInfo.environment["VP_TEST_HOURS"].flatMap(Int.init) ?? 4
        try await Self.withEngine(rows: 2) { engine, platforms in
            let other = try Self.engine(like: engine, platforms)
            var states = [Samples.empty(), Samples.empty()]
            var effects: [[Effect]] = [[], []]
            for index in states.indices {
                _ = update(&states[index], .tick(Samples.now))
                effects[index] = states[index].begin()
            }
            var looks = 0
            for minute in 0..<(hours * 60) {
                for step in 0..<3 {
                    platforms.advance(to: Double(minute * 60 + step * 20))
                    let date = Samples.now.addingTimeInterval(platforms.now)
                    for index in states.indices {
                        effects[index] += update(&states[index], .tick(date))
                        if minute * 3 >= hours * 60, minute * 3 < hours * 120 {
                            effects[index] += update(&states[index], .key(.character("j"), at: date))
                        }
                    }
                    // Another program: what it knows of the others stands on the disk.
                    let look = step == 0 ? try Self.engine(like: engine, platforms) : nil
                    await withTaskGroup(of: Void.self) { group in
                        if let look {
                            looks += 1
                            group.addTask {
                                await look.takeUpEnds()
                                async let balances: Void = look.refreshBalances()
                                let answers = await look.instances()
                                await balances
                                #expect(answers.failures.isEmpty && answers.values.count == 4)
                            }
                        }
                    }
                    for index in states.indices {
                        for effect in effects[index] {
                            await Self.perform(effect, index == 0 ? engine : other, &states[index])
                        }
                        effects[index] = []
                    }
                }
            }
            #expect(looks == hours * 60)
            Self.expectKept(platforms)
            let counts = Dictionary(platforms.lines.map { ($0, 1) }, uniquingKeysWith: +)
            #expect(counts["GET /api/v1/instances/", default: 0] >= looks, "\(counts)")
            #expect(counts["POST /api/v0/bundles/", default: 0] <= 62, "\(counts)")
        }
    }

    /// Each start is a look at the list and no search of its own,
    /// and neither is each change of the launch form.
    @Test(arguments: [false, true]) func startsAndFormsShareTheDay(hasOtherQueries: Bool) async throws {
        try await Self.withEngine { engine, platforms in
            for start in 0..<100 {
                platforms.advance(to: Double(start) * 864)
                let other = try Self.engine(like: engine, platforms)
                var state = Samples.empty()
                let date = Samples.now.addingTimeInterval(Double(start) * 864)
                _ = update(&state, .tick(date))
                for effect in state.begin() { await Self.performOffers(effect, other, &state) }
                // Another question's answer may have taken the list's place on disk;
                // it is said when there is the next.
                let isShown = state.offers.rows.count == 20 && state.market.error == nil
                #expect(hasOtherQueries || isShown, "start \(start)")
                guard hasOtherQueries else { continue }
                var request = CreateRequest(query: OfferQuery(gpu: start % 2 == 0 ? "RTX 4090" : "RTX 3090"))
                request.query.diskBytes = Int64(20 + start) * 1_000_000_000
                _ = try? await other.rentalPlan(request, for: .watching)
            }
            let count = platforms.lines.count { $0 == "POST /api/v0/bundles/" }
            #expect((20...60).contains(count), "\(count) searches")
            // What is asked for by a command or by its key is not held back by that.
            for _ in 0..<5 { _ = try await engine.offers(OfferQuery()) }
            _ = try await engine.recentOffers(OfferQuery(), maximumAge: 0)
            #expect(platforms.lines.count { $0 == "POST /api/v0/bundles/" } == count + 6)
        }
    }

    /// A list that nobody sees is not asked for, whatever is typed elsewhere.
    @Test func offersThatAreNotOnScreenAreNotAskedFor() async throws {
        try await Self.withEngine { engine, platforms in
            await Self.minute(engine, platforms) { state, date in
                state.zoom = .main
                return update(&state, .key(.character("j"), at: date))
            }
            #expect(platforms.lines.count { $0 == "POST /api/v0/bundles/" } == 1, "that of the start")
        }
    }

    /// Does what concerns offers; all else is answered by nothing at once.
    private static func performOffers(_ effect: Effect, _ engine: Engine, _ state: inout State) async {
        switch effect {
        case .ask(.loadOffers), .ask(.pollOffers): await self.perform(effect, engine, &state)
        case .ask(.loadInstances), .ask(.pollInstances):
            let none = PlatformAnswers<Instance>(values: [], failures: [], fetchedAt: state.now)
            _ = update(&state, .answered(.instancesLoaded(none)))
        case .ask(.loadBalances), .ask(.pollBalances):
            let none = PlatformAnswers<Balance>(values: [], failures: [], fetchedAt: state.now)
            _ = update(&state, .answered(.balancesLoaded(none)))
        case .ask(.loadJobs): _ = update(&state, .answered(.jobsLoaded(.success([]))))
        default: break
        }
    }

    /// Several programs find the answers too old at the same moment.
    @Test func ofThoseThatAskAtOnceOneDoes() async throws {
        try await Self.withEngine { engine, platforms in
            let others = try (0..<4).map { _ in try Self.engine(like: engine, platforms) }
            await withTaskGroup(of: Int.self) { group in
                for each in [engine] + others {
                    group.addTask { await each.recentInstances(maximumAge: 4).values.count }
                    group.addTask {
                        (try? await each.recentOffers(OfferQuery(), maximumAge: 4).values.count) ?? 0
                    }
                }
                for await count in group { #expect(count > 0) }
            }
            let counts = Dictionary(platforms.lines.map { ($0, 1) }, uniquingKeysWith: +)
            #expect(
                counts["GET /api/v1/instances/"] == 1 && counts["POST /api/v0/bundles/"] == 1, "\(counts)")
            // Offers for another question are asked for.
            _ = try await engine.recentOffers(OfferQuery(gpu: "RTX 4090"), maximumAge: 4)
            #expect(platforms.lines.count { $0 == "POST /api/v0/bundles/" } == 2)
        }
    }

    /// Plays a minute of dashboards that start at those seconds, a quarter of a second at a time,
    /// and does what they want done.
    private static func minute(
        _ engine: Engine, _ platforms: FullPlatforms, startingAt starts: [Double] = [0],
        each: (inout State, Date) -> [Effect]
    ) async {
        var states: [(state: State, effects: [Effect])] = []
        var next = 0.0
        while next < 60 {
            for index in states.indices {
                for effect in states[index].effects {
                    await self.perform(effect, engine, &states[index].state)
                }
            }
            next = max(next + 0.25, platforms.now)
            platforms.advance(to: next)
            let date = Samples.now.addingTimeInterval(next)
            for index in states.indices {
                states[index].effects =
                    update(&states[index].state, .tick(date)) + each(&states[index].state, date)
            }
            if states.count < starts.count, starts[states.count] <= next {
                var state = Samples.empty()
                _ = update(&state, .tick(date))
                states.append((state, state.begin()))
            }
        }
    }

    private static func perform(_ effect: Effect, _ engine: Engine, _ state: inout State) async {
        switch effect {
        case .ask(.loadInstances): _ = update(&state, .answered(.instancesLoaded(await engine.instances())))
        case .ask(.pollInstances(let age)):
            _ = update(&state, .answered(.instancesLoaded(await engine.recentInstances(maximumAge: age))))
        case .ask(.loadBalances): _ = update(&state, .answered(.balancesLoaded(await engine.balances())))
        case .ask(.pollBalances(let age)):
            _ = update(&state, .answered(.balancesLoaded(await engine.recentBalances(maximumAge: age))))
        case .ask(.loadOffers(let query, let generation)):
            await self.ask(query, 0, .asked, generation, engine, &state)
        case .ask(.pollOffers(let query, let generation, let age)):
            await self.ask(query, age, .watching, generation, engine, &state)
        case .ask(.loadJobs): _ = update(&state, .answered(.jobsLoaded(.success([]))))
        default: break
        }
    }

    private static func ask(
        _ query: OfferQuery, _ age: Double, _ purpose: SearchPurpose, _ generation: Int, _ engine: Engine,
        _ state: inout State
    ) async {
        do throws(EngineError) {
            let answers = try await engine.recentOffers(query, maximumAge: age, for: purpose)
            _ = update(&state, .answered(.offersLoaded(.success(answers), generation: generation)))
        } catch {
            _ = update(&state, .answered(.offersLoaded(.failure(error), generation: generation)))
        }
    }

    /// Another program: the same files, its own memory.
    private static func engine(like engine: Engine, _ platforms: FullPlatforms) throws -> Engine {
        try Engine(
            configuration: engine.configuration,
            clients: platforms.clients(engine.configuration.paths.stateFolder), runner: SystemProcessRunner(),
            now: { Samples.now.addingTimeInterval(platforms.now) })
    }

    private static func withEngine(rows: Int = 20, _ body: (Engine, FullPlatforms) async throws -> Void)
        async throws
    {
        try await TemporaryFolder.with { folder in
            let platforms = FullPlatforms(rows: rows)
            let paths = EngineConfiguration.Paths(
                userConfigurationFile: folder.path + "/config.yaml", stateFolder: folder.path + "/state",
                cacheFolder: folder.path + "/cache", socketFolder: folder.path + "/sockets")
            let configuration = EngineConfiguration(
                endpoints: [], paths: paths, identityFile: nil,
                workspace: Workspace(name: "test", localRoot: folder.path), environment: [:])
            let engine = try Engine(
                configuration: configuration, clients: platforms.clients(paths.stateFolder),
                runner: SystemProcessRunner(),
                now: { Samples.now.addingTimeInterval(platforms.now) })
            try await body(engine, platforms)
        }
    }
}
