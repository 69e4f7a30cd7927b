import Foundation

/// What lies behind links there and is too much to be brought.
struct BehindLinks: Codable, Hashable, Sendable {
    /// By the link's name.
    var bytes: [String: Int64]
    var at: Date
}
