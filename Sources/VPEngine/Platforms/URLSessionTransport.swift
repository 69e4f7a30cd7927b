import CCurl
import Dispatch
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// `HTTPTransport` on Foundation's `URLSession`.
///
/// The session is made on first use: setting libcurl up costs milliseconds that `vp --version` must not pay.
package final class URLSessionTransport: HTTPTransport {
    /// RunPod's edge refuses some libraries' default agents with a 403 that looks like a wrong key.
    package static let userAgent = "variousplug/0.1.0"

    private let session: Mutex<URLSession?> = Mutex(nil)
    private let calls: CallTable

    /// - Parameter bodyLimit: an answer longer than this is refused with `.badResponse`, unread.
    package init(bodyLimit: Int = 32 << 20) {
        self.calls = CallTable(bodyLimit: bodyLimit)
    }

    deinit {
        // A session keeps its delegate and a thread until it is told to go.
        self.session.withLock { $0?.finishTasksAndInvalidate() }
    }

    package func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse {
        guard !Task.isCancelled else { throw EngineError(.cancelled, request.activity) }
        if let problem = vp_curl_problem() {
            throw EngineError(.missingProgram, request.activity, detail: String(cString: problem))
        }
        if request.url.isLoopback { ProxyExemption.isInPlace }
        let task = self.openSession().dataTask(with: URLSessionTransport.urlRequest(request))
        let calls = self.calls
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                calls.start(task, for: request, continuation)
            }
        } onCancel: {
            calls.end(task, as: .cancelled)
        }
        return try result.get()
    }

    private func openSession() -> URLSession {
        self.session.withLock { session in
            if let session { return session }
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpShouldSetCookies = false
            configuration.httpCookieAcceptPolicy = .never
            configuration.urlCache = nil
            configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
            let queue = OperationQueue()
            queue.maxConcurrentOperationCount = 1
            let opened = URLSession(configuration: configuration, delegate: self.calls, delegateQueue: queue)
            session = opened
            return opened
        }
    }

    private static func urlRequest(_ request: HTTPRequest) -> URLRequest {
        var urlRequest = URLRequest(url: request.url)
        urlRequest.httpMethod = request.method.rawValue
        // Ours is the deadline that counts; this one only has to be later.
        urlRequest.timeoutInterval = request.timeout.seconds + 5
        urlRequest.setValue(URLSessionTransport.userAgent, forHTTPHeaderField: "User-Agent")
        for (name, value) in request.headers { urlRequest.setValue(value, forHTTPHeaderField: name) }
        if let body = request.body { urlRequest.httpBody = Data(body) }
        return urlRequest
    }
}

/// Keeps requests to this machine off a proxy that the environment names for the others.
///
/// libcurl makes no exception for loopback, and URLSession on Linux offers no setting for it, so the
/// environment variable that libcurl reads is extended.
private enum ProxyExemption {
    /// Done at most once, before the first loopback request, and only where a proxy is set at all. The engine
    /// gives every child process its environment explicitly, so none sees the change.
    static let isInPlace: Void = {
        let names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        guard names.contains(where: { getenv($0) != nil }) else { return }
        let current = (getenv("no_proxy") ?? getenv("NO_PROXY")).map { String(cString: $0) } ?? ""
        guard current != "*" else { return }
        setenv("no_proxy", current.isEmpty ? hosts : "\(current),\(hosts)", 1)
    }()

    private static let hosts = "127.0.0.1,localhost,::1"
}

extension URL {
    /// True for an address that never leaves this machine.
    fileprivate var isLoopback: Bool {
        guard let host = self.host?.lowercased() else { return false }
        return ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    }
}

/// The requests under way, and the session's delegate that feeds them.
///
/// Completion handlers would be shorter, but with them Foundation on Linux follows every redirect, and takes
/// the Authorization header along.
private final class CallTable: NSObject, URLSessionDataDelegate {
    enum End {
        case complete
        case quiet
        case failed(any Error)
        case timedOut
        case tooLong
        case cancelled
    }

    private struct Call {
        let request: HTTPRequest
        let continuation: CheckedContinuation<Result<HTTPResponse, EngineError>, Never>
        let task: URLSessionDataTask
        let deadline: ContinuousClock.Instant
        var response: HTTPURLResponse?
        var body: [UInt8] = []

        /// True for a log without end that has begun: cutting it is the plan.
        var isOpenEnded: Bool { self.request.quietEnd != nil && self.response?.statusCode == 200 }
    }

    private let calls: Mutex<[Int: Call]> = Mutex([:])
    /// When the calls are looked at next for one that is overdue.
    private let nextLook: Mutex<ContinuousClock.Instant?> = Mutex(nil)
    private let bodyLimit: Int

    init(bodyLimit: Int) {
        self.bodyLimit = bodyLimit
    }

    func start(
        _ task: URLSessionDataTask, for request: HTTPRequest,
        _ continuation: CheckedContinuation<Result<HTTPResponse, EngineError>, Never>
    ) {
        self.calls.withLock {
            $0[task.taskIdentifier] = Call(
                request: request, continuation: continuation, task: task, deadline: .now + request.timeout)
        }
        // A cancellation between the check in `send` and the line above found no call to end.
        if withUnsafeCurrentTask(body: { $0?.isCancelled ?? false }) {
            self.end(task, as: .cancelled)
            return
        }
        self.lookForOverdueCalls(at: .now + request.timeout)
        task.resume()
    }

