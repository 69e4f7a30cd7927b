extension InputDecoder {
    /// The settings that differ between terminals.
    public struct Settings: Hashable, Sendable {
        /// The time for which a lone ESC may still be the start of a sequence, in seconds.
        public var escapeWait = 0.025
        /// Sequences from the terminal's description; nil is a key that does nothing here.
        public var keys: [[UInt8]: Key?] = [:]
        /// The byte that the backspace key sends, besides DEL.
        public var backspace: UInt8?
        /// The characters for the bytes from 0x80 on, if the locale has one byte per
        /// character. Empty for UTF-8.
        public var highBytes: [Unicode.Scalar?] = []
        public var takesMouse = true

        public init() {}

        /// Returns the wait after a lone ESC, in seconds. Over ssh, the rest of a sequence may come
        /// in the next packet.
        public static func escapeWait(_ environment: [String: String]) -> Double {
            if let wanted = environment["ESCDELAY"].flatMap(Int.init), (0...10_000).contains(wanted) {
                return Double(wanted) / 1000
            }
            let isRemote = ["SSH_CONNECTION", "SSH_TTY"].contains { !environment[$0, default: ""].isEmpty }
            return isRemote ? 0.1 : 0.025
        }
    }
}
