import CCurl
import Foundation

/// One request on its way, from its options to its answer.
///
/// The sending task creates it; from then on only the worker's thread touches it, which is also the thread on
/// which libcurl calls the sinks.
final class CurlTransfer: @unchecked Sendable {
    /// The end of a transfer.
    enum End {
        /// A result code of libcurl.
        case result(Int32)
        /// An answer without end has gone quiet, which counts as its end.
        case quiet
        case late
        case stalled
        case cancelled
        case noMemory
    }

    let id: UInt64
    let request: HTTPRequest
    let settings: NetworkSettings
    private let limits: CurlTransport.Limits
    private let deadline: ContinuousClock.Instant
    private var answer: ((Result<HTTPResponse, EngineError>) -> Void)?

    private var easy: UnsafeMutableRawPointer?
    private var lines: UnsafeMutableRawPointer?
    private let words: UnsafeMutablePointer<CChar>
    private static let wordsSize = 256

    private var head: ResponseHead
    private var body: [UInt8] = []
    private var lastArrival: ContinuousClock.Instant?
    /// The reason why we ended the transfer ourselves, in the middle of an answer.
    private var refusal: EngineError?

    init(
        id: UInt64, request: HTTPRequest, settings: NetworkSettings, limits: CurlTransport.Limits,
        answer: @escaping (Result<HTTPResponse, EngineError>) -> Void
    ) {
        self.id = id
        self.request = request
        self.settings = settings
        self.limits = limits
        self.deadline = .now + request.timeout
        self.answer = answer
        self.head = ResponseHead(limit: limits.head)
        self.words = .allocate(capacity: Self.wordsSize)
        self.words.initialize(repeating: 0, count: Self.wordsSize)
    }

    deinit { self.words.deallocate() }

    var host: String { self.request.url.host() ?? "the server" }

    var proxy: NetworkSettings.Named? {
        self.settings.proxy(scheme: self.request.url.scheme?.lowercased() ?? "", host: self.host)
    }

    // MARK: Options

    /// Makes libcurl's handle; nil if there is no memory.
    func open() -> UnsafeMutableRawPointer? {
        guard let easy = vp_curl_easy_init() else { return nil }
        self.easy = easy
        self.set(CurlOption.errorBuffer, UnsafeRawPointer(self.words))
        self.setText(CurlOption.url, self.request.url.absoluteString)
        self.setMethod()
        self.setHeaders()
        self.setRoute()
        self.setAuthorities()
        self.setSinks()
        // Signals would interrupt the system's resolver in another thread.
        self.set(CurlOption.noSignal, 1)
        self.set(CurlOption.httpVersion, 2)
        self.set(CurlOption.followLocation, 0)
        self.set(CurlOption.http09Allowed, 0)
        let overHTTP = 1 | 2
        self.set(CurlOption.protocols, overHTTP)
        self.set(CurlOption.suppressConnectHeaders, 1)
        self.set(CurlOption.tcpKeepAlive, 1)
        let connecting = min(self.limits.connecting, self.request.timeout)
        self.set(CurlOption.connectTimeoutMilliseconds, max(1, Int(connecting.seconds * 1000)))
        // Known since 7.87, and harmless before: closing need not wait for an address that is still being
        // looked up.
        self.set(CurlOption.quickExit, 1)
        if self.request.changesSomething {
            self.set(CurlOption.freshConnect, 1)
            self.set(CurlOption.forbidReuse, 1)
        }
        _ = vp_curl_keep_sockets_private(easy)
        return easy
    }

    private func setMethod() {
        if let body = self.request.body {
            self.set(CurlOption.post, 1)
            _ = vp_curl_set_large(self.easy, CurlOption.postFieldSize, Int64(body.count))
            // libcurl copies the body, so that it has it whole whenever it needs it.
            body.withUnsafeBytes { bytes in
                self.set(CurlOption.copyPostFields, bytes.baseAddress ?? UnsafeRawPointer(self.words))
            }
        } else {
            self.set(CurlOption.httpGet, 1)
        }
        self.setText(CurlOption.customRequest, self.request.method.rawValue)
    }

