import Foundation
import VPEngine

/// What a client is asked in tests of damaged answers, and an answer that is not damaged.
struct PlatformQuestion: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        case instances, instance, offers, keys, balance, rent, start, stop, destroy, rename, addKey, log
    }

    /// What a client made of an answer.
    struct Reply: Hashable {
        /// The values that came of it, written out.
        var values: [String]
        /// The same instances or offers, for looking at their numbers.
        var instances: [Instance] = []
        var offers: [Offer] = []
    }

    let platform: Platform
    let kind: Kind
    /// The answer as the facts have it.
    let sample: String
    /// Answers that go before it.
    var before: [String] = []

    var description: String { "\(self.platform.rawValue) \(self.kind.rawValue)" }

    /// Asks a new client, which is given `answer` in place of the sample, and again to whatever it asks next.
    func ask(_ answer: HTTPResponse) async -> Result<Reply, EngineError> {
        let steps = self.before.map(ScriptedTransport.Step.ok) + [.answer(answer)]
        let client: any PlatformClient =
            switch self.platform {
            case .vast: VastBench(steps, repeatsLast: true).client
            case .runpod: RunPodBench(steps, repeatsLast: true).client
            }
        do throws(EngineError) {
            return .success(try await self.ask(client))
        } catch {
            return .failure(error)
        }
    }

    func ask(_ text: String, status: Int = 200) async -> Result<Reply, EngineError> {
        await self.ask(HTTPResponse(status: status, body: Array(text.utf8)))
    }

    private func ask(_ client: any PlatformClient) async throws(EngineError) -> Reply {
        let id = InstanceID(platform: self.platform, rawValue: "7835610")
        func written<Value>(_ values: [Value]) -> [String] { values.map { String(describing: $0) } }
        switch self.kind {
        case .instances:
            let found = try await client.instances()
            return Reply(values: written(found), instances: found)
        case .instance:
            let found = try await client.instance(id)
            return Reply(values: written(found.map { [$0] } ?? []), instances: found.map { [$0] } ?? [])
        case .offers:
            let found = try await client.offers(OfferQuery())
            return Reply(values: written(found), offers: found)
        case .keys: return Reply(values: written(try await client.accountKeys()))
        case .balance: return Reply(values: written([try await client.balance()]))
        case .rent:
            let offer = Offer(
                id: OfferID(platform: self.platform, rawValue: "31234567"), gpuName: "RTX 4090", gpuCount: 1,
                gpuMemoryBytes: 24_000_000_000, price: HourlyPrice(dollarsPerHour: 0.4))
            let request = RentRequest(offer: offer, name: "vp-1", image: "x:1", diskBytes: 20_000_000_000)
            return Reply(values: written([try await client.rent(request)]))
        case .start: try await client.start(id)
        case .stop: try await client.stop(id)
        case .destroy: try await client.destroy(id)
        case .rename: try await client.rename(id, to: "vp-2")
        case .addKey: try await client.addAccountKey("ssh-ed25519 AAAAC3NzaC1 me")
        case .log: return Reply(values: [try await client.providerLog(id, lines: 10)])
        }
        return Reply(values: [])
    }

    static let all: [PlatformQuestion] = Kind.allCases.flatMap { kind in
        Platform.allCases.map { PlatformQuestion(platform: $0, kind: kind) }
    }

    /// All whose answers are JSON: a log is text.
    static let inJSON = Self.all.filter { $0.kind != .log }

    /// Those whose answers hold rows, which must not be lost.
    static let lists = Self.all.filter { [.instances, .offers, .keys].contains($0.kind) }

    private init(platform: Platform, kind: Kind) {
        self.platform = platform
        self.kind = kind
        switch platform {
        case .vast: self.sample = Self.vastSample(kind)
        case .runpod: self.sample = Self.runPodSample(kind)
        }
        if platform == .runpod, kind == .rent { self.before = [Self.runPodSample(.keys)] }
    }

    private static let key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me"

    private static func vastSample(_ kind: Kind) -> String {
        switch kind {
        case .instances: VastSamples.page([VastSamples.row])
        case .instance: VastSamples.single(VastSamples.row)
        case .offers: VastSamples.offers(VastSamples.offer)
        case .keys:
            #"[{"id":12,"user_id":1,"key":"\#(self.key)","created_at":"2026-01-01","deleted_at":null}]"#
        case .balance: VastSamples.user
        case .rent: #"{"success": true, "new_contract": 7835610, "instance_api_key": "d15a"}"#
        case .log: #"{"success": true, "result_url": "https://vast.test/logs/1", "msg": "shortly"}"#
        case .start, .stop, .destroy, .rename: #"{"success": true}"#
        case .addKey: #"{"success": true, "key": {"id": 12, "public_key": "\#(self.key)"}}"#
        }
    }

    private static func runPodSample(_ kind: Kind) -> String {
        switch kind {
        case .instances: RunPodSamples.list(RunPodSamples.pod)
        case .instance, .rent: RunPodSamples.pod
        // What came of it is read from the status alone.
        case .start, .stop, .destroy, .rename: #"{"id":"7h9k2m4n6p"}"#
        case .offers: RunPodSamples.catalogue(RunPodSamples.gpu)
        case .keys, .addKey: #"{"keys":["\#(self.key)"]}"#
        case .balance: #"{"data":{"myself":{"clientBalance":24.1}}}"#
        case .log:
            "id: 2026-06-01T12:02:03Z/1\ndata: {\"ts\":\"2026-06-01T12:02:03Z\",\"source\":\"system\",\"line\":\"up\"}\n\n"
        }
    }
}
