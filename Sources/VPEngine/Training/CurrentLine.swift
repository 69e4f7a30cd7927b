/// A line without escape sequences, and what is known of it before it is read.
struct CurrentLine {
    /// `LineFilter.margin` bytes after its end can be read.
    let text: UnsafePointer<UInt8>
    let length: Int
    /// The hash of the shape of the line as it was written; 0 if it has none.
    let shapeHash: UInt64
    /// The line as it was written.
    let written: UnsafeBufferPointer<UInt8>
    /// Its place in the memo; nil if it is not remembered.
    let place: Int?

    /// The hash of the line as it was written, computed at each call: most lines need none.
    var hash: UInt64 { LineBytes.hash(self.written) }

    /// `true` if the line may continue what the lines above began.
    var isIndented: Bool { self.isSpaced || self.text[0] == 0x2A || self.text[0] == 0x7C }
    var isSpaced: Bool { self.text[0] == 0x20 || self.text[0] == 0x09 }
}
