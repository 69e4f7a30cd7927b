/// Counts the lines of each shape, so that only a few of each need be read.
///
/// A fast job prints lines of a few shapes thousands of times a second,
/// and among them rare ones that matter: an evaluation, a loss that is not a number.
final class ShapeCounts {
    private static let slots = 1024
    /// The number of lines after which one of each shape suffices:
    /// a program whose lines are all different would cost as much as if all were read.
    private static let enough = 1000

    private let hashes: UnsafeMutablePointer<UInt64>
    private let counts: UnsafeMutablePointer<Int>
    private var limit = 0
    private var all = 0

    init() {
        self.hashes = .allocate(capacity: Self.slots)
        self.counts = .allocate(capacity: Self.slots)
        self.begin(limit: 0)
    }

    deinit {
        self.hashes.deallocate()
        self.counts.deallocate()
    }

    /// Begins to count anew; at most `limit` lines of each shape are to be read.
    func begin(limit: Int) {
        self.hashes.initialize(repeating: 0, count: Self.slots)
        self.counts.initialize(repeating: 0, count: Self.slots)
        (self.limit, self.all) = (limit, 0)
    }

    /// Counts a line, and returns whether it is to be read.
    @inline(__always)
    func admits(_ hash: UInt64) -> Bool {
        let place = Int(truncatingIfNeeded: hash &>> 40) & (Self.slots - 1)
        if self.hashes[place] != hash {
            // Two shapes that take turns here displace each other, and are read more often than they need.
            self.hashes[place] = hash
            self.counts[place] = 0
        }
        guard self.counts[place] < (self.all < Self.enough ? self.limit : 1) else { return false }
        self.counts[place] &+= 1
        self.all &+= 1
        return true
    }
}
