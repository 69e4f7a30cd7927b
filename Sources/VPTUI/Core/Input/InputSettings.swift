extension InputDecoder {
    /// What differs between terminals.
    public struct Settings: Hashable, Sendable {
        /// How long a lone ESC may still be the start of a sequence, in seconds.
        public var escapeWait = 0.025
        /// Sequences that the terminal's description names; nil is a key that means nothing here.
        public var keys: [[UInt8]: Key?] = [:]
        /// The byte of the backspace key, beside DEL.
        public var backspace: UInt8?
        /// The characters of the bytes from 0x80 on, in a locale of one byte a character. Empty for UTF-8.
        public var highBytes: [Unicode.Scalar?] = []
        public var takesMouse = true

        public init() {}

        /// Seconds. Behind ssh, the rest of a sequence may come in the next packet.
        public static func escapeWait(_ environment: [String: String]) -> Double {
            if let wanted = environment["ESCDELAY"].flatMap(Int.init), (0...10_000).contains(wanted) {
                return Double(wanted) / 1000
            }
            let isRemote = ["SSH_CONNECTION", "SSH_TTY"].contains { !environment[$0, default: ""].isEmpty }
            return isRemote ? 0.1 : 0.025
        }
    }
}
