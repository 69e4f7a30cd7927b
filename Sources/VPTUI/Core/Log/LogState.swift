import Foundation
import VPEngine

/// A request for a part of a job's log, and the place of that part.
public struct LogReadRequest: Hashable, Sendable {
    public enum Place: Hashable, Sendable {
        case end
        case before(Int64)
        case after(Int64)
        case around(Int64)
        /// No lines, only the log's size.
        case size
    }

    public var job: JobID
    public var place: Place
    public var filter: LogFilter?

    public init(_ job: JobID, _ place: Place, filter: LogFilter? = nil) {
        self.job = job
        self.place = place
        self.filter = filter
    }
}

/// A search in a log, and its starting point.
public struct LogSearchRequest: Hashable, Sendable {
    public var job: JobID
    public var pattern: TextPattern
    public var filter: TextPattern?
    /// nil to find no other match: only counting continues.
    public var from: Int64?
    public var isForward: Bool
    /// The number of the search: answers to older searches are dropped.
    public var generation: Int
}

/// The log pane: a window of lines around the part on screen, over a file that may be far larger.
///
/// The window is read in parts as needed (`nextRead`), so that nothing here depends on the log's size.
public struct LogState: Equatable, Sendable {
    /// The first row on screen: a line, and a row of it if it is wrapped.
    public struct Position: Hashable, Comparable, Sendable {
        public var line: Int
        public var row: Int

        public init(line: Int, row: Int = 0) {
            self.line = line
            self.row = row
        }

