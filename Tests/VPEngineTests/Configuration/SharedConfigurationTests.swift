import Foundation
import Testing

@testable import VPEngine

/// Others who can read the user's file have the keys; others who can replace it have any command run.
@Suite struct SharedConfigurationTests {
    let home = HomeFolder()
    let file = ".config/variousplug/config.yaml"

    private func expectRefusal(_ words: String) {
        let error = #expect(throws: EngineError.self) { try self.home.load() }
        #expect(error?.code == .badConfiguration)
        #expect(error?.detail?.contains(words) == true, "\(error?.detail ?? "")")
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o622, 0o660])
    func aFileOpenToOthersIsRefused(mode: Int) throws {
        try self.home.write(self.file, "name: x\n", mode: mode)
        self.expectRefusal("chmod 600")
    }

    @Test(arguments: [mode_t(0o777), 0o775, 0o757])
    func aFolderThatOthersCanWriteIsRefused(mode: mode_t) throws {
        try self.home.write(self.file, "name: x\n", mode: 0o600)
        chmod(self.home.path(".config/variousplug"), mode)
        self.expectRefusal("chmod go-w")
    }

    @Test func aLinkIsFollowedAndItsTargetHeldToTheSame() throws {
        try self.home.write(
            "dotfiles/vp.yaml", "platforms: {vast: {api_key: key-of-the-user-file}}\n", mode: 0o600)
        try self.home.write(".config/variousplug/other", "")
        symlink(self.home.path("dotfiles/vp.yaml"), self.home.path(self.file))
        #expect(try self.home.load().key(.vast) == "key-of-the-user-file")
        chmod(self.home.path("dotfiles"), 0o777)
        self.expectRefusal("dotfiles: others can write it")
        chmod(self.home.path("dotfiles"), 0o755)
        chmod(self.home.path("dotfiles/vp.yaml"), 0o644)
        self.expectRefusal("chmod 600")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func whatBelongsToAnotherIsRefused() throws {
        try self.home.write(self.file, "name: x\n", mode: 0o600)
        chown(self.home.path(self.file), 12_345, 12_345)
        self.expectRefusal("belongs to another user")
        chown(self.home.path(self.file), 0, 0)
        chown(self.home.path(".config/variousplug"), 12_345, 12_345)
        self.expectRefusal("belongs to another user")
    }

    /// A pipe would hold up every command, and a device fill the memory.
    @Test(arguments: ["project/.vp/config.yaml", ".config/variousplug/config.yaml"])
    func whatIsNoFileIsNotRead(place: String) throws {
        try self.home.write(place + ".other", "")
        mkfifo(self.home.path(place), 0o600)
        self.expectRefusal("is not a file")
        unlink(self.home.path(place))
        symlink("/dev/zero", self.home.path(place))
        #expect(throws: EngineError.self) { try self.home.load() }
    }
}
