import Foundation
import Synchronization

/// A request that the cloud has received, as an onlooker sees it.
public struct SeenRequest: Hashable, Sendable {
    public let method: String
    /// Without a slash at the end.
    public let path: String
    public let platform: Market
    /// Counts all requests of both platforms, from 1.
    public let number: Int
}

/// What an onlooker does with a request.
public enum Interception: Sendable {
    /// Nothing: the platform answers.
    case pass
    /// The platform never sees it.
    case answer(status: Int, body: String, type: String = "application/json")
    /// The platform does what is asked, and then this runs before anybody is told.
    case passThen(@Sendable () async -> Void)
}

/// Lets a test see every request, and get in its way.
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
