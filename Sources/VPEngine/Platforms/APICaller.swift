import Foundation

/// One call of a platform's API.
package struct APICall: Sendable {
    package var method: HTTPRequest.Method
    /// The path below the endpoint's base URL, percent-encoded, starting with a slash.
    package var path: String
    package var query: [(name: String, value: String)]
    package var headers: [String: String]
    package var body: JSONValue?
    package var limit: RateLimit
    package var repetition: HTTPRequest.Repetition
    package var timeout: Duration
    /// See `HTTPRequest.quietEnd`.
    package var quietEnd: Duration?
    package var activity: EngineError.Activity

    /// - Parameter repetition: nil makes a `GET` `.harmless`, and all else `.afterRefusal`.
    package init(
        _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [],
        headers: [String: String] = [:], body: JSONValue? = nil, limit: RateLimit,
        repetition: HTTPRequest.Repetition? = nil, timeout: Duration? = nil, quietEnd: Duration? = nil,
        activity: EngineError.Activity
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.limit = limit
        self.repetition = repetition ?? (method == .get ? .harmless : .afterRefusal)
        // A platform that hangs must not keep the answers of the other for long.
        self.timeout = timeout ?? (method == .get ? .seconds(15) : .seconds(30))
        self.quietEnd = quietEnd
        self.activity = activity
    }
}

