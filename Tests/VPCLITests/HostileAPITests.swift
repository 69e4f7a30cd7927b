import Foundation
import Testing
import VPTestSupport

/// What `vp` itself does with answers that have no end or no measure: it ends with the platform's status,
/// in time, and without taking the machine's memory.
@Suite("vp before a hostile API")
struct HostileAPITests {
    private static let ok = "HTTP/1.1 200 OK\r\n"

    /// A whole answer.
    private static func whole(_ body: String) -> RelayServer.Way {
        .reply(Array((Self.ok + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8))
    }

    private static let answers: [(String, RelayServer.Way)] = [
        ("a compressed answer", .endless(ok + "Content-Encoding: gzip\r\n\r\n", "\u{1F}\u{0}\u{0}\u{0}")),
        ("an answer without end", .endless(ok + "\r\n[", String(repeating: "[],", count: 20_000))),
        (
            "chunks without end",
            .endless(
                ok + "Transfer-Encoding: chunked\r\n\r\n",
                "c350\r\n\(String(repeating: " ", count: 50_000))\r\n")
        ),
        ("a head without end", .endless(ok, "X-Filler: \(String(repeating: "y", count: 1000))\r\n")),
        ("an enormous length", .endless(ok + "Content-Length: 99999999999\r\n\r\n", "x")),
        ("lists in a list", whole("[" + String(repeating: "[],", count: 15_000_000) + "[]]")),
        (
            "objects in lists",
            whole("[" + String(repeating: #"[{"a":{}},{"b":{}},{"c":{}}],"#, count: 99_000) + "0]")
        ),
        ("a deep answer", whole(String(repeating: #"{"instances":["#, count: 1_000_000))),
        (
            "rows without end",
            whole("{\"instances\":[" + String(repeating: #"{"id":1},"#, count: 1_000_000) + "{}]}")
        ),
        (
            "a redirect",
            .reply(Array("HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".utf8))
        ),
    ]

    @Test(arguments: Self.answers.indices)
    func itEndsInTimeAndInLittleMemory(_ index: Int) async throws {
        let (name, way) = Self.answers[index]
        let nowhere = try #require(URL(string: "http://127.0.0.1:9"))
        let server = try RelayServer(to: nowhere) { _ in way }
        let harness = try CLIHarness([
            "VAST_API_KEY": "key-of-a-test-0123456789", "VAST_URL": "http://127.0.0.1:\(server.port)",
        ])
        let start = ContinuousClock.now
        let child = try harness.start(["ls", "--json"])
        var peak = 0
        try await waitUntil("the end of vp ls with \(name)", limit: .seconds(120)) {
            peak = max(peak, Self.peakMegabytes(of: child.processID) ?? 0)
            return !child.isRunning
        }
        let output = try await child.output()
        #expect(output.status == 202, "\(name): \(output)")
        #expect(!(output.stdout + output.stderr).contains("key-of-a-test"))
        #expect(peak < 500, "\(name) took \(peak) MB")
        #expect(ContinuousClock.now - start < .seconds(90), "\(name)")
        #expect(server.requests.allSatisfy { $0.line.hasPrefix("GET ") })
    }

    /// The largest resident size so far; nil where the process has ended.
    private static func peakMegabytes(of process: Int32) -> Int? {
        let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 / 1024 }
    }
}
