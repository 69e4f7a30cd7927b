import Foundation
import Testing
import VPEngine
import VPTestSupport

/// A damaged answer is an error or a complete list; it is never a crash and never an empty list.
@Suite("vast.ai: damaged answers")
struct VastDamageTests {
    /// `VP_FUZZ_ROUNDS=100000` looks longer; the cases are the same each time.
    private static let rounds =
        ProcessInfo.processInfo.environment["VP_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 3000

    /// Every way of making one member of a sample something else.
    private static let replacements: [JSONValue] = [
        nil, true, false, 0, -1, 1e300, -1e300, 3.7, "", "x", "-1", "1e999", "NaN", [], [nil], [[:]], [:],
        ["x": nil], .string(String(repeating: "9", count: 400)), "\u{0}\u{1B}[2J",
    ]

    @Test func everyFieldOfAnInstanceMayBeAnything() async throws {
        let sample = try JSONParser.parse(Array(VastSamples.row.utf8))
        for key in try #require(sample.object).keys {
            for replacement in VastDamageTests.replacements {
                let row = VastSamples.edit(VastSamples.row, [key: .some(replacement)])
                await Self.expectListOrError(VastSamples.page([row]), what: "\(key) = \(replacement.encoded)")
            }
            let row = VastSamples.edit(VastSamples.row, [key: .none])
            await Self.expectListOrError(VastSamples.page([row]), what: "no \(key)")
        }
    }

    @Test func everyFieldOfAnOfferMayBeAnything() async throws {
        let sample = try JSONParser.parse(Array(VastSamples.offer.utf8))
        for key in try #require(sample.object).keys {
            for replacement in VastDamageTests.replacements {
                let row = VastSamples.edit(VastSamples.offer, [key: .some(replacement)])
                let bench = VastBench(VastSamples.offers(row))
                do throws(EngineError) {
                    for offer in try await bench.client.offers(OfferQuery()) {
                        #expect(offer.price.dollarsPerHour >= 0 && offer.gpuMemoryBytes >= 0)
                    }
                } catch {
                    #expect(error.code == .badResponse, "\(key) = \(replacement.encoded)")
                }
            }
        }
    }

    @Test func onlyAnInstanceWithoutIDIsRefused() async throws {
        let sample = try JSONParser.parse(Array(VastSamples.row.utf8))
        for key in try #require(sample.object).keys where key != "id" {
            let row = VastSamples.edit(VastSamples.row, [key: .some(.null)])
            let instances = try await VastBench(VastSamples.page([row])).client.instances()
            #expect(instances.count == 1, "\(key) = null")
        }
    }

    @Test func everyNumberMayBeAString() async throws {
        func quoted(_ value: JSONValue) -> JSONValue {
            switch value {
            case .number: .string(value.text ?? "")
            case .array(let elements): .array(elements.map(quoted))
            case .object(let members): .object(members.mapValues(quoted))
            default: value
            }
        }
        let row = quoted(try JSONParser.parse(Array(VastSamples.row.utf8))).encoded
        let offer = quoted(try JSONParser.parse(Array(VastSamples.offer.utf8))).encoded
        let plainRow = try await VastBench(VastSamples.page([VastSamples.row])).client.instances()
        let plainOffer = try await VastBench(VastSamples.offers(VastSamples.offer)).client.offers(
            OfferQuery())
        #expect(try await VastBench(VastSamples.page([row])).client.instances() == plainRow)
        #expect(try await VastBench(VastSamples.offers(offer)).client.offers(OfferQuery()) == plainOffer)
    }

    @Test func noPrefixOfAnAnswerIsAnAnswer() async {
        let body = Array(VastSamples.page([VastSamples.row]).utf8)
        for length in 0..<body.count {
            let bench = VastBench([.answer(HTTPResponse(status: 200, body: Array(body[..<length])))])
            let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances()
            }
            #expect(error?.code == .badResponse, "the first \(length) bytes")
        }
    }

    @Test func garbledBytesGiveTheListOrAnError() async {
        var random = SeededGenerator(seed: 31415)
        let body = Array(VastSamples.page([VastSamples.row]).utf8)
        for _ in 0..<VastDamageTests.rounds {
            var bytes = body
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: position)
                case 2: bytes.insert(UInt8.random(in: 32...126, using: &random), at: position)
                default:
                    let end = min(bytes.count, position + Int.random(in: 1...40, using: &random))
                    bytes.removeSubrange(position..<end)
                }
            }
            let bench = VastBench([.answer(HTTPResponse(status: 200, body: bytes))])
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(EngineError) {
                // A destroyed token makes another page, for which the script has no answer.
                let instances = try await bench.client.instances()
                #expect(!instances.isEmpty, "\(text)")
            } catch {
                #expect(
                    [.badResponse, .cancelled, .badRequest].contains(error.code), "\(error.code): \(text)")
            }
        }
    }

    private static func expectListOrError(_ body: String, what: String) async {
        do throws(EngineError) {
            let instances = try await VastBench(body).client.instances()
            #expect(instances.count == 1, "\(what)")
            for address in instances.flatMap(\.addresses) { #expect((1...65535).contains(address.port)) }
        } catch {
            #expect(error.code == .badResponse, "\(what)")
        }
    }
}
