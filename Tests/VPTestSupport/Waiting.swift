import Foundation

/// An error: a condition did not become true in time.
public struct WaitTimeout: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Returns the first value from `look`, which is called every few milliseconds until `limit` is over.
@discardableResult
public func wait<Value>(
    for what: String, limit: Duration = .seconds(60), _ look: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    repeat {
        if let value = try await look() { return value }
        try await Task.sleep(for: .milliseconds(10))
    } while ContinuousClock.now < end
    throw WaitTimeout(description: "waited \(limit) in vain for \(what)")
}

/// Returns once `condition` holds; it is checked every few milliseconds until `limit` is over.
public func waitUntil(
    _ what: @autoclosure () -> String, limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    // `what` is evaluated at the end, when it can tell how far things came.
    do {
        try await wait(for: "", limit: limit) { try await condition() ? true : nil }
    } catch is WaitTimeout {
        throw WaitTimeout(description: "waited \(limit) in vain for \(what())")
    }
}
