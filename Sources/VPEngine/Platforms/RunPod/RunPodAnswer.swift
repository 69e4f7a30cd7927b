/// One answer of RunPod's REST v2, and its error if there is one.
///
/// Errors are problem documents: `title`, `status`, `detail`, and `errors` for a body that breaks the schema.
/// A server in front of the API may answer in text or HTML all the same.
struct RunPodAnswer: PlatformAnswer {
    let body: AnswerBody

    init(_ body: AnswerBody) { self.body = body }

    /// The error's text, with the first complaint about the body that was sent.
    var message: String {
        let texts = [self.json["errors"].array?.first?.text, self.json["detail"].text]
        let words = texts.compactMap { $0 }.joined(separator: ": ")
        return words.isEmpty ? self.body.message(in: ["message", "error", "title"]) : words
    }

    /// True only if the API itself says that there is no such pod; a bare 404 may come from anywhere.
    var saysPodGone: Bool {
        guard self.response.status == 404, self.isJSON else { return false }
        let words = self.words
        return words.contains("not found") && !words.contains("template") && !words.contains("route")
    }

    /// True if this GPU is not available there now, and the next candidate may be tried.
    var saysNoCapacity: Bool { RunPodAnswer.isAboutCapacity(self.words) }

    /// - Parameter words: in lower case.
    static func isAboutCapacity(_ words: String) -> Bool {
        RunPodAnswer.capacityWords.contains(where: words.contains)
    }

    /// - Parameter words: in lower case.
    static func isAboutCredit(_ words: String) -> Bool {
        words.contains("insufficient balance") || words.contains("insufficient funds")
    }

    var errorCode: EngineError.Code {
        let status = self.response.status
        switch status {
        case 401: return self.body.isHTML ? .badResponse : .unauthorized
        // A key without the right to this call. A 403 without JSON comes from the edge, which rejects some
        // clients by their agent, whatever the key.
        case 403: return self.isJSON ? .missingPermission : .badResponse
        case 402: return .insufficientCredit
        case 410: return .endpointRetired
        case 429: return .rateLimited
        case 500...: return .platformFailed
        default: break
        }
        let words = self.words
        if RunPodAnswer.isAboutCredit(words) { return .insufficientCredit }
        if self.saysPodGone { return .instanceGone }
        switch status {
        case 400, 409, 413, 422: return .badRequest
        default: return .badResponse
        }
    }

    private static let capacityWords = [
        "no longer any instances available", "no instances currently available",
        "please refresh and try again", "does not have the resources", "try a different machine",
        "not enough free gpus", "insufficient capacity", "insufficient resources", "out of stock",
        "no capacity", "no machines available", "no hosts available", "no gpus available",
    ]

    private var words: String { self.body.words(in: ["title", "detail", "message", "error"]) }
}
