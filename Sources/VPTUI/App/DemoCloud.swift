import Foundation
import LoopbackCloud
import Synchronization

/// The loopback cloud and a sample project, for `--demo`. After the start, no
/// other code knows that it is a demo.
struct DemoCloud {
    let environment: [String: String]
    /// The folder of the sample project.
    let project: String
    private let cloud: LoopbackCloud

    /// Starts the cloud. The project is in the cloud's own folder, which is
    /// removed however this process ends.
    static func start() throws -> DemoCloud {
        do {
            let cloud = try Self.wait { try await LoopbackCloud.start() }
            let environment = cloud.environment
            guard let state = environment["XDG_STATE_HOME"] else {
                preconditionFailure("the cloud names the folders of its user")
            }
            let project = URL(fileURLWithPath: state).deletingLastPathComponent()
                .appendingPathComponent("two-moons").path
            try SampleProject.write(to: project)
            return DemoCloud(environment: environment, project: project, cloud: cloud)
        } catch {
            throw Failure.exit(200, "The demo cloud cannot start: \(error)")
        }
    }

    func stop() {
        let cloud = self.cloud
        try? Self.wait { await cloud.stop() }
    }

    /// The main thread waits here, so the work must not be on the main actor: a detached task.
    private static func wait<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws
        -> Value
    {
        let done = DispatchSemaphore(value: 0)
        let box = Box<Value>()
        Task.detached {
            do {
                let value = try await work()
                box.result.withLock { $0 = .success(value) }
            } catch {
                box.result.withLock { $0 = .failure(error) }
            }
            done.signal()
        }
        done.wait()
        guard let result = box.result.withLock({ $0 }) else { preconditionFailure("the task has ended") }
        return try result.get()
    }

    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }
}