/// Makes the calls of one platform: authorised, paced, retried if that is safe, and recorded.
package struct APICaller: Sendable {
    /// The rules for retries: how many, and for how long.
    package struct Patience: Sendable {
        package var attempts = 4
        /// No further attempt starts later than this after the first.
        package var total: Duration = .seconds(60)
        /// A random number from 0 up to 1, which spreads callers that were refused together.
        package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }

        package init() {}
    }

    package let endpoint: PlatformEndpoint
    package let pacer: RequestPacer
    package let clock: PacingClock
    private let transport: any HTTPTransport
    private let patience: Patience
    private let report: @Sendable (APICallRecord) -> Void

    package init(
        endpoint: PlatformEndpoint, transport: any HTTPTransport, pacer: RequestPacer,
        clock: PacingClock = .continuous, patience: Patience = Patience(),
        report: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) {
        self.endpoint = endpoint
        self.transport = transport
        self.pacer = pacer
        self.clock = clock
        self.patience = patience
        self.report = report
    }

    /// Returns the answer, whatever its status. After 429, 502, 503, 504 or a failed connection it is that of
    /// the last of several attempts, if the call may be retried.
    package func send(_ call: APICall) async throws(EngineError) -> HTTPResponse {
        guard !self.endpoint.key.isEmpty else { throw EngineError(.missingKey, call.activity) }
        let request = try self.request(for: call)
        let start = self.clock.now()
        var attempt = 1
        while true {
            try await self.waitForTurn(call)
            let outcome = await self.attempt(request, path: call.path, query: call.query)
            let delay = self.delay(after: outcome, of: request, attempt: attempt, since: start)
            if case .success(let response) = outcome {
                // Others who wait for this endpoint are spared a refusal, whether or not this call is
                // retried.
                if response.status == 429, let delay { await self.pacer.close(call.limit, for: delay) }
                if let seconds = response.exhaustedFor {
                    await self.pacer.close(call.limit, for: .seconds(seconds))
                }
            }
            let elapsed = self.clock.now() - start
            guard let delay, Self.mayRepeat(call, after: outcome), attempt < self.patience.attempts,
                elapsed + delay <= self.patience.total
            else { return try outcome.get() }
            try await self.sleep(for: delay, activity: call.activity)
            attempt += 1
        }
    }

    /// Fetches an address that the platform handed out, without the key: the host may be a storage
    /// provider's.
    package func fetch(
        _ url: URL, timeout: Duration, activity: EngineError.Activity
    ) async throws(EngineError) -> HTTPResponse {
        let request = HTTPRequest(method: .get, url: url, timeout: timeout, activity: activity)
        return try await self.attempt(request, path: (url.host ?? "") + url.path, query: []).get()
    }

    package func sleep(for delay: Duration, activity: EngineError.Activity) async throws(EngineError) {
        do {
            try await self.clock.sleep(delay)
        } catch {
            throw EngineError(.cancelled, activity)
        }
    }

    /// Returns the server's words on one line, for `EngineError.detail`: without control characters or the
    /// key, and cut if they are long.
    package func detail(_ text: String) -> String? {
        var text = text
        let key = self.endpoint.key
        // A shorter "key" is none, and would blot out half of every sentence.
        if key.reveal().count >= 4 {
            text = text.replacingOccurrences(of: key.reveal(), with: key.description)
        }
        return text.singleLine(limit: 300)
    }

    private func request(for call: APICall) throws(EngineError) -> HTTPRequest {
        var base = self.endpoint.baseURL.absoluteString
        while base.hasSuffix("/") { base.removeLast() }
        guard let url = URL(string: base + call.path + APICaller.encode(call.query)), url.host != nil,
            url.scheme == "https" || url.scheme == "http"
        else {
            throw EngineError(
                .badConfiguration, call.activity, detail: "not an API address: \(ShownAddress.redacted(base))"
            )
        }
        var headers = call.headers
        headers["Authorization"] = "Bearer " + self.endpoint.key.reveal()
        if headers["Accept"] == nil { headers["Accept"] = "application/json" }
        if call.body != nil { headers["Content-Type"] = "application/json" }
        return HTTPRequest(
            method: call.method, url: url, headers: headers, body: call.body.map { Array($0.encoded.utf8) },
            timeout: call.timeout, quietEnd: call.quietEnd, repetition: call.repetition,
            activity: call.activity)
    }

    private func attempt(
        _ request: HTTPRequest, path: String, query: [(name: String, value: String)]
    ) async -> Result<HTTPResponse, EngineError> {
        let date = Date()
        let start = self.clock.now()
        let outcome: Result<HTTPResponse, EngineError>
        do throws(EngineError) {
            outcome = .success(try await self.transport.send(request))
        } catch {
            outcome = .failure(error)
        }
        var record = APICallRecord(
            platform: self.endpoint.platform, method: request.method.rawValue,
            path: path + APICaller.encode(query), status: nil, startedAt: date,
            duration: (self.clock.now() - start).seconds
        )
        switch outcome {
        case .success(let response):
            record.status = response.status
            record.serverDate = response.headers["date"]
        case .failure(let error): record.failure = error.code
        }
        self.report(record)
        return outcome
    }

    private static func mayRepeat(_ call: APICall, after outcome: Result<HTTPResponse, EngineError>) -> Bool {
        switch (call.repetition, outcome) {
        case (.harmless, _), (.afterRefusal, .success): true
        case (.afterRefusal, .failure), (.never, _): false
        }
    }

    /// Returns the time to wait before the same call may be made again; nil if a retry would not help.
    private func delay(
        after outcome: Result<HTTPResponse, EngineError>, of request: HTTPRequest, attempt: Int,
        since start: Duration
    ) -> Duration? {
        let step = Double(1 << min(attempt - 1, 4))
        let usual = Duration.seconds(0.5 * step * self.spread)
        switch outcome {
        case .failure(let error):
            switch error.code {
            case .networkDown: return usual
            // The time includes the wait for answers to other callers, so that a long silence is not doubled.
            case .timedOut: return self.clock.now() - start < .seconds(10) ? usual : nil
            default: return nil
            }
        case .success(let response) where request.wantsJSON && response.isDamaged:
            return attempt < 3 ? usual : nil
        case .success(let response):
            switch response.status {
            // No answer would be different until the next day.
            case 429 where response.saysSearchQuotaSpent: return nil
            case 429: return .seconds((response.requestedDelay ?? min(30, 2 * step)) * self.spread)
            case 502, 503, 504:
                return response.retryAfter.map { .seconds($0 * self.spread) } ?? usual
            default: return nil
            }
        }
    }

    /// A factor that is never below 1: a delay that the server named is a lower bound.
    private var spread: Double { 1 + 0.25 * self.patience.jitter() }

    private func waitForTurn(_ call: APICall) async throws(EngineError) {
        let refusal: Duration?
        do throws(CancellationError) {
            refusal = try await self.pacer.waitForTurn(call.limit, patience: self.patience.total)
        } catch {
            throw EngineError(.cancelled, call.activity)
        }
        guard let refusal else { return }
        let seconds = Int(saturating: refusal.seconds.rounded(.up))
        throw EngineError(.rateLimited, call.activity, detail: "no further call is allowed for \(seconds) s")
    }

    private static func encode(_ query: [(name: String, value: String)]) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\($0.name)=\(APICaller.percentEncode($0.value))" }.joined(separator: "&")
    }

    /// Escapes all but letters, digits and `-._~`, for a query value or one path component.
    package static func percentEncode(_ text: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF")
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += "%"
                encoded.append(hexadecimal[Int(byte >> 4)])
                encoded.append(hexadecimal[Int(byte & 15)])
            }
        }
        return encoded
    }
}

