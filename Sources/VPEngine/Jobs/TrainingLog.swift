import Foundation

/// Reads a job's log for figures, with the times at which it arrived.
///
/// If standard error is separate (`--split-stderr`), each stream has its own reader, and their results are
/// merged. The lines of the two are not ordered: no order is known, because two pipes have none between them,
/// and the output of a detached job arrives one file after the other. A figure belongs to the step on its own
/// line, so it needs no order.
///
/// A class for one thread. Each `advance()` reads only the output that arrived since the last one.
public final class TrainingLog {
    /// How much of a log is read at a time.
    public struct Bounds: Sendable {
        /// The most bytes of each file, always the newest; nil for all.
        public var bytes: Int64?
        /// The most lines of one shape, so that a rare line is found among thousands of alike ones; nil for
        /// all.
        public var linesOfAShape: Int?

        public init(bytes: Int64? = nil, linesOfAShape: Int? = nil) {
            self.bytes = bytes
            self.linesOfAShape = linesOfAShape
        }
    }

    private let output: TrainingStream
    private let errors: TrainingStream

    /// Reads from the line after `start`, or from the beginning if that is 0. Separate standard error is read
    /// from the same distance to its end. `patterns` are the user's own figures. For what is only judged,
    /// `bounds` say how much of a log that grows fast is read.
    public init(
        path: String, start: Int64 = 0, patterns: [FigurePattern] = [], bounds: Bounds = Bounds()
    ) {
        self.output = TrainingStream(path: path, start: start, patterns: patterns, bounds: bounds)
        let errors = JobLogs.errorsPath(besideLog: path)
        var from: Int64 = 0
        var (whole, apart) = (stat(), stat())
        if start > 0, stat(path, &whole) == 0, stat(errors, &apart) == 0 {
            from = max(0, Int64(apart.st_size) - (Int64(whole.st_size) - start))
        }
        self.errors = TrainingStream(path: errors, start: from, patterns: patterns, bounds: bounds)
    }

    /// Reads the last `bytes` of the log, or all of it if `bytes` is nil.
    public convenience init(path: String, last bytes: Int64?, patterns: [FigurePattern] = []) {
        var information = stat()
        let size = bytes != nil && stat(path, &information) == 0 ? Int64(information.st_size) : 0
        self.init(path: path, start: max(0, size - (bytes ?? 0)), patterns: patterns)
    }

    /// The number of bytes of the log that have been read.
    public var offset: Int64 { self.output.offset }

    /// Reads the output that has arrived since the last call. Returns `false` if there was none.
    @discardableResult public func advance() -> Bool {
        let hasOutput = self.output.advance()
        let hasErrors = self.errors.advance()
        return hasOutput || hasErrors
    }

    /// Returns the figures so far. An unfinished line counts only after it has not changed for a moment:
    /// until then it may hold half a number.
    public func reading(now: Date = Date()) -> TrainingReading {
        let output = self.output.figures(now: now)
        guard self.errors.offset > 0 else {
            return TrainingReading(output, self.output.estimate, notNumberAt: self.output.notNumberAt)
        }
        let errors = self.errors.figures(now: now)
        let figures = output.joined(with: errors)
        // A run may print its figures on standard output and its progress bar only on standard error.
        let estimate = output.progress == nil ? self.errors.estimate : self.output.estimate
        let dates = [self.output.notNumberAt, self.errors.notNumberAt].compactMap { $0 }
        return TrainingReading(figures, estimate, notNumberAt: dates.min())
    }
}

/// One file of a job's output.
private final class TrainingStream {
    private static let blockSize = 1 << 18
    /// The highest number of index entries at which the progress is sampled.
    private static let markLimit = 4096
    /// The bytes at the end of a log of which all lines are read, to know how far the run is.
    private static let tailSize: Int64 = 1024

    private let path: String
    private let patterns: [FigurePattern]
    private let bounds: TrainingLog.Bounds
    /// Created with the first bytes: its tables cost milliseconds, and most jobs are short.
    private lazy var reader = TrainingReader(patterns: self.patterns)
    /// Created with the first bytes, too. An array that is lazy would be copied for each block.
    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var estimate = TimeLeftEstimate()
    private(set) var notNumberAt: Date?
    private(set) var offset: Int64
    private var hasRead = false
    /// The time of the last write to the file, in seconds since 1970.
    private var writtenAt = 0.0
    /// The time at which the next bytes to read arrived, by the newest index entry before them.
    private var arrivedAt: Double?
    /// The number of bytes read of the index of times, and the entries not used yet.
    private var indexOffset: Int64 = 0
    private var marks: [(at: Double, offset: Int64)] = []

    init(path: String, start: Int64, patterns: [FigurePattern], bounds: TrainingLog.Bounds) {
        self.path = path
        self.patterns = patterns
        self.bounds = bounds
        self.offset = start
        if start > 0 { self.reader.skip() }
    }

