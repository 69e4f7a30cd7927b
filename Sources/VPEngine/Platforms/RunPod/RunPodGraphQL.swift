import Foundation

/// RunPod's GraphQL API, which is being retired. Only it reports the balance and takes bids for interruptible
/// pods. For REST, a pod that was rented with a bid is then a pod like any other.
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

    /// Returns the lowest winning bid for one GPU, in dollars an hour, by the GPU's id. GPUs that are not
    /// free are left out.
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
        // If the answer names a pod, that pod exists, whatever errors stand beside it.
        let text = answer.json["data"]["podRentInterruptable"]["id"].text
        if let id = text.flatMap({ InstanceID(.runpod, fromOutside: $0) }) { return id }
        _ = try self.calls.json(of: answer, activity)
        throw EngineError(.badResponse, activity, detail: "the pod was rented, but the answer lacks its id")
    }

    /// Makes the bid that brings an outbid pod back, which may be higher than before.
    func resume(_ instance: Instance, _ activity: EngineError.Activity) async throws(EngineError) {
        let question = "query ($input: PodFilter!) { pod(input: $input) { lowestBidPriceToResume } }"
        let pod: JSONValue = ["podId": .string(instance.id.rawValue)]
        let lowest = try await self.askForSpot(question, input: pod, activity: activity)
        let data = try self.calls.json(of: lowest, activity)["data"]
        guard let price = data["pod"]["lowestBidPriceToResume"].hourly, price > 0 else {
            throw EngineError(
                .instanceNotRunning, activity, detail: "RunPod reports no bid that would resume the pod")
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

    /// Throws `.unsupported` if GraphQL has been retired, since interruptible pods then cannot be rented.
    ///
    /// - Parameter capacity: the error for the case that no GPU is free.
    private func askForSpot(
        _ document: String, input: JSONValue? = nil, repetition: HTTPRequest.Repetition = .harmless,
        capacity: EngineError.Code = .instanceNotRunning, activity: EngineError.Activity
    ) async throws(EngineError) -> RunPodGraphQLAnswer {
        let answer = try await self.ask(
            document, input: input, repetition: repetition, activity: activity)
        guard answer.errorCode != .endpointRetired || !answer.isRefusal else {
            throw EngineError(
                .unsupported, activity,
                detail: "RunPod has retired GraphQL, the only API that rents interruptible pods")
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

/// One answer of GraphQL, whose refusals mostly have the status 200.
struct RunPodGraphQLAnswer: PlatformAnswer {
    let body: AnswerBody

    init(_ body: AnswerBody) { self.body = body }

    var isRefusal: Bool { !self.response.isSuccess || self.first != nil }

    var message: String { self.first?["message"].text ?? RunPodAnswer(self.body).message }

    var saysNoCapacity: Bool { RunPodAnswer.isAboutCapacity(self.message.lowercased()) }

    var errorCode: EngineError.Code {
        // RunPod answers a wrong key with either 401 or 403.
        if self.response.status == 403, self.isJSON { return .unauthorized }
        guard self.response.isSuccess else { return RunPodAnswer(self.body).errorCode }
        let words = self.message.lowercased()
        // These words are used for a failure on the way, whether or not the call was carried out.
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
