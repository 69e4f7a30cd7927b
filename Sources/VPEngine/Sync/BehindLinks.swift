import Foundation

/// Data behind links on the instance that is too large to be downloaded.
struct BehindLinks: Codable, Hashable, Sendable {
    /// Sizes, keyed by the link's name.
    var bytes: [String: Int64]
    var at: Date
}
