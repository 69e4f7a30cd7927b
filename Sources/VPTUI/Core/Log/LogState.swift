import VPEngine

/// The log pane: whose output it shows, and from where.
public struct LogState: Equatable, Sendable {
    /// The first row on screen: a line, and the row within it when it is wrapped.
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

    public var job: JobID?
    public var buffer = LogBuffer()
    /// Offset in the job's log of the byte that comes next; nil until the first part was read.
    public var nextOffset: Int64?
    /// Where the first part began. What lies before is in the file only.
    public var firstOffset: Int64 = 0
    public var isLoading = false
    /// Output was reported while a part was being read, and is in the file only.
    public var missedOutput = false
    /// nil follows the end.
    public var top: Position?
    /// The newest line when following stopped.
    public var pausedAt = 0
    public var isWrapped = true
    public var column = 0
    public var search = ""
    /// The line of the hit that `n` and `N` move from.
    public var hit: Int?
    /// Which of the lines with a hit it is, from 1, and how many there were when it was looked for.
    public private(set) var hitPosition = 0
    public private(set) var hitTotal = 0

    public init() {}

    public var isFollowing: Bool { self.top == nil }
    public var newLines: Int { max(0, self.buffer.endNumber - self.pausedAt) }

    /// Shows another job, from nothing.
    public mutating func open(_ job: JobID) {
        let isWrapped = self.isWrapped
        self = LogState()
        self.job = job
        self.isWrapped = isWrapped
    }

    /// Forgets what was read, to go on at `offset`.
    mutating func restart(at offset: Int64) {
        self.buffer = LogBuffer()
        self.nextOffset = nil
        self.firstOffset = offset
        self.hit = nil
        if !self.isFollowing { self.top = Position(line: 0) }
    }

    func rows(of number: Int, width: Int) -> Int {
        self.isWrapped ? self.buffer.line(number).rowCount(width: width) : 1
    }

    /// The position at which the last row of the log is the last row of the pane.
    func bottomPosition(_ size: Size) -> Position {
        var left = size.height
        var number = self.buffer.endNumber
        while number > self.buffer.firstNumber {
            number -= 1
            let rows = self.rows(of: number, width: size.width)
            if rows >= left { return Position(line: number, row: rows - left) }
            left -= rows
        }
        return Position(line: self.buffer.firstNumber)
    }

    /// Where the pane starts now.
    func position(_ size: Size) -> Position {
        let bottom = self.bottomPosition(size)
        guard let top = self.top else { return bottom }
        return max(Position(line: self.buffer.firstNumber), min(top, bottom))
    }

    /// Moves by rows; reaching the end follows again.
    mutating func scroll(by rows: Int, _ size: Size) {
        var position = self.position(size)
        if rows < 0 {
            for _ in 0..<(-rows) {
                if position.row > 0 {
                    position.row -= 1
                } else if position.line > self.buffer.firstNumber {
                    position.line -= 1
                    position.row = self.rows(of: position.line, width: size.width) - 1
                } else {
                    break
                }
            }
            self.pause(at: position)
        } else {
            let bottom = self.bottomPosition(size)
            for _ in 0..<rows where position < bottom {
                if position.row + 1 < self.rows(of: position.line, width: size.width) {
                    position.row += 1
                } else {
                    position = Position(line: position.line + 1)
                }
            }
            if position >= bottom { self.follow() } else { self.pause(at: position) }
        }
    }

    mutating func pause(at position: Position) {
        if self.isFollowing { self.pausedAt = self.buffer.endNumber }
        self.top = position
    }

    mutating func follow() {
        self.top = nil
    }

    /// Adds output that begins at `offset`. True when bytes before it are missing and must be read first.
    mutating func append(_ bytes: [UInt8], at offset: Int64) -> Bool {
        guard let next = self.nextOffset else {
            self.nextOffset = offset + Int64(bytes.count)
            self.firstOffset = offset
            self.buffer.append(bytes)
            return false
        }
        if offset > next { return true }
        let overlap = Int(min(Int64(bytes.count), next - offset))
        if overlap < bytes.count {
            self.buffer.append(overlap == 0 ? bytes : Array(bytes[overlap...]))
            self.nextOffset = offset + Int64(bytes.count)
        }
        return false
    }

    private mutating func countHits() {
        self.hitTotal = 0
        for number in self.buffer.firstNumber..<self.buffer.endNumber
        where !LogSearch.matches(of: self.search, in: self.buffer.line(number).text).isEmpty {
            self.hitTotal += 1
            if number == self.hit { self.hitPosition = self.hitTotal }
        }
    }

    /// Goes to the next line that holds the searched text, around the end if need be. False when none does.
    mutating func findNext(forward: Bool, _ size: Size) -> Bool {
        let range = self.buffer.firstNumber..<self.buffer.endNumber
        guard !self.search.isEmpty, !range.isEmpty else { return false }
        // The first search looks upward from the end of what is on screen: the newest hit comes first.
        var number = self.hit ?? min(range.upperBound, self.position(size).line + size.height)
        for _ in range {
            number += forward ? 1 : -1
            if number >= range.upperBound { number = range.lowerBound }
            if number < range.lowerBound { number = range.upperBound - 1 }
            guard !LogSearch.matches(of: self.search, in: self.buffer.line(number).text).isEmpty else {
                continue
            }
            self.hit = number
            self.countHits()
            let position = self.position(size)
            let isVisible = number >= position.line && number < position.line + size.height && !self.isWrapped
            if !isVisible {
                self.pause(at: Position(line: max(range.lowerBound, number - size.height / 3)))
            } else {
                self.pause(at: position)
            }
            return true
        }
        return false
    }
}
