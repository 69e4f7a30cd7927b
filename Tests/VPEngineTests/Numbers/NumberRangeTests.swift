import Foundation
import Testing

@testable import VPEngine

@Suite("Numbers from outside")
struct NumberRangeTests {
    @Test(
        arguments: [
            ("5", 5.0), ("1e3", 1000), ("-1", nil), ("nan", nil), ("inf", nil), ("1e300", nil), ("", nil),
            ("3155760000", 3_155_760_000), ("3155760001", nil), ("0x10", 16), ("five", nil),
        ] as [(String, Double?)])
    func secondsOfText(_ text: String, _ value: Double?) {
        #expect(NumberRange.seconds.read(text) == value)
    }

    @Test(
        arguments: [
            ("0", 0), ("4611686018427387904", 1 << 62), ("4611686018427387905", nil), ("-1", nil),
            ("1.5", nil),
            ("99999999999999999999", nil), ("+7", 7), (" 7", nil),
        ] as [(String, Int64?)])
    func bytesOfText(_ text: String, _ value: Int64?) {
        #expect(NumberRange.bytes.read(text) == value)
    }

    @Test(
        arguments: [
            (0.9, 0), (4e18, 4_000_000_000_000_000_000), (1e300, nil), (-0.5, 0), (-1, nil), (.nan, nil),
            (.infinity, nil),
        ] as [(Double, Int64?)])
    func bytesOfNumbers(_ number: Double, _ value: Int64?) {
        #expect(NumberRange.bytes.read(number) == value)
    }

    @Test func conversionsForTheScreenSaturate() {
        #expect(Int(saturating: 1e300) == .max && Int(saturating: -1e300) == .min)
        #expect(Int(saturating: .nan) == 0 && Int64(saturating: .infinity) == .max)
        #expect(UInt8(saturating: -3) == 0 && UInt8(saturating: 300) == 255 && UInt8(saturating: 7.9) == 7)
        #expect(Int64(saturating: 9.3e18) == .max && Int64(saturating: -9.3e18) == .min)
    }

    @Test func arithmeticSaturates() {
        #expect(Int64.max.addingSaturated(1) == .max && Int64.min.addingSaturated(-1) == .min)
        #expect(Int64.max.subtractingSaturated(-1) == .max && Int64.min.subtractingSaturated(1) == .min)
        #expect((1 << 40 as Int64).multipliedSaturated(by: 1 << 40) == .max)
        #expect((-1 << 40 as Int64).multipliedSaturated(by: 1 << 40) == .min)
        #expect([Int64.max, .max, 5].saturatedSum(of: \.self) == .max)
        #expect([1e300, .nan, .infinity, -1e300, 5].sumOfDollars(of: \.self) == 5)
        #expect(UInt8(250).addingSaturated(10) == 255 && UInt8(5).subtractingSaturated(10) == 0)
    }

    @Test func aRangeClamps() {
        #expect(NumberRange.share.clamp(.nan) == 0 && NumberRange.share.clamp(7) == 1)
        #expect(NumberRange.dollars.clamp(-1e300) == -1e9)
        #expect(NumberRange.count.clamp(.min) == 0)
    }

    /// As deep as anybody likes: an error, and no stack that ends.
    @Test func nestingWithoutEndIsAnError() {
        for open in ["[", #"{"a":"#, #"[{"a":["#] {
            let text = String(repeating: open, count: 200_000)
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(Array(text.utf8)) }
        }
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: Never.self) { _ = try JSONParser.parse(Array(deep.utf8)).encoded }
    }
}
