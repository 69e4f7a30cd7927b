import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Random trees and random edits on both sides, also while a sync runs, syncs in both directions,
/// cuts at random points; the judge reads the files themselves and knows nothing of plans and manifests.
///
/// What it demands. No content that anybody wrote is lost by a sync: after each one every version that was on
/// either side before it is on one of them, except what the rules let go: a version on the instance that was
/// replaced or removed because it came from here unchanged,
/// and a version here replaced by a newer one from the instance after it was sent there unchanged. A file
/// changed here is never touched by a download. No file is ever seen half-written. A file that grows, here or
/// there, has no second version anywhere.
///
/// Two syncs may run at once, of one instance or of two, and one may be ended at any moment, as Ctrl-C does.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct TortureTests {
    private static func number(_ name: String, _ fallback: Int) -> Int {
        Int(ProcessInfo.processInfo.environment[name] ?? "") ?? fallback
    }

    /// Rounds of each seed; `VP_TORTURE_ROUNDS` and `VP_TORTURE_SEEDS` make it longer,
    /// `VP_TORTURE_SEED` chooses another world.
    private static let rounds = Self.number("VP_TORTURE_ROUNDS", 25)
    private static let firstSeed = Self.number("VP_TORTURE_SEED", 1)

    @Test(arguments: 0..<Self.number("VP_TORTURE_SEEDS", 4))
    func nothingIsLost(_ offset: Int) async throws {
        try await TemporaryFolder.with(named: "vp-torture") { folder in
            var world = try TortureWorld(in: folder.path, seed: UInt64(Self.firstSeed + offset))
            for round in 0..<Self.rounds {
                try await world.play()
                if let complaint = world.complaint {
                    Issue.record("seed \(Self.firstSeed + offset), round \(round): \(complaint)")
                    return
                }
            }
        }
    }
}

/// One project, two instances, and what the judge remembers of them.
struct TortureWorld {
    /// What is at a path: a file's content, or `-> target`.
    typealias Side = [String: String]

    let instances: [LocalInstance]
    /// The one that is synced with now.
    var instance: LocalInstance
    var random: SeededGenerator
    var complaint: String?
    var serial = 0
    /// Contents that both sides are known to have had at a path, by the judge's own observation; by instance.
    var allShared: [String: [String: Set<String>]] = [:]
    /// Contents that an upload put on the instance, by path; by instance.
    var allSent: [String: [String: Set<String>]] = [:]
    var shared: [String: Set<String>] {
        get { self.allShared[self.instance.id.rawValue, default: [:]] }
        set { self.allShared[self.instance.id.rawValue] = newValue }
    }
    var sent: [String: Set<String>] {
        get { self.allSent[self.instance.id.rawValue, default: [:]] }
        set { self.allSent[self.instance.id.rawValue] = newValue }
    }
    /// Contents that were on both sides at once, wherever:
    /// what was brought under another name counts as brought.
    var brought: Set<String> = []
    /// What an upload that was ended has left to be judged.
    private var aside: Set<String> = []
    private var times: [String: Int64] = [:]
    private var history: [String] = []

    init(in folder: String, seed: UInt64) throws {
        self.instances = [try LocalInstance(in: folder), try LocalInstance(in: folder, id: "8")]
        self.instance = self.instances[0]
        try Data("ignored/\n".utf8).write(to: URL(fileURLWithPath: "\(self.instance.project)/.vpignore"))
        self.random = SeededGenerator(seed: seed)
    }

    private static let names = [
        "a", "b", "c.txt", "sp ace", "new\nline", "-d", "é", "q'uote", "x/a", "x/b", "x/y/c", "x/y/d d",
        "z/1", "z/2", "z", "x/y", "deep/er/est", "a.remote-7",
        "ignored/x", "ignored", "#h", "x/;s",
    ]

    /// What is never sent, whatever it is.
    static func staysHere(_ path: String) -> Bool {
        path.contains(".remote-") || path == "ignored" || path.hasPrefix("ignored/")
    }

