import Foundation
import Testing
import VPEngine
import VPTUICore

/// Whatever the values of a state hold, each screen is drawn at every size.
@Suite("Hostile numbers on screen")
struct HostileNumbersTests {
    static let doubles: [Double] = [
        1e300, -1e300, .infinity, -.infinity, .nan, 1e19, -1e19, 1e-300, -1, .leastNonzeroMagnitude,
    ]
    private static let sizes = [
        Size(width: 200, height: 60), Size(width: 100, height: 30), Size(width: 80, height: 24),
        Size(width: 60, height: 15), Size(width: 1, height: 1),
    ]

    private static func draw(_ state: inout State) {
        for size in Self.sizes {
            _ = update(&state, .resized(size))
            for key in "123456789" {
                _ = update(&state, .key(.character(key), at: state.now))
                let buffer = view(state)
                #expect(buffer.size == size)
            }
        }
    }

    private static func lease(_ value: Double) -> Lease {
        var lease = Lease(
            terms: LeaseTerms(seconds: value, maximumSeconds: value, idleSeconds: value), guardian: .local,
            endsAt: Date(timeIntervalSince1970: value), capEndsAt: Date(timeIntervalSince1970: value),
            heardAt: Date(timeIntervalSince1970: value), use: .idle(value))
        lease.parkedAt = Date(timeIntervalSince1970: value)
        return lease
    }

    @Test(arguments: Self.doubles, [Int64.max, .min, -1, 1 << 62])
    func everyScreenIsDrawn(_ value: Double, _ count: Int64) {
        let date = Date(timeIntervalSince1970: value)
        var state = Samples.overview()
        let instances = ["a", "b"].map { id in
            Instance(
                id: Samples.vast(id), name: "%s", status: .running, gpuName: "%n", gpuCount: Int(count),
                gpuMemoryBytes: count, price: HourlyPrice(dollarsPerHour: value), createdAt: date,
                diskBytes: count, lease: Self.lease(value))
        }
        let offers = ["a", "b"].map { id in
            Offer(
                id: OfferID(platform: .vast, rawValue: id), gpuName: "%s", gpuCount: Int(count),
                gpuMemoryBytes: count, price: HourlyPrice(dollarsPerHour: value), cpuCores: value,
                memoryBytes: count, diskBytes: count, storageDollarsPerGBMonth: value,
                uploadDollarsPerGB: value, downloadDollarsPerGB: value, uploadMbps: value,
                downloadMbps: value, reliability: value, cudaVersion: value)
        }
        var job = Samples.job("train-7", .failed, on: Samples.vast("a"))
        (job.createdAt, job.startedAt, job.endedAt) = (date, Date(timeIntervalSince1970: -value), date)
        job.dollars = value
        job.outcome = .signalled(.max)
        var record = JobRecord()
        record.hardware = JobRecord.Hardware(instances[0])
        (record.peakBytes, record.logBytes, record.maximumCost) = (count, count, value)
        job.record = record
        _ = update(
            &state,
            .answered(.instancesLoaded(PlatformAnswers(values: instances, failures: [], fetchedAt: date))))
        _ = update(
            &state,
            .answered(.offersLoaded(.success(Samples.answers(offers)), generation: state.market.generation)))
        _ = update(
            &state, .answered(.balancesLoaded(Samples.answers([Balance(platform: .vast, dollars: value)]))))
        _ = update(&state, .answered(.jobsLoaded(.success([job]))))
        let sample = TelemetrySample(
            gpus: [
                .init(
                    utilization: value, usedBytes: count, totalBytes: .max, temperature: value, power: value),
                .init(
                    utilization: value, usedBytes: .max, totalBytes: count, temperature: value, power: value),
            ], busyTicks: count, totalTicks: .max, load: value, usedMemoryBytes: count,
            totalMemoryBytes: .max, usedDiskBytes: count, totalDiskBytes: .max, receivedBytes: count,
            sentBytes: count)
        for (step, sent) in [Int64.min, .max, count].enumerated() {
            var sample = sample
            (sample.sentBytes, sample.busyTicks, sample.totalTicks) = (sent, sent, ~sent)
            _ = update(
                &state,
                .telemetry(Samples.vast("a"), sample, at: Samples.now.addingTimeInterval(Double(step))))
        }
        state.instances.select(Samples.vast("a"))
        Self.draw(&state)
        state.mainContent = .metrics
        Self.draw(&state)
    }

    @Test(arguments: [1e300, .nan, .infinity, -1, 1e-300]) func transfersAreDrawn(_ rate: Double) {
        var state = Samples.overview()
        let action = EngineAction.sync(Samples.trainer.id)
        let id = ActionID()
        _ = update(&state, .engine(.queued(id, action), at: state.now))
        _ = update(&state, .engine(.started(id), at: state.now))
        for (bytes, total) in [(Int64.max, Int64.max), (.min, .max), (.max, 1), (-1, -1), (0, .min)] {
            let transfer = TransferProgress(
                bytes: bytes, totalBytes: total, files: .max, totalFiles: .min, bytesPerSecond: rate)
            _ = update(
                &state,
                .engine(.progress(id, ActionProgress(.uploading, transfer: transfer)), at: state.now))
            Self.draw(&state)
        }
    }

    @Test func filesOfAnySizeAreDrawn() {
        var state = Samples.overview()
        let sizes = [Int64.max, .max, .min, -1, 1 << 62]
        let report = WorkspaceReport(
            uploads: sizes.map { .init(path: "%s", bytes: $0) }, deletions: ["%n"],
            conflicts: sizes.map { .init(path: "c", bytes: $0) },
            files: sizes.map { .init(path: "f", bytes: $0, safety: .onlyThere) })
        press(&state, .character("F"))
        #expect(state.files.instance == Samples.trainer.id)
        _ = update(&state, .answered(.workspaceCompared(Samples.trainer.id, .success(report))))
        Self.draw(&state)
    }

    /// A log is the instance's own text: figures in it are numbers from outside as well.
    @Test func figuresOfALogAreDrawn() {
        var state = Samples.overview()
        let lines = ["1e308", "-1e308", "nan", "inf", "1e-308", "99999999999999999999", "0x1p4"]
            .flatMap { word in
                ["loss \(word)", "step \(word)/\(word)", " \(word)/\(word) [00:41<00:23, \(word)it/s]"]
            }
        Samples.openLog(&state, Array(repeating: lines, count: 20).flatMap(\.self).joined(separator: "\n"))
        state.mainContent = .metrics
        Self.draw(&state)
    }
}
