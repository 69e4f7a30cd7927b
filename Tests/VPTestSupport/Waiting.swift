import Foundation

/// Says that a condition did not come true in time.
public struct WaitTimeout: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Returns the first value that `look` gives, asking again every few milliseconds until `limit` is over.
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