    mutating func play() async throws {
        if Int.random(in: 0..<6, using: &self.random) == 0 { return try await self.playTogether() }
        if Int.random(in: 0..<4, using: &self.random) == 0 {
            self.instance = self.instances.randomElement(using: &self.random)!
            self.note("instance \(self.instance.id.rawValue)")
        }
        for _ in 0..<Int.random(in: 0...4, using: &self.random) {
            self.edit(Bool.random(using: &self.random) ? self.instance.project : self.instance.remote)
        }
        if Int.random(in: 0..<40, using: &self.random) == 0 {
            self.instance.loseManifest()
            self.allShared = [:]
            self.note("lost the manifest")
            // Without it what has grown is a change of both sides.
            for root in [self.instance.project] + self.instances.map(\.remote) {
                for name in Self.growing { unlink("\(root)/\(name)") }
            }
        }
        let isCut = Int.random(in: 0..<4, using: &self.random) == 0
        if isCut {
            let way: LocalInstance.Way = Bool.random(using: &self.random) ? .up : .down
            try self.instance.cut(way, after: Int.random(in: 0...3000, using: &self.random))
        }
        let here = self.read(self.instance.project)
        let there = self.read(self.instance.remote)
        self.aside = Self.aside(self.instance)
        self.noteShared(here, there)
        self.times = Dictionary(uniqueKeysWithValues: there.keys.map { ($0, self.time($0)) })
        let isUpload = Bool.random(using: &self.random)
        let meanwhile = try self.editMeanwhile()
        try self.grow()
        let ending = Int.random(in: 0..<6, using: &self.random) == 0
        let patience: Int? = ending ? Int.random(in: 0...200, using: &self.random) : nil
        self.note("\(isUpload ? "upload" : "download")\(isCut ? ", cut" : "")\(ending ? ", ended" : "")")
        let failure = await self.sync(isUpload, endsAfter: patience)
        try self.instance.cut(after: nil)
        self.instance.endMeanwhile()
        let done = meanwhile.filter { FileManager.default.fileExists(atPath: $0.receipt) }
        for edit in done {
            self.note("meanwhile \(edit.isHere ? "here" : "there"): \(edit.path) \(edit.content)")
        }
        self.judgeGrowth()
        if let failure, !isCut, !ending, done.isEmpty {
            self.complaint = "failed: \(failure)\n\(self.history.suffix(12))"
        }
        self.judge(before: (here, there), done, isUpload: isUpload, isWhole: failure == nil)
    }

    /// Ended by Ctrl-C after so many milliseconds, where that is not nil.
    private mutating func sync(_ isUpload: Bool, endsAfter milliseconds: Int?) async -> String? {
        // New files by tar or by rsync.
        let bulk = Bool.random(using: &self.random) ? 1 : 200
        let work = Task { [instance] in await Self.sync(instance, isUpload, bulk: bulk) }
        guard let milliseconds else { return await work.value }
        let clock = Task {
            try? await Task.sleep(for: .milliseconds(milliseconds))
            work.cancel()
        }
        defer { clock.cancel() }
        return await work.value
    }

    static func sync(_ instance: LocalInstance, _ isUpload: Bool, bulk: Int) async -> String? {
        do {
            let sync = instance.sync(settings: .init(bulkFiles: bulk))
            let summary =
                isUpload
                ? try await sync.upload() : try await sync.download(conflictSuffix: instance.id.rawValue)
            // What grows here is sent as far as it goes.
            let changing = summary.changing.filter { !$0.hasPrefix("log-") }
            return summary.missing.isEmpty && changing.isEmpty ? nil : "\(summary.missing) \(changing)"
        } catch {
            return "\(error)"
        }
    }

    /// A file written while a sync runs. `receipt` exists once it is, and holds what was there before.
    private struct Edit {
        var isHere: Bool
        var path: String
        var content: String
        var receipt: String
    }

