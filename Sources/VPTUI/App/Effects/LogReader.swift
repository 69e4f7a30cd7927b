import Dispatch
import Foundation
import Glibc
import Synchronization
import VPEngine
import VPTUICore

/// A log's local copy. It is read on demand: a mapping would count a gigabyte as this process's memory.
struct LogFile: LogSource {
    private final class Descriptor: Sendable {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(self.number) }
    }

    private let descriptor: Descriptor

    /// nil if the log has no file yet.
    init?(path: String) {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        self.descriptor = Descriptor(number)
    }

    func size() -> Int64 {
        var information = stat()
        return fstat(self.descriptor.number, &information) == 0 ? Int64(information.st_size) : 0
    }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        max(0, pread(self.descriptor.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }
}

/// Reads and searches logs outside the loop, on threads of its own: the search of a gigabyte would occupy one
/// of the few threads that all asynchronous code shares.
final class LogReader: Sendable {
    private let path: @Sendable (JobID) -> String
    private let mailbox: Mailbox
    private let reading = DispatchQueue(label: "variousplug.log.read")
    private let searching = DispatchQueue(label: "variousplug.log.search")
    /// The queue for figures, with a lower priority than drawing and typing.
    private let measuring = DispatchQueue(label: "variousplug.log.measure", qos: .utility)
    /// The number of the current search; any other search ends.
    private let search = Mutex<Int>(0)
    private let counts = Mutex<Counts?>(nil)
    /// The readers of the logs whose metrics are shown, the newest last.
    private let trainings = Mutex<[(job: JobID, log: TrainingLog)]>([])
    /// Enough for one job, the jobs drawn behind it, and some that the user returns to.
    private static let trainingLimit = 12
    /// The readers of logs whose jobs have a row on screen.
    private let ends = Mutex<[JobID: TrainingLog]>([:])

    /// The number of matching lines in each block counted so far. A hit's position is a sum over it.
    private struct Counts {
        var job: JobID
        var pattern: TextPattern
        var filter: TextPattern?
        var blocks: [(start: Int64, end: Int64, hits: Int)] = []
        var total = 0

        var end: Int64 { self.blocks.last?.end ?? 0 }
    }

    private let patterns: [FigurePattern]

    init(
        mailbox: Mailbox, patterns: [FigurePattern] = [], path: @escaping @Sendable (JobID) -> String
    ) {
        self.mailbox = mailbox
        self.patterns = patterns
        self.path = path
    }

    func read(_ request: LogReadRequest) {
        self.reading.async { [self] in
            guard let file = LogFile(path: self.path(request.job)) else {
                // A job that has printed nothing has no file yet: its log is empty.
                let empty = LogPart(chunks: [], start: 0, end: 0, size: 0, reachesEnd: true)
                self.mailbox.post(.log(.logRead(request, empty)))
                return
            }
            let part = LogScanner(file).part(request.place, filter: request.filter)
            self.mailbox.post(.log(.logRead(request, part)))
        }
    }

    func times(_ job: JobID) {
        self.reading.async { [self] in
            let arrivals = LogSpool.arrivals(in: self.path(job)).map {
                LogState.Arrival(offset: $0.offset, date: $0.date)
            }
            self.mailbox.post(.log(.timesRead(job, arrivals)))
        }
    }

    func write(_ job: JobID, to path: String, filter: TextPattern?) {
        self.measuring.async { [self] in
            // Relative to where the dashboard was started, which nobody need remember.
            let whole = URL(fileURLWithPath: NSString(string: path).expandingTildeInPath).path
            self.mailbox.post(.log(.logWritten(path: whole, self.copy(job, to: whole, filter))))
        }
    }

