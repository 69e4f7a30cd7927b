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

    /// A client for RunPod. The engine does not hand it out before both platforms are offered everywhere.
    ///
    /// - Parameter graphQL: for the balance; nil takes the address beside the endpoint's own.
    package static func runPod(
        for endpoint: PlatformEndpoint, graphQL: URL? = nil, timeScale: Double = 1,
        transport: any HTTPTransport = URLSessionTransport(),
        report: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) -> any PlatformClient {
        let pacer = RequestPacer(scale: timeScale)
        func caller(_ url: URL) -> APICaller {
            APICaller(
                endpoint: PlatformEndpoint(platform: .runpod, baseURL: url, key: endpoint.key),
                transport: transport, pacer: pacer, report: report)
        }
        // `…/v2` and `…/graphql` are neighbours on the platform.
        let neighbour = endpoint.baseURL.deletingLastPathComponent().appendingPathComponent("graphql")
        return RunPodClient(caller: caller(endpoint.baseURL), graphQL: caller(graphQL ?? neighbour))
    }
}
