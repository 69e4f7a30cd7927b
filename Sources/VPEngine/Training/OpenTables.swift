/// The tables of which rows may follow: the newest, and the one before it.
struct OpenTables {
    /// Whether a line is a row.
    enum Finding {
        case no
        /// No line of this shape can be a row of these tables.
        case never
        /// A row of the table that is now the newest, or was the other of both until now.
        /// `title` is the name of the trial in a table of trials.
        case row(title: String?, isOfOtherTable: Bool)
    }

    /// The number of lines after which no further row is expected.
    private static let patience = 2000

    private(set) var table: FigureTable?
    private var other: FigureTable?
    /// The number of lines since the newest table's last row.
    private var age = 0
    private var hasPipes = false
    private(set) var isEmpty = true
    /// Stands for both tables.
    private(set) var key: UInt64 = 0

    mutating func open(_ table: FigureTable) {
        if let old = self.table, old.key != table.key { self.other = old }
        self.table = table
        self.age = 0
        self.note()
    }

    private mutating func note() {
        self.isEmpty = self.table == nil
        self.hasPipes = self.table?.shape == .pipes || self.other?.shape == .pipes
        self.key = (self.table?.key ?? 0) &* 3 &+ (self.other?.key ?? 0)
    }

    /// Counts a line that is no row.
    @inline(__always)
    mutating func passOver() {
        if !self.isEmpty { _ = self.expectsRow() }
    }

    /// Counts a line. Returns `false` if no table is open any more.
    mutating func expectsRow() -> Bool {
        guard !self.isEmpty else { return false }
        self.age += 1
        guard self.age > Self.patience else { return true }
        self.table = nil
        self.note()
        return false
    }

    /// Reads the row of a table into `reader.line`.
    mutating func read(_ reader: LineReader, _ text: UnsafePointer<UInt8>, _ length: Int) -> Finding {
        let (isRow, isOtherRow) = self.mayBeRow(text, length)
        guard isRow || isOtherRow, let table = self.table else { return .never }
        var title: String?
        var dependsOnDigits = false
        if isRow {
            if table.read(reader, text, length, title: &title) {
                self.noteRow(isOfOtherTable: false)
                return .row(title: title, isOfOtherTable: false)
            }
            dependsOnDigits = table.dependsOnDigits
        }
        // An evaluation's table may come between two rows of the training's.
        guard isOtherRow, let other = self.other else { return dependsOnDigits ? .no : .never }
        if other.read(reader, text, length, title: &title), reader.line.rowCount != nil {
            self.noteRow(isOfOtherTable: true)
            return .row(title: title, isOfOtherTable: true)
        }
        return dependsOnDigits || other.dependsOnDigits ? .no : .never
    }

    /// Notes that a row was read, which may be of the other table.
    mutating func noteRow(isOfOtherTable: Bool) {
        if isOfOtherTable {
            (self.table, self.other) = (self.other, self.table)
            self.note()
        }
        self.age = 0
    }

    /// Returns for each of both tables whether a line may be a row of it: begins with a bar or a number,
    /// or far from the left, and has enough cells. The answer is the same for all lines of a shape.
    private func mayBeRow(_ text: UnsafePointer<UInt8>, _ length: Int) -> (Bool, Bool) {
        let first = text[0]
        let isBar = self.hasPipes && (first == 0x7C || first == 0xE2)
        guard isBar || first &- 0x30 < 10 || first == 0x2D || first == 0x20 || first == 0x09 else {
            return (false, false)
        }
        return (
            self.table?.hasEnoughCells(text, length) ?? false,
            self.other?.hasEnoughCells(text, length) ?? false
        )
    }
}
