import Testing
import VPEngine

@Suite("JSON")
struct JSONParserTests {
    private static let valid: [(String, JSONValue)] = [
        ("null", JSONValue.null), ("true", true), (" false ", false), ("0", 0), ("-0", 0), ("12", 12),
        ("-12.5e2", -1250), ("1E-3", 0.001), ("9007199254740991", .number(9_007_199_254_740_991)),
        ("123456789012345678901234567890", 1.2345678901234568e29), (#""""#, ""),
        (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{C}\n\r\tz"),
        (#""\u00e9\u20AC\uD83D\uDE00""#, "é€😀"), ("[]", []),
        ("[1,[2,\"x\"],{}]", [1, [2, "x"], [:]]),
        (#"{"a":{"b":[null]},"c":1}"#, ["a": ["b": [nil]], "c": 1]),
        ("\u{FEFF}{}", [:]), (#"{"a":1,"a":2}"#, ["a": 2]),
    ]

    @Test(arguments: JSONParserTests.valid)
    func validTextIsRead(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(arguments: [
        "", " ", "{", "[", "\"", "\"\\", "\"\\u12", "\"\\x\"", "{\"a\"}", "{\"a\":}", #""\uD83D""#,
        #""\uDE00x""#,
        "[1 2]", "tru", "nul", "-", "1.", ".5", "01", "-01", "1e", "1e+", "+1", "[1,]", "{\"a\":1,}", "NaN",
        "Infinity",
        "\"\t\"", "1.2.3", "--1", "{}{}", "[1]x", "<html>", "{a:1}", "'x'", "\u{0}",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func deepNestingIsRefusedAndDoesNotCrash() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(bytes) }
    }

    /// Each is small as text, and would be large as values.
    @Test func aDocumentHasBounds() {
        var limits = JSONParser.Limits()
        limits.values = 1000
        limits.elements = 100
        limits.depth = 10
        let list = { (count: Int) in "[" + Array(repeating: "0", count: count).joined(separator: ",") + "]" }
        let object = "{" + (0...100).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        let many = "[" + Array(repeating: list(99), count: 11).joined(separator: ",") + "]"
        let deep = String(repeating: "[", count: 11) + String(repeating: "]", count: 11)
        for text in [list(101), object, many, deep] {
            #expect(throws: JSONParser.Failure.self) {
                try JSONParser.parse(Array(text.utf8), limits: limits)
            }
            #expect(throws: Never.self) { try JSONParser.parse(Array(text.utf8)) }
        }
        #expect(throws: Never.self) { try JSONParser.parse(Array(list(100).utf8), limits: limits) }
    }

    /// No `Double` holds it; one such number must not cost a list.
    @Test(arguments: ["1e999", "-1e999", String(repeating: "9", count: 500)])
    func aNumberBeyondAllBoundsIsNull(text: String) throws {
        #expect(try JSONParser.parse(Array("[\(text),1]".utf8)) == [nil, 1])
    }

    @Test func brokenUTF8IsRepaired() throws {
        #expect(try JSONParser.parse([0x22, 0xFF, 0x41, 0x22]) == "\u{FFFD}A")
    }

    @Test func whatIsWrittenReadsBack() throws {
        let value: JSONValue = [
            "text": "a\"b\\c\n\u{1}é😀", "number": 0.1, "id": 31_234_567, "none": nil,
            "list": [true, [:], -2.5],
        ]
        #expect(try JSONParser.parse(Array(value.encoded.utf8)) == value)
        #expect(JSONValue.number(31_234_567).encoded == "31234567")
    }

    @Test func accessorsForgive() {
        #expect(JSONValue.string(" 0.35\n").double == 0.35)
        #expect(JSONValue.string("nan").double == nil)
        #expect(JSONValue.number(31_234_567).text == "31234567")
        #expect(JSONValue.string("  ").text == nil)
        #expect(JSONValue.string("41000").int == 41000)
        #expect(JSONValue.number(1e300).int == nil)
        #expect(JSONValue.string("True").bool == true)
        #expect(JSONValue.number(0).bool == false)
        #expect(JSONValue.string("maybe").bool == nil)
        #expect(JSONValue.array([])["x"] == .null)
    }
}
