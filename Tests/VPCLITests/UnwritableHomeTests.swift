import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// A home that cannot be written: looking at what is rented, and ending it, need no history.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh", "bwrap"), .sandboxes, .timeLimit(.minutes(15)))
struct UnwritableHomeTests {
    enum Home: String, CaseIterable {
        /// Another file system, without room.
        case full
        case readOnly

        var words: String { self == .full ? "No space left on device" : "Read-only file system" }
    }

    /// Runs `vp` where the home's state and cache are as `home` says;
    /// a full one is empty but for what fills it.
    private static func vp(_ home: Home, _ words: [String], _ harness: CLIHarness) async throws
        -> CLIHarness.Output
    {
        let scratch = NSTemporaryDirectory() + "/vp-unwritable-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var sandbox = ["--dev-bind", "/", "/", "--die-with-parent"]
        var prelude = ""
        switch home {
        case .readOnly: sandbox += ["--ro-bind", harness.root, harness.root]
        case .full:
            let folder = "\(harness.root)/.local"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            sandbox += ["--size", "65536", "--tmpfs", folder]
            prelude = "cat /dev/zero >\(folder)/fill 2>/dev/null; "
        }
        let line = "\(prelude)exec \"$@\" >\(scratch)/out 2>\(scratch)/err </dev/null"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["bwrap"] + sandbox + ["--", "/bin/sh", "-c", line, "sh", CLIHarness.products + "/vp"] + words
        process.environment = harness.environment
        process.currentDirectoryURL = URL(fileURLWithPath: harness.project)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try await waitUntil("the end of \(words)", limit: .seconds(90)) { !process.isRunning }
        func read(_ name: String) -> String {
            (try? String(contentsOfFile: "\(scratch)/\(name)", encoding: .utf8)) ?? ""
        }
        return .init(stdout: read("out"), stderr: read("err"), status: process.terminationStatus)
    }

    @Test(arguments: Home.allCases) func whatIsRentedIsSeenAndEnded(home: Home) async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            let id = try await local.rent()
            let list = try await Self.vp(home, ["ls"], harness)
            #expect(list.status == 0 && list.stdout.contains(id), "\(list)")
            #expect(list.stderr.contains(home.words) && list.stderr.contains("history"), "\(list)")
            let json = try await Self.vp(home, ["ls", "--json"], harness)
            #expect(json.status == 0, "\(json)")
            let rows = try json.json()["instances"] as? [[String: Any]]
            #expect(rows?.count == 1, "\(json)")
            // What can be read is: the lease stands in the ledger.
            if home == .readOnly { #expect(rows?.first?["lease_ends_at"] is String, "\(json)") }
            let doctor = try await Self.vp(home, ["doctor"], harness)
            #expect(doctor.stdout.contains("vast.ai key"), "\(doctor)")
            #expect(doctor.stdout.contains(home.words), "\(doctor)")
            let stop = try await Self.vp(home, ["stop", id], harness)
            #expect(stop.stdout.contains("is stopped"), "\(stop)")
            let destroy = try await Self.vp(
                home, ["destroy-instance", id, "--yes", "--discard-results"], harness)
            #expect(destroy.status == 0 && destroy.stdout.contains("is gone"), "\(destroy)")
            #expect(await local.cloud.instanceCount == 0)
            // What spends money keeps its books, or is not done.
            let create = try await Self.vp(home, ["create-instance", "--yes"], harness)
            #expect(create.status == 200, "\(create)")
            #expect(await local.cloud.instanceCount == 0)
        }
    }
}
