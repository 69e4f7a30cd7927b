import Foundation

/// A refusal with the platform's message and status.
struct VastError: Error {
    let reply: APIReply

    private init(_ status: Int, _ code: String, _ message: String, _ more: [String: JSON] = [:]) {
        var body: [String: JSON] = ["success": false, "error": .string(code), "msg": .string(message)]
        body.merge(more) { $1 }
        self.reply = .json(.object(body), status: status)
    }

    private init(reply: APIReply) { self.reply = reply }

    static var loginRequired: VastError { .init(403, "auth_error", "This action requires login.") }
    /// The status is not 401: a wrong key is answered like something missing.
    static var wrongKey: VastError { .init(404, "auth_error", "Invalid user key") }
    static var notPermitted: VastError {
        .init(403, "auth_error", "This action is not permitted with this key.")
    }
    static var notFound: VastError { .init(404, "not_found", "The requested URL was not found.") }
    static var invalidID: VastError { .init(404, "invalid_id", "Invalid instance id.") }
    static var invalidToken: VastError { .init(400, "invalid_token", "Invalid pagination token.") }
    static var noSSHKey: VastError { .init(400, "no_ssh_key", "No ssh key given or found.") }
    static var noSuchKey: VastError { .init(404, "no_such_ssh_key", "No such ssh key on the instance.") }
    static var labelTooLong: VastError { .init(400, "label_too_long", "Label is too long.") }
    static var noCredit: VastError {
        .init(
            reply: .json(
                [
                    "error": "insufficient_credit", "msg": "Your account lacks credit; see the billing page.",
                ], status: 400))
    }
    static var serverError: VastError {
        .init(500, "server_error", "Something went wrong on the server")
    }
    static var gpuUnavailable: VastError {
        .init(
            200, "resources_unavailable",
            "Required resources are currently unavailable, state change queued.")
    }

    static func deprecated(_ path: [String], insteadUse other: String) -> VastError {
        .init(
            410, "deprecated_endpoint",
            "/\(path.joined(separator: "/"))/ is deprecated. Use \(other) instead.")
    }
    static func noSuchInstance(_ id: Int) -> VastError {
        .init(404, "no_such_instance", "Instance \(id) not found.")
    }
    static func invalidRequest(_ message: String) -> VastError { .init(400, "invalid_request", message) }
    static func invalidArguments(_ message: String, ask: Int?) -> VastError {
        .init(
            400, "invalid_args", "error 400/3467: Invalid args: \(message)",
            ask.map { ["ask_id": .int($0)] } ?? [:])
    }
    static func invalidCommand() -> VastError { .init(400, "invalid_args", "Invalid command given.") }
    static func noSuchAsk(_ id: Int) -> VastError {
        .init(
            404, "invalid_args",
            "error 404/3603: no_such_ask Instance type by id \(id) is not available.", ["ask_id": .int(id)])
    }
    static func askTaken(_ id: Int) -> VastError {
        .init(
            410, "no_such_ask",
            "error 410/3907: no_such_ask Instance type \(id) is no longer available.", ["ask_id": .int(id)])
    }
    /// The answer as in production; the documentation differs.
    static func noCapacity(_ id: Int) -> VastError {
        .init(400, "no_such_ask", "Instance type by id \(id) is not available.", ["ask_id": .int(id)])
    }
    static func bidTooLow(_ id: Int, contract: Int) -> VastError {
        .init(
            400, "invalid_price", "Bid is too low; the instance was created stopped.",
            ["ask_id": .int(id), "new_contract": .int(contract)])
    }

    /// - Parameter reset: the time in seconds since 1970.
    static func searchQuota(reset: Double) -> VastError {
        var reply = APIReply.json(
            [
                "success": false, "error": "search_quota_exceeded",
                "msg": "The daily search quota is used up.",
            ], status: 429)
        reply.headers["X-RateLimit-Reset"] = String(Int(reset.rounded(.up)))
        return .init(reply: reply)
    }

    /// Refusals of frequent calls have no common shape: renting answers JSON, the rest plain text.
    static func tooFrequent(_ endpoint: VastEndpoint, _ threshold: Double) -> VastError {
        let seconds = (threshold * 1000).rounded() / 1000
        if endpoint == .rent {
            let detail = "API requests too frequent endpoint threshold=\(seconds)"
            return .init(reply: .json(["detail": .string(detail)], status: 429))
        }
        return .init(reply: .text("API requests too frequent: endpoint threshold=\(seconds)", status: 429))
    }
}
