import Foundation
import Testing
import VPEngine
import VPTUICore
import VPTestSupport

@Suite struct KeyMapTests {
    @Test func standardKeysDoNotContradictEachOther() {
        #expect(KeyMap.standard.conflicts == [])
    }

    @Test func aContradictionIsNamed() {
        var map = KeyMap.standard
        let sync = map.bindings.first { $0.command == .sync }
        map.bindings.append(sync!)
        #expect(map.conflicts == ["S means sync and sync in Instances"])
    }

    @Test func everyCommandHasAKey() {
        for command in Command.allCases {
            #expect(KeyMap.standard.bindings.contains { $0.command == command }, "\(command)")
        }
    }

    @Test func documentIsCurrent() {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        expectGolden(KeyMap.standard.markdown, at: folder.appendingPathComponent("docs/keys.md").path)
    }
}

@Suite struct TextTests {
    @Test(arguments: [
        ("a", 1), ("日", 2), ("é", 1), ("e\u{301}", 1), ("👍", 2), ("👍🏽", 2), ("👨‍👩‍👧", 2), ("❤", 1), ("❤️", 2),
        ("🇩🇪", 2),
        ("\u{1B}", 0), ("\u{202E}", 0), ("한", 2), ("ｱ", 1), ("Ａ", 2), ("\u{1100}\u{1161}", 2), ("✓", 1),
        ("█", 1),
    ])
    func widths(_ text: String, _ width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    @Test(arguments: [
        ("4090 x2 <0.6", "4090 x2 <0.6"), ("RTX 3090", "RTX 3090"),
        ("2x a100 >40G rel>0.98", "a100 x2 >40G rel>0.98"),
        ("in:us,CA disk:80 spot", "disk:80 in:US,CA spot"), ("", ""),
    ])
    func queriesAreReadAndWritten(_ typed: String, _ written: String) throws {
        let query = try OfferQueryText.parse(typed)
        #expect(OfferQueryText.text(query) == written)
        #expect(try OfferQueryText.parse(written) == query)
    }

    @Test func aBoundWithoutANumberIsExplained() {
        #expect(throws: OfferQueryText.Problem.self) { try OfferQueryText.parse("4090 <cheap") }
    }

    @Test func textFieldsEdit() {
        var field = TextField("hello world")
        for key: Key in [.control("w"), .character("x"), .home, .delete, .character("J"), .end, .backspace] {
            let isEdit = field.apply(key)
            #expect(isEdit)
        }
        #expect(field.text == "Jello ")
        field.insert("e")
        field.insert("\u{301}")
        #expect(field.text == "Jello e\u{301}" && field.cursor == 7)
    }
}
