import CCurl
import Foundation
import Synchronization

/// `HTTPTransport` on libcurl's multi interface, which one thread of its own drives.
///
/// Everything is made by the first request: loading libcurl costs milliseconds that `vp --version` must not
/// pay. HTTP/1.1 alone is spoken, no redirect is followed, no compression asked for or undone,
/// and nothing that changes something goes out on a connection that was used before: libcurl would have to
/// guess whether it arrived.
package final class CurlTransport: HTTPTransport {
    /// RunPod's edge refuses some libraries' default agents with a 403 that looks like a wrong key.
    package static let userAgent = "variousplug/\(Product.version)"

    /// What an answer may be at most. Beyond it the transfer ends with `.badResponse`.
    package struct Limits: Hashable, Sendable {
        /// In bytes, as they arrive: nothing is unpacked.
        package var body = 64 << 20
        /// In bytes, those of interim answers and of a proxy included.
        package var head = 256 << 10
        /// How long an address is looked up and a connection made.
        package var connecting: Duration = .seconds(10)
        /// How long an answer that has begun may pause.
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
                // A cancellation before the line above found no transfer to end.
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

    /// What would end a line of the request early would let its sender write the next ones.
    private static func check(_ request: HTTPRequest) throws(EngineError) {
        let address = request.url.absoluteString
        guard address.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw EngineError(
                .badRequest, request.activity, detail: "the address holds a space or a control character")
        }
        for (name, value) in request.headers {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") })
            else {
                throw EngineError(.badRequest, request.activity, detail: "a header's name cannot be sent")
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw EngineError(
                    name == "Authorization" ? .badConfiguration : .badRequest, request.activity,
                    detail: name == "Authorization"
                        ? "the API key holds a line break or a control character"
                        : "the header \(name) holds a line break or a control character")
            }
        }
    }
}

extension Duration {
    /// In seconds, with the fraction.
    package var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
