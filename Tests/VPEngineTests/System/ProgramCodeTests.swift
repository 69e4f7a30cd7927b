import Foundation
import Testing

@testable import VPEngine

@Suite struct ProgramCodeTests {
    /// Returns the resident bytes of the code of this program.
    private static func resident() throws -> Int {
        let starts = Set(ProgramCode.pages().compactMap { $0.baseAddress.map { UInt(bitPattern: $0) } })
        var isOurs = false
        var kibibytes = 0
        for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if let start = words[0].split(separator: "-").first.flatMap({ UInt($0, radix: 16) }) {
                isOurs = starts.contains(start)
            }
            if isOurs, words[0] == "Rss:" { kibibytes += Int(words[1]) ?? 0 }
        }
        return kibibytes * 1024
    }

    /// All code is read before, so that only what other tests run meanwhile is resident after.
    @Test func codeThatDoesNotRunIsGivenBack() throws {
        let pages = ProgramCode.pages()
        let size = pages.reduce(0) { $0 + $1.count }
        #expect(size > 1_000_000)
        func read() -> Int {
            pages.reduce(0) { sum, pages in
                stride(from: 0, to: pages.count, by: 4096).reduce(sum) { $0 &+ Int(pages[$1]) }
            }
        }
        let before = read()
        try #require(try Self.resident() > size * 9 / 10)
        ProgramCode.giveBack()
        #expect(try Self.resident() < size / 2)
        #expect(read() == before)
    }
}
