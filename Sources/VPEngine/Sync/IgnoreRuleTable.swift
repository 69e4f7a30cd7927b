/// Rules in the order in which they are written; the last one that matches decides.
///
/// The first and the last byte of a name select the rules that need a comparison, sixty-four at once: most
/// names of a project need none. Before, ten thousand files were compared with thirty-five built-in rules a
/// third of a million times.
struct IgnoreRuleTable: Sendable {
    private struct Block: Sendable {
        var rules: ArraySlice<IgnoreRule>
        /// Keyed by the first and by the last byte of a name: one bit for each rule that may match it.
        var byFirst: [UInt64]
        var byLast: [UInt64]
        /// Rules that match folders only.
        var folderRules: UInt64 = 0

        init(_ rules: ArraySlice<IgnoreRule>) {
            self.rules = rules
            var anyFirst: UInt64 = 0
            var anyLast: UInt64 = 0
            var first = [UInt64](repeating: 0, count: 256)
            var last = first
            for (index, rule) in rules.enumerated() {
                let bit: UInt64 = 1 << UInt64(index)
                if let byte = rule.firstByte { first[Int(byte)] |= bit } else { anyFirst |= bit }
                if let byte = rule.lastByte { last[Int(byte)] |= bit } else { anyLast |= bit }
                if rule.needsFolder { self.folderRules |= bit }
            }
            self.byFirst = first.map { $0 | anyFirst }
            self.byLast = last.map { $0 | anyLast }
        }
    }

    /// The blocks of rules, the last one first.
    private let blocks: [Block]

    init(_ rules: [IgnoreRule]) {
        self.blocks = stride(from: 0, to: rules.count, by: UInt64.bitWidth).reversed().map { start in
            Block(rules[start..<min(start + UInt64.bitWidth, rules.count)])
        }
    }

    /// Returns the last rule that matches `path`, which is relative to the ignore file's folder and has
    /// `name` as its last component.
    func last(for path: ArraySlice<UInt8>, name: ArraySlice<UInt8>, isFolder: Bool) -> IgnoreRule? {
        guard let first = name.first, let last = name.last else { return nil }
        // The blocks are accessed by index: a copy of a block costs more than most lookups in it.
        for number in self.blocks.indices {
            var candidates =
                self.blocks[number].byFirst[Int(first)] & self.blocks[number].byLast[Int(last)]
            if !isFolder { candidates &= ~self.blocks[number].folderRules }
            guard candidates != 0 else { continue }
            let rules = self.blocks[number].rules
            while candidates != 0 {
                let index = UInt64.bitWidth - 1 - candidates.leadingZeroBitCount
                let rule = rules[rules.startIndex + index]
                if rule.matches(path: path, name: name) { return rule }
                candidates &= ~(1 << UInt64(index))
            }
        }
        return nil
    }
}
