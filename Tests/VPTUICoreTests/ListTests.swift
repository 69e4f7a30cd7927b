import Foundation
import Testing
import VPEngine
import VPTUICore
import VPTestSupport

@Suite struct ListTests {
    private func offers(_ filter: String) -> [String] {
        var list = ListState<Offer>()
        list.setRows(Samples.offers)
        list.apply(.filter(filter))
        return list.shown.map(\.gpuName)
    }

    @Test(arguments: [
        ("3060", ["RTX 3060"]), ("rtx !3060 !4090", ["RTX 3090", "RTX A6000"]), ("x2", ["RTX 4090"]),
        ("gpu:h100", ["H100 SXM"]), ("!gpu:rtx", ["L40S", "A100 SXM4", "H100 SXM"]),
        ("price:<0.1", ["RTX 3060"]), ("price:>=1.19", ["A100 SXM4", "H100 SXM"]),
        ("!price:<0.8", ["L40S", "A100 SXM4", "H100 SXM"]),
        ("mem:>50", ["RTX A6000", "L40S", "A100 SXM4", "H100 SXM"]),
        ("~^H.*SXM$", ["H100 SXM"]), ("~a[16]00", ["RTX A6000", "A100 SXM4"]),
        ("!~rtx", ["L40S", "A100 SXM4", "H100 SXM"]),
        ("where:poland gpu:3090", []), ("nosuchcolumn:x", []),
    ])
    func filters(_ text: String, _ expected: [String]) {
        #expect(self.offers(text) == expected, "\(text)")
    }

    @Test func aBrokenExpressionShowsEverythingAndIsNamed() {
        var list = ListState<Offer>()
        list.setRows(Samples.offers)
        list.apply(.filter("~[a"))
        #expect(list.shownCount == Samples.offers.count)
        #expect(list.filterProblem == "“[a” is not a regular expression")
    }

    @Test func ordersByEveryColumnBothWays() {
        var list = ListState<Offer>()
        list.setRows(Samples.offers)
        let names = Offer.orders.map { order in
            let ascending = list.shown.map(\.id)
            list.apply(.reverseOrder)
            #expect(Set(list.shown.map(\.id)) == Set(ascending))
            list.apply(.nextOrder)
            return order.name
        }
        #expect(names == ["price", "gpu", "memory", "reliability", "location", "download"])
        #expect(list.order.name == "price" && !list.isReversed)
        #expect(list.shown.map(\.price) == list.shown.map(\.price).sorted())
    }

    @Test func marksFollowTheirRows() {
        var list = ListState<Offer>()
        list.setRows(Samples.offers)
        list.apply(.toggleMark)
        list.apply(.toggleMark)
        let marked = list.marks
        #expect(marked.count == 2 && list.selectedIndex == 2)
        list.apply(.nextOrder)
        list.apply(.filter("h100"))
        #expect(list.marks == marked)
        #expect(Set(list.targets.map(\.id)) == marked)
        list.setRows(Samples.offers.filter { $0.id != list.targets[0].id })
        #expect(list.marks.count == 1)
        list.apply(.clearMarks)
        #expect(list.targets.map(\.id) == list.selection.map { [$0] })
    }

    @Test func aRangeGrowsAndShrinksWithTheSelection() {
        var list = ListState<Offer>()
        list.setRows(Samples.offers)
        list.apply(.toggleMark)
        list.apply(.select(index: 3))
        list.apply(.toggleRange)
        list.apply(.move(by: 3))
        #expect(list.marks.count == 5)
        list.apply(.move(by: -2))
        #expect(list.marks.count == 3)
        list.apply(.toggleRange)
        list.apply(.move(by: 2))
        #expect(list.marks.count == 3)
    }

    @Test func whatWasChosenIsRemembered() throws {
        var state = Samples.overview()
        press(&state, .character("2"), .character("o"), .character("O"), .character("/"))
        _ = type(&state, "rtx")
        press(&state, .enter)
        let data = try JSONEncoder().encode(state.toRemember)
        var next = Samples.overview()
        next.recall(try JSONDecoder().decode(Remembered.self, from: data))
        #expect(next.offers.order.name == "gpu" && next.offers.isReversed && next.offers.filter == "rtx")
        #expect(next.offers.shown.map(\.id) == state.offers.shown.map(\.id))
    }

