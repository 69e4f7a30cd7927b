/// One answer of RunPod's REST v2, and what it says went wrong.
///
/// Errors are problem documents: `title`, `status`, `detail`, and `errors` for a body that breaks the schema.
/// What stands before the API may answer in text or HTML all the same.
struct RunPodAnswer {
    let response: HTTPResponse
    /// `.null` where the body is no JSON.
    let json: JSONValue
    let isJSON: Bool

    init(_ response: HTTPResponse) {
        self.response = response
        do throws(JSONParser.Failure) {
            self.json = try JSONParser.parse(response.body)
            self.isJSON = true
        } catch {
            self.json = .null
            self.isJSON = false
        }
    }

    /// The server's own words, with the first complaint about the body.
    var message: String {
        let texts = [self.json["errors"].array?.first?.text, self.json["detail"].text]
        let words = texts.compactMap { $0 }.joined(separator: ": ")
        if !words.isEmpty { return words }
        for field in ["message", "error", "title"] {
            if let text = self.json[field].text { return text }
        }
        let text = self.isJSON || self.isHTML ? "" : self.response.text
        return text.contains { !$0.isWhitespace } ? text : "HTTP status \(self.response.status)"
    }

    /// True only where the API itself says that there is no such pod; a bare 404 may come from anywhere.
    var saysPodGone: Bool {
        guard self.response.status == 404, self.isJSON else { return false }
        let words = self.words
        return words.contains("not found") && !words.contains("template") && !words.contains("route")
    }

    /// True where this GPU cannot be had there and now, and the next candidate may be tried.
    var saysNoCapacity: Bool {
        let words = self.words
        return RunPodAnswer.capacityWords.contains(where: words.contains)
    }

    var errorCode: EngineError.Code {
        let status = self.response.status
        switch status {
        case 401: return .unauthorized
        // The edge turns clients away by their agent; it is not about the key.
        case 403: return self.isJSON ? .unauthorized : .badResponse
        case 402: return .insufficientCredit
        case 410: return .endpointRetired
        case 429: return .rateLimited
        case 500...: return .platformFailed
        default: break
        }
        let words = self.words
        if words.contains("insufficient balance") || words.contains("insufficient funds") {
            return .insufficientCredit
        }
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

    private var words: String {
        guard self.isJSON else { return self.isHTML ? "" : self.response.text.lowercased() }
        return ["title", "detail", "message", "error"].compactMap { self.json[$0].text }
            .joined(separator: " ").lowercased()
    }

    private var isHTML: Bool {
        self.response.text.drop(while: \.isWhitespace).first == "<"
    }
}
