import Foundation
import Testing
import VPEngine
import VPTestSupport

/// A damaged answer is an error or what it says; it is never a crash, never an empty list, never "gone".
@Suite("Damaged answers")
struct DecoderTests {
    /// `VP_FUZZ_ROUNDS=100000` looks longer; case number N is the same each time.
    private static let rounds =
        ProcessInfo.processInfo.environment["VP_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 4000

    /// What comes of every value in turn; `anythingMayCome` has more of it. The last takes the member out.
    private static let plainDamage: [JSONValue?] = [
        .some(.null), -1, 1e300, "", "FROZEN_SOLID", "-oProxyCommand=x", [], [[:]], nil,
    ]

    /// Every value of an answer, however deep, as something else, and away.
    @Test(arguments: PlatformQuestion.inJSON) func anyValueMayBeAnything(_ question: PlatformQuestion)
        async throws
    {
        let sample = try JSONParser.parse(Array(question.sample.utf8))
        for position in 0..<Damage.count(sample) {
            for replacement in Self.plainDamage {
                let body = Damage.replacing(position, of: sample, with: replacement).encoded
                Self.check(
                    question, Array(body.utf8), 200, await question.ask(body),
                    "value \(position) is \(replacement?.encoded ?? "away")")
            }
        }
    }

    /// A row lives on whatever it lacks, but for what names it and what it is for.
    @Test func onlyIdsAreNeeded() async throws {
        let rows = [(Platform.vast, VastSamples.row), (.runpod, RunPodSamples.pod)]
        for (platform, row) in rows {
            let question = try #require(
                PlatformQuestion.all.first { $0.platform == platform && $0.kind == .instances })
            for key in try #require(JSONParser.parse(Array(row.utf8)).object).keys where key != "id" {
                for change in [JSONValue?.some(.null), nil] {
                    let edited = VastSamples.edit(row, [key: change])
                    let body = platform == .vast ? VastSamples.page([edited]) : RunPodSamples.list(edited)
                    #expect(try await question.ask(body).get().instances.count == 1, "\(platform) \(key)")
                }
            }
        }
    }

    @Test(arguments: PlatformQuestion.inJSON) func anyNumberMayBeAString(_ question: PlatformQuestion)
        async throws
    {
        let quoted = Damage.quoted(try JSONParser.parse(Array(question.sample.utf8))).encoded
        let plain = try await question.ask(question.sample).get()
        #expect(try await question.ask(quoted).get() == plain)
    }

    /// A word that did not exist when this was written is an unknown status, and the row stays.
    @Test func unknownWordsAreUnknown() async throws {
        let vast = VastSamples.edit(
            VastSamples.row,
            ["actual_status": "hibernating", "intended_status": "dozing", "cur_state": "odd"])
        let pod = VastSamples.edit(
            RunPodSamples.pod, ["status": "HIBERNATING", "cloud": "ORBIT", "actions": ["nap"]])
        for (platform, body) in [
            (Platform.vast, VastSamples.page([vast])), (.runpod, RunPodSamples.list(pod)),
        ] {
            let question = try #require(
                PlatformQuestion.all.first { $0.platform == platform && $0.kind == .instances })
            #expect(try await question.ask(body).get().instances.map(\.status) == [.unknown])
        }
    }

    @Test(arguments: PlatformQuestion.lists) func noPrefixIsAnAnswer(_ question: PlatformQuestion) async {
        let body = Array(question.sample.utf8)
        for length in 0..<body.count {
            let answer = await question.ask(HTTPResponse(status: 200, body: Array(body[..<length])))
            #expect(throws: EngineError.self, "the first \(length) bytes") { try answer.get() }
        }
    }

    @Test func anythingMayCome() async {
        let statuses = [
            200, 200, 200, 200, 201, 204, 400, 401, 402, 403, 404, 404, 409, 410, 422, 429, 500, 502,
        ]
        let questions = PlatformQuestion.all
        await withTaskGroup { group in
            for part in 0..<2 {
                group.addTask {
                    for number in stride(from: part, to: Self.rounds, by: 2) {
                        var random = SeededGenerator(seed: 31415 &+ UInt64(number))
                        let question = questions[number % questions.count]
                        let body = Damage.any(of: question.sample, using: &random)
                        let status = statuses[Int.random(in: 0..<statuses.count, using: &random)]
                        let answer = await question.ask(HTTPResponse(status: status, body: body))
                        Self.check(question, body, status, answer, "case \(number)")
                    }
                }
            }
        }
    }

    /// Records what is wrong with an answer, were anything.
    private static func check(
        _ question: PlatformQuestion, _ body: [UInt8], _ status: Int,
        _ answer: Result<PlatformQuestion.Reply, EngineError>, _ what: String
    ) {
        guard let problem = self.problem(question, body, status, answer) else { return }
        let text = String(decoding: body.prefix(400), as: UTF8.self)
        Issue.record("\(question), \(what), status \(status): \(problem) in \(answer) of \(text)")
    }

    /// What must not be in an answer, whatever was sent.
    private static func problem(
        _ question: PlatformQuestion, _ body: [UInt8], _ status: Int,
        _ answer: Result<PlatformQuestion.Reply, EngineError>
    ) -> String? {
        let reply: PlatformQuestion.Reply
        switch answer {
        case .success(let found): reply = found
        case .failure(let error):
            let detail = error.detail ?? ""
            if detail.count > 400 { return "a long detail" }
            let hasControls = detail.unicodeScalars.contains { $0.properties.generalCategory == .control }
            if hasControls { return "control characters" }
            return detail.contains(VastBench.key) || detail.contains(RunPodBench.key) ? "a key" : nil
        }
        for instance in reply.instances {
            if instance.id.rawValue.isEmpty { return "no id" }
            if !(0..<1e7).contains(instance.price.dollarsPerHour) { return "an absurd price" }
            if instance.gpuCount < 0 || (instance.gpuMemoryBytes ?? 0) < 0 || (instance.diskBytes ?? 0) < 0 {
                return "a negative size"
            }
            for address in instance.addresses {
                if !(1...65_535).contains(address.port) { return "no port" }
                for word in [address.host, address.user]
                where word.isEmpty || word.hasPrefix("-") || word.contains(where: \.isWhitespace) {
                    return "an address that ssh would misread"
                }
            }
        }
        for offer in reply.offers {
            if offer.id.rawValue.isEmpty { return "no id" }
            if offer.gpuCount <= 0 || offer.gpuMemoryBytes < 0 { return "no hardware" }
            if !(0..<1e7).contains(offer.price.dollarsPerHour) { return "an absurd price" }
        }
        let isJustified = !reply.values.isEmpty || self.saysNothing(question, body, status)
        return isJustified ? nil : "nothing, though something was said"
    }

    /// Whether the platform has said in words that there is nothing, which nobody else may.
    private static func saysNothing(_ question: PlatformQuestion, _ body: [UInt8], _ status: Int) -> Bool {
        guard let json = try? JSONParser.parse(body) else {
            return ![.instances, .instance, .offers, .keys].contains(question.kind)
                || question.kind == .keys && status == 404 && body.isEmpty
        }
        let isYes = (200..<300).contains(status)
        switch (question.kind, question.platform) {
        case (.instances, .vast): return isYes && json["instances"].array?.isEmpty == true
        case (.instances, .runpod):
            let rows = json["pods"].array
            return isYes && rows?.allSatisfy { $0["status"].text?.uppercased() == "TERMINATED" } == true
        // Gone is a costly word: whoever reads it forgets what goes on being billed.
        case (.instance, .vast):
            let says = ["no_such_instance", "not_found", "invalid_id"].contains(json["error"].text ?? "")
            let value = json.object?["instances"]
            return says || isYes && value.map { $0.isNull || $0.array?.isEmpty == true } == true
        case (.instance, .runpod): return status == 404 || json["status"].text?.uppercased() == "TERMINATED"
        case (.offers, _): return isYes
        case (.keys, .vast):
            let rows = json.array ?? json["ssh_keys"].array
            return status == 404 || rows?.allSatisfy { !$0["deleted_at"].isNull } == true
        case (.keys, .runpod): return isYes && json["keys"].array?.isEmpty == true
        default: return true
        }
    }
}
