import Foundation
import Synchronization
import VPScripts

/// Watches the load of one instance over its shared connection: one remote shell loop, nothing installed.
struct TelemetrySampler: Sendable {
    let shell: RemoteShell
    let remoteRoot: String
    /// Seconds between two samples.
    var interval = 2

    var script: String {
        ScriptFile.load.text(["root": self.remoteRoot, "interval": String(self.interval)])
    }

    /// Reports samples until the task is cancelled. Throws if the connection ends before that.
    func run(_ report: @escaping @Sendable (TelemetrySample) -> Void) async throws(EngineError) {
        let pending = Mutex<[UInt8]>([])
        _ = try await self.shell.stream(
            self.script,
            onOutput: { bytes in
                let samples = pending.withLock { pending in
                    pending += bytes
                    return Self.take(from: &pending)
                }
                for sample in samples { report(sample) }
            }, onErrorOutput: { _ in })
        throw EngineError(
            .unreachable, .init("watching the load", subject: self.shell.target.instance.rawValue))
    }

    /// Removes the complete samples from the received bytes, and returns them.
    static func take(from bytes: inout [UInt8]) -> [TelemetrySample] {
        var samples: [TelemetrySample] = []
        let mark = Array("end\n".utf8)
        while let end = bytes.firstRange(of: mark) {
            let text = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            bytes.removeSubrange(..<end.upperBound)
            samples.append(Self.parse(text))
        }
        // None of our samples is that long: such output must not grow for ever.
        if bytes.count > 1 << 20 { bytes.removeAll() }
        return samples
    }

    static func parse(_ text: String) -> TelemetrySample {
        var sample = TelemetrySample()
        var available: Int64 = 0
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("gpu,") {
                // No machine has more GPUs, and each is a row on the screen.
                if sample.gpus.count < 64 { sample.gpus.append(Self.gpu(line.dropFirst(4))) }
                continue
            }
            let words = line.prefix(2000).split(separator: " ")
            guard let name = words.first else { continue }
            func sizes(unit: Int64) -> [Int64] {
                words.dropFirst().map { word in
                    NumberRange.bytes.check(NumberRange.bytes.read(word)?.multipliedSaturated(by: unit)) ?? 0
                }
            }
            switch name {
            case "cpu":
                let ticks = words.dropFirst().prefix(8).map { NumberRange.ticks.read($0) ?? 0 }
                guard ticks.count >= 5 else { continue }
                sample.totalTicks = ticks.saturatedSum(of: \.self)
                // Waiting for a disk is not work.
                sample.busyTicks = sample.totalTicks - ticks[3] - ticks[4]
            case "load": sample.load = words.dropFirst().first.flatMap(NumberRange.load.read)
            case "MemTotal": sample.totalMemoryBytes = sizes(unit: 1024).first ?? 0
            case "MemAvailable": available = sizes(unit: 1024).first ?? 0
            case "disk":
                let sizes = sizes(unit: 1024)
                guard sizes.count >= 2 else { continue }
                sample.totalDiskBytes = sizes[0]
                sample.usedDiskBytes = min(sizes[0], sizes[1])
            case "net" where words.count >= 11 && words[1] != "lo":
                let sizes = sizes(unit: 1)
                sample.receivedBytes = sample.receivedBytes.addingSaturated(sizes[1])
                sample.sentBytes = sample.sentBytes.addingSaturated(sizes[9])
            default: break
            }
        }
        sample.usedMemoryBytes = max(0, sample.totalMemoryBytes - available)
        return sample
    }

    /// Reads `87, 11264, 24564, 63, 312.5`; a card reports `[N/A]` for unknown figures.
    private static func gpu(_ line: Substring) -> TelemetrySample.GPU {
        let fields = line.prefix(200).split(separator: ",", omittingEmptySubsequences: false).map {
            $0.trimmingSpaces()
        }
        func field(_ index: Int, _ range: NumberRange<Double>) -> Double? {
            index < fields.count ? range.read(fields[index]) : nil
        }
        func mebibytes(_ index: Int) -> Int64? {
            NumberRange.bytes.read(field(index, .mebibytes).map { $0 * 1_048_576 })
        }
        return TelemetrySample.GPU(
            utilization: field(0, .percent).map { $0 / 100 }, usedBytes: mebibytes(1),
            totalBytes: mebibytes(2), temperature: field(3, .temperature), power: field(4, .watts))
    }
}
