/// A refusal of REST v2: a problem document with a real status.
struct RunPodError: Error {
    let status: Int
    let detail: String
    var errors: [String] = []
    var headers: [String: String] = [:]

    var reply: APIReply {
        var body: [String: JSON] = [
            "title": .string(Self.titles[self.status] ?? "Error"), "status": .int(self.status),
            "detail": .string(self.detail),
        ]
        if !self.errors.isEmpty { body["errors"] = .array(self.errors.map(JSON.string)) }
        var reply = APIReply.json(.object(body), status: self.status)
        reply.contentType = "application/problem+json"
        reply.headers = self.headers
        return reply
    }

    private static let titles = [
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 413: "Content Too Large",
        422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error",
    ]

    static let missingToken = RunPodError(status: 401, detail: "missing bearer token")
    static let wrongKey = RunPodError(status: 401, detail: "Unauthorized")
    static let denied = RunPodError(status: 403, detail: "access denied")
    static let noPod = RunPodError(status: 404, detail: "pod not found")
    static let noResource = RunPodError(status: 404, detail: "resource not found")
    static let noVolume = RunPodError(status: 404, detail: "network volume not found")
    static let noRegistry = RunPodError(status: 404, detail: "registry credential not found")
    static let noTemplate = RunPodError(status: 404, detail: "template not found")
    static let noCredit = RunPodError(
        status: 402, detail: "insufficient balance: add credits to your account to deploy a pod")
    static let noCapacity = RunPodError(status: 400, detail: RunPodWords.noCapacity)
    static let hostBusy = RunPodError(status: 400, detail: RunPodWords.hostBusy)
    static let serverError = RunPodError(status: 500, detail: RunPodWords.somethingWrong)

    static func rule(_ detail: String) -> RunPodError { RunPodError(status: 400, detail: detail) }
    static func conflict(_ detail: String) -> RunPodError { RunPodError(status: 409, detail: detail) }
    static func invalid(_ errors: [String]) -> RunPodError {
        RunPodError(status: 422, detail: "validation failed", errors: errors)
    }
    static func wrongMethod(allowed: String) -> RunPodError {
        RunPodError(status: 405, detail: "method not allowed", headers: ["Allow": allowed])
    }
}

/// The platform's own messages, by which clients distinguish cases.
enum RunPodWords {
    static let noCapacity =
        "There are no longer any instances available with the requested specifications. Please refresh and try again."
    static let noSpotCapacity =
        "There are no longer any instances available with the request specifications. Please try again later."
    static let otherMachine =
        "This machine does not have the resources to deploy your pod. Please try a different machine"
    static let hostBusy = "There are not enough free GPUs on the host machine to start this pod."
    static let somethingWrong = "Something went wrong. Please try again later or contact support."
    static let nothingToTerminate = "pod not found to terminate"
    static let retired =
        "This API has been retired. Use the REST API v2: https://docs.runpod.io/api-reference-v2"
}
