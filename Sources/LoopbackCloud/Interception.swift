import Foundation
import Synchronization

/// A request that the cloud has received, as shown to an observer.
public struct SeenRequest: Hashable, Sendable {
    public let method: String
    /// The path without a slash at the end.
    public let path: String
    public let platform: Market
    /// The number of the request among those of both platforms, from 1.
    public let number: Int
}

/// The decision of an observer about a request.
public enum Interception: Sendable {
    /// The platform answers.
    case pass
    /// The request never reaches the platform.
    case answer(status: Int, body: String, type: String = "application/json")
    /// The platform carries the request out, and then this runs before the answer is sent.
    case passThen(@Sendable () async -> Void)
}

/// Shows a test every request, and lets it intervene.
final class Interceptor: Sendable {
    typealias Hook = @Sendable (SeenRequest) async -> Interception

    private let state = Mutex<(hook: Hook?, count: Int)>((nil, 0))

    func set(_ hook: Hook?) { self.state.withLock { $0.hook = hook } }

    func answer(
        _ request: APIRequest, on platform: Market, by answer: @Sendable (APIRequest) async -> APIReply
    ) async -> APIReply {
        let (hook, number) = self.state.withLock { state in
            state.count += 1
            return (state.hook, state.count)
        }
        guard let hook else { return await answer(request) }
        let seen = SeenRequest(
            method: request.method, path: "/" + request.path.joined(separator: "/"), platform: platform,
            number: number)
        switch await hook(seen) {
        case .pass: return await answer(request)
        case .answer(let status, let body, let type):
            return APIReply(status: status, contentType: type, body: Data(body.utf8))
        case .passThen(let action):
            let reply = await answer(request)
            await action()
            return reply
        }
    }
}
