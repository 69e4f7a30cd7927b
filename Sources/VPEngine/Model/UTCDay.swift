import Foundation

/// Days as the platforms count them.
package enum UTCDay {
    package static let seconds: TimeInterval = 86_400

    /// Returns the midnight before `date`, or at it.
    package static func midnight(_ date: Date) -> Date {
        Date(timeIntervalSince1970: (date.timeIntervalSince1970 / Self.seconds).rounded(.down) * Self.seconds)
    }
}
