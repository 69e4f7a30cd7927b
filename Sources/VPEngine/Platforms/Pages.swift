/// Reads a list that comes in pages, to its end and within bounds.
///
/// The result is complete or an error: a missing row would be taken for an instance that is gone.
struct Pages<Row: Sendable>: Sendable {
    struct Page: Sendable {
        var rows: [Row]
        /// The cursor of the next page; nil after the last one.
        var next: String?
    }

    /// The limits of a whole list.
    struct Limits: Hashable, Sendable {
        var pages = 1000
        /// Each row is looked up and recorded.
        var rows = 10_000
        /// The time from the first request to the last.
        var time: Duration = .seconds(90)
    }

    let what: String
    let activity: EngineError.Activity
    let clock: PacingClock
    var limits = Limits()

    /// Returns every row of every page. Throws `.badResponse` for pages that repeat themselves or exceed a
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
                throw self.failure("have more than \(self.limits.rows) rows")
            }
            guard let next = cursor else { break }
            guard next.utf8.count <= 16_384 else {
                throw self.failure("have a cursor that is too long")
            }
            guard cursors.insert(next).inserted else { throw self.failure("repeat themselves") }
            guard count < self.limits.pages else { throw self.failure("do not end after \(count)") }
            guard self.clock.now() - start < self.limits.time else {
                throw self.failure("do not end within \(Int(self.limits.time.seconds)) s")
            }
        } while cursor != nil
        return rows
    }

    private func failure(_ words: String) -> EngineError {
        EngineError(.badResponse, self.activity, detail: "the pages of \(self.what) \(words)")
    }
}
