/// All single words of `FigureGrammar`, in one table that is searched by bytes instead of strings.
struct GrammarWords {
    struct Uses: OptionSet {
        let rawValue: UInt32
        static let best = Uses(rawValue: 1)
        static let kept = Uses(rawValue: 2)
        static let otherBar = Uses(rawValue: 4)
        static let trainBar = Uses(rawValue: 8)
        static let epoch = Uses(rawValue: 16)
        static let unit = Uses(rawValue: 32)
        static let iterations = Uses(rawValue: 64)
        static let time = Uses(rawValue: 128)
        static let bytes = Uses(rawValue: 256)
        static let left = Uses(rawValue: 512)
        static let and = Uses(rawValue: 1024)
        static let at = Uses(rawValue: 2048)
        static let role = Uses(rawValue: 4096)
        static let early = Uses(rawValue: 8192)
        static let saving = Uses(rawValue: 16384)
        static let dict = Uses(rawValue: 32768)
        static let file = Uses(rawValue: 131072)
        static let level = Uses(rawValue: 262144)
        /// A word which reports that something was kept: `saved`.
        static let save = Uses(rawValue: 524288)
        /// A word for the part of a training that is kept.
        static let snapshot = Uses(rawValue: 1_048_576)
        /// A noun that is counted per second.
        static let noun = Uses(rawValue: 4_194_304)
        /// The ending of a file that holds weights.
        static let weights = Uses(rawValue: 2_097_152)
        /// A name whose value says which data a line is about.
        static let split = Uses(rawValue: 8_388_608)
        /// A line with this word may report on a training.
        static let wanted = Uses(rawValue: 65536)
    }

    private static let size = 4096

    /// A hash table that is built once and then only read: each hash is stored with the uses of its word.
    nonisolated(unsafe) private static let table: UnsafePointer<(hash: UInt64, uses: UInt32)> = {
        let table = UnsafeMutablePointer<(hash: UInt64, uses: UInt32)>.allocate(capacity: Self.size)
        table.initialize(repeating: (0, 0), count: Self.size)
        func add(_ words: some Sequence<String>, _ uses: Uses) {
            for word in words {
                let hash = FigureName.key(word)
                var slot = Int(truncatingIfNeeded: hash >> 32) & (Self.size - 1)
                while table[slot].hash != 0, table[slot].hash != hash {
                    slot = (slot + 1) & (Self.size - 1)
                }
                table[slot].hash = hash
                table[slot].uses |= uses.rawValue
            }
        }
        add(FigureGrammar.bestWords, .best)
        add(FigureGrammar.keptWords, .kept)
        add(FigureGrammar.otherBarWords, .otherBar)
        add(FigureGrammar.trainBarWords, .trainBar)
        add(FigureGrammar.roles.keys, .role)
        add(["epoch", "epochs"], .epoch)
        add(["s", "ms", "sec", "seconds", "min", "minutes", "it", "percent"], .unit)
        add(FigureGrammar.barUnits, .iterations)
        add(["ms", "s", "sec", "us"], .time)
        add(["mb", "gb", "kb", "b", "mib", "gib", "kib", "bytes"], .bytes)
        add(["left"], .left)
        add(["and"], .and)
        add(["at", "after", "on", "for", "of"], .at)
        add(["early"], .early)
        add(["saving"], .saving)
        add(["dict"], .dict)
        add(FigureGrammar.splitWords, .split)
        add(FigureGrammar.saveWords, .save)
        add(FigureGrammar.snapshotWords, .snapshot)
        add(FigureGrammar.weightEndings, .weights)
        add(FigureGrammar.fileEndings, .file)
        add(
            [
                "info", "warning", "warn", "debug", "error", "critical", "trace", "notice", "success",
                "metric",
            ], .level)
        add(LineFilter.words, .wanted)
        add(LineFilter.nouns, .noun)
        return UnsafePointer(table)
    }()

    /// Kept per instance, because reading a static costs as much as the search itself.
    private let table = Self.table

    func uses(_ text: UnsafePointer<UInt8>, _ count: Int) -> Uses {
        guard count > 0, count <= 24 else { return [] }
        let hash = FigureNames.hash(text, count)
        var slot = Int(truncatingIfNeeded: hash >> 32) & (Self.size - 1)
        while self.table[slot].hash != 0 {
            if self.table[slot].hash == hash { return Uses(rawValue: self.table[slot].uses) }
            slot = (slot + 1) & (Self.size - 1)
        }
        return []
    }
}