    private func setHeaders() {
        var headers = self.request.headers
        if headers["User-Agent"] == nil { headers["User-Agent"] = CurlTransport.userAgent }
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            // A semicolon is libcurl's way to send a header without a value.
            self.lines = vp_curl_list_append(self.lines, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        // Servers that do not know this header would cost a second of waiting.
        self.lines = vp_curl_list_append(self.lines, "Expect:")
        if self.request.body != nil, headers["Content-Type"] == nil {
            self.lines = vp_curl_list_append(self.lines, "Content-Type:")
        }
        self.set(CurlOption.httpHeader, UnsafeRawPointer(self.lines))
    }

    /// Both are always set, or libcurl would read the environment itself.
    private func setRoute() {
        self.setText(CurlOption.proxy, self.proxy?.value ?? "")
        self.setText(CurlOption.noProxy, self.settings.hostsWithoutProxy ?? "")
    }

    private func setAuthorities() {
        if let file = self.settings.authoritiesFile {
            var information = stat()
            let isFolder = stat(file.value, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
            // Python's clients accept a folder under the same name.
            self.setText(isFolder ? CurlOption.caFolder : CurlOption.caFile, file.value)
            self.setText(isFolder ? CurlOption.proxyCAFolder : CurlOption.proxyCAFile, file.value)
        }
        if let folder = self.settings.authoritiesFolder {
            self.setText(CurlOption.caFolder, folder.value)
            self.setText(CurlOption.proxyCAFolder, folder.value)
        }
    }

    private func setSinks() {
        let user = UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
        self.set(CurlOption.headerData, user)
        self.set(CurlOption.writeData, user)
        _ = vp_curl_set_sink(self.easy, CurlOption.headerFunction) { bytes, size, count, user in
            CurlTransfer.take(bytes, size * count, user) { $0.takeHeader($1) }
        }
        _ = vp_curl_set_sink(self.easy, CurlOption.writeFunction) { bytes, size, count, user in
            CurlTransfer.take(bytes, size * count, user) { $0.takeBody($1) }
        }
    }

    private func set(_ option: Int32, _ value: Int) { _ = vp_curl_set_long(self.easy, option, value) }
    private func set(_ option: Int32, _ value: UnsafeRawPointer?) {
        _ = vp_curl_set_pointer(self.easy, option, value)
    }
    private func setText(_ option: Int32, _ value: String) {
        value.withCString { self.set(option, UnsafeRawPointer($0)) }
    }

    // MARK: Arriving data

    /// Makes libcurl end the transfer by returning any other number than `count`.
    private static func take(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ user: UnsafeMutableRawPointer?,
        _ body: (CurlTransfer, UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        guard let user else { return 0 }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(user).takeUnretainedValue()
        transfer.lastArrival = .now
        return body(transfer, UnsafeRawBufferPointer(start: bytes, count: count)) ? count : Int(UInt32.max)
    }

    private func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        if let problem = self.head.take(line) { return self.refuse(problem) }
        if let length = self.head.contentLength, length > self.limits.body { return self.refuse(.tooLong) }
        return true
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard self.body.count + bytes.count <= self.limits.body else { return self.refuse(.tooLong) }
        if self.body.isEmpty, let length = self.head.contentLength { self.body.reserveCapacity(length) }
        self.body.append(contentsOf: bytes)
        return true
    }

    private func refuse(_ problem: ResponseHead.Problem) -> Bool {
        self.refusal = EngineError(
            .badResponse, self.request.activity, detail: problem.words(host: self.host))
        return false
    }

    // MARK: The end

    /// True for an endless log that has begun: cutting it is the plan.
    private var isOpenEnded: Bool {
        self.request.quietEnd != nil && self.head.isFinal && self.head.status == 200
    }

    /// Returns the reason why it has taken too long by `now`; nil if it has not.
    func overdue(at now: ContinuousClock.Instant) -> End? {
        if now >= self.deadline { return self.isOpenEnded ? .quiet : .late }
        guard now >= self.nextLook else { return nil }
        return self.isOpenEnded ? .quiet : .stalled
    }

    /// The next moment at which `overdue` may return a reason.
    var nextLook: ContinuousClock.Instant {
        guard let last = self.lastArrival, self.head.isFinal else { return self.deadline }
        if self.isOpenEnded, let pause = self.request.quietEnd {
            // No answer is cut before its body has begun.
            return self.body.isEmpty ? self.deadline : min(self.deadline, last + pause)
        }
        return min(self.deadline, last + self.limits.stalling)
    }

    /// Gives the caller its answer, once.
    func finish(_ end: End) {
        guard let answer = self.answer else { return }
        self.answer = nil
        answer(self.outcome(end))
    }

    func close() {
        if let easy = self.easy { vp_curl_easy_cleanup(easy) }
        vp_curl_list_free(self.lines)
        self.easy = nil
        self.lines = nil
    }

    private func outcome(_ end: End) -> Result<HTTPResponse, EngineError> {
        let activity = self.request.activity
        switch end {
        case .result(CurlResult.done), .quiet:
            guard self.head.isFinal else {
                return .failure(
                    EngineError(.networkDown, activity, detail: "\(self.host) closed the connection"))
            }
            if let target = self.head.redirect {
                return .failure(
                    EngineError(
                        .badResponse, activity,
                        detail: "\(self.host) redirects to \(target), but redirects are not followed"))
            }
            return .success(
                HTTPResponse(status: self.head.status, headers: self.head.fields, body: self.body))
        case .result(let code):
            if let refusal = self.refusal { return .failure(refusal) }
            let text = String(
                decoding: UnsafeRawBufferPointer(start: self.words, count: Self.wordsSize)
                    .prefix { $0 != 0 }, as: UTF8.self)
            return .failure(
                CurlFailure(
                    code: code, text: text,
                    verification: self.easy.map { vp_curl_get_long($0, CurlInformation.verifyResult) } ?? 0,
                    proxyStatus: self.easy.map { vp_curl_get_long($0, CurlInformation.connectCode) } ?? 0,
                    host: self.host, proxy: self.proxy, settings: self.settings
                ).error(for: self.request))
        case .late:
            return .failure(
                EngineError(
                    .timedOut, activity,
                    detail: "no answer from \(self.route) within \(Self.text(self.request.timeout))"))
        case .stalled:
            return .failure(
                EngineError(
                    .timedOut, activity,
                    detail: "\(self.host) paused in the middle of its answer for "
                        + Self.text(self.limits.stalling)))
        case .cancelled: return .failure(EngineError(.cancelled, activity))
        case .noMemory:
            return .failure(
                EngineError(.networkDown, activity, detail: "libcurl has no memory or no sockets left"))
        }
    }

    /// The host, together with the proxy on the way to it.
    private var route: String {
        guard let proxy = self.proxy else { return self.host }
        return "\(self.host) through the proxy \(ShownAddress.redacted(proxy.value)) (\(proxy.origin))"
    }

    private static func text(_ duration: Duration) -> String { "\(Int(duration.seconds.rounded(.up))) s" }
}
