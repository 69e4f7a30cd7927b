/// The calls of one client: `APICaller` for the way there and back, `Answer` for what the platform's words mean.
struct PlatformCalls<Answer: PlatformAnswer>: Sendable {
    let caller: APICaller

    /// The answer, whatever it says.
    func answer(
        _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [],
        body: JSONValue? = nil, limit: RateLimit, isRepeatable: Bool = true,
        timeout: Duration = .seconds(30), activity: EngineError.Activity
    ) async throws(EngineError) -> Answer {
        let call = APICall(
            method, path, query: query, body: body, limit: limit, isRepeatable: isRepeatable,
            timeout: timeout, activity: activity)
        return Answer(AnswerBody(try await self.caller.send(call)))
    }

    /// The JSON of an answer that is no refusal.
    func json(
        _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [],
        body: JSONValue? = nil, limit: RateLimit, isRepeatable: Bool = true, activity: EngineError.Activity
    ) async throws(EngineError) -> JSONValue {
        let answer = try await self.answer(
            method, path, query: query, body: body, limit: limit, isRepeatable: isRepeatable,
            activity: activity)
        return try self.json(of: answer, activity)
    }

    /// The JSON of `answer`; throws where that is a refusal or no JSON.
    func json(of answer: Answer, _ activity: EngineError.Activity) throws(EngineError) -> JSONValue {
        guard !answer.isRefusal else { throw self.error(answer, activity) }
        guard answer.isJSON else {
            throw EngineError(
                .badResponse, activity,
                detail: self.caller.detail("not JSON: " + answer.response.text) ?? "an empty answer")
        }
        return answer.json
    }

    func error(_ answer: Answer, _ activity: EngineError.Activity) -> EngineError {
        EngineError(answer.errorCode, activity, detail: self.caller.detail(answer.message))
    }

    /// What `body` makes of an answer; a damaged one is an error, and never an empty list.
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
