/// The calls of one client: `APICaller` transports them, and `Answer` interprets the platform's words.
struct PlatformCalls<Answer: PlatformAnswer>: Sendable {
    let caller: APICaller

    /// Returns the answer, even if it is a refusal.
    func answer(
        _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [],
        body: JSONValue? = nil, limit: RateLimit, repetition: HTTPRequest.Repetition? = nil,
        timeout: Duration? = nil, activity: EngineError.Activity
    ) async throws(EngineError) -> Answer {
        let call = APICall(
            method, path, query: query, body: body, limit: limit, repetition: repetition,
            timeout: timeout, activity: activity)
        return Answer(AnswerBody(try await self.caller.send(call)))
    }

    /// Returns the JSON of an answer that is no refusal.
    func json(
        _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [],
        body: JSONValue? = nil, limit: RateLimit, repetition: HTTPRequest.Repetition? = nil,
        timeout: Duration? = nil, activity: EngineError.Activity
    ) async throws(EngineError) -> JSONValue {
        let answer = try await self.answer(
            method, path, query: query, body: body, limit: limit, repetition: repetition,
            timeout: timeout, activity: activity)
        return try self.json(of: answer, activity)
    }

    /// Returns the JSON of `answer`; throws if it is a refusal or not JSON.
    func json(of answer: Answer, _ activity: EngineError.Activity) throws(EngineError) -> JSONValue {
        guard !answer.isRefusal else { throw self.error(answer, activity) }
        guard answer.isJSON else {
            throw EngineError(.badResponse, activity, detail: self.words(for: answer))
        }
        return answer.json
    }

    /// Returns why `answer` is not JSON: the text in its place, or the point at which the JSON breaks off.
    private func words(for answer: Answer) -> String {
        let text = answer.response.text.trimmingSpaces()
        guard !text.isEmpty else { return "an empty answer" }
        let isMeantToBe = text.hasPrefix("{") || text.hasPrefix("[")
        let words =
            isMeantToBe
            ? "JSON that cannot be read: \(answer.body.problem ?? "")" : "not JSON: \(answer.response.text)"
        return self.caller.detail(words) ?? "an empty answer"
    }

    func error(_ answer: Answer, _ activity: EngineError.Activity) -> EngineError {
        EngineError(answer.errorCode, activity, detail: self.caller.detail(answer.message))
    }

    /// Returns the value that `body` reads from an answer; a damaged answer is an error, and never an empty
    /// list.
    func decode<Value>(
        _ activity: EngineError.Activity, _ body: () throws(WireDamage) -> Value
    ) throws(EngineError) -> Value {
        do throws(WireDamage) {
            return try body()
        } catch {
            throw EngineError(.badResponse, activity, detail: error.words)
        }
    }
}
