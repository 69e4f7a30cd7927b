/// Remembers rows of tables by their shape, as `LineMemo` does lines:
/// only the numbers of the next such row are read.
final class RowMemo {
    private let memo: LineMemo

    init(_ shape: LineShape) { self.memo = LineMemo(shape, entries: 256, shapes: 1024) }

    /// Returns the current line as a row of the tables with this key, valid until the next call,
    /// and whether it is of the older table; nil if it is unknown.
    func find(_ text: UnsafePointer<UInt8>, _ key: UInt64, _ lexer: LineLexer) -> (
        line: UnsafeMutablePointer<TrainingLine>, isOfOtherTable: Bool
    )? {
        guard let place = self.memo.place(rowOf: key),
            case .line(let line) = self.memo.find(text, from: place, lexer)
        else { return nil }
        return (line, self.memo[place].isOfOtherTable)
    }

    /// Remembers the row that `table`, one of the tables with this key, has just read into `line`.
    func remember(
        _ text: UnsafePointer<UInt8>, _ line: TrainingLine, of table: FigureTable, _ key: UInt64,
        isOfOtherTable: Bool
    ) {
        guard self.memo.isKnownShape() else { return }
        guard !table.dependsOnDigits else { return self.memo.giveUp() }
        var entry = LineMemo.Entry()
        entry.rowOf = key
        entry.isOfOtherTable = isOfOtherTable
        let values = table.rowMeanings.map { meaning in
            MemoValue(
                meaning.token, text + meaning.start, at: meaning.start, value: meaning.token.value,
                meaning.field, meaning.figure, keepsExponent: false)
        }
        self.memo.remember(text, MemoPlan(row: values), line, entry)
    }
}
