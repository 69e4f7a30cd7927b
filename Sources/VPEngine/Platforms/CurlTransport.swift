import CCurl
import Foundation
import Synchronization

/// `HTTPTransport` on libcurl's multi interface, driven by a thread of its own.
///
/// The first request sets everything up: loading libcurl costs milliseconds that `vp --version` must not pay.
/// It speaks only HTTP/1.1, follows no redirect, and neither requests nor undoes compression. A request that
/// changes something never goes out on a connection that was used before: libcurl would have to guess whether
/// it arrived.
package final class CurlTransport: HTTPTransport {
    /// RunPod's edge refuses some libraries' default agents with a 403 that looks like a wrong key.
    package static let userAgent = "variousplug/\(Product.version)"

    /// The limits of an answer. Beyond them the transfer ends with `.badResponse`.
    package struct Limits: Hashable, Sendable {
        /// The body in bytes, as they arrive: nothing is unpacked.
        package var body = 64 << 20
        /// The head in bytes, including interim answers and that of a proxy.
        package var head = 256 << 10
        /// The time for looking up an address and connecting.
        package var connecting: Duration = .seconds(10)
        /// The time for which an answer that has begun may pause.
        package var stalling: Duration = .seconds(20)

        package init() {}
    }

    private let settings: NetworkSettings
    private let limits: Limits
    private let worker: Mutex<CurlWorker?> = Mutex(nil)

    package init(_ settings: NetworkSettings = NetworkSettings(), limits: Limits = Limits()) {
        self.settings = settings
        self.limits = limits
    }

    deinit {
        self.worker.withLock { $0?.stop() }
    }

    package func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse {
        guard !Task.isCancelled else { throw EngineError(.cancelled, request.activity) }
        if let problem = vp_curl_problem() {
            throw EngineError(
                .missingProgram, request.activity,
                detail: "libcurl, Debian's package libcurl4: \(String(cString: problem))")
        }
        try Self.check(request)
        let worker = try self.startedWorker(request.activity)
        let id = worker.nextID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                worker.start(
                    CurlTransfer(
                        id: id, request: request, settings: self.settings, limits: self.limits,
                        answer: { continuation.resume(returning: $0) }))
                // A cancellation before this call of `start` found no transfer to end.
                if withUnsafeCurrentTask(body: { $0?.isCancelled ?? false }) { worker.cancel(id) }
            }
        } onCancel: {
            worker.cancel(id)
        }
        return try result.get()
    }

    private func startedWorker(_ activity: EngineError.Activity) throws(EngineError) -> CurlWorker {
        let worker = self.worker.withLock { worker in
            if worker == nil { worker = CurlWorker() }
            return worker
        }
        guard let worker else {
            throw EngineError(.networkDown, activity, detail: "libcurl has no memory or no sockets left")
        }
        return worker
    }

    /// Rejects characters that would end a line of the request early, and so let a value add lines of its
    /// own.
    private static func check(_ request: HTTPRequest) throws(EngineError) {
        let address = request.url.absoluteString
        guard address.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw EngineError(
                .badRequest, request.activity, detail: "the address contains a space or a control character")
        }
        for (name, value) in request.headers {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") })
            else {
                throw EngineError(.badRequest, request.activity, detail: "the name of a header is not valid")
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw EngineError(
                    name == "Authorization" ? .badConfiguration : .badRequest, request.activity,
                    detail: name == "Authorization"
                        ? "the API key contains a line break or a control character"
                        : "the header \(name) contains a line break or a control character")
            }
        }
    }
}

extension Duration {
    /// The duration in seconds, with its fraction.
    package var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
