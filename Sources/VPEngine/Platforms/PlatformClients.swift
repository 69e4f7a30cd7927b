import Foundation

/// Makes the client that speaks an endpoint's dialect.
package enum PlatformClients {
    /// Platforms whose dialect is spoken.
    package static let supported: Set<Platform> = [.vast]

    /// A client for `endpoint`, or nil where its dialect is not spoken yet; make one for each endpoint and keep
    /// it, for it is what keeps to the limits.
    ///
    /// - Parameters:
    ///   - timeScale: factor on the published limits' periods; see `EngineConfiguration.timeScale`.
    ///   - report: told of every request, from any thread.
    package static func client(
        for endpoint: PlatformEndpoint, timeScale: Double = 1,
        transport: any HTTPTransport = URLSessionTransport(),
        report: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) -> (any PlatformClient)? {
        let pacer = RequestPacer(scale: timeScale)
        let caller = APICaller(endpoint: endpoint, transport: transport, pacer: pacer, report: report)
        switch endpoint.platform {
        case .vast: return VastClient(caller: caller)
        case .runpod: return nil
        }
    }
}
