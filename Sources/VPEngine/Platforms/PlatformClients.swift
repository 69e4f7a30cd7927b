import Foundation

/// Makes the client that speaks an endpoint's dialect.
package enum PlatformClients {
    /// Returns a client for `endpoint`. Make one for each endpoint and keep it: it is the part that keeps to
    /// the limits.
    ///
    /// - Parameters:
    ///   - timeScale: factor on the published limits' periods; see `EngineConfiguration.timeScale`.
    ///   - books: folder in which requests, and the searches of the day, are counted for all programs; nil
    ///     counts for this client alone.
    ///   - transport: nil makes one with the endpoint's own settings.
    ///   - report: called for every request, from any thread.
    package static func client(
        for endpoint: PlatformEndpoint, timeScale: Double = 1, books: String? = nil,
        transport: (any HTTPTransport)? = nil,
        report: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) -> any PlatformClient {
        let transport = transport ?? CurlTransport(endpoint.network)
        let account = "\(endpoint.baseURL.absoluteString) \(endpoint.key.reveal())"
        let pacer = RequestPacer(
            scale: timeScale, shared: books.map { SharedPace(folder: $0, account: account) })
        func caller(_ url: URL) -> APICaller {
            APICaller(
                endpoint: PlatformEndpoint(platform: endpoint.platform, baseURL: url, key: endpoint.key),
                transport: transport, pacer: pacer, report: report)
        }
        switch endpoint.platform {
        case .vast:
            return VastClient(
                caller: caller(endpoint.baseURL), quota: SearchQuota(folder: books, account: account))
        case .runpod:
            // `…/v2` and `…/graphql` are neighbours on the platform.
            let neighbour = endpoint.baseURL.deletingLastPathComponent().appendingPathComponent("graphql")
            return RunPodClient(
                caller: caller(endpoint.baseURL), graphQL: caller(endpoint.graphQLURL ?? neighbour))
        }
    }
}
