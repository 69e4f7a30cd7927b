/// One answer of vast.ai, and its error if there is one.
///
/// The status alone is not conclusive: a wrong key is a 404, a taken offer a 400, 404 or 410, a refused start
/// a 200. The fields `error` and `msg`, if they are present, take precedence.
struct VastAnswer: PlatformAnswer {
    let body: AnswerBody

    init(_ body: AnswerBody) { self.body = body }

    /// True for a failure status, and for a 200 whose field `success` is false.
    var isRefusal: Bool { !self.response.isSuccess || self.json["success"].bool == false }

    var message: String { self.body.message(in: ["msg", "message", "detail", "error"]) }

    /// True only if the API itself says that there is no such instance. A bare 404 may come from a proxy or a
    /// mistyped address, and an instance that is wrongly believed gone would continue to be billed.
    var saysInstanceGone: Bool {
        guard self.response.status == 404 || self.response.status == 410, !self.saysKeyRefused else {
            return false
        }
        return ["no_such_instance", "not_found", "invalid_id"].contains(self.json["error"].text ?? "")
    }

    /// True for an account without keys, which is answered with a 404 and any body or none.
    var saysNoKeys: Bool {
        self.response.status == 404 && !self.saysKeyRefused && !self.body.isHTML
            && (self.isJSON || self.response.body.isEmpty)
    }

    var errorCode: EngineError.Code {
        let status = self.response.status
        let words = self.words
        if self.response.saysSearchQuotaSpent { return .searchQuotaSpent }
        // This comes first, because an overloaded or broken server may say anything.
        if status == 429 || words.contains("rate_limit_exceeded") || words.contains("too frequent") {
            return .rateLimited
        }
        if self.saysRightMissing { return .missingPermission }
        if self.saysKeyRefused { return .unauthorized }
        if words.contains("deprecated_endpoint") || words.contains(" is deprecated.") {
            return .endpointRetired
        }
        if VastAnswer.moneyWords.contains(where: words.contains) || status == 402 || status == 411 {
            return .insufficientCredit
        }
        if words.contains("no_such_ask") || words.contains("no longer available") { return .offerTaken }
        if self.saysInstanceGone { return .instanceGone }
        if words.contains("resources_unavailable") { return .instanceNotRunning }
        switch status {
        case 500...: return .platformFailed
        case 200..<300 where self.isJSON: return .badRequest
        case 400..<500 where self.isJSON && self.json["error"].text != nil: return .badRequest
        case 400, 422, 483: return .badRequest
        case 410: return .endpointRetired
        default: return .badResponse
        }
    }

    private static let moneyWords = [
        "insufficient_credit", "lacks credit", "spend_rate_limit", "missing_billing",
    ]

    /// True if a key that the platform knows lacks a right; it answers an unknown key with 401 or 404. Each
    /// of our requests has a key, so this never means that a login is missing.
    private var saysRightMissing: Bool {
        self.response.status == 403 && self.isJSON && self.json["error"].text == "auth_error"
            && !self.words.contains("invalid user key")
    }

    /// True if the platform refused the key; only some calls answer a wrong key with 401.
    private var saysKeyRefused: Bool {
        switch self.response.status {
        // A page of HTML comes from a firewall or a proxy, which know nothing of keys.
        case 401:
            return !self.body.isHTML
        case 403:
            // A host who tries to rent another's machine is refused with the same status.
            return !self.body.isHTML && self.json["error"].text != "invalid_args"
        case 400, 404:
            let words = self.words
            return words.contains("auth_error") || words.contains("invalid user key")
                || words.contains("session expired")
        default:
            return self.json["error"].text == "auth_error"
        }
    }

    /// The body's whole text about the failure, in lower case.
    private var words: String { self.body.words(in: ["error", "msg", "message", "detail"]) }
}
