import Foundation

/// The load of a GPU while it was watched, in bounded memory: beyond `limit` samples, each kept sample
/// stands for several.
public struct LoadHistory: Equatable, Sendable {
    static let limit = 1024

    /// Times in seconds since 1970, and shares from 0 to 1.
    private(set) var times: [Double] = []
    private(set) var shares: [Double] = []
    private var stride = 1
    private var sum = 0.0
    private var count = 0

    mutating func add(_ share: Double, at date: Date) {
        guard share.isFinite else { return }
        self.sum += share
        self.count += 1
        guard self.count >= self.stride else { return }
        self.times.append(date.timeIntervalSince1970)
        self.shares.append(self.sum / Double(self.count))
        (self.sum, self.count) = (0, 0)
        guard self.times.count == Self.limit else { return }
        for index in 0..<(Self.limit / 2) {
            self.times[index] = self.times[2 * index + 1]
            self.shares[index] = (self.shares[2 * index] + self.shares[2 * index + 1]) / 2
        }
        self.times.removeLast(Self.limit / 2)
        self.shares.removeLast(Self.limit / 2)
        self.stride *= 2
    }

    /// Samples at most this many seconds apart, unless several were joined,
    /// show the load between them as well.
    private static let widestGap = 40.0

    /// Returns the mean load for each of `columns` columns of an axis; nil where it was not watched. `place`
    /// gives the position of a time on the axis, from 0 to 1.
    func columns(_ columns: Int, _ place: (Double) -> Double?) -> [Double?] {
        var sums = [(sum: Double, count: Int)](repeating: (0, 0), count: max(0, columns))
        var bridges: [Range<Int>] = []
        var last: (time: Double, column: Int)?
        for (time, share) in zip(self.times, self.shares) {
            guard let at = place(time), at >= 0, at <= 1 else { continue }
            let column = min(columns - 1, Int(at * Double(columns)))
            sums[column].sum += share
            sums[column].count += 1
            if let last, time - last.time <= Self.widestGap * Double(self.stride), last.column + 1 < column {
                bridges.append(last.column + 1..<column)
            }
            last = (time, column)
        }
        var means = sums.map { $0.count > 0 ? $0.sum / Double($0.count) : nil }
        for bridge in bridges {
            for column in bridge where means[column] == nil { means[column] = means[bridge.lowerBound - 1] }
        }
        return means
    }
}
