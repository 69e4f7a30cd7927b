import LoopbackCloud
import Testing

/// Gives a test a loopback cloud of its own: folder, keys, ports, all gone afterwards.
///
/// ```swift
/// @Test(.loopbackCloud()) func rents() async throws {
///     let cloud = try #require(CloudTrait.current)
/// ```
public struct CloudTrait: TestTrait, SuiteTrait, TestScoping {
    /// The cloud of the running test.
    @TaskLocal public static var current: LoopbackCloud?

    let options: LoopbackCloud.Options

    /// A suite's cloud is not shared: each of its tests gets one.
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await withLoopbackCloud(self.options) { cloud in
            try await Self.$current.withValue(cloud) { try await function() }
        }
    }
}

extension Trait where Self == CloudTrait {
    /// A loopback cloud for each test; the default options make it fast.
    public static func loopbackCloud(
        _ options: LoopbackCloud.Options = LoopbackCloud.Options(speed: 100)
    ) -> Self {
        CloudTrait(options: options)
    }
}

/// Runs `body` with a new loopback cloud, and ends the cloud in any case.
public func withLoopbackCloud<Result>(
    _ options: LoopbackCloud.Options = LoopbackCloud.Options(speed: 100),
    _ body: (LoopbackCloud) async throws -> Result
) async throws -> Result {
    try await CloudGate.shared.pass {
        let cloud = try await LoopbackCloud.start(options: options)
        do {
            let result = try await body(cloud)
            await cloud.stop()
            return result
        } catch {
            await cloud.stop()
            throw error
        }
    }
}