    deinit { self.buffer.deallocate() }

    func figures(now: Date) -> TrainingFigures {
        guard self.hasRead else { return TrainingFigures() }
        let isQuiet = now.timeIntervalSince1970 - self.writtenAt > 0.5
        return self.reader.figures(withRest: isQuiet)
    }

    func advance() -> Bool {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, Int64(information.st_size) > self.offset else {
            return false
        }
        if self.buffer.isEmpty {
            let count = min(Self.blockSize, Int(clamping: self.bounds.bytes ?? .max))
            self.buffer = .allocate(byteCount: count, alignment: 64)
        }
        self.readIndex()
        self.passOver(Int64(information.st_size))
        let before = self.offset
        // More arrives meanwhile, which is for the next time.
        let end = self.bounds.bytes.map { self.offset + $0 } ?? .max
        self.spare()
        // The newest lines are read again as if they were the first.
        let tail = Int64(information.st_size) - Self.tailSize
        var isBeforeTail = self.bounds.linesOfAShape != nil && self.offset < tail
        while self.offset < end {
            if isBeforeTail, self.offset >= tail {
                isBeforeTail = false
                self.spare()
            }
            var wanted = Int(clamping: min(Int64(self.buffer.count), end - self.offset))
            if let mark = self.marks.first, mark.offset > self.offset {
                wanted = Int(clamping: min(Int64(wanted), mark.offset - self.offset))
            }
            if isBeforeTail { wanted = Int(clamping: min(Int64(wanted), tail - self.offset)) }
            let count = pread(descriptor, self.buffer.baseAddress, wanted, off_t(self.offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            // Bytes after an index entry arrived at its time or later, but too soon after it for an entry of
            // their own.
            self.reader.arrival = self.arrivedAt ?? self.marks.first?.at ?? Self.time(of: information)
            self.reader.read(UnsafeRawBufferPointer(rebasing: self.buffer[..<count]))
            self.offset += Int64(count)
            self.look()
        }
        guard self.offset > before else { return false }
        self.hasRead = true
        if fstat(descriptor, &information) == 0 {
            // The last bytes have no index entry of their own.
            self.writtenAt = Self.time(of: information)
            self.marks = [(self.writtenAt, self.offset)]
            self.look()
        }
        return true
    }

    private func spare() {
        if let count = self.bounds.linesOfAShape { self.reader.spare(linesOfAShape: count) }
    }

    /// Continues with the newest bytes if there are more than may be read. The beginning of the log is always
    /// read: it has headers and settings.
    private func passOver(_ size: Int64) {
        guard let limit = self.bounds.bytes, self.offset > 0, size - self.offset > limit else { return }
        self.offset = size - limit
        self.reader.skip()
        while let mark = self.marks.first, mark.offset <= self.offset {
            self.arrivedAt = mark.at
            self.marks.removeFirst()
        }
    }

    /// Returns the time of the last write to a file, in seconds since 1970.
    private static func time(of file: stat) -> Double {
        Double(file.st_mtim.tv_sec) + Double(file.st_mtim.tv_nsec) / 1e9
    }

    /// Passes the progress of the run to the estimate, with the time at which this part of the log arrived.
    private func look() {
        var time: Double?
        while let mark = self.marks.first, mark.offset <= self.offset {
            time = mark.at
            self.marks.removeFirst()
        }
        guard let time else { return }
        self.arrivedAt = time
        if let progress = self.reader.progress ?? self.reader.loneProgress, !progress.isOfOneEpoch {
            let (done, total) = progress.overall ?? (progress.done, progress.total)
            self.estimate.add(done: done, of: total, at: time)
        }
        let hasNotNumber = self.reader.hasNotNumber
        if !hasNotNumber {
            self.notNumberAt = nil
        } else if self.notNumberAt == nil {
            self.notNumberAt = Date(fromOutside: time)
        }
    }

    /// Reads new entries of the index. Each has the time by which all bytes before its offset had arrived.
    private func readIndex() {
        guard let handle = FileHandle(forReadingAtPath: self.path + ".times") else { return }
        defer { try? handle.close() }
        guard (try? handle.seek(toOffset: UInt64(self.indexOffset))) != nil,
            let data = try? handle.readToEnd(),
            let end = data.lastIndex(of: 0x0A)
        else { return }
        let whole = data[data.startIndex...end]
        self.indexOffset += Int64(whole.count)
        var entries: [(at: Double, offset: Int64)] = []
        for line in whole.split(separator: 0x0A) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count == 2, let time = NumberRange.milliseconds.read(words[0]),
                let offset = NumberRange.bytes.read(words[1])
            else { continue }
            guard offset > self.offset else {
                self.arrivedAt = Double(time) / 1000
                continue
            }
            entries.append((Double(time) / 1000, offset))
        }
        let stride = max(1, entries.count / Self.markLimit)
        self.marks += entries.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    }
}
