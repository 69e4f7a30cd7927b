import Foundation
import Testing
import VPTestSupport

/// A job that writes random bytes and everything that could move, rename or take over a terminal.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync", "python3"))
struct HostileLogTests {
    private static let program = """
        import os, random, sys
        random.seed(7)
        out = sys.stdout.buffer
        attacks = [b"\\x1b]0;title\\x07", b"\\x1b]52;c;aGFjaw==\\x07", b"\\x1b[2J", b"\\x1b[?1049l", b"\\x1b[?1000h",
            b"\\x1bc", b"\\x1b[6n", b"\\x1bP+q544e\\x1b\\\\", b"\\x1b[5;1H", b"\\x9b2J", b"\\x9d0;x\\x9c", b"\\x0e", b"\\x07",
            "\\u202e\\u0085\\u009b2J".encode(), b"\\x1b[31mred\\x1b[0m", b"\\x1b[21t", b"\\x1b[!p", b"\\x1b#8"]
        for round in range(400):
            out.write(random.choice(attacks))
            out.write(bytes(random.randrange(256) for _ in range(random.randrange(200))))
            if round % 3 == 0: out.write(b"\\n")
        out.write(b"\\x1b[0m\\r\\nthe end of it\\n")
        """

    @Test func nothingButTextAndColoursReachesTheTerminal() async throws {
        try await RentedDashboard.with { rented in
            let session = rented.session
            try rented.write(Self.program, "hostile.py")
            session.type("S")
            try session.wait(for: "1 file uploaded", seconds: 60)
            // All that curses uses is known by now: lists, boxes, a box that closes.
            session.type("?")
            try session.wait(for: "Keys in")
            session.type("\u{1B}")
            try session.wait("the help to close") { !$0.contains("Keys in") }
            session.type("r")
            try session.wait(for: "Run on")
            session.type("python3 hostile.py\r")
            try session.wait(for: "the end of it", seconds: 60)
            try session.wait(for: "✓ succeeded", seconds: 60)
            // Through all of it, page by page, wrapped and cut.
            session.type("4w")
            for _ in 0..<60 {
                session.type("\u{1B}[5~")
                session.read(milliseconds: 20)
            }
            session.type("g")
            let known: Set = [
                "[m", "[H", "[d", "[G", "[A", "[B", "[C", "[D", "[J", "[K", "[X", "[P", "[@", "[b", "[L",
                "[M", "[S", "[T", "[r", "[?h", "[?l", "[l", "[h", "[t", "(B", ")0", "7", "8", "M", "=", ">",
                "]11", "[c", "[>m", "[=u",
            ]
            let strange = session.screen.kinds.subtracting(known)
            #expect(strange.isEmpty, "\(strange.sorted())")
            #expect(session.screen.isAlternateScreen)
            session.type("q")
            #expect(try session.waitForEnd(seconds: 30) == .exited(0))
            #expect(session.hasModesOfStart)
        }
    }
}
