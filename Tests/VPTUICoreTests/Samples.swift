import Foundation
import Testing
import VPEngine
import VPTUICore

/// States and values that the tests of the core share.
enum Samples {
    /// 2023-11-14 12:04:31 UTC.
    static let now = Date(timeIntervalSince1970: 1_699_963_471)
    static let session = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0))

    static func vast(_ id: String) -> InstanceID { InstanceID(platform: .vast, rawValue: id) }

    static let trainer = Instance(
        id: vast("31415"), name: "train", status: .running, gpuName: "RTX 4090",
        gpuMemoryBytes: 25_757_220_864, price: HourlyPrice(dollarsPerHour: 0.354),
        createdAt: now.addingTimeInterval(-4350), image: "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime",
        addresses: [SSHAddress(host: "ssh5.vast.ai", port: 31_415)], diskBytes: 40_000_000_000,
        location: "Quebec, CA")
    static let loader = Instance(
        id: InstanceID(platform: .runpod, rawValue: "7h9k2m"), name: "eval", status: .loading,
        statusMessage: "pulling layer 7 of 12", gpuName: "A100 80G", gpuCount: 2,
        price: HourlyPrice(dollarsPerHour: 2.38), createdAt: now.addingTimeInterval(-75))
    static let parked = Instance(
        id: vast("27182"), name: "old-finetune", status: .stopped, gpuName: "RTX 3090",
        price: HourlyPrice(dollarsPerHour: 0.005), createdAt: now.addingTimeInterval(-300_000))

    static func offer(_ number: Int, _ gpu: String, _ dollars: Double, count: Int = 1, memory: Int64 = 24)
        -> Offer
    {
        Offer(
            id: OfferID(platform: .vast, rawValue: String(6_800_000 + number)), gpuName: gpu, gpuCount: count,
            gpuMemoryBytes: memory * 1_073_741_824, price: HourlyPrice(dollarsPerHour: dollars), cpuCores: 16,
            memoryBytes: 64_000_000_000, diskBytes: 500_000_000_000, storageDollarsPerGBMonth: 0.15,
            uploadDollarsPerGB: 0.004, downloadDollarsPerGB: 0.002, uploadMbps: 730, downloadMbps: 812,
            reliability: 0.998 - Double(number) * 0.004,
            location: ["Quebec, CA", "Texas, US", "Poland, PL"][number % 3],
            cudaVersion: 12.4)
    }

    static let offers: [Offer] =
        [
            offer(1, "RTX 4090", 0.354), offer(2, "RTX 4090", 0.391), offer(3, "RTX 3090", 0.182),
            offer(4, "RTX 4090", 0.788, count: 2), offer(5, "A100 SXM4", 1.19, memory: 80),
            offer(6, "H100 SXM", 2.41, memory: 80), offer(7, "RTX 3060", 0.074, memory: 12),
            offer(8, "L40S", 0.83, memory: 48), offer(9, "RTX A6000", 0.49, memory: 48),
        ]

    static func job(_ id: String, _ state: Job.State, on instance: InstanceID = trainer.id) -> Job {
        Job(
            id: JobID(id), instance: instance, command: .shell("python train.py --epochs 10"), state: state,
            outcome: state == .failed ? .exited(1) : state == .succeeded ? .exited(0) : nil,
            createdAt: now.addingTimeInterval(id == "train-7" ? -2472 : -9000),
            startedAt: now.addingTimeInterval(id == "train-7" ? -2472 : -9000),
            endedAt: state == .running ? nil : now.addingTimeInterval(-8000),
            dollars: state == .running ? nil : 0.1, workspacePath: "/home/ada/project",
            logPath: "/home/ada/.local/state/variousplug/logs/\(id)")
    }

    /// As the engine words it.
    static func alarm(_ kind: Alarm.Kind) -> Alarm {
        switch kind {
        case .instanceLost:
            Alarm(kind, vast("16180"), "16180 is lost: the platform does not list it any more")
        case .destroyUnconfirmed:
            Alarm(
                kind, vast("14142"), "the destroy of 14142 was ordered, but the platform has not confirmed it"
            )
        case .waiting:
            Alarm(
                kind, trainer.id,
                "31415 was not destroyed and costs $0.35 an hour: results are not downloaded: 12 files, among them "
                    + "checkpoints/epoch3.pt and runs/events.out; decide whether to download its results or to "
                    + "discard them")
        case .training:
            Alarm(
                kind, trainer.id, "train-7 on 31415: loss is not a number since step 4200",
                job: JobID("train-7"), topic: "nan")
        case .lowBalance: Alarm(kind, nil, "the credit lasts only 2 h")
        case .budget: Alarm(kind, nil, "$4.20 of today's $5.00 is spent")
        case .untrusted:
            Alarm(
                kind, nil,
                "RunPod sent a list of instances that cannot be trusted: its list lacks 7h9k2m, which it has")
        case .unknownInstance:
            Alarm(kind, loader.id, "7h9k2m was named by vp, but this machine has no record of it")
        case .idle:
            Alarm(kind, trainer.id, "31415 has been idle for 20 min: you are paying $0.35/h for nothing")
        case .parked:
            Alarm(
                kind, parked.id,
                "27182 has been stopped for 3 d, and its disk costs $0.12 a day: `vp destroy-instance 27182` ends the cost"
            )
        case .leaseEnding: Alarm(kind, trainer.id, "the lease of 31415 ends in 12 min")
        case .behindLink:
            Alarm(
                kind, trainer.id,
                "data on 31415 leads to 48.0 GB outside the workspace, which is more than sync.limit allows; "
                    + "`sync.keep_there: [data]` leaves them on the instance")
        case .weakLease: Alarm(kind, trainer.id, "31415 cannot end itself: it has no key of its own")
        case .noLease: Alarm(kind, trainer.id, "31415 has no lease and runs until you destroy it")
        }
    }

    /// What the engine says of money, with alarms of `kinds`.
    static func report(_ kinds: [Alarm.Kind], spentToday: Double = 4.2, dollarsPerDay: Double? = nil)
        -> MoneyReport
    {
        MoneyReport(
            instances: [trainer, loader, parked], balances: [], spentToday: spentToday,
            dollarsPerDay: dollarsPerDay, alarms: kinds.map(alarm), asOf: now)
    }

    static func empty(_ platforms: [Platform] = [.vast, .runpod]) -> State {
        var settings = Settings()
        settings.platforms = platforms
        // One that names its CUDA, so that the screens have something to show.
        settings.defaults.image = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime"
        return State(
            settings: settings, size: Size(width: 120, height: 40), session: session, now: now)
    }

    static func answers<Value>(_ values: [Value], at date: Date = now) -> PlatformAnswers<Value> {
        PlatformAnswers(values: values, failures: [], fetchedAt: date)
    }

    /// Two instances and a parked one, offers, a running job whose log is open.
    static func overview() -> State {
        var state = empty()
        _ = state.begin()
        _ = update(&state, .answered(.instancesLoaded(answers([trainer, loader, parked]))))
        _ = update(
            &state, .answered(.offersLoaded(.success(answers(offers)), generation: state.market.generation)))
        _ = update(
            &state,
            .answered(
                .balancesLoaded(
                    answers([
                        Balance(platform: .vast, dollars: 14.1), Balance(platform: .runpod, dollars: 10),
                    ]))))
        _ = update(
            &state,
            .answered(
                .jobsLoaded(
                    .success([job("train-7", .running), job("train-6", .failed), job("eval-2", .succeeded)])))
        )
        state.focus = .instances
        state.instances.select(trainer.id)
        openLog(&state, log)
        return state
    }

    /// Opens the log of `train-7`, which holds `text`.
    static func openLog(_ state: inout State, _ text: String) {
        state.log.open(JobID("train-7"))
        state.mainContent = .log
        state.metrics.job = JobID("train-7")
        let effects = update(&state, .tick(now))
        answer(&state, effects, MemoryLog(text))
        answer(&state, [.log(.readMetrics(JobID("train-7")))], MemoryLog(text))
    }

    /// What a busy instance reports, a while long.
    static func load(_ state: inout State, of id: InstanceID = trainer.id, steps: Int = 60) {
        for step in 0..<steps {
            let share = 0.9 + 0.08 * sin(Double(step) / 5)
            let sample = TelemetrySample(
                gpus: [
                    .init(
                        utilization: share, usedBytes: 11 << 30, totalBytes: 25_757_220_864, temperature: 63,
                        power: 312)
                ], busyTicks: Int64(step * 50 + step % 7 * 10), totalTicks: Int64(step * 200), load: 3.2,
                usedMemoryBytes: 21 << 30, totalMemoryBytes: 64 << 30, usedDiskBytes: 12_000_000_000,
                totalDiskBytes: 40_000_000_000, receivedBytes: Int64(step * step) * 10_000,
                sentBytes: Int64(step) * 4_000)
            let date = now.addingTimeInterval(Double(step - steps) * 2)
            _ = update(&state, .telemetry(id, sample, at: date))
        }
    }

    static let other = Instance(
        id: vast("31416"), name: "sweep", status: .running, gpuName: "RTX 3090",
        gpuMemoryBytes: 25_757_220_864, price: HourlyPrice(dollarsPerHour: 0.182),
        createdAt: now.addingTimeInterval(-9000), diskBytes: 40_000_000_000)
    static let pod = Instance(
        id: InstanceID(platform: .runpod, rawValue: "7h9k2mxq4tz0ab"), name: "eval", status: .running,
        gpuName: "A100 SXM4 80GB", price: HourlyPrice(dollarsPerHour: 1.19),
        createdAt: now.addingTimeInterval(-700), diskBytes: 40_000_000_000)

    static func training(_ text: String) -> TrainingReading {
        let reader = TrainingReader()
        reader.read(Array(text.utf8))
        return TrainingReading(reader.figures())
    }

    /// Three instances on both platforms that are at work, two of them at a training; the log of one is open.
    static func fleet() -> State {
        var state = overview()
        _ = update(&state, .answered(.instancesLoaded(answers([trainer, other, pod]))))
        var second = job("train-8", .running, on: pod.id)
        second.startedAt = now.addingTimeInterval(-600)
        _ = update(
            &state,
            .answered(.jobsLoaded(.success([second, job("train-7", .running), job("eval-2", .succeeded)]))))
        let epochs = (1...14).map { "epoch \($0)/60 loss \(Format.loss($0))\n" }.joined()
        _ = update(&state, .log(.trainingsRead([second.id: training(epochs)])))
        for id in [trainer.id, other.id, pod.id] { load(&state, of: id) }
        state.instances.select(trainer.id)
        return state
    }

    private enum Format {
        static func loss(_ epoch: Int) -> String { "0.\(900 - epoch * 40)" }
    }

    static let log = """
        \u{1B}[1mLoading\u{1B}[0m 50 000 samples from data/train.bin
        epoch 1/10  loss \u{1B}[32m2.412\u{1B}[0m  lr 3.0e-04
        \u{1B}[33mwarning:\u{1B}[0m tokenizers parallelism is off
        epoch 2/10  loss \u{1B}[32m1.187\u{1B}[0m  lr 2.9e-04
        保存チェックポイント checkpoints/epoch2.pt ✅
        epoch 3/10  loss \u{1B}[32m0.412\u{1B}[0m  lr 2.9e-04
          0%|          | 0/1000 [00:00<?, ?it/s]\r 64%|██████▍   | 640/1000 [00:41<00:23, 15.5it/s]
        """
}

