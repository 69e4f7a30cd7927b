import Foundation
import Testing
import VPEngine

@testable import vp

/// Whatever a value holds, `vp` finds words for it, and JSON that is JSON.
@Suite("Hostile numbers in words")
struct HostileNumbersTests {
    static let doubles: [Double] = [
        1e300, -1e300, .infinity, -.infinity, .nan, 1e19, -1e19, 1e-300, -1, 0, .leastNonzeroMagnitude,
    ]
    static let integers: [Int64] = [.max, .min, -1, 0, 1 << 62]

    private static let terminals = [true, false].map { isRich in
        var terminal = Terminal(environment: [:])
        (terminal.outputIsTTY, terminal.hasUnicode) = (isRich, isRich)
        return terminal
    }

    private static func date(_ value: Double) -> Date { Date(timeIntervalSince1970: value) }

    private static func isJSON(_ json: JSON) -> Bool {
        [json.line, json.document].allSatisfy {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)) != nil
        }
    }

    @Test(arguments: Self.doubles) func amountsHaveWords(_ value: Double) {
        let date = Self.date(value)
        let words = [
            Units.hourly(value), Units.dollars(value), TimeSpan.exact(value),
            Units.age(date, now: Self.date(1_795_000_000)), Units.age(Self.date(1_795_000_000), now: date),
            Units.timestamp(date), OffersCommand.describe(JobEstimate(hours: value)),
        ]
        for text in words { #expect(text.count < 80, "\(text)") }
        for json: JSON in [.number(value), .date(date)] {
            #expect(Self.isJSON(json), "\(json.line)")
        }
        if !value.isFinite { #expect(JSON.number(value).line == "null") }
        #expect(CostCommand.bar(value, of: 1, width: 60, hasUnicode: true).count <= 61)
        #expect(CostCommand.bar(1, of: value, width: 60, hasUnicode: false).count <= 61)
    }

    @Test(arguments: Self.integers) func sizesHaveWords(_ value: Int64) {
        #expect(Units.bytes(value).count < 30)
        #expect(Units.gpuMemory(value).count < 30)
        let progress = TransferProgress(
            bytes: value, totalBytes: .max, files: .max, totalFiles: .max, bytesPerSecond: 1e300)
        #expect(ProgressDisplay.describe(progress).count < 200)
        let other = TransferProgress(
            bytes: .min, totalBytes: value, files: .min, totalFiles: 1, bytesPerSecond: 1e-300)
        #expect(ProgressDisplay.describe(other).count < 200)
    }

    @Test(arguments: Self.doubles, Self.integers) func rowsAreListed(_ value: Double, _ count: Int64) throws {
        var lease = Lease(
            terms: LeaseTerms(seconds: value, maximumSeconds: value, idleSeconds: value),
            guardian: .instance, endsAt: Self.date(value), capEndsAt: Self.date(value),
            heardAt: Self.date(value), use: .idle(value))
        lease.parkedAt = Self.date(value)
        let instance = Instance(
            id: InstanceID(platform: .vast, rawValue: "%s%n"), name: "%d%@", status: .running,
            statusMessage: "%s", gpuName: "%s", gpuCount: Int(count), gpuMemoryBytes: count,
            price: HourlyPrice(dollarsPerHour: value), createdAt: Self.date(value),
            addresses: [SSHAddress(host: "h", port: Int(count))], diskBytes: count, lease: lease)
        let offer = Offer(
            id: OfferID(platform: .vast, rawValue: "%s"), gpuName: "%s", gpuCount: Int(count),
            gpuMemoryBytes: count, price: HourlyPrice(dollarsPerHour: value), cpuCores: value,
            memoryBytes: count, diskBytes: count, storageDollarsPerGBMonth: value, uploadDollarsPerGB: value,
            downloadDollarsPerGB: value, uploadMbps: value, downloadMbps: value, reliability: value,
            location: "%s", cudaVersion: value)
        var record = JobRecord()
        record.hardware = JobRecord.Hardware(instance)
        (record.maximumCost, record.peakBytes, record.logBytes) = (value, count, count)
        record.results = JobRecord.Results(
            SyncSummary(direction: .down, transferredFiles: Int(count), transferredBytes: count),
            at: Self.date(value))
        let job = Job(
            id: JobID("p-1"), instance: instance.id, command: .shell("%s"), state: .failed,
            outcome: .signalled(.max), cause: "%s", createdAt: Self.date(value),
            startedAt: Self.date(-value), endedAt: Self.date(value), dollars: value, workspacePath: "/p",
            logPath: "/l", record: record)
        let report = MoneyReport(
            instances: [instance, instance], balances: [Balance(platform: .vast, dollars: value)],
            spentToday: value, dollarsPerDay: value, alarms: [Alarm(.idle, instance.id, "%s%s")],
            asOf: Self.date(value))
        let account = CostAccount(
            grouping: .day, start: Self.date(value), end: Self.date(value),
            lines: [.init(key: "%s", dollars: value), .init(key: "b", dollars: 1)],
            total: .init(key: "total", dollars: value, chargedDollars: value))
        let now = Self.date(1_795_000_000)
        let estimate = JobEstimate(hours: value, sentBytes: count, receivedBytes: count)
        for terminal in Self.terminals {
            let lines =
                InstanceTable.lines([instance, instance], terminal: terminal, now: now, money: report)
                + OffersCommand.lines([offer, offer], query: OfferQuery(job: estimate), terminal: terminal)
                + JobsCommand.lines([job], terminal: terminal, now: now)
                + JobRecordText.lines(job, connection: nil, logBytes: count, terminal: terminal)
                + CostCommand.lines(account, terminal: terminal)
            #expect(lines.allSatisfy { $0.count < 1000 })
        }
        _ = StatusCommand.line(report, now: now)
        let documents = [
            Documents.instance(instance), Documents.offer(offer, job: estimate),
            Documents.job(job, connection: nil), StatusCommand.document(report),
            CostCommand.document(account, failures: []),
        ]
        for document in documents { #expect(Self.isJSON(document), "\(document.line)") }
    }
}
