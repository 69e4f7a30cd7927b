import Foundation
import VPEngine
import VPTUICore

/// What a dashboard leaves for the next one, in the state folder. Losing it loses an order of rows: it is
/// never an error.
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

    /// Atomically: of two dashboards that save at once, one wins whole.
    func save(_ remembered: Remembered) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let data = try? encoder.encode(remembered) else { return }
        try? data.write(to: URL(fileURLWithPath: self.path), options: .atomic)
    }
}
