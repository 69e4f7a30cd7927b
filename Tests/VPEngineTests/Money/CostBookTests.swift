import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

@Suite struct CostBookTests {
    private let midnight = Date(timeIntervalSince1970: 1_780_272_000)
    private let id = InstanceID(platform: .vast, rawValue: "7")

    private func span(
        _ from: Double, _ to: Double, _ price: Double, isOver: Bool = true, _ id: InstanceID? = nil,
        gpu: String = "RTX 4090", project: String? = "train"
    ) -> MeterSpan {
        MeterSpan(
            instance: id ?? self.id, gpuName: gpu, project: project,
            startedAt: self.midnight.addingTimeInterval(from * 3600),
            seenAt: self.midnight.addingTimeInterval(to * 3600), price: HourlyPrice(dollarsPerHour: price),
            isOver: isOver)
    }

    private func hour(_ hours: Double) -> Date { self.midnight.addingTimeInterval(hours * 3600) }

    @Test func pricesAreSummedOverTheirTimes() {
        let book = CostBook(
            spans: [self.span(0, 2, 0.5), self.span(2, 6, 0.1)], charges: [], now: self.hour(10))
        let line = book.cost(of: self.id, from: self.hour(1), to: self.hour(4))
        #expect(abs(line.dollars - (0.5 + 0.2)) < 1e-9)
        #expect(line.chargedDollars == 0)
    }

    @Test func whatIsNotOverGoesOnCostingUntilNow() {
        let book = CostBook(spans: [self.span(0, 1, 1, isOver: false)], charges: [], now: self.hour(10))
        #expect(abs(book.total(from: self.midnight, to: self.hour(20)).dollars - 10) < 1e-9)
    }

    @Test func aChargeReplacesWhatWasSeenForTheTimeThatItCounts() {
        let charge = Charge(
            instance: self.id, day: self.midnight, dollars: 3, countedUntil: self.hour(4))
        let book = CostBook(spans: [self.span(0, 10, 0.5)], charges: [charge], now: self.hour(10))
        let line = book.cost(of: self.id, from: self.midnight, to: self.hour(10))
        #expect(abs(line.dollars - (3 + 6 * 0.5)) < 1e-9)
        #expect(line.chargedDollars == 3)
        // Part of that time has its part of the charge.
        #expect(abs(book.cost(of: self.id, from: self.hour(1), to: self.hour(2)).dollars - 0.75) < 1e-9)
    }

    @Test func whatWasNeverSeenIsSpreadEvenly() {
        let charge = Charge(
            instance: self.id, day: self.midnight, dollars: 24, countedUntil: self.hour(24))
        let book = CostBook(spans: [], charges: [charge], now: self.hour(30))
        #expect(abs(book.cost(of: self.id, from: self.hour(3), to: self.hour(5)).dollars - 2) < 1e-9)
    }

    @Test func linesAreGrouped() {
        let other = InstanceID(platform: .runpod, rawValue: "x")
        var job = Job(
            id: JobID("train-1"), instance: self.id, command: .shell("x"), createdAt: self.hour(1),
            workspacePath: "/", logPath: "/")
        job.startedAt = self.hour(1)
        job.endedAt = self.hour(3)
        let book = CostBook(
            spans: [
                self.span(0, 4, 1),
                self.span(20, 28, 0.5, isOver: true, other, gpu: "A100", project: nil),
            ], charges: [], now: self.hour(40))
        func lines(_ grouping: CostBook.Grouping) -> [String] {
            book.lines(by: grouping, from: self.midnight, to: self.hour(40), jobs: [job])
                .map { String(format: "%@ %.2f", $0.key, $0.dollars) }
        }
        #expect(lines(.day) == ["2026-06-01 6.00", "2026-06-02 2.00"])
        #expect(lines(.gpu) == ["A100 4.00", "RTX 4090 4.00"])
        #expect(lines(.project) == ["(not rented here) 4.00", "train 4.00"])
        #expect(lines(.job) == ["(no job) 6.00", "train-1 2.00"])
    }

    /// Nobody sees when a price changes; half way between two looks is right on the whole.
    @Test func theMeterCutsBetweenTwoLooks() async throws {
        try await TemporaryFolder.with { folder in
            let history = try Store(stateFolder: "\(folder.path)/state")
            var instance = Instance(
                id: self.id, status: .running, gpuName: "RTX 4090", price: HourlyPrice(dollarsPerHour: 1),
                createdAt: self.midnight)
            try history.meter([instance], whole: .vast, at: self.hour(1))
            try history.meter([instance], whole: .vast, at: self.hour(2))
            instance.price = HourlyPrice(dollarsPerHour: 0.1)
            try history.meter([instance], whole: .vast, at: self.hour(4))
            try history.meter([], whole: .vast, at: self.hour(6))
            let spans = try history.meterSpans(since: .distantPast)
            #expect(spans.map(\.startedAt) == [self.midnight, self.hour(3)])
            #expect(spans.map(\.seenAt) == [self.hour(3), self.hour(5)])
            #expect(spans.map(\.isOver) == [true, true])
        }
    }
}