    private func copy(_ job: JobID, to path: String, _ filter: TextPattern?) -> Result<Int64, EngineError> {
        let activity = EngineError.Activity("writing the log", subject: path)
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else {
            return .failure(
                EngineError(.fileSystem, activity, detail: "\(path): \(String(cString: strerror(errno)))"))
        }
        defer { close(target) }
        guard let file = LogFile(path: self.path(job)) else { return .success(0) }
        var written: Int64 = 0
        var failure: EngineError?
        LogScanner(file).forEachKept(filter.flatMap { TextMatcher($0) }) { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Glibc.write(target, bytes.baseAddress! + sent, bytes.count - sent)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    failure = EngineError(
                        errno == ENOSPC ? .localDiskFull : .fileSystem, activity,
                        detail: String(cString: strerror(errno)))
                    return false
                }
                sent += count
            }
            written += Int64(bytes.count)
            return true
        }
        return failure.map { .failure($0) } ?? .success(written)
    }

    /// Continues where the last reading stopped: the log is read once, and later output as it arrives.
    func measure(_ job: JobID) {
        self.measuring.async { [self] in
            let (reading, end) = self.trainings.withLock { trainings -> (TrainingReading, Int64) in
                let index = trainings.firstIndex { $0.job == job }
                let log =
                    index.map { trainings.remove(at: $0).log }
                    ?? TrainingLog(path: self.path(job), patterns: self.patterns)
                if trainings.count >= Self.trainingLimit { trainings.removeFirst() }
                trainings.append((job, log))
                log.advance()
                return (log.reading(), log.offset)
            }
            self.mailbox.post(.log(.metricsRead(job, reading, end: end)))
        }
    }

    /// Reads the new output of these jobs' logs, at first from near the end, and drops all other readers.
    func measureEnds(of jobs: [JobID]) {
        self.measuring.async { [self] in
            let readings = self.ends.withLock { ends -> [JobID: TrainingReading] in
                ends = ends.filter { jobs.contains($0.key) }
                var readings: [JobID: TrainingReading] = [:]
                for job in jobs {
                    let log =
                        ends[job]
                        ?? TrainingLog(
                            path: self.path(job), last: Engine.endOfLog, patterns: self.patterns)
                    ends[job] = log
                    if log.advance() { readings[job] = log.reading() }
                }
                return readings
            }
            // Posted even if nothing is new: the next request waits for the answer to this one.
            self.mailbox.post(.log(.trainingsRead(readings)))
        }
    }

    // MARK: Search

    func find(_ request: LogSearchRequest) {
        self.search.withLock { $0 = request.generation }
        self.searching.async { [self] in
            guard let file = LogFile(path: self.path(request.job)), let matcher = TextMatcher(request.pattern)
            else {
                self.mailbox.post(
                    .log(.logFound(generation: request.generation, hit: nil, hasWrapped: false)))
                return
            }
            let isStale = { [self] in self.search.withLock { $0 != request.generation } }
            let scanner = LogScanner(file, isCancelled: isStale)
            let filter = request.filter.flatMap { TextMatcher($0) }
            var hit: Int64?
            if let from = request.from {
                hit = scanner.find(matcher, filter: filter, from: from, isForward: request.isForward)
                var hasWrapped = false
                if hit == nil, !isStale() {
                    hit = scanner.find(
                        matcher, filter: filter, from: request.isForward ? -1 : .max,
                        isForward: request.isForward)
                    hasWrapped = hit != nil
                }
                guard !isStale() else { return }
                self.mailbox.post(
                    .log(.logFound(generation: request.generation, hit: hit, hasWrapped: hasWrapped)))
            }
            self.count(request, hit, scanner, matcher, filter)
        }
    }

    /// Continues the count of an earlier search for the same words, and reports progress from time to time.
    private func count(
        _ request: LogSearchRequest, _ hit: Int64?, _ scanner: LogScanner, _ matcher: TextMatcher,
        _ filter: TextMatcher?
    ) {
        var counts = self.counts.withLock { counts -> Counts in
            if let counts, counts.job == request.job, counts.pattern == request.pattern,
                counts.filter == request.filter
            {
                return counts
            }
            return Counts(job: request.job, pattern: request.pattern, filter: request.filter)
        }
        func post(_ fraction: Double) {
            self.mailbox.post(
                .log(
                    .logCounted(
                        generation: request.generation, total: counts.total,
                        position: hit.flatMap { self.position(of: $0, counts, scanner, matcher, filter) },
                        fraction: fraction)))
        }
        var reported = DispatchTime.now()
        scanner.count(matcher, filter: filter, from: counts.end) { start, end, hits in
            counts.blocks.append((start, end, hits.count))
            counts.total += hits.count
            if DispatchTime.now().uptimeNanoseconds - reported.uptimeNanoseconds > 200_000_000 {
                reported = .now()
                post(Double(end) / Double(max(1, scanner.size)))
            }
            return true
        }
        // A last line without a newline is counted again once it has one.
        let isWhole = scanner.lineStart(of: scanner.size) == scanner.size
        let final = counts
        if isWhole { self.counts.withLock { $0 = final } }
        if self.search.withLock({ $0 == request.generation }) { post(1) }
    }

    private func position(
        of hit: Int64, _ counts: Counts, _ scanner: LogScanner, _ matcher: TextMatcher, _ filter: TextMatcher?
    ) -> Int? {
        var before = 0
        for block in counts.blocks {
            guard block.end <= hit else {
                guard block.start <= hit, let file = LogFile(path: self.path(counts.job)) else { return nil }
                // The block is read again by another scanner, because this one's buffer is in use.
                LogScanner(file).count(matcher, filter: filter, from: block.start) { start, _, hits in
                    before += hits.count { start + Int64($0) <= hit }
                    return false
                }
                return before
            }
            before += block.hits
        }
        return nil
    }
}
