import Foundation
import VPEngine

/// The load of an instance, as a line under a log or as curves among its details.
enum TelemetryView {
    /// Returns the load in parts, the most important first, each understandable by itself.
    static func brief(
        _ track: TelemetryState.Track, _ sample: TelemetrySample, _ plotting: Settings.Plotting
    ) -> [[Span]] {
        var parts: [[Span]] = []
        if let share = sample.gpuShare {
            var spans = [
                Span("GPU ", .muted), Span("\(Self.percent(share)) ", Self.role(share)),
                Span(Plot.sparkline(track.gpu, width: 8, range: 0...1, plotting), .good),
            ]
            if let heat = sample.gpus.compactMap(\.temperature).max() {
                spans.append(Span(" \(Format.fixed(heat, 0))°C", heat >= 84 ? .bad : .plain))
            }
            parts.append(spans)
            let used = sample.gpus.saturatedSum { $0.usedBytes ?? 0 }
            let total = sample.gpus.saturatedSum { $0.totalBytes ?? 0 }
            if total > 0 {
                parts.append([
                    Span("VRAM ", .muted),
                    Span("\(Format.fixed(Double(used) / 1_073_741_824, 0))/\(Format.memory(total))"),
                ])
            }
        }
        if let cpu = track.cpu.last { parts.append([Span("CPU ", .muted), Span(Self.percent(cpu))]) }
        return parts
    }

    /// Returns a sample's values without curves: `95 % 63°C 312 W`, `14.2/24 G`, `cpu 40 %`, `↓
    /// 1.2 MB/s ↑ 40 kB/s`.
    static func now(_ sample: TelemetrySample, _ track: TelemetryState.Track?) -> [[Span]] {
        var parts: [[Span]] = []
        if let share = sample.gpuShare {
            var spans = [Span(Self.percent(share), share < 0.05 ? .warning : .good, .bold)]
            if let heat = sample.gpus.compactMap(\.temperature).max() {
                spans.append(Span(" \(Format.fixed(heat, 0))°C", heat >= 84 ? .bad : .plain))
            }
            let power = sample.gpus.compactMap(\.power).reduce(0, +)
            if power > 0 { spans.append(Span(" \(Format.fixed(power, 0)) W", .muted)) }
            parts.append(spans)
        }
        if let memory = Self.memory(sample) { parts.append([Span(memory, .accent)]) }
        if let cpu = track?.cpu.last { parts.append([Span("cpu ", .muted), Span(Self.percent(cpu))]) }
        if let down = track?.received.last, let up = track?.sent.last {
            parts.append([
                Span("↓ ", .muted), Span(Self.rate(down)), Span(" ↑ ", .muted), Span(Self.rate(up)),
            ])
        }
        if let disk = sample.diskShare, disk > 0.85 {
            parts.append([Span("disk ", .muted), Span(Self.percent(disk), disk > 0.95 ? .bad : .warning)])
        }
        return parts
    }

    /// Returns the memory of all GPUs together: `14.2/24 G`.
    static func memory(_ sample: TelemetrySample) -> String? {
        let used = sample.gpus.saturatedSum { $0.usedBytes ?? 0 }
        let total = sample.gpus.saturatedSum { $0.totalBytes ?? 0 }
        guard total > 0 else { return nil }
        let gigabytes = Double(used) / 1_073_741_824
        return "\(Format.fixed(gigabytes, gigabytes < 100 ? 1 : 0))/\(Format.memory(total).dropLast()) G"
    }

    private static func rate(_ bytes: Double) -> String {
        "\(Format.bytes(Int64(saturating: max(0, bytes))))/s"
    }

    /// Returns a line for each figure: its name, a curve, its current value.
    static func lines(_ track: TelemetryState.Track, width: Int, _ settings: Settings) -> [[Span]] {
        guard let sample = track.latest else {
            return [
                [Span(track.failure.map { ErrorWords($0).title } ?? "Waiting for the first look…", .muted)]
            ]
        }
        let curve = max(8, min(48, width - 40))
        func line(_ name: String, _ values: [Double], _ text: String, _ role: Role, isShare: Bool = true)
            -> [Span]
        {
            let range: ClosedRange<Double>? = isShare ? 0...1 : 0...max(1, values.max() ?? 1)
            let plot = Plot.sparkline(values, width: curve, range: range, settings.plotting)
            let name = name + String(repeating: " ", count: max(0, 13 - name.count))
            let padded = plot + String(repeating: " ", count: max(0, curve - DisplayWidth.of(plot)))
            return [Span(name, .muted), Span(padded, role), Span("  " + text)]
        }
        var lines: [[Span]] = []
        if let share = sample.gpuShare {
            let power = sample.gpus.compactMap(\.power).reduce(0, +)
            var text = Self.percent(share)
            if let heat = sample.gpus.compactMap(\.temperature).max() {
                text += "  \(Format.fixed(heat, 0))°C"
            }
            if power > 0 { text += "  \(Format.fixed(power, 0)) W" }
            lines.append(line("gpu", track.gpu, text, .good))
        }
        let total = sample.gpus.saturatedSum { $0.totalBytes ?? 0 }
        if total > 0 {
            let used = sample.gpus.saturatedSum { $0.usedBytes ?? 0 }
            lines.append(
                line(
                    "gpu memory", track.gpuMemory, "\(Format.bytes(used)) of \(Format.bytes(total))", .accent)
            )
        }
        for (index, gpu) in sample.gpus.enumerated() where sample.gpus.count > 1 && index < 8 {
            var text = gpu.utilization.map(Self.percent) ?? "–"
            if let heat = gpu.temperature { text += "  \(Format.fixed(heat, 0))°C" }
            if let used = gpu.usedBytes { text += "  \(Format.bytes(used))" }
            lines.append([Span("  gpu \(index)       ", .muted), Span(text)])
        }
        let cpu = track.cpu.last.map(Self.percent) ?? "–"
        let load = sample.load.map { "  load \(Format.fixed($0, 1))" } ?? ""
        lines.append(line("cpu", track.cpu, cpu + load, .warning))
        lines.append(
            line(
                "memory", track.memory,
                "\(Format.bytes(sample.usedMemoryBytes)) of \(Format.bytes(sample.totalMemoryBytes))", .accent
            ))
        if let down = track.received.last, let up = track.sent.last {
            lines.append(
                line(
                    "network in", track.received, "\(Format.bytes(Int64(saturating: max(0, down))))/s", .good,
                    isShare: false))
            lines.append(
                line(
                    "network out", track.sent, "\(Format.bytes(Int64(saturating: max(0, up))))/s", .warning,
                    isShare: false))
        }
        if let share = sample.diskShare {
            let text = "\(Format.bytes(sample.usedDiskBytes)) of \(Format.bytes(sample.totalDiskBytes))"
            lines.append([Span("disk         ", .muted), Span(text, share > 0.9 ? .bad : .plain)])
        }
        return lines
    }

    static func percent(_ share: Double) -> String { "\(Int(saturating: (share * 100).rounded())) %" }
    private static func role(_ share: Double) -> Role { share < 0.05 ? .warning : .plain }
}