extension HTTPRequest {
    /// True if a `200` without complete JSON means that something in between has damaged it.
    fileprivate var wantsJSON: Bool {
        self.repetition == .harmless && self.headers["Accept"] == "application/json"
    }
}

extension HTTPResponse {
    /// True if this cannot be a complete document: a proxy's page, or a document that was cut. The parser
    /// decides about all others.
    fileprivate var isDamaged: Bool {
        guard self.status == 200 else { return false }
        guard let first = self.body.first(where: { $0 != 0x20 && !(0x09...0x0D).contains($0) }) else {
            return true
        }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return !self.closesWhatItOpens
        case UInt8(ascii: "<"): return true
        default: return false
        }
    }

    /// True if every bracket outside of strings is closed: a cut may fall behind any of them.
    private var closesWhatItOpens: Bool {
        var depth = 0
        var isInString = false
        var isEscaped = false
        for byte in self.body {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        return depth == 0 && !isInString
    }

    /// The body as text, for error messages; damaged UTF-8 is repaired.
    package var text: String { String(decoding: self.body.prefix(4096), as: UTF8.self) }

    /// The delay of a `Retry-After` header in seconds. Neither platform uses the form with a date.
    package var retryAfter: Double? {
        self.headers["retry-after"].flatMap { NumberRange.wait.read($0.trimmingSpaces()) }.map {
            min($0, 3600)
        }
    }

    /// True if vast.ai's daily quota of searches is spent, which has nothing to do with how fast they are
    /// made.
    var saysSearchQuotaSpent: Bool {
        self.status == 429 && self.text.contains("search_quota_exceeded")
    }

    /// The value of `X-RateLimit-Reset`, in seconds since 1970 by the server's clock.
    var rateLimitReset: Double? {
        guard let text = self.headers["x-ratelimit-reset"], let value = Double(text.trimmingSpaces()),
            value > 1e9, value < 1e14
        else { return nil }
        // Some servers count milliseconds.
        return value > 1e11 ? value / 1000 : value
    }

    /// Seconds until an exhausted window of RunPod's `RateLimit` header opens again, such as
    /// `"minute";r=0;t=12, "hour";r=2800;t=1812`.
    fileprivate var exhaustedFor: Double? {
        guard let header = self.headers["ratelimit"] else { return nil }
        var longest: Double?
        for window in header.split(separator: ",") {
            var values: [String: Double] = [:]
            for part in window.split(separator: ";").dropFirst() {
                let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingSpaces() }
                if pair.count == 2 { values[pair[0]] = NumberRange.wait.read(pair[1]) }
            }
            guard let left = values["r"], left <= 0, let seconds = values["t"], seconds > 0 else { continue }
            longest = max(longest ?? 0, min(seconds, 86_400))
        }
        return longest
    }

    /// The delay that a 429 asks for, in seconds: from its headers, or the threshold that vast.ai names in
    /// the body.
    fileprivate var requestedDelay: Double? {
        // The window that refused this call may not be the one that stays closed longest.
        if let seconds = self.retryAfter { return max(seconds, self.exhaustedFor ?? 0) }
        guard let range = self.text.range(of: "threshold=") else { return nil }
        let digits = self.text[range.upperBound...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        return NumberRange.wait.read(digits).map { min($0, 3600) }
    }
}

extension String {
    /// Returns the text on one line, for a table cell or an error: runs of white space and control characters
    /// become one space, so that nothing in it can move a cursor. Nil if nothing is left.
    package func singleLine(limit: Int) -> String? {
        var line = ""
        var count = 0
        var needsSpace = false
        for character in self {
            let isInvisible =
                character.isWhitespace
                || character.unicodeScalars.contains { $0.properties.generalCategory == .control }
            if isInvisible {
                needsSpace = count > 0
                continue
            }
            guard count < limit else { return line + "…" }
            if needsSpace {
                line.append(" ")
                count += 1
                needsSpace = false
            }
            line.append(character)
            count += 1
        }
        return line.isEmpty ? nil : line
    }
}