/// A log in memory, in place of a file.
struct MemoryLog: LogSource {
    var bytes: [UInt8]

    init(_ text: String) { self.bytes = Array(text.utf8) }
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func size() -> Int64 { Int64(self.bytes.count) }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard offset < self.bytes.count else { return 0 }
        let part = self.bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}

/// Answers every question about the log, and those that the answers lead to.
func answer(_ state: inout State, _ effects: [Effect], _ log: MemoryLog) {
    var queue = effects
    var answers = 0
    while !queue.isEmpty {
        answers += 1
        // An answer that leads to the same question again would keep a processor busy for ever.
        guard answers < 1000 else {
            Issue.record("asks without end: \(queue) of \(log.size()) bytes")
            return
        }
        switch queue.removeFirst() {
        case .log(.readLog(let request)):
            let part = LogScanner(log).part(request.place, filter: request.filter)
            queue += update(&state, .log(.logRead(request, part)))
        case .log(.searchLog(let request)):
            guard let matcher = TextMatcher(request.pattern), let from = request.from else { continue }
            let scanner = LogScanner(log)
            let filter = request.filter.flatMap { TextMatcher($0) }
            func find(_ from: Int64) -> Int64? {
                scanner.find(matcher, filter: filter, from: from, isForward: request.isForward)
            }
            var hit = find(from)
            let hasWrapped = hit == nil
            if hit == nil { hit = find(request.isForward ? -1 : .max) }
            queue += update(
                &state, .log(.logFound(generation: request.generation, hit: hit, hasWrapped: hasWrapped)))
            var starts: [Int64] = []
            scanner.count(matcher, filter: filter, from: 0) { start, _, hits in
                starts += hits.map { start + Int64($0) }
                return true
            }
            queue += update(
                &state,
                .log(
                    .logCounted(
                        generation: request.generation, total: starts.count,
                        position: hit.map { hit in starts.count { $0 <= hit } }, fraction: 1)))
        case .log(.readMetrics(let job)):
            let reader = TrainingReader()
            reader.read(Array(log.bytes))
            let reading = TrainingReading(reader.figures())
            queue += update(&state, .log(.metricsRead(job, reading, end: log.size())))
        default: break
        }
    }
}

extension [Effect] {
    /// Without the samplers, which follow what is on screen.
    var withoutWatch: [Effect] { self.filter { if case .order(.watch) = $0 { false } else { true } } }
}

/// Sends keys a second apart, so that no dialog drops them, and returns all effects.
@discardableResult
func press(_ state: inout State, _ keys: Key...) -> [Effect] {
    var effects: [Effect] = []
    for key in keys {
        effects += update(&state, .key(key, at: pressTime(state)))
    }
    return effects
}

/// Late enough for an open dialog to listen; the clock itself stays.
private func pressTime(_ state: State) -> Date {
    if case .dialog(let dialog) = state.overlay {
        return dialog.openedAt.addingTimeInterval(Dialog.settleTime + 0.01)
    }
    return state.now
}

func type(_ state: inout State, _ text: String) -> [Effect] {
    text.reduce(into: []) { effects, character in effects += press(&state, .character(character)) }
}
