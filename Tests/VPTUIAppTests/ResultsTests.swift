import Foundation
import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

/// Results that are on an instance only, and files that both sides changed: by keys, on a real instance.
@Suite(.serialized, .startsCloud, .ownThread, .requires("sshd", "ssh", "rsync"))
struct ResultsTests {
    @Test func aDestroyBringsThemFirst() async throws {
        try await RentedDashboard.with { rented in
            try rented.leave("echo weights > model.bin")
            try rented.destroy("Destroy", expecting: "1 file")
            try rented.session.wait(for: "is gone, confirmed by the platform", seconds: 60)
            try rented.session.wait(for: "1 file downloaded")
            #expect(rented.text("model.bin") == "weights\n")
            #expect(await rented.cloud.instanceCount == 0)
        }
    }

    /// A file that no disk here holds.
    @Test func aDestroyIsRefusedWhereTheLocalDiskIsTooSmall() async throws {
        try await RentedDashboard.with { rented in
            try rented.leave("echo weights > model.bin && truncate -s 8T huge.bin")
            try rented.destroy("Destroy", expecting: "2 files")
            try rented.session.wait(for: "delete files on this machine first", seconds: 60)
            #expect(await rented.cloud.instanceCount == 1)
            try rented.session.press("\u{1B}", until: RentedDashboard.isFree)
            try rented.session.wait(for: "● running")
            // What there was room for is here.
            #expect(rented.text("model.bin") == "weights\n")
            // What was said to be given up is given up.
            try rented.destroy("Destroy, discard results", expecting: "1 file")
            try rented.session.wait(for: "is gone, confirmed by the platform", seconds: 60)
            #expect(await rented.cloud.instanceCount == 0)
            #expect(rented.text("huge.bin") == nil)
        }
    }

    @Test func aDestroyIsRefusedWhereTheInstanceCannotBeReached() async throws {
        try await RentedDashboard.with { rented in
            try rented.leave("echo weights > model.bin")
            // Its sshd hangs, and what was connected is cut: as behind a network that is gone.
            let processes = await rented.cloud.processIDs
            for process in processes { kill(process, SIGSTOP) }
            defer { for process in processes { kill(process, SIGCONT) } }
            await rented.cloud.inject(.connectionCut)
            try rented.destroy("Destroy", expecting: "Its files cannot be compared")
            try rented.session.wait(for: "Press d to download them", seconds: 120)
            #expect(await rented.cloud.instanceCount == 1)
            for process in processes { kill(process, SIGCONT) }
            try rented.session.press("\u{1B}", until: RentedDashboard.isFree)
            try rented.destroy("Destroy", expecting: "1 file")
            try rented.session.wait(for: "is gone, confirmed by the platform", seconds: 60)
            #expect(rented.text("model.bin") == "weights\n")
        }
    }

    @Test func whatBothSidesChangedIsNamedBothWays() async throws {
        try await RentedDashboard.with { rented in
            try rented.write("first", "notes.txt")
            rented.session.type("S")
            try rented.session.wait(for: "1 file uploaded", seconds: 60)
            try rented.palette(
                "run --no-sync -- 'echo there > notes.txt; echo done $((40 + 2))'", answer: "done 42")
            try rented.write("here, and longer", "notes.txt")
            rented.session.type("S")
            try rented.session.wait(for: "1 file changed on both sides", seconds: 60)
            #expect(rented.session.screen.contains("notes.txt"))
            try rented.session.press("y", until: { !$0.contains("changed on both sides") })
            try rented.session.wait(for: "1 conflict", seconds: 60)
            rented.session.type("d")
            try rented.session.wait(for: "Your versions stay; the instance's are beside them", seconds: 60)
            #expect(rented.session.screen.contains("notes.txt"))
            #expect(rented.text("notes.txt") == "here, and longer")
            let names = try FileManager.default.contentsOfDirectory(atPath: rented.project)
            let other = try #require(names.first { $0.hasPrefix("notes.txt.remote-") })
            #expect(rented.text(other) == "there\n")
        }
    }
}