    /// What a filter keeps and in which order, worked out row by row from the rows themselves,
    /// for every prefix of what is typed and after every change of the order.
    @Test(arguments: [
        "rtx 40", "x2 gpu:rtx", "!quebec ~[49]0$", "price:<1.5 rel:>0.9 l4", "!mem:>40 0", "rel:0.99",
        "where:é",
        "!rel:0.9 !~^vast x",
    ]) func listsAgreeWithTheirRows(_ text: String) {
        let rows = Self.mixed(400)
        var list = ListState<Offer>()
        list.setRows(rows)
        for step in 0..<(2 * Offer.orders.count) {
            for count in 1...text.count {
                list.apply(.filter(String(text.prefix(count))))
                #expect(list.shown == Self.shown(rows, list), "“\(list.filter)” by \(list.order.name)")
            }
            list.apply(step.isMultiple(of: 2) ? .reverseOrder : .nextOrder)
            #expect(list.shown == Self.shown(rows, list), "“\(list.filter)” by \(list.order.name)")
        }
        list.setRows(Array(rows.dropFirst(7)))
        #expect(list.shown == Self.shown(Array(rows.dropFirst(7)), list))
    }

    /// Many that are equal in something, and some that lack it.
    private static func mixed(_ count: Int) -> [Offer] {
        var random = SeededGenerator(seed: 7)
        return (0..<count).map { number in
            var offer = Samples.offer(
                number, ["RTX 4090", "RTX 3090", "H100 SXM", "L40S"].randomElement(using: &random)!,
                Double(Int.random(in: 1...30, using: &random)) / 10,
                count: Int.random(in: 1...4, using: &random),
                memory: [24, 48, 80].randomElement(using: &random)!)
            offer.location = [nil, "Quebec, CA", "Québec, CA", "Texas, US"].randomElement(using: &random)!
            offer.reliability = [nil, 0.9, 0.991, 0.999].randomElement(using: &random)!
            return offer
        }
    }

    private static func shown(_ rows: [Offer], _ list: ListState<Offer>) -> [Offer] {
        let words = list.filter.split(separator: " ").map { Substring($0) }
        let kept = rows.filter { row in words.allSatisfy { Self.accepts($0, row) } }
        let falls = list.order.largestFirst != list.isReversed
        return kept.enumerated().sorted { one, other in
            switch (one.element.value(list.order.column), other.element.value(list.order.column)) {
            case (.number(let left), .number(let right)) where left != right: (left < right) != falls
            case (.text(let left), .text(let right)) where left != right: (left < right) != falls
            case (.nothing, .nothing): one.offset < other.offset
            case (.nothing, _): false
            case (_, .nothing): true
            default: one.offset < other.offset
            }
        }.map(\.element)
    }

    private static func accepts(_ word: Substring, _ row: Offer) -> Bool {
        if word.hasPrefix("!"), word.count > 1 { return !Self.accepts(word.dropFirst(), row) }
        var columns = Array(Offer.columns.indices).filter {
            if case .text = row.value($0) { true } else { false }
        }
        var wanted = word
        if let colon = word.firstIndex(of: ":"),
            let column = Offer.columns.firstIndex(of: String(word[..<colon])),
            colon != word.index(before: word.endIndex)
        {
            columns = [column]
            wanted = word[word.index(after: colon)...]
            if let number = Double(wanted.dropFirst()), "<>".contains(wanted.first!) {
                guard case .number(let value) = row.value(column) else { return false }
                return wanted.hasPrefix("<") ? value < number : value > number
            }
        }
        let matcher = TextMatcher(TextPattern(wanted))
        return matcher == nil
            || columns.contains { column in
                switch row.value(column) {
                case .text(let text): matcher!.accepts(text)
                case .number(let number): matcher!.accepts(String(format: "%.3f", number))
                case .nothing: false
                }
            }
    }

    /// Fifty thousand rows are filtered and ordered while nobody notices; `bench/` measures the time.
    @Test func aLargeListIsFilteredAndOrderedRightly() {
        var list = ListState<Offer>()
        list.setRows(
            (0..<5000).map { Samples.offer($0, $0 % 7 == 0 ? "H100" : "L4", Double($0 * 7919 % 1000) / 100) })
        list.apply(.filter("h100"))
        #expect(list.shownCount == 715)
        #expect(list.shown.map(\.price) == list.shown.map(\.price).sorted())
    }
}
