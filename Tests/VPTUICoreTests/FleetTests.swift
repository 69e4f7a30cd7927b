import Foundation
import Testing
import VPEngine
import VPTUICore

/// What the screen shows of several instances at work, and that it uses its room for that.
@Suite struct FleetTests {
    private static func drawn(_ width: Int, _ height: Int, _ change: (inout State) -> Void = { _ in })
        -> (state: State, rows: [String])
    {
        var state = Samples.fleet()
        _ = update(&state, .resized(Size(width: width, height: height)))
        change(&state)
        let buffer = view(state)
        return (state, (0..<height).map { String(buffer.row($0).filter { $0.width > 0 }.map(\.text)) })
    }

    /// Rows of `area` in which nothing stands.
    private static func blank(_ area: Rect, _ rows: [String]) -> Int {
        (area.y..<area.maxY).count { y in
            Array(rows[y])[area.x..<min(area.maxX, rows[y].count)].allSatisfy { $0 == " " }
        }
    }

    @Test(arguments: [(200, 50), (160, 45), (120, 40)]) func noPaneIsBlankWhileAnotherHidesRows(
        _ width: Int, _ height: Int
    ) throws {
        let (state, rows) = Self.drawn(width, height)
        let layout = Layout(state)
        let fleet = try #require(layout.fleet)
        let hiding = layout.lists.contains { pane, area in
            // The market is a line by choice.
            pane != .offers && Self.count(pane, state) > area.inner.height
        }
        let boxes = layout.lists.map(\.1.inner) + [fleet.inner]
        for box in boxes { #expect(!hiding || Self.blank(box, rows) <= 3) }
        let blank = boxes.reduce(0) { $0 + Self.blank($1, rows) }
        #expect(blank * 5 <= height, "\(blank) of \(height)\n\(rows.joined(separator: "\n"))")
    }

    private static func count(_ pane: Pane, _ state: State) -> Int {
        switch pane {
        case .instances: state.instances.shownCount
        case .offers: state.offers.shownCount
        case .jobs: state.jobs.shownCount
        case .main: 0
        }
    }

    @Test(arguments: [(80, 24), (61, 15), (100, 30), (120, 40), (200, 50)]) func everyIDAndPlatformIsWhole(
        _ width: Int, _ height: Int
    ) {
        let (_, rows) = Self.drawn(width, height)
        for instance in [Samples.trainer, Samples.other, Samples.pod] {
            let platform = instance.platform == .vast ? "vast" : "rp"
            #expect(
                rows.contains { $0.contains("\(platform) ") && $0.contains("\(instance.id.rawValue) ") },
                "\(instance.id)\n\(rows.joined(separator: "\n"))")
        }
        for job in ["train-7 ", "train-8 "] { #expect(rows.contains { $0.contains(job) }) }
    }

    /// Of the job, not the instance that it runs on.
    private static func job(_ name: String, _ rows: [String]) -> String? {
        rows.first { $0.contains("│ \(name) ") || $0.contains("▌\(name) ") }
    }

    @Test func rowsTellOfLoadAndTraining() throws {
        let (_, rows) = Self.drawn(200, 50)
        let instance = try #require(rows.first { $0.contains("31415 ") && $0.contains("RTX 4090") })
        #expect(instance.contains(" 84 %  ▇▇▇▇▇ "), "\(instance)")
        let job = try #require(Self.job("train-8", rows))
        #expect(job.contains("loss 0.34 ↘") && job.contains("14/60 ▰▱▱▱▱ 23 %"), "\(job)")
        // Shorter ids leave room for more.
        let (_, short) = Self.drawn(200, 50) {
            _ = update(&$0, .answered(.instancesLoaded(Samples.answers([Samples.trainer, Samples.other]))))
        }
        #expect(short.contains { $0.contains("31415 ") && $0.contains("▇▇▇▇▇  11.0/24 G") })
    }

    /// What does not fit is left out whole, the least important first.
    @Test func figuresAreDroppedFromTheRight() {
        var states: [String] = []
        for width in stride(from: 200, through: 61, by: -6) {
            let (_, rows) = Self.drawn(width, 40)
            guard let row = Self.job("train-8", rows) else { continue }
            let hasLoss = row.contains("loss 0.34 ↘")
            let hasProgress = row.contains("14/60 ▰▱▱▱▱ 23 %")
            #expect(hasLoss || !hasProgress, "\(row)")
            #expect(hasLoss || !row.contains("loss"), "\(row)")
            #expect(hasProgress || !row.contains("/60"), "\(row)")
            states.append("\(hasLoss)\(hasProgress)")
        }
        #expect(Set(states).count > 1)
    }

    @Test func aLookThatIsOldIsNotShown() {
        let (_, rows) = Self.drawn(200, 50) {
            _ = update(&$0, .tick(Samples.now.addingTimeInterval(120)))
        }
        #expect(rows.first { $0.contains("31415 ") && $0.contains("running") }?.contains("24 G") == false)
    }

    @Test func offersAreALineUntilSomebodyGoesThere() {
        var (state, rows) = Self.drawn(200, 50)
        #expect(rows.contains { $0.contains("2 Offers · cheapest RTX 3060 $0.074 · 9") })
        press(&state, .character("2"))
        #expect(Layout(state).fleet == nil && screenText(view(state)).contains("812 Mb/s"))
        // A look at the details of an offer leaves the list open.
        press(&state, .character("4"))
        #expect(Layout(state).fleet == nil)
        press(&state, .character("1"))
        #expect(Layout(state).fleet != nil)
        // Tab goes through it like through any other.
        press(&state, .tab)
        #expect(state.focus == .offers && Layout(state).fleet == nil)
    }

    @Test func withoutAnythingRentedTheMarketIsOpen() {
        var (state, _) = Self.drawn(200, 50)
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([Samples.parked]))))
        #expect(Layout(state).fleet == nil)
        #expect(screenText(view(state)).contains("812 Mb/s"))
    }

    @Test func aClickOnTheLineOpensIt() throws {
        var (state, rows) = Self.drawn(200, 50)
        let y = try #require(rows.firstIndex { $0.contains("2 Offers") })
        _ = update(&state, .mouse(MouseEvent(.press, at: Point(x: 10, y: y)), at: Samples.now))
        #expect(state.focus == .offers)
        (state, rows) = Self.drawn(200, 50)
        let jobs = try #require(rows.firstIndex { $0.contains("3 Jobs") })
        _ = update(&state, .mouse(MouseEvent(.press, at: Point(x: 10, y: jobs)), at: Samples.now))
        #expect(state.focus == .jobs)
    }

    /// A row on screen is looked at now and then, the one in full more often.
    @Test func everyRunningInstanceIsWatched() {
        var state = Samples.overview()
        var watched: [Effect] = []
        for instances in [[Samples.trainer, Samples.other, Samples.pod], [Samples.trainer]] {
            watched = update(&state, .answered(.instancesLoaded(Samples.answers(instances)))).filter {
                if case .order(.watch) = $0 { true } else { false }
            }
            let expected = Dictionary(
                uniqueKeysWithValues: instances.map { ($0.id, $0.id == Samples.trainer.id ? 2 : 5) })
            #expect(watched == [.order(.watch(expected))])
        }
    }

    /// Nobody reads a curve by the second while nobody is there; a key asks for the load of now.
    @Test func aDashboardLeftAloneSamplesMoreRarely() {
        var state = Samples.empty()
        _ = state.begin()
        func watched(_ message: Message) -> [InstanceID: Int]? {
            update(&state, message).lazy.compactMap {
                if case .order(.watch(let intervals)) = $0 { intervals } else { nil }
            }.first
        }
        func typed(at seconds: TimeInterval) -> Message {
            .key(.left, at: Samples.now.addingTimeInterval(seconds))
        }
        _ = update(&state, typed(at: 0))
        let listed = Samples.answers([Samples.trainer, Samples.other])
        let (one, other) = (Samples.trainer.id, Samples.other.id)
        #expect(watched(.answered(.instancesLoaded(listed))) == [one: 5, other: 5])
        #expect(watched(.tick(Samples.now.addingTimeInterval(1))) == [one: 2, other: 5])
        #expect(watched(.tick(Samples.now.addingTimeInterval(19))) == nil)
        #expect(watched(.tick(Samples.now.addingTimeInterval(20))) == [one: 5, other: 10])
        #expect(watched(typed(at: 21)) == [one: 2, other: 5])
    }

    @Test func curvesGoThroughWhatIsKnown() {
        for plotting in [Settings.Plotting.braille, .blocks, .ascii] {
            let (_, rows) = Self.drawn(200, 50) {
                $0.settings.plotting = plotting
                $0.settings.isASCII = plotting == .ascii
            }
            let full: Set<Character> = plotting == .ascii ? ["#"] : ["█"]
            #expect(rows.count { $0.contains { full.contains($0) } } > 12)
        }
    }
}
