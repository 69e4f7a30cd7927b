/// The headers of tables and the headings of blocks that have occurred: some programs print them again in
/// each epoch.
final class KnownHeaders {
    private static let count = 256
    @exclusivity(unchecked) private var tables = [FigureTable?](repeating: nil, count: count)
    private let hashes: UnsafeMutablePointer<UInt64>
    private let shapes = HashBook(count: count)
    /// The role that a heading gives to the lines under it, by the hash of its line.
    @exclusivity(unchecked) private var roles = [(hash: UInt64, role: FigureRole)](
        repeating: (0, .none), count: count)
    /// There is a header so long that it has no shape.
    private var hasLong = false

    init() {
        self.hashes = .allocate(capacity: Self.count)
        self.hashes.initialize(repeating: 0, count: Self.count)
    }

    deinit { self.hashes.deallocate() }

    @inline(__always)
    private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> 50) & (Self.count - 1) }

    /// Returns whether a line of this shape may be one of the headers.
    @inline(__always)
    func mayHold(_ shapeHash: UInt64) -> Bool {
        shapeHash == 0 ? self.hasLong : self.shapes.contains(shapeHash)
    }

    /// Returns the table of the header with this hash of its line; nil if it is no known header.
    @inline(__always)
    func table(_ hash: UInt64) -> FigureTable? {
        let place = self.place(hash)
        return self.hashes[place] == hash ? self.tables[place] : nil
    }

    func add(_ table: FigureTable, _ line: CurrentLine) {
        if line.shapeHash == 0 { self.hasLong = true } else { self.shapes.add(line.shapeHash) }
        let hash = line.hash
        let place = self.place(hash)
        self.tables[place] = table
        self.hashes[place] = hash
    }

    /// Returns the role of the heading with this hash of its line; nil if it is no known heading.
    func role(_ hash: UInt64) -> FigureRole? {
        let known = self.roles[self.place(hash)]
        return known.hash == hash ? known.role : nil
    }

    func add(_ role: FigureRole, _ line: CurrentLine) {
        let hash = line.hash
        self.roles[self.place(hash)] = (hash, role)
    }
}
