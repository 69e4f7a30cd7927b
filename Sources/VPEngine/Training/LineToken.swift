/// A piece of a line: a word, a number, a sign.
struct LineToken {
    enum Kind: UInt8 {
        case word, number
        /// `nan` or `inf`, in any spelling.
        case notNumber
        /// `12:30`, `0:12:30`; its value is in seconds.
        case clock
        /// Text that resembles one of the others but is none: a date, a version, a
        /// path, a place in a source file.
        case junk
        /// One character of punctuation.
        case sign
    }

    var kind: Kind
    /// The number of spaces before the token: 0, 1, or 2 for more spaces or a tab.
    var space: UInt8
    /// A quotation mark precedes the token.
    var isQuoted: Bool
    /// The number has a point or an exponent.
    var isFraction = false
    var sign: UInt8 = 0
    var start: Int32
    /// The end of the token; for a number, without its unit.
    var end: Int32
    /// The end of the letters that directly follow a number: `453ms/step`, `14.2K`, `95%`.
    var unitEnd: Int32
    var value = 0.0

    static let bar: UInt8 = 1
}

/// The kinds of token that a byte can belong to.
enum ByteClass {
    static let letter: UInt8 = 1
    static let digit: UInt8 = 2
    static let joint: UInt8 = 4
    static let space: UInt8 = 8
    static let unit: UInt8 = 16
    static let quote: UInt8 = 32

    /// The class of each byte. Read through a pointer that is made once: in a loop over every byte, an
    /// array's bounds checks cost measurable time.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        // The table is never freed, and is written only here.
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 0, count: 256)
        for byte in UInt8(ascii: "a")...UInt8(ascii: "z") {
            table[Int(byte)] = letter | unit
            table[Int(byte & 0xDF)] = letter | unit
        }
        table[Int(UInt8(ascii: "_"))] = letter
        for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { table[Int(byte)] = digit }
        for byte in "/.-@+".utf8 { table[Int(byte)] = joint }
        for byte in "%/_".utf8 { table[Int(byte)] |= unit }
        for byte in 0xC3...0xFF where byte != 0xE2 { table[Int(byte)] = letter }
        for byte in 0x80...0xBF { table[byte] = letter }
        for byte: UInt8 in [0x20, 0x09, 0x0B, 0x0C, 0x0D, 0x00] { table[Int(byte)] = space }
        for byte in "'\"`".utf8 { table[Int(byte)] = quote }
        return UnsafePointer(table)
    }()
}
