import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Files that are written to all the while, over a line that is slower than their writers.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct GrowingFileTests {
    /// Runs `step` in `folder` every five milliseconds until `stop` is there; `body` runs meanwhile.
    private func writing(
        _ step: String, in folder: TemporaryFolder, _ instance: LocalInstance, _ body: () async throws -> Void
    ) async throws {
        let script = """
            cd '\(instance.remote)' || exit 1
            n=0
            while [ ! -e '\(folder.path)/stop' ]; do n=$((n + 1)); \(step); sleep 0.005; done
            """
        let path = try folder.write(script, to: "writer.sh")
        let arguments: [String] = ["/bin/sh", path]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var writer: pid_t = 0
        let problem = posix_spawn(&writer, "/bin/sh", nil, nil, &words, environ)
        try #require(problem == 0)
        var failure: (any Error)?
        do {
            try await waitUntil("the writer") { folder.exists("instance/log") }
            try await body()
        } catch { failure = error }
        try folder.write("", to: "stop")
        var status: Int32 = 0
        waitpid(writer, &status, 0)
        if let failure { throw failure }
    }

    /// Its rsync takes 0.8 s to begin, in which the log grows and files are born.
    @Test func aLogThatNeverRestsComes() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("whole", to: "instance/result")
            try instance.delayRsync(0.8)
            let step = "echo line $n >> log; [ $((n % 20)) != 0 ] || echo $n > born-$n"
            try await self.writing(step, in: folder, instance) {
                let down = try await instance.sync().download(conflictSuffix: "7")
                #expect(down.missing.isEmpty && down.conflicts.isEmpty && down.isWhole, "\(down)")
                #expect(down.later.contains("log"), "\(down)")
                #expect(try folder.read("project/result") == "whole")
                #expect(try folder.read("project/log").hasPrefix("line 1\nline 2\n"))
            }
            try instance.delayRsync(nil)
            let next = try await instance.sync().download(conflictSuffix: "7")
            #expect(next.isWhole && next.later.isEmpty && next.conflicts.isEmpty, "\(next)")
            #expect(try folder.read("project/log") == folder.read("instance/log"))
        }
    }

    /// Written anew all the while: a version of it comes where there is none here, and what is here stays.
    @Test(arguments: [false, true]) func whatIsWrittenAnewIsNotMissing(isHere: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            if isHere {
                try folder.write("0\n", to: "instance/log")
                #expect(try await instance.sync().download(conflictSuffix: "7").isWhole)
            }
            try instance.delayRsync(0.3)
            // Of several sizes, and each whole.
            let step =
                "case $((n % 3)) in 0) echo 0 ;; 1) echo 000 ;; *) echo 00000 ;; esac > log.new; mv log.new log"
            try await self.writing(step, in: folder, instance) {
                let down = try await instance.sync().download(
                    PathSelection(paths: ["log"]), conflictSuffix: "7")
                #expect(down.missing.isEmpty && down.conflicts.isEmpty, "\(down)")
                #expect(try folder.read("project/log").hasPrefix("0"))
            }
            try instance.delayRsync(nil)
            let next = try await instance.sync().download(conflictSuffix: "7")
            #expect(next.isWhole && next.conflicts.isEmpty, "\(next)")
            #expect(try folder.read("project/log") == folder.read("instance/log"))
        }
    }
}
