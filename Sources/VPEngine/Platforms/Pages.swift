/// Reads a list that comes in pages, to its end and within bounds.
///
/// A list is whole or an error: what is missing in one would be taken for gone.
struct Pages<Row: Sendable>: Sendable {
    struct Page: Sendable {
        var rows: [Row]
        /// What names the next page; nil behind the last.
        var next: String?
    }

    /// What a whole list may be at most.
    struct Limits: Hashable, Sendable {
        var pages = 1000
        /// Of each one things are looked up and written down.
        var rows = 10_000
        /// From the first request to the last.
        var time: Duration = .seconds(90)
    }

    let what: String
    let activity: EngineError.Activity
    let clock: PacingClock
    var limits = Limits()

    /// Every row of every page. Throws `.badResponse` for pages that repeat themselves or go on beyond a
    /// limit.
    func all(
        _ read: (_ cursor: String?) async throws(EngineError) -> Page
    ) async throws(EngineError) -> [Row] {
        let start = self.clock.now()
        var rows: [Row] = []
        var cursors: Set<String> = []
        var cursor: String?
        var count = 0
        repeat {
            let page = try await read(cursor)
            rows += page.rows
            cursor = page.next
            count += 1
            guard rows.count <= self.limits.rows else {
                throw self.failure("hold more than \(self.limits.rows) rows")
            }
            guard let next = cursor else { break }
            guard next.utf8.count <= 16_384 else {
                throw self.failure("name their next one by too long a text")
            }
            guard cursors.insert(next).inserted else { throw self.failure("repeat themselves") }
            guard count < self.limits.pages else { throw self.failure("go on after \(count)") }
            guard self.clock.now() - start < self.limits.time else {
                throw self.failure("go on after \(Int(self.limits.time.seconds)) s")
            }
        } while cursor != nil
        return rows
    }

    private func failure(_ words: String) -> EngineError {
        EngineError(.badResponse, self.activity, detail: "the pages of \(self.what) \(words)")
    }
}
