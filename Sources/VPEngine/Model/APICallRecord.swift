import Foundation

/// One request to a platform, for the dashboard's history of calls. Holds no secret.
public struct APICallRecord: Hashable, Sendable {
    /// The platform that was asked.
    public var platform: Platform
    /// The HTTP method in capitals, such as `GET`.
    public var method: String
    /// The path with its query; the path alone if the address carries a signature.
    public var path: String
    /// The HTTP status of the answer; nil if no answer came.
    public var status: Int?
    /// The reason why no answer came.
    public var failure: EngineError.Code?
    /// When the request was sent, by this machine's clock.
    public var startedAt: Date
    /// The duration of the call, in seconds.
    public var duration: TimeInterval
    /// The server's clock as stated in its answer, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    public var serverDate: String?

    /// A record of a request that was answered with `status`, or that failed for the reason `failure`.
    public init(
        platform: Platform, method: String, path: String, status: Int?, failure: EngineError.Code? = nil,
        startedAt: Date, duration: TimeInterval, serverDate: String? = nil
    ) {
        self.platform = platform
        self.method = method
        self.path = path
        self.status = status
        self.failure = failure
        self.startedAt = startedAt
        self.duration = duration
        self.serverDate = serverDate
    }
}
