import Foundation
import VPTestSupport

/// The built `vp-tui` on a pseudo terminal, with folders of its own and no key.
enum DashboardSession {
    static var program: String {
        // The test bundle lies beside the products.
        Bundle.main.bundleURL.appendingPathComponent("vp-tui").path
    }

    static func environment(home: String, terminal: String = "xterm-256color") -> [String: String] {
        [
            "HOME": home, "XDG_CONFIG_HOME": home + "/config", "XDG_STATE_HOME": home + "/state",
            "XDG_CACHE_HOME": home + "/cache", "TMPDIR": home, "TERM": terminal, "LANG": "C.UTF-8",
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        ]
    }

    static func start(
        in home: String, _ arguments: [String] = [], width: Int = 100, height: Int = 30,
        terminal: String = "xterm-256color", locale: String = "C.UTF-8"
    ) throws -> PTYSession {
        var environment = self.environment(home: home, terminal: terminal)
        environment["LANG"] = locale
        return try PTYSession(
            self.program, arguments, width: width, height: height, environment: environment, directory: home)
    }
}

extension PTYSession {
    /// Rents what is selected in Offers, and does not wait for what comes of it.
    func rentSelectedOffer() throws {
        self.type("2\r")
        try self.wait(for: "Rent from vast.ai")
        // Keys that come too soon are dropped, so it is typed until it is taken.
        try self.press("y", until: { !$0.contains("Rent from vast.ai") })
    }

    /// Of the selected instance: goes to a button of the dialog, confirms,
    /// and leaves the time to take it back.
    func destroy(_ button: String, expecting words: String) throws {
        self.type("D")
        try self.wait(for: words, seconds: 90)
        try self.press("\t", until: { $0.contains("▸ \(button) ") })
        self.type("y")
        try self.wait(for: "takes it back")
    }

    /// Types `key` again and again until it was taken: a dialog drops keys that come before it can be read.
    func press(_ key: String, until condition: (VirtualTerminal) -> Bool) throws {
        for _ in 0..<30 {
            self.type(key)
            // Long enough for a busy machine: a second key that comes too late would do something else.
            for count in 0..<100 where self.read(milliseconds: 10) || count % 10 == 0 {
                if condition(self.screen) {
                    self.settle()
                    return
                }
            }
        }
        throw Failure(description: "“\(key)” was not taken:\n\(self.screen.text)")
    }
}
