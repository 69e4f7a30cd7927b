import Foundation

/// What the local copy of a job's log says of a training.
public struct TrainingReport: Equatable, Sendable {
    public var figures: TrainingFigures
    /// From the steps as they arrived, or as the log says it; nil where neither tells.
    public var secondsLeft: Double?
    /// What the job will have cost then, in dollars; nil where its price or its end is not known.
    public var finishDollars: Double?
    public var alarms: [TrainingAlarm]
    /// Where reading began, in bytes: of a long log only the end may have been read.
    public var start: Int64

    /// Of figures that were read without a job: there is no price and no clock.
    public init(_ figures: TrainingFigures) {
        self.figures = figures
        self.secondsLeft = figures.writtenSecondsLeft
        self.alarms = TrainingJudge.alarms(figures)
        self.start = 0
    }

    init(
        _ figures: TrainingFigures, secondsLeft: Double?, finishDollars: Double?, alarms: [TrainingAlarm],
        start: Int64
    ) {
        self.figures = figures
        self.secondsLeft = secondsLeft
        self.finishDollars = finishDollars
        self.alarms = alarms
        self.start = start
    }
}

/// Reads a job's log for figures, with the times at which it arrived.
///
/// A class of one thread, which can go on where it stopped: what arrives later is read, and nothing twice.
public final class TrainingLog {
    private static let blockSize = 1 << 18
    /// How often the progress is looked at, at most.
    private static let markLimit = 4096

    private let path: String
    private let reader = TrainingReader()
    private var estimate = TimeLeftEstimate()
    private var notNumberAt: Date?
    private let start: Int64
    private var offset: Int64
    /// Up to where the index of times was read, and the entries that were not used yet.
    private var indexOffset: Int64 = 0
    private var marks: [(at: Double, offset: Int64)] = []

    /// Reads from the line after `start`; from the beginning where that is 0.
    public init(path: String, start: Int64 = 0) {
        self.path = path
        self.start = start
        self.offset = start
    }

    /// Reads what has arrived since, and returns whether there was anything.
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
            // The end of what arrived has no entry of its own.
            let time = Double(information.st_mtim.tv_sec) + Double(information.st_mtim.tv_nsec) / 1e9
            self.marks = [(time, self.offset)]
            self.look()
        }
        return true
    }

    /// Tells the estimate how far the run was when this much of the log had arrived.
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
                let offset = NumberRange.bytes.read(words[1]), offset > self.offset
            else { continue }
            entries.append((Double(time) / 1000, offset))
        }
        let stride = max(1, entries.count / Self.markLimit)
        self.marks += entries.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    }

    /// What the log says. `job` gives the price and whether it still runs.
    public func report(of job: Job, now: Date) -> TrainingReport {
        let figures = self.reader.figures()
        let seconds = now.timeIntervalSince1970
        var alarms = TrainingJudge.alarms(figures)
        for index in alarms.indices where alarms[index].kind == .nan { alarms[index].at = self.notNumberAt }
        let isStalled = !job.state.isOver && TrainingJudge.isStalled(self.estimate, at: seconds)
        if isStalled {
            alarms.append(
                TrainingAlarm(
                    .stall, step: figures.step ?? figures.progress?.done,
                    at: self.estimate.lastAdvance.flatMap { Date(fromOutside: $0) }))
        }
        var left = job.state.isOver ? nil : self.estimate.secondsLeft(at: seconds)
        left = left ?? figures.writtenSecondsLeft
        var dollars: Double?
        if let left, !isStalled, !job.state.isOver, let started = job.startedAt,
            let price = job.record?.hardware?.dollarsPerHour
        {
            dollars = (max(0, now.timeIntervalSince(started)) + left) / 3600 * price
        }
        return TrainingReport(
            figures, secondsLeft: isStalled ? nil : left, finishDollars: dollars, alarms: alarms,
            start: self.start)
    }
}
