import Foundation

/// Reads figures from a job's log, with the times at which they arrived.
///
/// A class for one thread, which can continue where it stopped: later output is read, and nothing twice.
public final class TrainingLog {
    private static let blockSize = 1 << 18
    /// The limit on how often the progress is checked.
    private static let markLimit = 4096

    private let path: String
    private let reader: TrainingReader
    private var estimate = TimeLeftEstimate()
    private var notNumberAt: Date?
    /// The byte up to which the log was read.
    public private(set) var offset: Int64
    /// When the file was last written to, in seconds since 1970.
    private var writtenAt = 0.0
    /// The position up to which the index of times was read, and its unused entries.
    private var indexOffset: Int64 = 0
    private var marks: [(at: Double, offset: Int64)] = []

    /// Reads from the line after `start`; from the beginning if that is 0. `patterns` are the user's own
    /// figures.
    public init(path: String, start: Int64 = 0, patterns: [FigurePattern] = []) {
        self.path = path
        self.reader = TrainingReader(patterns: patterns)
        self.offset = start
    }

    /// Reads the output that has arrived since, and returns whether there was any.
    @discardableResult public func advance() -> Bool {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
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
            self.reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            self.offset += Int64(count)
            self.look()
        }
        guard self.offset > before else { return false }
        var information = stat()
        if fstat(descriptor, &information) == 0 {
            // The last output has no entry of its own.
            let time = Double(information.st_mtim.tv_sec) + Double(information.st_mtim.tv_nsec) / 1e9
            self.writtenAt = time
            self.marks = [(time, self.offset)]
            self.look()
        }
        return true
    }

    /// Tells the estimate the run's progress at the time when this much of the log had arrived.
    private func look() {
        var time: Double?
        while let mark = self.marks.first, mark.offset <= self.offset {
            time = mark.at
            self.marks.removeFirst()
        }
        guard let time else { return }
        if let progress = self.reader.progress, !progress.isOfOneEpoch {
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

    /// Reads the index. An entry is the time when the byte at its offset arrived: earlier bytes existed by
    /// then.
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
                let offset = NumberRange.bytes.read(words[1]), offset > self.offset
            else { continue }
            entries.append((Double(time) / 1000, offset))
        }
        let stride = max(1, entries.count / Self.markLimit)
        self.marks += entries.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    }

    /// Returns the figures of the log so far. A line without an end counts once it has not changed for a
    /// moment: output that arrives in pieces may be half a number until then.
    public func reading(now: Date = Date()) -> TrainingReading {
        let isQuiet = now.timeIntervalSince1970 - self.writtenAt > 0.5
        return TrainingReading(
            self.reader.figures(withRest: isQuiet), self.estimate, notNumberAt: self.notNumberAt)
    }
}
