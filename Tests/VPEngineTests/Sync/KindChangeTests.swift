import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// One name, and each pair of kinds that the two sides may have of it: nothing is lost,
/// nothing fails for ever.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct KindChangeTests {
    enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case file, folder, emptyFolder, link, linkToFolder

        var testDescription: String { self.rawValue }

        var isFolder: Bool { self == .folder || self == .emptyFolder }

        func make(_ folder: TemporaryFolder, _ root: String, _ mark: String) throws {
            let path = "\(folder.path)/\(root)/data"
            if let entry = FileEntry(at: SyncPath("data"), below: "\(folder.path)/\(root)") {
                if entry.kind == .folder {
                    try FileManager.default.removeItem(atPath: path)
                } else {
                    unlink(path)
                }
            }
            switch self {
            case .file: try folder.write("file \(mark)", to: "\(root)/data")
            case .folder: try folder.write("in folder \(mark)", to: "\(root)/data/\(mark)")
            case .emptyFolder: mkdir(path, 0o755)
            case .link: symlink("nowhere-\(mark)", path)
            case .linkToFolder: symlink("elsewhere", path)
            }
        }
    }

    /// From each kind to each other.
    private static let changes = Kind.allCases.flatMap { sent in
        Kind.allCases.filter { $0 != sent }.map { (sent, $0) }
    }

    /// Every content in a tree: of files what is in them, of links where they lead.
    private static func contents(_ root: String) -> Set<String> {
        var contents: Set<String> = []
        for name in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
            let path = "\(root)/\(name)"
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
                contents.insert("-> \(target)")
            } else if let content = FileManager.default.contents(atPath: path) {
                contents.insert(String(decoding: content, as: UTF8.self))
            }
        }
        return contents
    }

    private func begin(_ folder: TemporaryFolder) async throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        try folder.write("elsewhere", to: "project/elsewhere/kept")
        #expect(try await instance.sync().upload().isWhole)
        return instance
    }

    private func data(_ root: String) -> FileEntry? { FileEntry(at: SyncPath("data"), below: root) }

    /// All fifty: each pair of kinds, met first by an upload or by a download.
    private static let combinations = Kind.allCases.flatMap { here in
        Kind.allCases.flatMap { there in [(here, there, false), (here, there, true)] }
    }

    /// Both sides made theirs on their own.
    @Test(arguments: Self.combinations)
    func bothMadeTheirs(here: Kind, there: Kind, beginsUp: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try here.make(folder, "project", "here")
            try there.make(folder, "instance", "there")
            let mine = Self.contents(instance.project)
            var theirs = Self.contents(instance.remote)
            if beginsUp {
                let up = try await instance.sync().upload()
                #expect(up.isWhole, "\(up)")
                let sent = Self.contents(instance.remote)
                #expect(sent.isSuperset(of: theirs), "\(sent)")
                #expect(Self.contents(instance.project) == mine)
                theirs = sent
            }
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole, "\(down)")
            let brought = Self.contents(instance.project)
            #expect(brought.isSuperset(of: mine) && brought.isSuperset(of: theirs), "\(brought)")
            #expect(Self.contents(instance.remote) == theirs)
            #expect(try folder.read("project/elsewhere/kept") == "elsewhere")
            let up = try await instance.sync().upload()
            #expect(up.isWhole, "\(up)")
            #expect(Self.contents(instance.project) == brought)
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.isWhole && again.conflicts.isEmpty && again.transferredFiles == 0, "\(again)")
        }
    }

    /// What was sent and nobody changed there makes room for what is here now.
    @Test(arguments: Self.changes)
    func whatIsHereNowTakesItsPlaceThere(sent: Kind, now: Kind) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try sent.make(folder, "project", "first")
            #expect(try await instance.sync().upload().isWhole)
            try now.make(folder, "project", "second")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.conflicts.isEmpty, "\(up)")
            #expect(self.data(instance.remote)?.kind == self.data(instance.project)?.kind)
            #expect(Self.contents(instance.remote) == Self.contents(instance.project))
            #expect(!folder.exists("instance/.vp-sync"))
        }
    }

    /// A job wrote into a folder that is something else here now: its results come beside,
    /// and stop nothing for ever.
    @Test(arguments: [Kind.folder, .emptyFolder], [Kind.file, .link, .linkToFolder])
    func resultsInAFolderThatIsSomethingElseHereComeBeside(sent: Kind, now: Kind) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try sent.make(folder, "project", "first")
            #expect(try await instance.sync().upload().isWhole)
            try folder.write("a result", to: "instance/data/deep/result")
            try now.make(folder, "project", "second")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.undecided == ["data"], "\(up)")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole, "\(down)")
            #expect(try folder.read("project/data.remote-7/deep/result") == "a result")
            #expect(self.data(instance.project)?.kind != .folder)
            #expect(try folder.read("instance/data/deep/result") == "a result")
            let next = try await instance.sync().upload()
            #expect(next.isWhole && next.undecided.isEmpty, "\(next)")
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.isWhole && again.transferredFiles == 0 && again.conflicts.isEmpty, "\(again)")
        }
    }

    /// What was sent is something else there now. A folder here stays, and what it holds.
    @Test(arguments: Self.changes)
    func whatIsThereNowComes(sent: Kind, now: Kind) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try sent.make(folder, "project", "first")
            #expect(try await instance.sync().upload().isWhole)
            let mine = Self.contents(instance.project)
            try now.make(folder, "instance", "second")
            let theirs = Self.contents(instance.remote)
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole, "\(down)")
            let brought = Self.contents(instance.project)
            #expect(brought.isSuperset(of: theirs), "\(brought)")
            if sent == .folder { #expect(brought.isSuperset(of: mine), "\(brought)") }
            if !sent.isFolder, now.isFolder { #expect(self.data(instance.project)?.kind != .folder) }
            #expect(Self.contents(instance.remote) == theirs)
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.isWhole && again.transferredFiles == 0, "\(again)")
        }
    }
}
