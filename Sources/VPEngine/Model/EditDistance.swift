/// Levenshtein's distance.
package enum EditDistance {
    /// Returns how many elements must be inserted, removed or replaced to turn one collection into the other.
    package static func between<Word: Collection>(_ lhs: Word, _ rhs: Word) -> Int
    where Word.Element: Equatable {
        let right = Array(rhs)
        var row = Array(0...right.count)
        for (i, element) in lhs.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let replaced = diagonal + (element == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
