import ArgumentParser
import Foundation
import VPEngine

struct TUICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tui", abstract: "Open the dashboard, with the options of vp-tui.")

    @Argument(parsing: .captureForPassthrough, help: "Options of vp-tui.")
    var options: [String] = []

    func run() async throws {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        guard let program = ProgramFile.beside("vp-tui") ?? ProgramFile.find(["vp-tui"], path: path) else {
            throw EngineError(
                .missingProgram, .init("opening the dashboard"),
                detail: "vp-tui is neither beside vp nor in PATH; `swift build --product vp-tui` builds it")
        }
        try Program.replaceThisProcess([program] + self.options, keepsKeys: true)
    }
}
