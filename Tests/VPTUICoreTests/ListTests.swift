import Foundation
import Testing
import VPEngine
import VPTUICore

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