        public static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.line, lhs.row) < (rhs.line, rhs.row)
        }
    }

    /// The results of a search.
    public struct Search: Equatable, Sendable {
        public var pattern: TextPattern
        public var generation = 0
        /// The offset of the hit's line, from which `n` and `N` continue.
        public var hit: Int64?
        /// The hit's index among the matching lines, from 1; nil until it has been counted.
        public var position: Int?
        public var total = 0
        /// The share of the log in which matches have been counted, from 0 to 1.
        public var counted = 0.0
        public var isLooking = false
        public var hasWrapped = false
        /// The hit has been found but is not on screen yet.
        var isComing = false
    }

    public private(set) var job: JobID?
    public private(set) var buffer = LogBuffer()
    /// The window's range in the file; `end` is nil until the first part has been read.
    public private(set) var start: Int64 = 0
    public private(set) var end: Int64?
    /// The end of the range that has been examined: with a filter or an unfinished line it is beyond `end`.
    private(set) var seen: Int64 = 0
    /// The log's size, as far as it is known.
    public private(set) var size: Int64 = 0
    /// The part that has been requested.
    public internal(set) var pending: LogReadRequest?
    /// The value of `size` when `pending` was requested.
    private var sizeWhenAsked: Int64 = 0
    /// The offset to go to once its part has been read.
    var target: Int64?
    public var filter: LogFilter?
    /// nil to follow the end.
    public var top: Position?
    /// The number of lines that arrived while the pane did not follow.
    public internal(set) var newLines = 0
    private var counted: Int64 = 0
    public var isWrapped = true
    public var column = 0
    public var search: Search?
    public var showsTimes = false
    /// The times at which output arrived, each with its offset; at most one per second.
    public private(set) var arrivals: [Arrival] = []

    public struct Arrival: Equatable, Sendable {
        public var offset: Int64
        public var date: Date

        public init(offset: Int64, date: Date) {
            self.offset = offset
            self.date = date
        }
    }

    public init() {}

    public var isFollowing: Bool { self.top == nil }
    public var isLoading: Bool { self.pending != nil }
    /// The window ends at the end of the log.
    public var isAtEnd: Bool { self.end.map { $0 >= self.size } ?? false }

    /// Opens another job's log; only the display settings stay.
    public mutating func open(_ job: JobID) {
        let old = self
        self = LogState()
        self.job = job
        self.isWrapped = old.isWrapped
        self.showsTimes = old.showsTimes
    }

    /// Takes the recorded times; those that were seen here after them stay.
    mutating func take(_ recorded: [Arrival]) {
        let end = recorded.last?.offset ?? -1
        self.arrivals = recorded + self.arrivals.filter { $0.offset > end }
    }

    // MARK: Reading

    /// Returns the part to read next, if any, and marks it as requested.
    mutating func nextRead(_ size: Size) -> LogReadRequest? {
        guard let job = self.job, self.pending == nil else { return nil }
        guard let place = self.wantedPlace(size) else { return nil }
        return self.ask(job, place)
    }

    private mutating func ask(_ job: JobID, _ place: LogReadRequest.Place) -> LogReadRequest {
        let request = LogReadRequest(job, place, filter: self.filter)
        self.pending = request
        self.sizeWhenAsked = self.size
        return request
    }

    private func wantedPlace(_ size: Size) -> LogReadRequest.Place? {
        guard let end = self.end else { return .end }
        if let target = self.target { return .around(target) }
        guard let top = self.top else {
            // Too much is missing to read all of it: the pane starts over at the end.
            if self.seen < self.size { return self.size - end > 2 << 20 ? .end : .after(end) }
            return self.start > 0 && self.rowsHeld(size) < size.height ? .before(self.start) : nil
        }
        if top.line - self.buffer.firstNumber < 2 * size.height, self.start > 0 { return .before(self.start) }
        if self.buffer.endNumber - top.line < 3 * size.height, self.seen < self.size { return .after(end) }
        return nil
    }

    private func rowsHeld(_ size: Size) -> Int {
        guard self.buffer.count < size.height else { return size.height }
        return (self.buffer.firstNumber..<self.buffer.endNumber).reduce(0) {
            $0 + self.rows(of: $1, width: size.width)
        }
    }

    /// Asks for output that was added to the file by another process, which sends no events.
    mutating func poll() -> LogReadRequest? {
        guard let job = self.job, self.pending == nil, let end = self.end else { return nil }
        // The window must not move while the user has scrolled back: then only the size is read.
        let isNear = self.isFollowing || self.buffer.count < LogBuffer.maximumLines / 2 && self.isAtEnd
        return self.ask(job, isNear ? .after(end) : .size)
    }

    mutating func take(_ part: LogPart, for request: LogReadRequest) {
        guard request == self.pending else { return }
        self.pending = nil
        if part.size < self.sizeWhenAsked {
            // The file was replaced by a shorter one: the whole window is invalid, and the part up to the old
            // size would be requested again and again.
            self.size = part.size
            self.counted = part.size
            self.top = nil
            self.restart()
            return
        }
        let isAtTail = self.end.map { $0 + (2 << 20) > self.size } ?? false
        self.size = max(self.size, part.size)
        switch request.place {
        case .size: break
        case .end, .around:
            self.buffer = LogBuffer()
            for chunk in part.chunks { self.buffer.append(chunk.bytes, at: chunk.offset) }
            let isTrimmed = part.chunks.first.map { self.buffer.startOffset > $0.offset } ?? false
            self.start = isTrimmed ? self.buffer.startOffset : part.start
            self.noteEnd(part)
        case .before:
            var earlier = LogBuffer()
            for chunk in part.chunks { earlier.append(chunk.bytes, at: chunk.offset) }
            let isTrimmed = part.chunks.first.map { earlier.startOffset > $0.offset } ?? false
            let endBefore = self.buffer.endOffset
            self.start = isTrimmed ? earlier.startOffset : part.start
            self.buffer.prepend(earlier)
            if self.buffer.endOffset < endBefore {
                self.end = self.buffer.endOffset
                self.seen = self.buffer.endOffset
            }
        case .after:
            if let first = part.chunks.first, self.filter != nil { self.buffer.drop(from: first.offset) }
            let firstBefore = self.buffer.firstNumber
            for chunk in part.chunks {
                // Output that came as an event was counted then.
                if !self.isFollowing, isAtTail, chunk.offset >= self.counted {
                    self.countNewLines(chunk.bytes[...])
                }
                self.buffer.append(chunk.bytes, at: chunk.offset)
            }
            self.noteEnd(part)
            if self.buffer.firstNumber > firstBefore { self.start = self.buffer.startOffset }
        }
        self.counted = max(self.counted, self.size)
        if let target = self.target {
            self.target = nil
            // A few lines above the target show its context.
            let number = self.buffer.number(at: target)
            self.top = Position(line: max(self.buffer.firstNumber, number - 5))
        }
    }

    private mutating func noteEnd(_ part: LogPart) {
        self.end = part.end
        self.seen = part.reachesEnd ? part.size : part.end
    }

    /// Takes output from an event. Output that does not continue the window is read from the file
    /// when it is needed.
    mutating func arrived(_ bytes: [UInt8], at offset: Int64, _ date: Date) {
        let known = self.size
        self.size = max(self.size, offset + Int64(bytes.count))
        if self.size > known, date.timeIntervalSince(self.arrivals.last?.date ?? .distantPast) >= 1 {
            self.arrivals.append(Arrival(offset: max(known, offset), date: date))
            // The limit is a day of seconds; beyond it the older half is dropped.
            if self.arrivals.count > 86_400 { self.arrivals.removeFirst(43_200) }
        }
        let overlap = Int(max(0, min(Int64(bytes.count), known - offset)))
        if !self.isFollowing { self.countNewLines(bytes[overlap...]) }
        self.counted = self.size
        guard let end = self.end, self.pending == nil, self.filter == nil, end >= known, offset <= end else {
            return
        }
        // A reader who has scrolled back keeps the lines on screen, however much output arrives.
        if !self.isFollowing, self.buffer.count > LogBuffer.maximumLines / 2 { return }
        let skipped = Int(min(Int64(bytes.count), end - offset))
        guard skipped < bytes.count else { return }
        let firstBefore = self.buffer.firstNumber
        self.buffer.append(skipped == 0 ? bytes : Array(bytes[skipped...]))
        self.end = offset + Int64(bytes.count)
        self.seen = offset + Int64(bytes.count)
        if self.buffer.firstNumber > firstBefore { self.start = self.buffer.startOffset }
    }

    /// Counts lines; bars that move the cursor up write again what has been counted.
    private mutating func countNewLines(_ bytes: ArraySlice<UInt8>) {
        let moves = bytes.contains(0x1B) ? LogCursorMove.rowsUp(in: bytes) : 0
        let lines = bytes.withUnsafeBytes { bytes in
            var count = 0
            var rest = bytes
            while let base = rest.baseAddress, let found = memchr(base, 0x0A, rest.count) {
                count += 1
                rest = UnsafeRawBufferPointer(rebasing: rest[(UnsafeRawPointer(found) - base + 1)...])
            }
            return count
        }
        self.newLines = max(0, self.newLines + lines - moves)
    }

    /// The log could not be read; it is requested again later.
    mutating func readFailed() {
        self.pending = nil
    }

    /// Reads the window again: at the end, or around the screen.
    mutating func restart() {
        let offset = self.top.map { self.buffer.line($0.line).offset }
        self.buffer = LogBuffer()
        self.pending = nil
        self.target = nil
        if let offset {
            self.target = offset
            self.end = self.end ?? 0
        } else {
            self.end = nil
        }
    }

    /// Shows only the lines that the filter keeps, or all lines again.
    mutating func setFilter(_ filter: LogFilter?) {
        guard filter != self.filter else { return }
        self.filter = filter
        self.restart()
    }

    /// Returns the time at which the line at `offset` arrived.
    func arrival(of offset: Int64) -> Date? {
        var low = 0
        var high = self.arrivals.count
        while low < high {
            let middle = (low + high) / 2
            if self.arrivals[middle].offset <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? self.arrivals[low - 1].date : nil
    }
}
