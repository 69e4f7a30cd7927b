import Foundation
import VPEngine
import VPTUICore

/// The file in the state folder through which one dashboard passes settings to the next. Without it only the
/// order of rows and the like are lost, so a failure is never an error.
struct RememberedFile: Sendable {
    let path: String

    init(_ paths: EngineConfiguration.Paths) {
        self.path = "\(paths.stateFolder)/dashboard.json"
    }

    func load() -> Remembered? {
        FileManager.default.contents(atPath: self.path).flatMap {
            try? JSONDecoder().decode(Remembered.self, from: $0)
        }
    }

    /// Writes atomically: if two dashboards save at the same time, the file is one's
    /// or the other's, never a mixture.
    func save(_ remembered: Remembered) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let data = try? encoder.encode(remembered) else { return }
        try? data.write(to: URL(fileURLWithPath: self.path), options: .atomic)
    }
}