    private mutating func editMeanwhile() throws -> [Edit] {
        guard Int.random(in: 0..<3, using: &self.random) == 0 else { return [] }
        self.serial += 1
        let name = ["a", "b", "c.txt", "x/a", "x/y/c", "z/1"].randomElement(using: &self.random)!
        let isHere = Bool.random(using: &self.random)
        let content = "meanwhile #\(self.serial)"
        let edit = Edit(
            isHere: isHere, path: name, content: content,
            receipt: "\(self.instance.folder)/receipt-\(self.serial)")
        let root = isHere ? self.instance.project : self.instance.remote
        // Written as editors do, or in place, as programs do.
        let write =
            Bool.random(using: &self.random)
            ? "printf '%s' '\(content)' > \(root)/\(name)"
            : "printf '%s' '\(content)' > \(root)/\(name).new; mv \(root)/\(name).new \(root)/\(name)"
        // Not through a link, which is another path.
        let folders = SyncPath(name).ancestors.map { "[ ! -L \(root)/\($0) ]" }
        let script = """
            \((["true"] + folders).joined(separator: " && ")) &&
            if mkdir -p \(root)/\(name) 2>/dev/null && rmdir \(root)/\(name) 2>/dev/null; then
            : > \(edit.receipt); \(write)
            elif [ -f \(root)/\(name) ] && [ ! -L \(root)/\(name) ]; then
            cat \(root)/\(name) > \(edit.receipt); \(write)
            fi 2>/dev/null
            """
        try self.instance.meanwhile(script, beforeCall: Int.random(in: 1...4, using: &self.random))
        return [edit]
    }

    private mutating func judge(
        before original: (here: Side, there: Side), _ edits: [Edit], isUpload: Bool, isWhole: Bool
    ) {
        var before = original
        // What an edit replaced is the editor's own doing.
        for edit in edits {
            let replaced = FileManager.default.contents(atPath: edit.receipt) ?? Data()
            // Seen on both sides a moment before one of them was edited.
            let other = edit.isHere ? self.read(self.instance.remote) : self.read(self.instance.project)
            if other[edit.path] == String(decoding: replaced, as: UTF8.self)
                || original.here[edit.path] == String(decoding: replaced, as: UTF8.self)
            {
                self.shared[edit.path, default: []].insert(String(decoding: replaced, as: UTF8.self))
            }
            if edit.isHere {
                before.here[edit.path] = edit.content
            } else {
                before.there[edit.path] = edit.content
            }
        }
        let here = self.read(self.instance.project)
        let there = self.read(self.instance.remote)
        defer { self.noteShared(here, there) }
        let kept = Set(here.values).union(there.values).union(Self.aside(self.instance))
        let written = Set(before.here.values).union(before.there.values).union(self.aside)
            .union(original.here.values).union(original.there.values)
        for content in kept where !written.contains(content) {
            self.fail("something nobody wrote: \(content)")
        }
        for (path, content) in before.here
        where here[path] != content {
            // Only a download may replace, and only what the instance had had.
            if isUpload || self.shared[path]?.contains(content) != true {
                self.fail(
                    "\(path) was changed here: \(content.prefix(40)) -> \((here[path] ?? "gone").prefix(40))")
            }
        }
        for (path, content) in before.there where there[path] != content {
            if !isUpload || !self.brought.contains(content) {
                if !kept.contains(content) || !isUpload {
                    self.fail(
                        "\(path) was changed there: \(content.prefix(40)) -> \((there[path] ?? "gone").prefix(40))"
                    )
                }
            }
            // What is replaced or removed there follows what was done here.
            // What was written meanwhile may get a name that this upload freed.
            if isUpload, let now = there[path], now != before.here[path], now != original.here[path],
                !edits.contains(where: { $0.content == now })
            {
                self.fail("\(path) became \(now) there, and is \(before.here[path] ?? "nothing") here")
            }
            if isUpload, there[path] == nil, original.here[path] != nil, original.here[path] != content {
                self.fail("\(path) is gone there and not here")
            }
        }
        for (path, content) in before.there where isUpload && there[path] == nil {
            // One that was written while the upload removed an older version has got another name.
            if self.sent[path]?.contains(content) != true, !there.values.contains(content),
                !Self.aside(self.instance).contains(content)
            {
                self.fail("\(path) was born there and is gone: \(content.prefix(40))")
            }
        }
        // Sent again for its time alone counts as sent.
        for (path, content) in there
        where isUpload && (original.there[path] != content || self.time(path) != self.times[path]) {
            self.sent[path, default: []].insert(content)
        }
        for path in here.keys where before.here[path] == nil && isUpload {
            self.fail("\(path) appeared here by an upload")
        }
        guard isWhole, edits.isEmpty else { return }
        if !isUpload {
            for (path, content) in there where !here.values.contains(content) {
                // Deleted here after it was sent or brought: the one thing that need not come back.
                if !self.brought.contains(content) {
                    self.fail("\(path) did not come down: \(content.prefix(40)); here \(here.keys.sorted())")
                }
            }
        }
        if isUpload {
            for (path, content) in here where there[path] != content && !Self.staysHere(path) {
                // Kept back only where the instance has something of its own in the way.
                let isBlocked = there.keys.contains {
                    $0 == path || $0.hasPrefix(path + "/") || path.hasPrefix($0 + "/")
                }
                // What both had and is gone there is not pushed back.
                let wasRemoved = original.there[path] == nil && self.shared[path]?.contains(content) == true
                if !isBlocked, !wasRemoved { self.fail("\(path) did not go up") }
            }
        }
        for name in [".vp-sync", ".vp"] {
            let root = isUpload ? self.instance.remote : self.instance.project
            if FileManager.default.fileExists(atPath: "\(root)/\(name)") { self.fail("\(name) was left") }
        }
    }

