/// Decodes UTF-8 byte by byte. Bytes that belong to no character are dropped at once, and delay nothing.
struct UTF8Character: Hashable, Sendable {
    enum Step: Hashable {
        /// The byte is an ASCII character.
        case ascii
        case scalar(Unicode.Scalar)
        /// The character is not complete yet.
        case more
        /// The byte belongs to no character.
        case invalid
        /// The bytes before belong to no character; take this byte again.
        case invalidBefore
    }

    private var value: UInt32 = 0
    private var missing = 0
    /// The allowed range of the next byte: it is narrower after some first bytes, which could otherwise begin
    /// an overlong form or a surrogate.
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    mutating func take(_ byte: UInt8) -> Step {
        if self.missing > 0 {
            guard self.next.contains(byte) else {
                self.missing = 0
                return .invalidBefore
            }
            self.next = 0x80...0xBF
            self.value = self.value << 6 | UInt32(byte & 0x3F)
            self.missing -= 1
            guard self.missing == 0 else { return .more }
            return Unicode.Scalar(self.value).map(Step.scalar) ?? .invalid
        }
        self.next = 0x80...0xBF
        switch byte {
        case ..<0x80: return .ascii
        case 0xC2...0xDF: self.begin(byte & 0x1F, missing: 1)
        case 0xE0...0xEF:
            self.begin(byte & 0x0F, missing: 2)
            if byte == 0xE0 { self.next = 0xA0...0xBF }
            if byte == 0xED { self.next = 0x80...0x9F }
        case 0xF0...0xF4:
            self.begin(byte & 0x07, missing: 3)
            if byte == 0xF0 { self.next = 0x90...0xBF }
            if byte == 0xF4 { self.next = 0x80...0x8F }
        default: return .invalid
        }
        return .more
    }

    private mutating func begin(_ bits: UInt8, missing: Int) {
        self.value = UInt32(bits)
        self.missing = missing
    }
}
