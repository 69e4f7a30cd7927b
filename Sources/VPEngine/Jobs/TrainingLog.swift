import Foundation

/// Reads a job's log for figures, with the times at which it arrived.
///
/// Where standard error is kept apart (`--split-stderr`), both are read, each by a reader of its own,
/// and what they say is put together as values. Lines of the two are not put in order:
/// nothing tells it, since two pipes have none between them, and what a detached job wrote arrives one file
/// after the other. A figure stands beside the step of its own line, so no order is needed for it.
///
/// A class of one thread, which can go on where it stopped: what arrives later is read, and nothing twice.
public final class TrainingLog {
    private let output: TrainingStream
    private let errors: TrainingStream

    /// Reads from the line after `start`; from the beginning where that is 0.
    /// Standard error that is kept apart is read as far from its end. `patterns` are the user's own figures.
    public init(path: String, start: Int64 = 0, patterns: [FigurePattern] = []) {
        self.output = TrainingStream(path: path, start: start, patterns: patterns)
        let errors = JobLogs.errorsPath(besideLog: path)
        var from: Int64 = 0
        var (whole, apart) = (stat(), stat())
        if start > 0, stat(path, &whole) == 0, stat(errors, &apart) == 0 {
            from = max(0, Int64(apart.st_size) - (Int64(whole.st_size) - start))
        }
        self.errors = TrainingStream(path: errors, start: from, patterns: patterns)
    }

    /// Reads the last `bytes` of the log, and all of it if that is nil.
    public convenience init(path: String, last bytes: Int64?, patterns: [FigurePattern] = []) {
        var information = stat()
        let size = bytes != nil && stat(path, &information) == 0 ? Int64(information.st_size) : 0
        self.init(path: path, start: max(0, size - (bytes ?? 0)), patterns: patterns)
    }

    /// Up to which byte of the log it was read.
    public var offset: Int64 { self.output.offset }

    /// Reads what has arrived since, and returns whether there was anything.
    @discardableResult public func advance() -> Bool {
        let hasOutput = self.output.advance()
        let hasErrors = self.errors.advance()
        return hasOutput || hasErrors
    }

    /// What the log says so far. A line without an end counts once it has stood for a moment:
    /// what arrives in pieces may be half a number until then.
    public func reading(now: Date = Date()) -> TrainingReading {
        let output = self.output.figures(now: now)
        guard self.errors.offset > 0 else {
            return TrainingReading(output, self.output.estimate, notNumberAt: self.output.notNumberAt)
        }
        let errors = self.errors.figures(now: now)
        let figures = output.joined(with: errors)
        // The bar of a run whose figures are on standard output may stand on standard error alone.
        let estimate = output.progress == nil ? self.errors.estimate : self.output.estimate
        let dates = [self.output.notNumberAt, self.errors.notNumberAt].compactMap { $0 }
        return TrainingReading(figures, estimate, notNumberAt: dates.min())
    }
}

/// One file of a job's output.
private final class TrainingStream {
    private static let blockSize = 1 << 18
    /// How often the progress is looked at, at most.
    private static let markLimit = 4096

    private let path: String
    private let reader: TrainingReader
    private(set) var estimate = TimeLeftEstimate()
    private(set) var notNumberAt: Date?
    private(set) var offset: Int64
    /// When the file was last written to, in seconds since 1970.
    private var writtenAt = 0.0
    /// When what is read next arrived, by the newest entry of the index before it.
    private var arrivedAt: Double?
    /// Up to where the index of times was read, and the entries that were not used yet.
    private var indexOffset: Int64 = 0
    private var marks: [(at: Double, offset: Int64)] = []

    init(path: String, start: Int64, patterns: [FigurePattern]) {
        self.path = path
        self.reader = TrainingReader(patterns: patterns)
        self.offset = start
    }

    func figures(now: Date) -> TrainingFigures {
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
        self.readIndex()
        let before = self.offset
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            var wanted = Self.blockSize
            if let mark = self.marks.first, mark.offset > self.offset {
                wanted = Int(clamping: min(Int64(wanted), mark.offset - self.offset))
            }
            let count = pread(descriptor, buffer.baseAddress, wanted, off_t(self.offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            // What follows an entry of the index arrived then, and before there was cause for another.
            self.reader.arrival = self.arrivedAt ?? self.marks.first?.at ?? Self.time(of: information)
            self.reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            self.offset += Int64(count)
            self.look()
        }
        guard self.offset > before else { return false }
        if fstat(descriptor, &information) == 0 {
            // The end of what arrived has no entry of its own.
            self.writtenAt = Self.time(of: information)
            self.marks = [(self.writtenAt, self.offset)]
            self.look()
        }
        return true
    }

    /// When a file was last written to, in seconds since 1970.
    private static func time(of file: stat) -> Double {
        Double(file.st_mtim.tv_sec) + Double(file.st_mtim.tv_nsec) / 1e9
    }

    /// Tells the estimate how far the run was when this much of the log had arrived.
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

    /// An entry says when the byte at its offset arrived: what is before it was there by then.
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
