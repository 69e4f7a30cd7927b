import Foundation

/// The series of a log, each under its name and whose it is.
struct SeriesBook {
    /// Between a trial and its figure in a name.
    static let rowMark = "\u{1F}"

    private struct Entry {
        var series: FigureSeries
        /// Of the name alone, whosever it is.
        var key: UInt64
        /// What a section of the log says whose it is; none where its own name does.
        var section: FigureRole
        /// Of a table of trials: the key of its column, whosever row it is.
        var row: UInt64
    }

    let limit: Int
    private var entries: [Entry] = []
    /// Open addressing: a key and the place of its entry. Twice as many places as there are series.
    private var keys: [UInt64]
    private var places: [Int32]
    private(set) var skipped = 0

    init(limit: Int) {
        self.limit = limit
        self.keys = [UInt64](repeating: 0, count: limit * 4)
        self.places = [Int32](repeating: -1, count: limit * 4)
    }

    private static func mixed(_ key: UInt64, _ section: FigureRole) -> UInt64 {
        let mixed = key ^ (UInt64(section.rawValue) &* 0x9e37_79b9_7f4a_7c15)
        return mixed == 0 ? 1 : mixed
    }

    /// Where `key` stands, or where it would.
    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let mask = self.keys.count - 1
        var slot = Int(truncatingIfNeeded: key >> 20) & mask
        while self.keys[slot] != 0, self.keys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    private func section(_ figure: TrainingLine.Figure, isQualified: Bool) -> FigureRole {
        figure.section.isEvaluation || isQualified ? figure.section : .none
    }

    private func entry(_ figure: TrainingLine.Figure) -> Int? {
        let slot = self.slot(Self.mixed(figure.name.key, self.section(figure, isQualified: false)))
        return self.keys[slot] == 0 ? nil : Int(self.places[slot])
    }

    /// False where there is no series for it yet: `make` makes one.
    mutating func add(
        _ figure: TrainingLine.Figure, _ value: Double, at step: Double, isQualified: Bool
    ) -> Bool {
        self.add(Self.mixed(figure.name.key, self.section(figure, isQualified: isQualified)), value, at: step)
    }

    mutating func add(_ key: UInt64, _ value: Double, at step: Double) -> Bool {
        let slot = self.slot(key)
        guard self.keys[slot] != 0 else { return false }
        self.entries[Int(self.places[slot])].series.add(value, at: step)
        return true
    }

    mutating func make(_ figure: TrainingLine.Figure, isQualified: Bool, _ title: String) {
        let section = self.section(figure, isQualified: isQualified)
        let name = figure.name
        let series = FigureSeries(
            title, name.kind, isEvaluation: section.isEvaluation || name.role.isEvaluation,
            mustBeFinite: name.kind.mustBeFinite || (name.use == .extra && name.role != .none && name.isAlone)
        )
        self.make(
            Self.mixed(name.key, section),
            Entry(series: series, key: name.key, section: section, row: figure.row))
    }

    mutating func make(_ key: UInt64, _ title: String, _ kind: FigureKind) {
        let series = FigureSeries(title, kind, isEvaluation: false, mustBeFinite: false)
        self.make(Self.mixed(key, .none), Entry(series: series, key: key, section: .none, row: 0))
    }

    private mutating func make(_ key: UInt64, _ entry: Entry) {
        guard self.entries.count < self.limit else {
            self.skipped += 1
            return
        }
        let slot = self.slot(key)
        guard self.keys[slot] == 0 else { return }
        self.keys[slot] = key
        self.places[slot] = Int32(self.entries.count)
        self.entries.append(entry)
    }

    /// A value that a line of training only carries along since the last evaluation.
    func isCarried(_ figure: TrainingLine.Figure, _ value: Double) -> Bool {
        guard let entry = self.entry(figure) else { return false }
        return self.entries[entry].series.last == value
    }

    func isRepeated(_ figure: TrainingLine.Figure, _ value: Double, at step: Double) -> Bool {
        guard let entry = self.entry(figure) else { return false }
        let last = self.entries[entry].series.last
        return self.entries[entry].series.lastStep == step && (last == value || (last.isNaN && value.isNaN))
    }

    var hasNotNumber: Bool {
        self.entries.contains { $0.series.mustBeFinite && $0.series.notNumberSince != nil }
    }

    /// The series with the names they are shown under: `test loss` where the log says `Test: loss`.
    func shown() -> [FigureSeries] {
        self.entries.map { entry in
            var series = entry.series
            if entry.row != 0 {
                let isOnly = self.entries.count { $0.row == entry.row } == 1
                let parts = series.name.components(separatedBy: Self.rowMark)
                series.name = isOnly ? parts.last ?? "" : parts.joined(separator: " ")
            }
            guard entry.section != .none else { return series }
            let hasOther = self.entries.contains { $0.key == entry.key && $0.section != entry.section }
            if entry.series.kind == .loss || hasOther {
                series.name = "\(entry.section.word) \(Self.withoutStatistics(series.name))"
            }
            return series
        }
    }

    private static func withoutStatistics(_ name: String) -> String {
        var words = name.split(separator: " ")[...]
        while words.count > 1, let first = words.first?.lowercased(),
            ["average", "avg", "avg.", "mean", "total"].contains(first)
        {
            words = words.dropFirst()
        }
        return words.joined(separator: " ")
    }
}
