import Foundation
import Synchronization
import VPEngine
import VPTUICore

/// Keeps one sampler for each instance that is on screen.
final class TelemetryWatch: Sendable {
    private let engine: Engine
    private let mailbox: Mailbox
    private let running = Mutex<[InstanceID: Task<Void, Never>]>([:])

    init(engine: Engine, mailbox: Mailbox) {
        self.engine = engine
        self.mailbox = mailbox
    }

    func watch(_ wanted: [InstanceID]) {
        self.running.withLock { running in
            for (id, task) in running where !wanted.contains(id) {
                task.cancel()
                running[id] = nil
            }
            for id in wanted where running[id] == nil {
                running[id] = Task.detached { [engine, mailbox] in await Self.sample(id, engine, mailbox) }
            }
        }
    }

    /// Comes back after a lost connection, more slowly each time.
    private static func sample(_ id: InstanceID, _ engine: Engine, _ mailbox: Mailbox) async {
        var pause = 2.0
        while !Task.isCancelled {
            do throws(EngineError) {
                try await engine.watchTelemetry(of: id) { mailbox.post(.telemetry(id, $0, at: Date())) }
            } catch {
                guard error.code != .cancelled, !Task.isCancelled else { return }
                mailbox.post(.telemetryEnded(id, error))
            }
            try? await Task.sleep(for: .seconds(pause))
            pause = min(60, pause * 2)
        }
    }
}
