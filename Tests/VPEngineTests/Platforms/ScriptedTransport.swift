import Foundation
import Synchronization
import VPEngine

/// Answers from a script, and keeps what was asked.
final class ScriptedTransport: HTTPTransport {
    enum Step: Sendable {
        case answer(HTTPResponse)
        case fail(EngineError.Code)
        /// No answer for that long, which is the end of the call.
        case silence(Duration)

        static func json(_ status: Int, _ body: String, headers: [String: String] = [:]) -> Step {
            .answer(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
        }

        static func ok(_ body: String) -> Step { .json(200, body) }
    }

    private let state: Mutex<(steps: [Step], requests: [HTTPRequest])>
    /// True makes the last step answer all further requests too.
    private let repeatsLast: Bool
    private let clock: ScriptedClock?

    init(_ steps: [Step], repeatsLast: Bool = false, clock: ScriptedClock? = nil) {
        self.state = Mutex((steps, []))
        self.repeatsLast = repeatsLast
        self.clock = clock
    }

    var requests: [HTTPRequest] { self.state.withLock { $0.requests } }

    func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse {
        let step: Step? = self.state.withLock { state in
            state.requests.append(request)
            if self.repeatsLast, state.steps.count == 1 { return state.steps[0] }
            return state.steps.isEmpty ? nil : state.steps.removeFirst()
        }
        switch step {
        case .answer(let response): return response
        case .fail(let code): throw EngineError(code, request.activity)
        case .silence(let duration):
            self.clock?.advance(by: duration)
            throw EngineError(.timedOut, request.activity)
        case nil: throw EngineError(.cancelled, request.activity, detail: "the script has ended")
        }
    }
}

/// A clock whose sleepers wake at once, in a time that they themselves move on.
final class ScriptedClock: Sendable {
    private let state: Mutex<(now: Duration, sleeps: [Duration])> = Mutex((.zero, []))

    var sleeps: [Duration] { self.state.withLock { $0.sleeps } }

    var now: Duration { self.state.withLock { $0.now } }

    func advance(by duration: Duration) {
        self.state.withLock { $0.now += duration }
    }

    var pacing: PacingClock {
        PacingClock(now: { self.now }) { duration in
            try Task.checkCancellation()
            self.state.withLock {
                $0.now += duration
                $0.sleeps.append(duration)
            }
        }
    }
}

/// A client with everything around it scripted.
struct VastBench {
    static let key = "vast-test-key-0123456789abcdef"

    let transport: ScriptedTransport
    let clock = ScriptedClock()
    let records = Recorder<APICallRecord>()
    let client: VastClient

    init(_ steps: [ScriptedTransport.Step], repeatsLast: Bool = false, scale: Double = 0) {
        let transport = ScriptedTransport(steps, repeatsLast: repeatsLast, clock: self.clock)
        var patience = APICaller.Patience()
        patience.jitter = { 0 }
        let records = self.records
        let caller = APICaller(
            endpoint: PlatformEndpoint(
                platform: .vast, baseURL: URL(string: "https://vast.test")!, key: APIKey(VastBench.key)),
            transport: transport, pacer: RequestPacer(scale: scale, clock: self.clock.pacing),
            clock: self.clock.pacing, patience: patience, report: { records.append($0) })
        self.transport = transport
        self.client = VastClient(caller: caller)
    }

    init(_ body: String) {
        self.init([.ok(body)], repeatsLast: true)
    }

    /// The JSON bodies of all requests, null for those without one.
    var bodies: [JSONValue] {
        self.transport.requests.map { request in
            request.body.flatMap { try? JSONParser.parse($0) } ?? .null
        }
    }

    /// `GET /api/v1/instances/?limit=25` for each request.
    var lines: [String] {
        self.transport.requests.map { request in
            let base = "https://vast.test"
            let address = request.url.absoluteString
            return request.method.rawValue + " "
                + (address.hasPrefix(base) ? String(address.dropFirst(base.count)) : address)
        }
    }
}

/// Collects values from any thread.
final class Recorder<Value: Sendable>: Sendable {
    private let values: Mutex<[Value]> = Mutex([])

    var all: [Value] { self.values.withLock { $0 } }

    func append(_ value: Value) {
        self.values.withLock { $0.append(value) }
    }
}

/// The error that `body` throws, or nil.
func failure(_ body: () async throws(EngineError) -> Void) async -> EngineError? {
    do throws(EngineError) {
        try await body()
        return nil
    } catch {
        return error
    }
}
