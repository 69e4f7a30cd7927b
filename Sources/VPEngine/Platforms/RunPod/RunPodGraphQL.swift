import Foundation

/// What RunPod does through GraphQL alone, which is being retired: it tells the balance,
/// and it takes bids for interruptible pods. What was rented by a bid is then a pod like any other to REST.
struct RunPodGraphQL: Sendable {
    private let calls: PlatformCalls<RunPodGraphQLAnswer>

    /// - Parameter caller: its base URL is the whole address.
    init(caller: APICaller) { self.calls = PlatformCalls(caller: caller) }

    func balance(_ activity: EngineError.Activity) async throws(EngineError) -> Balance {
        let answer = try await self.ask("query { myself { clientBalance } }", activity: activity)
        let data = try self.calls.json(of: answer, activity)["data"]
        guard let dollars = data["myself"]["clientBalance"].number(in: .dollars) else {
            throw EngineError(
                .badResponse, activity, detail: "the answer has no amount in its field clientBalance")
        }
        return Balance(platform: .runpod, dollars: dollars)
    }

    /// The least that wins one GPU, in dollars an hour, by the GPU's id. What is not free is not in it.
    func lowestBids(
        for query: OfferQuery, _ activity: EngineError.Activity
    ) async throws(EngineError) -> [String: Double] {
        let answer = try await self.askForSpot(RunPodWire.lowestBidsDocument(query), activity: activity)
        let json = try self.calls.json(of: answer, activity)
        return try self.calls.decode(activity) { () throws(WireDamage) in try RunPodWire.lowestBids(json) }
    }

    func rent(
        _ request: RentRequest, publicKeys: [String], _ activity: EngineError.Activity
    ) async throws(EngineError) -> InstanceID {
        let document = """
            mutation ($input: PodRentInterruptableInput!) { podRentInterruptable(input: $input) { id } }
            """
        let answer = try await self.askForSpot(
            document, input: RunPodWire.bidInput(request, publicKeys: publicKeys), repetition: .never,
            capacity: .offerTaken,
            activity: activity)
        // A pod that is named is there, whatever is complained of beside it.
        let text = answer.json["data"]["podRentInterruptable"]["id"].text
        if let id = text.flatMap({ InstanceID(.runpod, fromOutside: $0) }) { return id }
        _ = try self.calls.json(of: answer, activity)
        throw EngineError(.badResponse, activity, detail: "rented, but the answer names no pod")
    }

    /// Bids what brings an outbid pod back, which may be more than before.
    func resume(_ instance: Instance, _ activity: EngineError.Activity) async throws(EngineError) {
        let question = "query ($input: PodFilter!) { pod(input: $input) { lowestBidPriceToResume } }"
        let pod: JSONValue = ["podId": .string(instance.id.rawValue)]
        let lowest = try await self.askForSpot(question, input: pod, activity: activity)
        let data = try self.calls.json(of: lowest, activity)["data"]
        guard let price = data["pod"]["lowestBidPriceToResume"].hourly, price > 0 else {
            throw EngineError(
                .instanceNotRunning, activity, detail: "RunPod names no bid that would resume it")
        }
        let document = "mutation ($input: PodBidResumeInput!) { podBidResume(input: $input) { id } }"
        let input: JSONValue = [
            "podId": .string(instance.id.rawValue), "bidPerGpu": .number(RunPodOffer.bid(for: price)),
            "gpuCount": .number(Double(max(1, instance.gpuCount))),
        ]
        let answer = try await self.askForSpot(
            document, input: input, repetition: .afterRefusal, activity: activity)
        _ = try self.calls.json(of: answer, activity)
    }

    /// Nothing of interruptible pods is left where GraphQL is gone.
    ///
    /// - Parameter capacity: what it is that no GPU is free.
    private func askForSpot(
        _ document: String, input: JSONValue? = nil, repetition: HTTPRequest.Repetition = .harmless,
        capacity: EngineError.Code = .instanceNotRunning, activity: EngineError.Activity
    ) async throws(EngineError) -> RunPodGraphQLAnswer {
        let answer = try await self.ask(
            document, input: input, repetition: repetition, activity: activity)
        guard answer.errorCode != .endpointRetired || !answer.isRefusal else {
            throw EngineError(
                .unsupported, activity,
                detail: "RunPod has retired GraphQL, and rents interruptible pods through it alone")
        }
        guard answer.isRefusal, answer.saysNoCapacity else { return answer }
        throw EngineError(
            capacity, activity,
            detail: self.calls.caller.detail(answer.message))
    }

    private func ask(
        _ document: String, input: JSONValue? = nil, repetition: HTTPRequest.Repetition = .harmless,
        activity: EngineError.Activity
    ) async throws(EngineError) -> RunPodGraphQLAnswer {
        var body: [String: JSONValue] = ["query": .string(document)]
        if let input { body["variables"] = ["input": input] }
        return try await self.calls.answer(
            .post, "", body: .object(body), limit: .graphQL, repetition: repetition,
            timeout: .seconds(repetition == .never ? 120 : 30), activity: activity)
    }
}

/// One answer of GraphQL, whose refusals mostly come with a 200.
struct RunPodGraphQLAnswer: PlatformAnswer {
    let body: AnswerBody

    init(_ body: AnswerBody) { self.body = body }

    var isRefusal: Bool { !self.response.isSuccess || self.first != nil }

    var message: String { self.first?["message"].text ?? RunPodAnswer(self.body).message }

    var saysNoCapacity: Bool { RunPodAnswer.isAboutCapacity(self.message.lowercased()) }

    var errorCode: EngineError.Code {
        // It answers a wrong key by either.
        if self.response.status == 403, self.isJSON { return .unauthorized }
        guard self.response.isSuccess else { return RunPodAnswer(self.body).errorCode }
        let words = self.message.lowercased()
        // Said of what failed on the way, done or not.
        if self.first?["extensions"]["code"].text == "INTERNAL_SERVER_ERROR"
            || words.contains("something went wrong")
        {
            return .platformFailed
        }
        if RunPodAnswer.isAboutCredit(words) { return .insufficientCredit }
        return words.contains("pod not found") ? .instanceGone : .badRequest
    }

    private var first: JSONValue? { self.json["errors"].array?.first }
}

extension RateLimit {
    fileprivate static let graphQL = RateLimit("graphql", per: .seconds(5))
}
