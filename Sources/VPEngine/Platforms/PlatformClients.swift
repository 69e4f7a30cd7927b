import Foundation

/// Makes the client that speaks an endpoint's dialect.
package enum PlatformClients {
    /// A client for `endpoint`; make one for each endpoint and keep it, for it is what keeps to the limits.
    ///
    /// - Parameter report: told of every request, from any thread.
    package static func client(
        for endpoint: PlatformEndpoint, transport: any HTTPTransport = URLSessionTransport(),
        report: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) throws(EngineError) -> any PlatformClient {
        // The published limits are those of the real platforms; a server on this machine states its own, by 429.
        let pacer = RequestPacer(scale: endpoint.baseURL.isLoopback ? 0 : 1)
        let caller = APICaller(endpoint: endpoint, transport: transport, pacer: pacer, report: report)
        switch endpoint.platform {
        case .vast:
            return VastClient(caller: caller)
        case .runpod:
            throw EngineError(
                .unsupported, EngineError.Activity("connecting", platform: .runpod),
                detail: "RunPod is not supported yet")
        }
    }
}

extension URL {
    /// True for an address that never leaves this machine.
    package var isLoopback: Bool {
        guard let host = self.host?.lowercased() else { return false }
        return host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.")
    }
}
