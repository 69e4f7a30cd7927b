import Foundation

/// Every figure of a log, one after the other: not the means that a series keeps of a long one.
///
/// A log is read twice, since only its end tells what some figures are called:
/// a `loss` becomes the training's once a test's comes. Memory is the same however long it is.
public enum TrainingPoints {
    /// A figure of `series`: where it stands, and its value.
    public typealias Each = (_ series: FigureSeries, _ step: Double, _ value: Double) -> Void

    /// Of a job's log: standard output first, then what standard error has of its own,
    /// where it is kept apart.
    static func read(log: String, patterns: [FigurePattern], _ each: @escaping Each) {
        var names: Set<String> = []
        for path in [log, JobLogs.errorsPath(besideLog: log)] {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            names.formUnion(Self.read(descriptor, patterns: patterns, without: names, each))
        }
    }

    /// Of a file that can be read from its beginning again. Returns the names of its series,
    /// also of those in `without`, whose figures are left out.
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
        // What has come meanwhile may have names of its own.
        _ = Self.pass(descriptor, end, second)
        _ = second.figures()
        return Set(series.map(\.name))
    }

    /// Reads up to `end`, and returns how far there was something.
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
