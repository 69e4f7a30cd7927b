import Foundation
import Testing
import VPEngine

@Suite struct ConfigurationEditorTests {
    @Test(arguments: [
        ("", "platforms:\n  vast:\n    api_key: \"new\"\n"),
        ("# mine\nname: x # y\n", "# mine\nname: x # y\nplatforms:\n  vast:\n    api_key: \"new\"\n"),
        (
            "platforms:\n  # the cheap one\n  vast:\n    api_key: old # from the site\n    url: u\nz: 1\n",
            "platforms:\n  # the cheap one\n  vast:\n    api_key: \"new\" # from the site\n    url: u\nz: 1\n"
        ),
        (
            "platforms:\n  vast:\n    api_key: \"old # 1\" # mine\n",
            "platforms:\n  vast:\n    api_key: \"new\" # mine\n"
        ),
        ("platforms:\n  default: vast\n", "platforms:\n  vast:\n    api_key: \"new\"\n  default: vast\n"),
        (
            "platforms:\n    vast:\n        url: u\n",
            "platforms:\n    vast:\n        api_key: \"new\"\n        url: u\n"
        ),
    ])
    func changesOneValueAndNothingElse(before: String, after: String) throws {
        var editor = ConfigurationEditor(text: before)
        try editor.set("platforms.vast.api_key", to: "new")
        #expect(editor.text == after)
    }

    /// Where the text cannot be edited in place, the values survive even if the layout does not.
    @Test(arguments: [
        "platforms: {vast: {label: u}}\n", "platforms:\n",
        "platforms:\n  vast:\n    api_key: |\n      a\n      b\n",
    ])
    func awkwardLayoutsKeepTheirValues(before: String) throws {
        var editor = ConfigurationEditor(text: before)
        try editor.set("platforms.vast.api_key", to: "new \"quoted\"")
        let home = HomeFolder()
        try home.write("project/.vp/config.yaml", editor.text)
        #expect(try home.load().key(.vast) == "new \"quoted\"")
        #expect(editor.text.contains("label: u") == before.contains("label: u"))
    }

    @Test func nothingIsWrittenOverAFileThatIsNotYAML() throws {
        var editor = ConfigurationEditor(text: "a: [1\n")
        let error = #expect(throws: EngineError.self) { try editor.set("a", to: "b") }
        #expect(error?.code == .badConfiguration)
    }

    @Test func theUsersFileIsPrivateAndAStrangersLinkStaysALink() throws {
        let home = HomeFolder()
        let path = home.path(".config/variousplug/config.yaml")
        try ConfigurationEditor.apply([("platforms.vast.api_key", "k")], to: path, mode: 0o600)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let folder = try FileManager.default.attributesOfItem(atPath: home.path(".config/variousplug"))
        #expect(folder[.posixPermissions] as? Int == 0o700)

        try home.write("dotfiles/vp.yaml", "name: x\n", mode: 0o600)
        try FileManager.default.createSymbolicLink(
            atPath: home.path("link.yaml"), withDestinationPath: home.path("dotfiles/vp.yaml"))
        try ConfigurationEditor.apply([("name", "y")], to: home.path("link.yaml"), mode: 0o600)
        #expect(try String(contentsOfFile: home.path("dotfiles/vp.yaml"), encoding: .utf8) == "name: \"y\"\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path("dotfiles")) == ["vp.yaml"])
    }
}
