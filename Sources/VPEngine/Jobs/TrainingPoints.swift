import Foundation

/// Reads every figure of a log, one after the other. (A `FigureSeries` of a long log has only means.)
///
/// A log is read twice, because the names of some figures are known only at the end: `loss` becomes the
/// training loss once a test loss appears. The memory needed does not depend on the length of the log.
public enum TrainingPoints {
    /// Receives a figure of `series`: its step and its value.
    public typealias Each = (_ series: FigureSeries, _ step: Double, _ value: Double) -> Void

    /// Reads the points of a job's log: standard output first, then the series that occur only in separate
    /// standard error.
    static func read(log: String, patterns: [FigurePattern], _ each: @escaping Each) {
        var names: Set<String> = []
        for path in [log, JobLogs.errorsPath(besideLog: log)] {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            names.formUnion(Self.read(descriptor, patterns: patterns, without: names, each))
        }
    }

    /// Reads the points of a seekable file, except for the series in `without`. Returns the names of all its
    /// series, including those.
    @discardableResult public static func read(
        _ descriptor: Int32, patterns: [FigurePattern] = [], without: Set<String> = [], _ each: @escaping Each
    ) -> Set<String> {
        let first = TrainingReader(patterns: patterns)
        let end = Self.pass(descriptor, .max, first)
        let series = first.figures().series
        guard !series.isEmpty else { return [] }
        let second = TrainingReader(patterns: patterns)
        second.onEachPoint { index, step, value in
            guard series.indices.contains(index), !without.contains(series[index].name) else { return }
            each(series[index], step, value)
        }
        // Output that arrived meanwhile may contain series that the first pass does not know.
        _ = Self.pass(descriptor, end, second)
        _ = second.figures()
        return Set(series.map(\.name))
    }

    /// Reads up to `end`, or to the end of the file. Returns the number of bytes read.
    private static func pass(_ descriptor: Int32, _ end: Int64, _ reader: TrainingReader) -> Int64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset < end {
            let wanted = Int(min(Int64(buffer.count), end - offset))
            let count = pread(descriptor, buffer.baseAddress, wanted, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
        return offset
    }
}
