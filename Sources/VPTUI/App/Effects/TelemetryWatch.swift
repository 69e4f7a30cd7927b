import Foundation
import Synchronization
import VPEngine
import VPTUICore

/// Keeps one sampler for each instance that is on screen.
final class TelemetryWatch: Sendable {
    private let engine: Engine
    private let mailbox: Mailbox
    private let running = Mutex<[InstanceID: (interval: Int, task: Task<Void, Never>)]>([:])

    init(engine: Engine, mailbox: Mailbox) {
        self.engine = engine
        self.mailbox = mailbox
    }

    /// Samples these instances, each after so many seconds, and no others.
    func watch(_ intervals: [InstanceID: Int]) {
        self.running.withLock { running in
            for (id, watch) in running where intervals[id] != watch.interval {
                watch.task.cancel()
                running[id] = nil
            }
            for (id, interval) in intervals where running[id] == nil {
                let task = Task.detached { [engine, mailbox] in
                    await Self.sample(id, every: interval, engine, mailbox)
                }
                running[id] = (interval, task)
            }
        }
    }

    /// Samples an instance, and reconnects after a lost connection, more slowly each time.
    private static func sample(
        _ id: InstanceID, every interval: Int, _ engine: Engine, _ mailbox: Mailbox
    ) async {
        var pause = 2.0
        while !Task.isCancelled {
            do throws(EngineError) {
                try await engine.watchTelemetry(of: id, every: interval) {
                    mailbox.post(.telemetry(id, $0, at: Date()))
                }
            } catch {
                guard error.code != .cancelled, !Task.isCancelled else { return }
                mailbox.post(.telemetryEnded(id, error))
            }
            try? await Task.sleep(for: .seconds(pause))
            pause = min(60, pause * 2)
        }
    }
}
