import Foundation
import Synchronization

/// Watches the load of one instance over its shared connection: one remote shell loop, nothing installed.
struct TelemetrySampler: Sendable {
    let shell: RemoteShell
    let remoteRoot: String

    /// The loop ends with the connection: its next `echo` has nobody to write to.
    private var script: String {
        """
        root=\(ShellQuoting.quoted(self.remoteRoot))
        [ -d "$root" ] || root=/
        while :; do
            nvidia-smi --query-gpu=utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw \
        --format=csv,noheader,nounits 2>/dev/null | sed 's/^/gpu,/'
            sed -n 's/^cpu  */cpu /p' /proc/stat
            read -r load rest </proc/loadavg && echo "load $load"
            sed -n 's/^\\(MemTotal\\|MemAvailable\\): *\\([0-9]*\\).*/\\1 \\2/p' /proc/meminfo
            df -Pk "$root" 2>/dev/null | sed -n '2s/^.* \\([0-9][0-9]*\\)  *\\([0-9][0-9]*\\)  *[0-9][0-9]*  *[0-9]*%.*/disk \\1 \\2/p'
            sed -n 's/^ *\\([^:]*\\): */net \\1 /p' /proc/net/dev
            echo end || exit
            sleep \(Self.interval)
        done
        """
    }

    static let interval = 2

    /// Reports samples until the task is cancelled. Throws when the connection ends before that.
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

    /// Removes the whole samples from what has come, and returns them.
    static func take(from bytes: inout [UInt8]) -> [TelemetrySample] {
        var samples: [TelemetrySample] = []
        let mark = Array("end\n".utf8)
        while let end = bytes.firstRange(of: mark) {
            let text = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            bytes.removeSubrange(..<end.upperBound)
            samples.append(Self.parse(text))
        }
        // Nothing of ours is that long: whatever it is, it must not grow for ever.
        if bytes.count > 1 << 20 { bytes.removeAll() }
        return samples
    }

    static func parse(_ text: String) -> TelemetrySample {
        var sample = TelemetrySample()
        var available: Int64 = 0
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("gpu,") {
                sample.gpus.append(Self.gpu(line.dropFirst(4)))
                continue
            }
            let words = line.split(separator: " ")
            guard let name = words.first else { continue }
            let numbers = words.dropFirst().map { Int64($0) ?? 0 }
            switch name {
            case "cpu" where numbers.count >= 5:
                sample.totalTicks = numbers.prefix(8).reduce(0, +)
                // Waiting for a disk is not work.
                sample.busyTicks = sample.totalTicks - numbers[3] - numbers[4]
            case "load": sample.load = words.count > 1 ? Double(words[1]) : nil
            case "MemTotal": sample.totalMemoryBytes = (numbers.first ?? 0) * 1024
            case "MemAvailable": available = (numbers.first ?? 0) * 1024
            case "disk" where numbers.count >= 2:
                sample.totalDiskBytes = numbers[0] * 1024
                sample.usedDiskBytes = numbers[1] * 1024
            case "net" where numbers.count >= 10 && words[1] != "lo":
                sample.receivedBytes += numbers[1]
                sample.sentBytes += numbers[9]
            default: break
            }
        }
        sample.usedMemoryBytes = max(0, sample.totalMemoryBytes - available)
        return sample
    }

    /// `87, 11264, 24564, 63, 312.5`; `[N/A]` where a card does not say.
    private static func gpu(_ line: Substring) -> TelemetrySample.GPU {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        func field(_ index: Int) -> Double? { index < fields.count ? fields[index] : nil }
        return TelemetrySample.GPU(
            utilization: field(0).map { $0 / 100 }, usedBytes: field(1).map { Int64($0 * 1_048_576) },
            totalBytes: field(2).map { Int64($0 * 1_048_576) }, temperature: field(3), power: field(4))
    }
}

extension Engine {
    /// Reports the load of `id` every two seconds until the task is cancelled.
    public func watchTelemetry(
        of id: InstanceID, _ report: @escaping @Sendable (TelemetrySample) -> Void
    ) async throws(EngineError) {
        let shell = try await self.shell(for: id)
        let root = try self.workspace(of: id).remoteRoot
        try await TelemetrySampler(shell: shell, remoteRoot: root).run(report)
    }
}
