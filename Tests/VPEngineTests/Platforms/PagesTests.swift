import Foundation
import Testing

@testable import VPEngine

/// A list in pages is whole, or an error within bounds.
@Suite("Lists in pages")
struct PagesTests {
    private static func page(_ rows: Int, next: String?) -> Pages<Int>.Page {
        Pages<Int>.Page(rows: Array(0..<rows), next: next)
    }

    private func read(
        _ limits: Pages<Int>.Limits = .init(), _ clock: ScriptedClock = ScriptedClock(),
        _ body: @escaping (String?) async -> Pages<Int>.Page
    ) async -> Result<[Int], EngineError> {
        let pages = Pages<Int>(
            what: "the list", activity: .init("listing"), clock: clock.pacing, limits: limits)
        do throws(EngineError) {
            return .success(try await pages.all { cursor async throws(EngineError) in await body(cursor) })
        } catch {
            return .failure(error)
        }
    }

    private func words(_ result: Result<[Int], EngineError>) -> String? {
        guard case .failure(let error) = result, error.code == .badResponse else { return nil }
        return error.detail
    }

    @Test func allPagesAreOneList() async {
        let result = await self.read { cursor in
            switch cursor {
            case nil: Self.page(2, next: "a")
            case "a": Self.page(0, next: "b")
            default: Self.page(1, next: nil)
            }
        }
        #expect(result == .success([0, 1, 0]))
    }

    @Test func aCircleIsAnError() async {
        let result = await self.read { cursor in Self.page(1, next: cursor == "a" ? "b" : "a") }
        #expect(self.words(result) == "the pages of the list repeat themselves")
    }

    @Test func pagesWithoutEndAreAnError() async {
        var limits = Pages<Int>.Limits()
        limits.pages = 20
        // Each names another one, with rows or without.
        for rows in [0, 1] {
            let result = await self.read(limits) { cursor in Self.page(rows, next: (cursor ?? "") + "x") }
            #expect(self.words(result) == "the pages of the list do not end after 20")
        }
    }

    /// On many pages, or on one that is the last.
    @Test(arguments: [true, false]) func rowsWithoutEndAreAnError(hasNext: Bool) async {
        let result = await self.read { cursor in
            Self.page(hasNext ? 4_000 : 10_001, next: hasNext ? (cursor ?? "") + "x" : nil)
        }
        #expect(self.words(result) == "the pages of the list have more than 10000 rows")
    }

    @Test func aListThatTakesTooLongIsAnError() async {
        let clock = ScriptedClock()
        let result = await self.read(.init(), clock) { cursor in
            clock.advance(by: .seconds(10))
            return Self.page(1, next: (cursor ?? "") + "x")
        }
        #expect(self.words(result) == "the pages of the list do not end within 90 s")
    }

    @Test func aNameWithoutEndIsAnError() async {
        let result = await self.read { _ in Self.page(1, next: String(repeating: "x", count: 20_000)) }
        #expect(self.words(result) == "the pages of the list have a cursor that is too long")
    }
}
