import Foundation
import Testing

/// Every sentence of docs/SECURITY.md names the tests that prove it, and those tests exist.
@Suite struct SecurityDocumentTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Functions by the suite they are in, from the tests' own sources.
    private static let tests: [String: Set<String>] = {
        var tests: [String: Set<String>] = [:]
        let folder = Self.root.appendingPathComponent("Tests")
        for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init()
        where name.hasSuffix(".swift") {
            guard let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            else {
                continue
            }
            var suite = ""
            for line in text.split(separator: "\n") {
                let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }.map(
                    String.init)
                // A type or an extension at the margin, whatever attributes stand before it.
                if !line.hasPrefix(" "),
                    let index = words.firstIndex(where: {
                        ["struct", "class", "extension", "enum", "actor"].contains($0)
                    }),
                    index + 1 < words.count
                {
                    suite = words[index + 1]
                }
                if let index = words.firstIndex(of: "func"), index + 1 < words.count {
                    tests[suite, default: []].insert(words[index + 1])
                }
            }
        }
        return tests
    }()

    private struct Sentence {
        var line: Int
        var text: String
        /// `Suite/test`
        var proofs: [(suite: String, test: String)]
    }

    /// The entries of the document's lists; one goes on until the next or a blank line.
    private static func sentences() throws -> [Sentence] {
        let file = Self.root.appendingPathComponent("docs/SECURITY.md")
        let lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
        var sentences: [Sentence] = []
        var isOpen = false
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("- ") {
                sentences.append(Sentence(line: index + 1, text: line, proofs: []))
                isOpen = true
            } else if line.hasPrefix("  "), isOpen {
                sentences[sentences.count - 1].text += " " + line.trimmingCharacters(in: .whitespaces)
            } else {
                isOpen = false
            }
        }
        for index in sentences.indices {
            let parts = sentences[index].text.components(separatedBy: "`")
            for quoted in stride(from: 1, to: parts.count, by: 2).map({ parts[$0] }) {
                let words = quoted.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                guard words.count == 2, words[0].hasSuffix("Tests"), words[0].first?.isUppercase == true
                else {
                    continue
                }
                sentences[index].proofs.append((words[0], words[1]))
            }
        }
        return sentences
    }

    @Test func everySentenceIsProved() throws {
        let sentences = try Self.sentences()
        #expect(sentences.count > 20)
        for sentence in sentences {
            #expect(
                !sentence.proofs.isEmpty, "docs/SECURITY.md:\(sentence.line) names no test: \(sentence.text)")
            for proof in sentence.proofs {
                #expect(
                    Self.tests[proof.suite]?.contains(proof.test) == true,
                    "docs/SECURITY.md:\(sentence.line): there is no test \(proof.suite)/\(proof.test)")
            }
        }
    }

    @Test func itSpeaksOfAllFourStrangers() throws {
        let file = Self.root.appendingPathComponent("docs/SECURITY.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        for title in [
            "## A rented machine", "## A platform", "## A cloned project", "## Another local user",
            "## Limits",
            "## Reporting a fault",
        ] {
            #expect(text.contains(title + "\n"), "\(title)")
        }
    }
}
