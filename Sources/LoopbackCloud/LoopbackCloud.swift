import Foundation

/// An emulator of the rental platforms' HTTP APIs on random 127.0.0.1 ports, where every rented instance is a
/// real sshd in a sandbox of its own.
///
/// Nothing outlives it: `stop()` ends every process and removes every folder it made, and so does the end of
/// this process in any way, `kill -9` included.
public final class LoopbackCloud: Sendable {
    public struct Options: Hashable, Sendable {
        /// The same seed gives the same catalogue, boot times and telemetry.
        public var seed: UInt64
        /// How much faster than real the stages of a boot pass; 1 takes tens of seconds, 20 about one.
        public var speed: Double
        /// Dollars on the account at the start.
        public var balance: Double

        public init(seed: UInt64 = 1, speed: Double = 20, balance: Double = 25) {
            self.seed = seed
            self.speed = speed
            self.balance = balance
        }
    }

    /// `http://127.0.0.1:PORT`, what `VAST_URL` takes.
    public let vastURL: URL
    public let vastAPIKey: String
    /// A private ssh key made for this cloud; its public half is on the account already.
    public let identityFile: String

    /// What a shell needs for `vp`, `vp-tui` and the official clients to use this cloud and nothing of the
    /// user's own: API addresses and keys, the ssh identity, XDG folders below the cloud's own folder.
    public var environment: [String: String] { fatalError() }

    init(vastURL: URL, vastAPIKey: String, identityFile: String) {
        self.vastURL = vastURL
        self.vastAPIKey = vastAPIKey
        self.identityFile = identityFile
    }

    /// Starts serving. Everything it writes goes below a new folder in `parent` (the temporary folder when nil).
    public static func start(in parent: String? = nil, options: Options = Options()) async throws -> LoopbackCloud {
        fatalError()
    }

    /// Ends every instance and process and removes the folder.
    public func stop() async { fatalError() }
}
