import Foundation

/// The series of a log, each by its name and role.
struct SeriesBook {
    /// Separates a trial and its figure in a name.
    static let rowMark = "\u{1F}"

    fileprivate struct Entry {
        var series: FigureSeries
        /// The key of the name alone, for any role.
        var key: UInt64
        /// The role that the log's section gives; none if the name has one itself.
        var section: FigureRole
        /// In a table of trials, the key of the column, for any row.
        var row: UInt64
    }

    let limit: Int
    private var store: SeriesStore
    /// The store's table, kept here because each access through the class would count references.
    private var table: SeriesStore.Table
    private var tellsPoints = false
    private(set) var skipped = 0
    /// The epoch and the arrival time of the current line.
    var epoch = Double.nan
    var time = Double.nan
    /// Called for each figure: the index of its series, its position, and its value.
    var onPoint: ((Int, Double, Double) -> Void)? {
        didSet { self.tellsPoints = self.onPoint != nil }
    }

    init(limit: Int) {
        self.limit = limit
        self.store = SeriesStore(limit: limit)
        self.table = self.store.table
    }

    private static func mixed(_ key: UInt64, _ section: FigureRole) -> UInt64 {
        let mixed = key ^ (UInt64(section.rawValue) &* 0x9e37_79b9_7f4a_7c15)
        return mixed == 0 ? 1 : mixed
    }

    private func section(_ figure: TrainingLine.Figure, isQualified: Bool) -> FigureRole {
        figure.section.isEvaluation || isQualified ? figure.section : .none
    }

    private func entry(_ figure: TrainingLine.Figure) -> Int? {
        self.table.place(Self.mixed(figure.name.key, self.section(figure, isQualified: false)))
    }

    /// Returns `false` if the figure has no series yet; `make` creates one.
    mutating func add(
        _ figure: TrainingLine.Figure, _ value: Double, at step: Double, isQualified: Bool
    ) -> Bool {
        self.add(Self.mixed(figure.name.key, self.section(figure, isQualified: isQualified)), value, at: step)
    }

    mutating func add(_ key: UInt64, _ value: Double, at step: Double) -> Bool {
        guard let place = self.table.place(key) else { return false }
        if self.tellsPoints { self.onPoint?(place, step, value) }
        self.table.entries[place].series.add(value, at: step, epoch: self.epoch, time: self.time)
        return true
    }

    func has(_ figure: TrainingLine.Figure) -> Bool { self.entry(figure) != nil }

    /// Gives the series without a role to an evaluation, unless that has one of this name.
    mutating func move(_ key: UInt64, to section: FigureRole) {
        guard let place = self.table.place(Self.mixed(key, .none)),
            self.table.place(Self.mixed(key, section)) == nil
        else { return }
        self.table.entries[place].section = section
        self.table.entries[place].series.isEvaluation = true
        self.store.index { Self.mixed($0.key, $0.section) }
    }

    /// Before anything is added: a copy of a state is changed without the other.
    mutating func makeUnique() {
        guard !isKnownUniquelyReferenced(&self.store) else { return }
        self.store = SeriesStore(self.store)
        self.table = self.store.table
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
        guard self.store.count < self.limit else {
            self.skipped += 1
            return
        }
        guard self.table.place(key) == nil else { return }
        self.store.append(key, entry)
    }

    /// `true` if a training line only repeats the value of the last evaluation.
    func isCarried(_ figure: TrainingLine.Figure, _ value: Double) -> Bool {
        guard let entry = self.entry(figure) else { return false }
        return self.table.entries[entry].series.last == value
    }

    func isRepeated(_ figure: TrainingLine.Figure, _ value: Double, at step: Double) -> Bool {
        guard let entry = self.entry(figure) else { return false }
        let last = self.table.entries[entry].series.last
        return self.table.entries[entry].series.lastStep == step
            && (last == value || (last.isNaN && value.isNaN))
    }

    var hasNotNumber: Bool {
        self.store.all.contains { $0.series.mustBeFinite && $0.series.notNumberSince != nil }
    }

    /// Returns the series with the names to show: `test loss` if the log says `Test: loss`.
    func shown() -> [FigureSeries] {
        let entries = self.store.all
        return entries.map { entry in
            var series = entry.series
            if entry.row != 0 {
                let isOnly = entries.count { $0.row == entry.row } == 1
                let parts = series.name.components(separatedBy: Self.rowMark)
                series.name = isOnly ? parts.last ?? "" : parts.joined(separator: " ")
            }
            guard entry.section != .none else { return series }
            let hasOther = entries.contains { $0.key == entry.key && $0.section != entry.section }
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

/// The storage for the series of a book: allocated once, and accessed without checks, many times per line.
private final class SeriesStore {
    struct Table {
        let entries: UnsafeMutablePointer<SeriesBook.Entry>
        /// Open addressing: each key with the index of its entry. There are four times as many slots as
        /// series, so that one is always free.
        let keys: UnsafeMutablePointer<UInt64>
        let places: UnsafeMutablePointer<Int32>
        let mask: Int

        /// Returns the slot of `key`, or the free slot for it.
        @inline(__always)
        func slot(_ key: UInt64) -> Int {
            var slot = Int(truncatingIfNeeded: key &>> 20) & self.mask
            while self.keys[slot] != 0, self.keys[slot] != key { slot = (slot &+ 1) & self.mask }
            return slot
        }

        @inline(__always)
        func place(_ key: UInt64) -> Int? {
            let slot = self.slot(key)
            return self.keys[slot] == 0 ? nil : Int(self.places[slot])
        }
    }

    let table: Table
    private(set) var count = 0
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        let slots = limit * 4
        precondition(slots & (slots - 1) == 0, "A number of series that is a power of two.")
        self.table = Table(
            entries: .allocate(capacity: limit), keys: .allocate(capacity: slots),
            places: .allocate(capacity: slots), mask: slots - 1)
        self.table.keys.initialize(repeating: 0, count: slots)
        self.table.places.initialize(repeating: -1, count: slots)
    }

    convenience init(_ other: SeriesStore) {
        self.init(limit: other.limit)
        self.table.entries.initialize(from: other.table.entries, count: other.count)
        self.count = other.count
        self.table.keys.update(from: other.table.keys, count: self.table.mask + 1)
        self.table.places.update(from: other.table.places, count: self.table.mask + 1)
    }

    deinit {
        self.table.entries.deinitialize(count: self.count)
        self.table.entries.deallocate()
        self.table.keys.deallocate()
        self.table.places.deallocate()
    }

    var all: UnsafeMutableBufferPointer<SeriesBook.Entry> {
        UnsafeMutableBufferPointer(start: self.table.entries, count: self.count)
    }

    /// Finds every series under a new key.
    func index(_ key: (SeriesBook.Entry) -> UInt64) {
        self.table.keys.update(repeating: 0, count: self.table.mask + 1)
        for place in 0..<self.count {
            let slot = self.table.slot(key(self.table.entries[place]))
            self.table.keys[slot] = key(self.table.entries[place])
            self.table.places[slot] = Int32(place)
        }
    }

    func append(_ key: UInt64, _ entry: SeriesBook.Entry) {
        let slot = self.table.slot(key)
        (self.table.entries + self.count).initialize(to: entry)
        self.table.keys[slot] = key
        self.table.places[slot] = Int32(self.count)
        self.count += 1
    }
}
