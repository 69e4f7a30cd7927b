import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Anybody can make a folder in `/tmp` before we do.
@Suite struct SocketFolderTests {
    private func choose(_ folder: TemporaryFolder, runtime: String? = nil) -> (path: String, warning: String?)
    {
        SocketFolder(
            environment: runtime.map { ["XDG_RUNTIME_DIR": $0] } ?? [:], stateFolder: "\(folder.path)/state",
            base: folder.path
        ).choose()
    }

    @Test func theUsualPlaceIsTakenWhereItIsFreeOrOurs() async throws {
        try await TemporaryFolder.with { folder in
            let usual = "\(folder.path)/vp-\(getuid())"
            #expect(self.choose(folder).path == usual)
            #expect(access(usual, F_OK) != 0, "choosing makes nothing")
            mkdir(usual, 0o700)
            #expect(self.choose(folder) == (usual, nil))
            // Others that can list it do no harm.
            chmod(usual, 0o755)
            #expect(self.choose(folder).path == usual)
        }
    }

    @Test(arguments: ["a file", "a link", "a folder open to all"])
    func aPlaceThatIsNotOursIsPassedOver(kind: String) async throws {
        try await TemporaryFolder.with { folder in
            let usual = "\(folder.path)/vp-\(getuid())"
            switch kind {
            case "a file": try Data().write(to: URL(fileURLWithPath: usual))
            case "a link":
                mkdir("\(folder.path)/mine", 0o700)
                symlink("\(folder.path)/mine", usual)
            default:
                mkdir(usual, 0o700)
                chmod(usual, 0o777)
            }
            let runtime = "\(folder.path)/run"
            mkdir(runtime, 0o700)
            #expect(self.choose(folder, runtime: runtime) == ("\(runtime)/vp", nil))
            // Without one: a fresh folder, the same at every start.
            let fresh = self.choose(folder)
            #expect(fresh.path.hasPrefix(usual + "-"))
            #expect(fresh.warning?.contains(usual) == true)
            var information = stat()
            #expect(lstat(fresh.path, &information) == 0 && information.st_mode & 0o7777 == 0o700)
            #expect(self.choose(folder).path == fresh.path)
            // One that was tampered with meanwhile is not used again.
            chmod(fresh.path, 0o777)
            #expect(self.choose(folder).path != fresh.path)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
    func anotherUsersFolderBlocksNobody() async throws {
        try await TemporaryFolder.with { folder in
            let usual = "\(folder.path)/vp-\(getuid())"
            mkdir(usual, 0o755)
            chown(usual, 12_345, 12_345)
            let home = HomeFolder()
            let configuration = try EngineConfiguration.load(
                environment: ["HOME": home.root], directory: home.path("project"), limits: .fixed(Limits()),
                socketBase: folder.path)
            #expect(configuration.paths.socketFolder.hasPrefix(usual + "-"))
            #expect(configuration.warnings.contains { $0.contains("another user") })
            let target = SSHTarget(
                instance: InstanceID(platform: .vast, rawValue: "1"),
                address: SSHAddress(host: "127.0.0.1", port: 22), identityFile: nil,
                paths: configuration.paths)
            try target.prepare()
            #expect(access(target.configurationFile, R_OK) == 0)
        }
    }

    @Test func whereNothingCanBeMadeThatIsSaid() async throws {
        try await TemporaryFolder.with { folder in
            let choice = SocketFolder(
                environment: ["XDG_RUNTIME_DIR": "\(folder.path)/nowhere"],
                stateFolder: "\(folder.path)/state",
                base: "\(folder.path)/missing"
            ).choose()
            #expect(choice.path == "\(folder.path)/state/ssh")
            #expect(choice.warning?.contains("not shared") == true)
        }
    }

    /// rsync takes its ssh command apart at blanks.
    @Test(arguments: ["with blank", "quote'", "a\nb"])
    func anOddRuntimeFolderIsPassedOver(name: String) async throws {
        try await TemporaryFolder.with { folder in
            try Data().write(to: URL(fileURLWithPath: "\(folder.path)/vp-\(getuid())"))
            mkdir("\(folder.path)/\(name)", 0o700)
            #expect(!self.choose(folder, runtime: "\(folder.path)/\(name)").path.contains(name))
        }
    }
}
