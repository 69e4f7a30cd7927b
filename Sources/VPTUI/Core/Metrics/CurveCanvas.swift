/// Dots and lines on a grid finer than cells: braille, half blocks, or ASCII letters.
///
/// A cell has one colour, that of the last pen which touched it, so the most important curve is drawn last.
struct CurveCanvas {
    struct Pen: Equatable {
        var style: Style
        /// The letter for a dot if the terminal shows only ASCII.
        var letter: Character
        /// Gives way to any other where both meet: the two would be one thick line.
        var isPale = false
    }

    let width: Int
    let height: Int
    let kind: Settings.Plotting
    private var bits: [UInt8]
    private var pens: [Pen?]

    init(width: Int, height: Int, _ kind: Settings.Plotting) {
        self.width = max(0, width)
        self.height = max(0, height)
        self.kind = kind
        self.bits = [UInt8](repeating: 0, count: self.width * self.height)
        self.pens = [Pen?](repeating: nil, count: self.width * self.height)
    }

    /// The size of a cell, in dots.
    private var dotsAcross: Int { self.kind == .braille ? 2 : 1 }
    private var dotsDown: Int {
        switch self.kind {
        case .braille: 4
        case .blocks: 2
        case .ascii: 1
        }
    }

    var columns: Int { self.width * self.dotsAcross }
    var rows: Int { self.height * self.dotsDown }

    /// Returns the cell of a dot.
    func cell(_ column: Int, _ row: Int) -> (x: Int, y: Int) {
        (column / self.dotsAcross, self.height - 1 - row / self.dotsDown)
    }

    /// Draws a dot; `row` counts from below. A dot outside is not drawn.
    mutating func dot(_ column: Int, _ row: Int, _ pen: Pen) {
        guard column >= 0, row >= 0, column < self.columns, row < self.rows else { return }
        let (x, y) = self.cell(column, row)
        let index = y * self.width + x
        let down = row % self.dotsDown
        // Dots of a cell from below, left and right column (Unicode chapter 21).
        let left: [UInt8] = [0x40, 0x04, 0x02, 0x01]
        let right: [UInt8] = [0x80, 0x20, 0x10, 0x08]
        if let old = self.pens[index], old.isPale != pen.isPale {
            if pen.isPale { return }
            self.bits[index] = 0
        }
        switch self.kind {
        case .braille: self.bits[index] |= column % 2 == 0 ? left[down] : right[down]
        case .blocks: self.bits[index] |= down == 0 ? 1 : 2
        case .ascii: self.bits[index] = 1
        }
        self.pens[index] = pen
    }

    mutating func line(from: (column: Int, row: Int), to: (column: Int, row: Int), _ pen: Pen) {
        var (x, y) = (from.column, from.row)
        let (dx, dy) = (abs(to.column - x), -abs(to.row - y))
        let (stepX, stepY) = (x < to.column ? 1 : -1, y < to.row ? 1 : -1)
        var error = dx + dy
        while true {
            self.dot(x, y, pen)
            if x == to.column, y == to.row { return }
            let twice = 2 * error
            if twice >= dy {
                error += dy
                x += stepX
            }
            if twice <= dx {
                error += dx
                y += stepY
            }
        }
    }

    func isEmpty(x: Int, y: Int) -> Bool { self.bits[y * self.width + x] == 0 }

    func draw(x: Int, y: Int, in buffer: inout CellBuffer) {
        for row in 0..<self.height {
            for column in 0..<self.width {
                let index = row * self.width + column
                guard self.bits[index] != 0, let pen = self.pens[index] else { continue }
                buffer.put(
                    self.character(self.bits[index], pen), width: 1, x: x + column, y: y + row,
                    style: pen.style)
            }
        }
    }

    private func character(_ bits: UInt8, _ pen: Pen) -> Character {
        switch self.kind {
        case .braille: Character(Unicode.Scalar(0x2800 + UInt32(bits)) ?? " ")
        case .blocks: bits == 3 ? "█" : bits == 1 ? "▄" : "▀"
        case .ascii: pen.letter
        }
    }
}
