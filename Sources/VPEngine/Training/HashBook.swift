/// The newest hashes that were added, in bounded memory.
///
/// Where two have the same place, the older one moves to the second of two, so that lines which take turns do
/// not displace each other.
final class HashBook {
    private let hashes: UnsafeMutablePointer<UInt64>
    private let mask: Int

    /// - Parameter count: how many it can hold, a power of two.
    init(count: Int) {
        precondition(count > 1 && count & (count - 1) == 0, "A power of two.")
        self.hashes = .allocate(capacity: count)
        self.hashes.initialize(repeating: 0, count: count)
        self.mask = count - 2
    }

    deinit { self.hashes.deallocate() }

    @inline(__always)
    private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> 40) & self.mask }

    /// Returns whether `hash`, which is not 0, is one of them.
    @inline(__always)
    func contains(_ hash: UInt64) -> Bool {
        let place = self.place(hash)
        return self.hashes[place] == hash || self.hashes[place &+ 1] == hash
    }

    func add(_ hash: UInt64) {
        let place = self.place(hash)
        guard self.hashes[place] != hash else { return }
        self.hashes[place &+ 1] = self.hashes[place]
        self.hashes[place] = hash
    }
}
