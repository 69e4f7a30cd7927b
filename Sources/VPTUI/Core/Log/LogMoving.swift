import Foundation
import VPEngine

/// The pane's position in its window of lines, and movements to other positions.
extension LogState {
    func rows(of number: Int, width: Int) -> Int {
        self.isWrapped ? self.buffer.line(number).rowCount(width: width) : 1
    }

    /// The position at which the last row of the window is the last row of the pane.
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

    /// The pane's current first row.
    func position(_ size: Size) -> Position {
        let bottom = self.bottomPosition(size)
        guard let top = self.top else { return bottom }
        return max(Position(line: self.buffer.firstNumber), min(top, bottom))
    }

    /// Scrolls by rows; at the log's end the pane follows the output again.
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
            if position >= bottom, self.isAtEnd { self.follow() } else { self.pause(at: position) }
        }
    }

    mutating func pause(at position: Position) {
        if self.isFollowing { self.newLines = 0 }
        self.top = position
    }

    mutating func follow() {
        self.top = nil
        self.newLines = 0
        // The window is elsewhere in the file, so it is read again at the end.
        if let end = self.end, self.seen < self.size, self.size - end > 2 << 20 || self.filter != nil {
            self.restart()
        }
    }

    mutating func goToStart() {
        if self.start > 0 { self.show(0) } else { self.pause(at: Position(line: self.buffer.firstNumber)) }
    }

    /// Shows the line that contains byte `offset`; if the window does not contain it, reads around it.
    mutating func show(_ offset: Int64, _ size: Size? = nil) {
        guard let end = self.end, offset >= self.start, offset < end else {
            if self.isFollowing { self.newLines = 0 }
            // The lines on screen stay until the others have been read.
            self.top = self.top ?? Position(line: self.buffer.endNumber)
            self.target = offset
            self.pending = nil
            return
        }
        let number = self.buffer.number(at: offset)
        guard let size else {
            self.pause(at: Position(line: number))
            return
        }
        let position = self.position(size)
        if number >= position.line, number < self.lastVisibleLine(from: position, size) {
            self.pause(at: position)
        } else {
            self.pause(at: Position(line: max(self.buffer.firstNumber, number - size.height / 3)))
        }
    }

    /// Returns the number of the line that shows the search's hit.
    /// Text that several bars have overwritten has no line of its own,
    /// and the nearest row above that matches stands for it.
    func hitLine(_ matcher: TextMatcher) -> Int? {
        guard let hit = self.search?.hit, self.buffer.count > 0 else { return nil }
        let number = self.buffer.number(at: hit)
        if self.buffer.line(number).offset == hit { return number }
        guard hit > self.buffer.startOffset, hit < self.buffer.endOffset else { return nil }
        let region = max(self.buffer.firstNumber, number - LogBuffer.maximumRegion)...number
        return region.last { !matcher.matches(in: self.buffer.line($0).text).isEmpty }
    }

    /// Shows the first match in the line of a new hit, even if that line is longer than the screen.
    mutating func revealHit(_ size: Size) {
        guard let search = self.search, search.isComing, let hit = search.hit, let end = self.end,
            hit >= self.start, hit < end, self.target == nil, size.width > 0, size.height > 0
        else { return }
        self.search?.isComing = false
        guard let matcher = TextMatcher(search.pattern), let number = self.hitLine(matcher) else { return }
        let line = self.buffer.line(number)
        guard let match = matcher.matches(in: line.text).first else { return }
        if self.isWrapped {
            let row = (line.rowStarts(width: size.width).lastIndex { $0 <= match.lowerBound } ?? 0)
            let position = self.position(size)
            let wanted = Position(line: number, row: row)
            guard wanted < position || self.rows(from: position, to: wanted, size) >= size.height else {
                return
            }
            self.pause(at: Position(line: number, row: max(0, row - size.height / 3)))
        } else {
            let prefix = line.text.utf8.prefix(match.lowerBound)
            let column = line.isASCII ? match.lowerBound : DisplayWidth.of(String(Substring(prefix)))
            let isVisible = column >= self.column && column + match.count <= self.column + size.width
            if !isVisible { self.column = max(0, column - size.width / 3) }
        }
    }

    /// The number of rows between two positions, at most the height of a screen.
    private func rows(from first: Position, to last: Position, _ size: Size) -> Int {
        var rows = -first.row
        var number = first.line
        while number < last.line, rows < size.height {
            rows += self.rows(of: number, width: size.width)
            number += 1
        }
        return rows + last.row
    }

    /// One past the last line that is entirely visible on a screen that starts at `position`.
    private func lastVisibleLine(from position: Position, _ size: Size) -> Int {
        var left = size.height + position.row
        var number = position.line
        while number < self.buffer.endNumber {
            left -= self.rows(of: number, width: size.width)
            guard left >= 0 else { break }
            number += 1
        }
        return number
    }

    /// The offset at which a search without a hit starts: below the screen, so that the newest
    /// match comes first.
    func searchStart(_ size: Size) -> Int64 {
        if let hit = self.search?.hit { return hit }
        guard !self.isFollowing else { return .max }
        let position = self.position(size)
        let last = self.lastVisibleLine(from: position, size)
        return last >= self.buffer.endNumber ? self.size : self.buffer.line(last).offset
    }
}
