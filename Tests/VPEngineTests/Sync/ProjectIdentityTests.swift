import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Which folders are one project, and which are not.
struct ProjectIdentityTests {
    @Test func clonesAndWorktreesAreSiblings() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("ref: refs/heads/main\n", to: "main/.git/HEAD")
            try folder.write("[core]\n\tbare = false\n", to: "main/.git/config")
            try folder.write("../..\n", to: "main/.git/worktrees/wt/commondir")
            try folder.write("gitdir: \(folder.path)/main/.git/worktrees/wt\n", to: "wt/.git")
            try folder.write("[remote \"origin\"]\n\turl = \(folder.path)/main\n", to: "clone/.git/config")
            for name in ["far", "farther"] {
                let url = name == "far" ? "https://me:secret@example.org/a.git" : "https://example.org/a"
                try folder.write(
                    "[remote \"origin\"]\n\turl = \(url)\n", to: "\(name)/.git/config")
            }
            try folder.write("x", to: "other/x")
            func identity(_ name: String) -> ProjectIdentity {
                ProjectIdentity(root: "\(folder.path)/\(name)")
            }
            let main = identity("main")
            #expect(main.owner(comparedWith: identity("main")) == .this)
            for name in ["wt", "clone"] {
                #expect(identity(name).owner(comparedWith: main) == .sibling, "\(name)")
            }
            #expect(identity("far").owner(comparedWith: identity("farther")) == .sibling)
            for name in ["other", "far"] {
                #expect(identity(name).owner(comparedWith: main) == .other, "\(name)")
            }
            #expect(main.owner(of: "") == .this && main.owner(of: "nonsense of\u{1b} somebody") == .other)
        }
    }

    /// What an end looks through: also a folder of this project's own on an instance that is in no ledger
    /// here.
    @Test func everyFolderThereIsLookedThrough() throws {
        let home = HomeFolder()
        let context = try Engine(configuration: home.load()).context
        let workspace = context.configuration.workspace
        let id = InstanceID(platform: .vast, rawValue: "7")
        let own = try OwnFolders(ManifestStore(context), id)
            .make(for: workspace, ProjectIdentity(root: workspace.localRoot))
        #expect(own.remoteRoot != workspace.remoteRoot)
        #expect(try context.workspaces(on: id).map(\.remoteRoot) == [workspace.remoteRoot, own.remoteRoot])
    }

    /// The id is made where the project is set up, once, and travels with a copy of it.
    @Test func theIdIsKeptInTheProject() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("name: a\n", to: "a/.vp/config.yaml")
            try folder.write("x", to: "b/x")
            let first = ProjectIdentity(root: "\(folder.path)/a")
            let id = try folder.read("a/.vp/id")
            #expect(id.count > 16 && ProjectIdentity(root: "\(folder.path)/a") == first)
            #expect(try folder.read("a/.vp/id") == id)
            _ = ProjectIdentity(root: "\(folder.path)/b")
            #expect(!folder.exists("b/.vp"))
            try folder.write(id, to: "copy/.vp/id")
            #expect(ProjectIdentity(root: "\(folder.path)/copy").owner(comparedWith: first) == .sibling)
            // A link is followed nowhere.
            try folder.write("APIKEY0123456789", to: "secret")
            try folder.write("x", to: "linked/.vp/x")
            symlink("\(folder.path)/secret", "\(folder.path)/linked/.vp/id")
            symlink("\(folder.path)/a/.vp", "\(folder.path)/b/.vp")
            for name in ["linked", "b"] {
                #expect(ProjectIdentity(root: "\(folder.path)/\(name)").names.isEmpty, "\(name)")
            }
            // What no id can be is none.
            for text in ["", "a b", "../x", String(repeating: "a", count: 100)] {
                try folder.write(text, to: "strange/.vp/id")
                #expect(ProjectIdentity(root: "\(folder.path)/strange").names.isEmpty)
            }
        }
    }

    /// The mark is on the instance, no part of the workspace, and proves that its disk is the same one.
    @Test(.requires("rsync")) func theWorkspaceIsMarked() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("only", to: "project/only")
            var sync = instance.sync()
            sync.identity = ProjectIdentity(root: instance.project)
            #expect(try await sync.upload().transferredFiles == 1)
            #expect(try folder.read("instance/.vp-project").hasPrefix(sync.identity?.tag ?? "-"))
            #expect(try await sync.upload().transferredFiles == 0)
            try folder.write("sibling", to: "instance/.vp-projects/other-1/file")
            #expect(try await sync.download(conflictSuffix: "7").transferredFiles == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: instance.project) == ["only"])
            // The job removed the only file: without the mark that could be another disk.
            unlink("\(instance.remote)/only")
            let up = try await sync.upload()
            #expect(up.removedThere == ["only"] && up.transferredFiles == 0, "\(up)")
            try FileManager.default.removeItem(atPath: instance.remote)
            try folder.write("edited", to: "project/new")
            #expect(try await sync.upload().transferredFiles == 2)
            // Ours by name, and never sent.
            try folder.write("x", to: "project/.vp-project")
            try folder.write("x", to: "project/.vp-projects/x")
            #expect(try await sync.upload().transferredFiles == 0)
        }
    }
}