    mutating func noteShared(_ here: Side, _ there: Side) {
        self.brought.formUnion(Set(here.values).intersection(there.values))
        for (path, content) in here where there[path] == content {
            self.shared[path, default: []].insert(content)
        }
    }

    mutating func fail(_ text: String) {
        self.complaint =
            self.complaint
            ?? "\(text)\n\(self.history.suffix(40).map { String($0.prefix(100)) }.joined(separator: "\n"))"
    }

    mutating func note(_ text: String) { self.history.append(text) }

    /// Writes, removes, renames, links or touches something.
    mutating func edit(_ root: String) {
        let files = FileManager.default
        let name = Self.names.randomElement(using: &self.random)!
        let path = "\(root)/\(name)"
        let side = root == self.instance.project ? "here" : "there"
        self.serial += 1
        switch Int.random(in: 0..<15, using: &self.random) {
        case 0...5:
            self.note("\(side): write \(name) #\(self.serial)")
            let folder = (path as NSString).deletingLastPathComponent
            try? files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // Long enough that a cut can hit the middle; every content is unique.
            let length = [0, 10, 10, 2000, 40_000].randomElement(using: &self.random)!
            let filler = String(repeating: "\(self.serial % 10)", count: length)
            _ = files.createFile(atPath: path, contents: Data("\(side) #\(self.serial) \(filler)".utf8))
        case 6, 7:
            self.note("\(side): remove \(name)")
            unlink(path)
        case 8:
            self.note("\(side): remove all of \(name)")
            try? files.removeItem(atPath: path)
        case 9:
            let other = Self.names.randomElement(using: &self.random)!
            if rename(path, "\(root)/\(other)") == 0 { self.note("\(side): rename \(name) to \(other)") }
        case 10:
            self.note("\(side): link \(name) #\(self.serial)")
            symlink("nowhere-\(self.serial)", path)
        case 11, 12:
            // A folder becomes a file or a link, a file or link becomes a folder with something or nothing in
            // it.
            let other = Self.names.randomElement(using: &self.random)!
            let kind = ["file", "link", "link to a folder", "folder", "empty folder"]
                .randomElement(using: &self.random)!
            self.note("\(side): \(other) becomes a \(kind) #\(self.serial)")
            let place = "\(root)/\(other)"
            if (try? files.destinationOfSymbolicLink(atPath: place)) != nil {
                unlink(place)
            } else {
                try? files.removeItem(atPath: place)
            }
            switch kind {
            case "file":
                _ = files.createFile(atPath: place, contents: Data("\(side) #\(self.serial) kind".utf8))
            case "link": symlink("nowhere-\(self.serial)", place)
            case "link to a folder": symlink(["x", "z", "x/y", "../outside"][self.serial % 4], place)
            default:
                mkdir(place, 0o755)
                if kind == "folder" {
                    _ = files.createFile(
                        atPath: "\(place)/in-\(self.serial)",
                        contents: Data("\(side) #\(self.serial) in".utf8))
                }
            }
        default:
            self.note("\(side): touch \(name)")
        }
        // The two sides of the world are two machines: no two writes bear the same time to the nanosecond, as
        // they may within one tick of one machine's clock.
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var times = [
            now,
            timespec(tv_sec: now.tv_sec, tv_nsec: now.tv_nsec / 100_000 * 100_000 + self.serial % 100_000),
        ]
        utimensat(AT_FDCWD, path, &times, 0)
    }

    /// When a file on the instance was written.
    private func time(_ path: String) -> Int64 {
        FileEntry(at: SyncPath(path), below: self.instance.remote)?.modified ?? 0
    }
}
