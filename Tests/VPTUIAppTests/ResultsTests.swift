import Foundation
import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

/// Results that are on an instance only, and files that both sides changed: by keys, on a real instance.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct ResultsTests {
    /// A dashboard in a project's folder, with an instance that was rented by keys.
    private struct Rented {
        let session: PTYSession
        let cloud: LoopbackCloud
        let project: String

        func text(_ name: String) -> String? {
            FileManager.default.contents(atPath: "\(self.project)/\(name)").map {
                String(decoding: $0, as: UTF8.self)
            }
        }

        func write(_ text: String, _ name: String) throws {
            try text.write(toFile: "\(self.project)/\(name)", atomically: true, encoding: .utf8)
        }

        /// No box has the keys: the bar shows those of Instances.
        static func isFree(_ screen: VirtualTerminal) -> Bool { screen.contains("c create ") }

        /// Runs a command of the palette, and closes the box with its answer.
        func palette(_ line: String, answer: String) throws {
            self.session.type(":\(line)\r")
            try self.session.wait(for: answer, seconds: 60)
            try self.session.press("\u{1B}", until: Self.isFree)
        }

        /// A job that makes `file` there and does not end, so that nothing brings its results.
        func leave(_ file: String) throws {
            self.session.type("r")
            try self.session.wait(for: "Run on")
            // What it prints is not what was typed.
            self.session.type("\(file) && echo made $((40 + 2)); sleep 1000\r")
            try self.session.wait(for: "made 42", seconds: 60)
            try self.session.wait("the prompt to close") { !$0.contains("Run on") }
            self.session.type("1")
        }

        /// Goes to a button of the dialog, confirms, and lets the time to take it back pass.
        func destroy(_ button: String, expecting words: String) throws {
            self.session.type("D")
            try self.session.wait(for: words, seconds: 90)
            try self.session.press("\t", until: { $0.contains("▸ \(button) ") })
            self.session.type("y")
            try self.session.wait(for: "takes it back")
        }
    }

    private func withInstance(_ body: (Rented) async throws -> Void) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            try await withLoopbackCloud { cloud in
                let project = folder.path + "/project"
                try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
                let environment = DashboardSession.environment(home: folder.path)
                    .merging(cloud.environment) { $1 }
                let session = try PTYSession(
                    DashboardSession.program, width: 140, height: 42, environment: environment,
                    directory: project)
                try session.wait(for: "vast RTX 3060")
                session.type("2\r")
                try session.wait(for: "Rent from vast.ai")
                try session.press("y", until: { !$0.contains("Rent from vast.ai") })
                try session.wait(for: "is ready", seconds: 90)
                try await body(Rented(session: session, cloud: cloud, project: project))
            }
        }
    }

    @Test func aDestroyBringsThemFirst() async throws {
        try await self.withInstance { rented in
            try rented.leave("echo weights > model.bin")
            try rented.destroy("Destroy", expecting: "1 file")
            try rented.session.wait(for: "is gone, confirmed by the platform", seconds: 60)
            try rented.session.wait(for: "1 file brought back")
            #expect(rented.text("model.bin") == "weights\n")
            #expect(await rented.cloud.instanceCount == 0)
        }
    }

    /// A file that no disk here holds.
    @Test func aDestroyIsRefusedWhereTheLocalDiskIsTooSmall() async throws {
        try await self.withInstance { rented in
            try rented.leave("echo weights > model.bin && truncate -s 8T huge.bin")
            try rented.destroy("Destroy", expecting: "2 files")
            try rented.session.wait(for: "Free space, then press d again", seconds: 60)
            #expect(await rented.cloud.instanceCount == 1)
            try rented.session.press("\u{1B}", until: Rented.isFree)
            try rented.session.wait(for: "● running")
            // What was said to be given up is given up.
            try rented.destroy("Destroy, discard results", expecting: "2 files")
            try rented.session.wait(for: "is gone, confirmed by the platform", seconds: 60)
            #expect(await rented.cloud.instanceCount == 0)
            #expect(rented.text("huge.bin") == nil)
        }
    }

    @Test func aDestroyIsRefusedWhereTheInstanceCannotBeReached() async throws {
        try await self.withInstance { rented in
            try rented.leave("echo weights > model.bin")
            // Its sshd hangs, and what was connected is cut: as behind a network that is gone.
            let processes = await rented.cloud.processIDs
            for process in processes { kill(process, SIGSTOP) }
            defer { for process in processes { kill(process, SIGCONT) } }
            await rented.cloud.inject(.connectionCut)
            try rented.destroy("Destroy", expecting: "Its files cannot be compared")
            try rented.session.wait(for: "Press d to bring them", seconds: 120)
            #expect(await rented.cloud.instanceCount == 1)
            for process in processes { kill(process, SIGCONT) }
            try rented.session.press("\u{1B}", until: Rented.isFree)
            try rented.destroy("Destroy", expecting: "1 file")
            try rented.session.wait(for: "is gone, confirmed by the platform", seconds: 60)
            #expect(rented.text("model.bin") == "weights\n")
        }
    }

    @Test func whatBothSidesChangedIsNamedBothWays() async throws {
        try await self.withInstance { rented in
            try rented.write("first", "notes.txt")
            rented.session.type("S")
            try rented.session.wait(for: "1 file sent", seconds: 60)
            try rented.palette(
                "run --no-sync -- 'echo there > notes.txt; echo done $((40 + 2))'", answer: "done 42")
            try rented.write("here, and longer", "notes.txt")
            rented.session.type("S")
            try rented.session.wait(for: "1 file changed on both sides", seconds: 60)
            #expect(rented.session.screen.contains("notes.txt"))
            try rented.session.press("y", until: { !$0.contains("changed on both sides") })
            try rented.session.wait(for: "1 conflict", seconds: 60)
            rented.session.type("d")
            try rented.session.wait(for: "Yours stay; the instance's are beside them", seconds: 60)
            #expect(rented.session.screen.contains("notes.txt"))
            #expect(rented.text("notes.txt") == "here, and longer")
            let names = try FileManager.default.contentsOfDirectory(atPath: rented.project)
            let other = try #require(names.first { $0.hasPrefix("notes.txt.remote-") })
            #expect(rented.text(other) == "there\n")
        }
    }
}
