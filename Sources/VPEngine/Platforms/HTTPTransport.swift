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

    package var method: Method
    package var url: URL
    package var headers: [String: String]
    package var body: [UInt8]?
    /// From the start to the last byte of the answer.
    package var timeout: Duration
    /// For an answer that never ends by itself, as a live log: it is taken as whole once it has begun and
    /// nothing more came for this long, or at the timeout.
    package var quietEnd: Duration?
    package var activity: EngineError.Activity

    package init(
        method: Method, url: URL, headers: [String: String] = [:], body: [UInt8]? = nil,
        timeout: Duration = .seconds(30), quietEnd: Duration? = nil, activity: EngineError.Activity
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.quietEnd = quietEnd
        self.activity = activity
    }
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
/// Throws `.networkDown`, `.timedOut`, `.cancelled`, or `.badResponse` for an answer over the size limit.
package protocol HTTPTransport: Sendable {
    func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse
}
