import Foundation

/// One HTTP request, complete with what the caller was doing, so that a failure can say it.
package struct HTTPRequest: Hashable, Sendable {
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// What it would mean to send it once more.
    package enum Repetition: Hashable, Sendable {
        /// It only reads: the same again, at any time.
        case harmless
        /// It ends in the same state however often it is done.
        /// It is sent again where a server says that it was not done; a lost answer is looked for instead.
        case afterRefusal
        /// Twice is not once: it rents, or adds.
        case never
    }

    package var method: Method
    package var url: URL
    package var headers: [String: String]
    package var body: [UInt8]?
    /// From the start to the last byte of the answer.
    package var timeout: Duration
    /// For an answer that never ends by itself, as a live log: it is taken as whole once it has begun and
    /// nothing more came for this long, or at the timeout.
    package var quietEnd: Duration?
    package var repetition: Repetition
    package var activity: EngineError.Activity

    /// - Parameter repetition: nil takes a `GET` for harmless, and all else for what must not be done twice.
    package init(
        method: Method, url: URL, headers: [String: String] = [:], body: [UInt8]? = nil,
        timeout: Duration = .seconds(30), quietEnd: Duration? = nil, repetition: Repetition? = nil,
        activity: EngineError.Activity
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.quietEnd = quietEnd
        self.repetition = repetition ?? (method == .get ? .harmless : .never)
        self.activity = activity
    }

    /// Such a request goes out on a connection of its own. On one that was used before,
    /// it may meet a server that closes it at that moment, and nobody could tell whether it arrived.
    package var changesSomething: Bool { self.repetition != .harmless }
}

/// What a server answered, whatever its status.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isSuccess: Bool { (200..<300).contains(self.status) }
}

/// Carries requests to a server. Repeats nothing and judges nothing: an answer of any status is a response.
///
/// A redirect is not followed: it is `.badResponse`, as is an answer over the limits or with an encoding that
/// was not asked for. Else throws `.networkDown`, `.timedOut`, `.insecureConnection`, `.cancelled`, or
/// `.badConfiguration` for settings with which no request can be made.
package protocol HTTPTransport: Sendable {
    func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse
}
