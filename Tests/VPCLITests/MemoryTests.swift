import Foundation
import Testing
import VPTestSupport

/// What a platform that means harm can make `vp` hold in memory.
@Suite(.requires("python3"), .timeLimit(.minutes(5)))
struct MemoryTests {
    /// A server that gives one answer to every request, `vp ls` that asks it,
    /// and the largest resident size of that, in MB.
    private static let measure = """
        import json, os, resource, socket, subprocess, sys, threading, zlib
        def body(kind, send):
            head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
            if kind == "compressed":
                packer = zlib.compressobj(9, zlib.DEFLATED, 31)
                block = b" " * (1 << 20)
                packed = b"".join(packer.compress(block) for _ in range(3000)) + packer.flush()
                send(head + b"Content-Encoding: gzip\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(packed) + packed)
            elif kind == "endless":
                send(head + b"Transfer-Encoding: chunked\\r\\n\\r\\n1\\r\\n[\\r\\n")
                while True: send(b"10000\\r\\n" + b'{"a":1},' * 8192 + b"\\r\\n")
            else:
                item = b'"a"' if kind == "texts" else b'{"a":"a"}'
                rows = b"[" + b",".join([item] * 90_000) + b"]"
                text = b'{"success":true,"instances":[' + b",".join([rows] * (30_000_000 // len(rows))) + b"]}"
                send(head + b"Content-Length: %d\\r\\n\\r\\n" % len(text) + text)
        def serve(connection):
            try:
                seen = b""
                while b"\\r\\n\\r\\n" not in seen: seen += connection.recv(65536)
                body(sys.argv[1], connection.sendall)
            except OSError: pass
            finally: connection.close()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        def accept():
            while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        environment = dict(os.environ, VAST_URL="http://127.0.0.1:%d" % listener.getsockname()[1], VAST_API_KEY="key")
        code = subprocess.run(
            [sys.argv[2], "ls", "--platform", "vast"], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, code)
        """

    @Test(arguments: ["compressed", "endless", "texts", "objects"])
    func noAnswerTakesMoreThanHalfAGigabyte(_ kind: String) throws {
        let harness = try CLIHarness()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Programs.path(of: "python3")))
        process.arguments = ["-c", Self.measure, kind, "\(CLIHarness.products)/vp"]
        process.environment = harness.environment
        process.currentDirectoryURL = URL(fileURLWithPath: harness.project)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let words = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(words.count == 2, "\(text)")
        #expect(words[0] < 500, "\(kind) took \(words[0]) MB")
        #expect(words[1] == 202, "\(kind) ended with \(words[1])")
    }
}