    /// Ends what is overdue at `date`, and comes back for what is not.
    ///
    /// One look serves all calls before it. A timer for each would go off long after its call was answered,
    /// and wake a dashboard that has nothing to do.
    private func lookForOverdueCalls(at date: ContinuousClock.Instant) {
        let isNew = self.nextLook.withLock { next in
            if let planned = next, planned <= date { return false }
            next = date
            return true
        }
        guard isNew else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + ContinuousClock.now.duration(to: date).seconds) {
            [weak self] in
            guard let self else { return }
            self.nextLook.withLock { if $0 == date { $0 = nil } }
            let now = ContinuousClock.now
            let calls = self.calls.withLock { Array($0.values) }
            for call in calls where call.deadline <= now { self.end(call.task, as: .timedOut) }
            if let next = calls.map(\.deadline).filter({ $0 > now }).min() {
                self.lookForOverdueCalls(at: next)
            }
        }
    }

    /// Answers the caller once; whatever arrives for the same task afterwards is dropped.
    func end(_ task: URLSessionTask, as end: End) {
        guard let call = self.calls.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        if case .complete = end {} else { task.cancel() }
        call.continuation.resume(returning: CallTable.result(of: call, ended: end))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        let original = self.calls.withLock { $0[task.taskIdentifier]?.request }
        let mayFollow = original.map { CallTable.mayFollow($0, to: request.url) } ?? false
        completionHandler(mayFollow ? request : nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        self.calls.withLock {
            $0[dataTask.taskIdentifier]?.response = response as? HTTPURLResponse
            $0[dataTask.taskIdentifier]?.body = []
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = self.calls.withLock { calls in
            guard let count = calls[dataTask.taskIdentifier]?.body.count else { return false }
            guard count + data.count <= self.bodyLimit else { return true }
            calls[dataTask.taskIdentifier]?.body.append(contentsOf: data)
            return false
        }
        if isTooLong { self.end(dataTask, as: .tooLong) }
        self.endWhenQuiet(dataTask)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        self.end(task, as: error.map(End.failed) ?? .complete)
    }

    private func endWhenQuiet(_ task: URLSessionTask) {
        guard let call = self.calls.withLock({ $0[task.taskIdentifier] }), call.isOpenEnded,
            let pause = call.request.quietEnd
        else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + pause.seconds) { [weak self, weak task] in
            guard let self, let task else { return }
            let count = self.calls.withLock { $0[task.taskIdentifier]?.body.count }
            if count == call.body.count { self.end(task, as: .quiet) }
        }
    }

    /// A key goes to the server it was meant for and to no other; without one, as for a log on a storage
    /// host, a redirect is harmless.
    private static func mayFollow(_ request: HTTPRequest, to url: URL?) -> Bool {
        guard request.method == .get, let url else { return false }
        let isSameServer =
            url.scheme == request.url.scheme && url.host == request.url.host && url.port == request.url.port
        return isSameServer || request.headers["Authorization"] == nil
    }

    private static func result(of call: Call, ended end: End) -> Result<HTTPResponse, EngineError> {
        let activity = call.request.activity
        let host = call.request.url.host ?? "the server"
        switch end {
        case .complete, .quiet:
            guard let response = call.response else {
                return .failure(EngineError(.networkDown, activity, detail: "\(host) closed the connection"))
            }
            var headers: [String: String] = [:]
            for (name, value) in response.allHeaderFields {
                guard let name = name as? String, let value = value as? String else { continue }
                headers[name.lowercased()] = value
            }
            return .success(HTTPResponse(status: response.statusCode, headers: headers, body: call.body))
        case .failed(let error):
            let code = (error as? URLError)?.code
            if code == .timedOut { return CallTable.result(of: call, ended: .timedOut) }
            return .failure(
                EngineError(.networkDown, activity, detail: CallTable.words(for: code, host: host)))
        case .timedOut where call.isOpenEnded:
            return CallTable.result(of: call, ended: .quiet)
        case .timedOut:
            let seconds = Int(call.request.timeout.seconds.rounded(.up))
            return .failure(
                EngineError(.timedOut, activity, detail: "no answer from \(host) within \(seconds) s"))
        case .tooLong:
            return .failure(EngineError(.badResponse, activity, detail: "\(host) sent too long an answer"))
        case .cancelled:
            return .failure(EngineError(.cancelled, activity))
        }
    }

    /// Foundation's own descriptions on Linux are numbers, and may quote the URL.
    private static func words(for code: URLError.Code?, host: String) -> String {
        switch code {
        case .cannotFindHost, .dnsLookupFailed: "cannot find the host \(host)"
        case .cannotConnectToHost: "cannot connect to \(host)"
        case .networkConnectionLost: "\(host) closed the connection"
        case .notConnectedToInternet: "no network"
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
            "no secure connection to \(host)"
        case .badServerResponse, .cannotParseResponse: "\(host) did not answer in HTTP"
        case let code?: "no answer from \(host) (\(code.rawValue))"
        case nil: "no answer from \(host)"
        }
    }
}

extension Duration {
    /// In seconds, with the fraction.
    package var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
