import Foundation
import Testing

/// One of the project's documents, cut into the parts that tests look at.
struct Document: Sendable, CustomTestStringConvertible {
    /// What stands between two fences.
    struct Block: Sendable {
        /// The word behind the opening fence; empty where there is none.
        var language: String
        /// The number of its first line in the document.
        var line: Int
        var text: String
    }

    /// Text with the number of its line.
    struct Piece: Sendable {
        var line: Int
        var text: String
    }

    /// Below the project's folder.
    let path: String
    let lines: [String]
    let blocks: [Block]
    /// Lines outside of blocks.
    let prose: [Piece]

    var testDescription: String { self.path }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Written for users: everything in them is held against the program.
    static let forUsers: [Document] =
        ["README.md"].compactMap { try? Document($0) }
        + Self.below("docs")
        .filter { $0.path != "docs/ARCHITECTURE.md" }
    static let all: [Document] =
        Self.forUsers + ["CONTRIBUTING.md", "docs/ARCHITECTURE.md"].compactMap { try? Document($0) }
    /// The notes that folders of sources begin with.
    static let notes: [Document] = Self.below("Sources").filter { $0.path.hasSuffix("/README.md") }

    static func named(_ path: String) throws -> Document {
        try #require(Self.all.first { $0.path == path })
    }

    private static func below(_ folder: String) -> [Document] {
        let names = FileManager.default.enumerator(atPath: "\(Self.root)/\(folder)")?
            .compactMap { $0 as? String }
        return (names ?? []).filter { $0.hasSuffix(".md") }.sorted()
            .compactMap { try? Document("\(folder)/\($0)") }
    }

    init(_ path: String) throws {
        self.path = path
        let text = try String(contentsOfFile: "\(Self.root)/\(path)", encoding: .utf8)
        self.lines = text.components(separatedBy: "\n")
        var blocks: [Block] = []
        var prose: [Piece] = []
        var open: Block?
        for (index, line) in self.lines.enumerated() {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(block)
                    open = nil
                } else {
                    open = Block(language: String(line.dropFirst(3)), line: index + 2, text: "")
                }
            } else if open != nil {
                open?.text += line + "\n"
            } else {
                prose.append(Piece(line: index + 1, text: line))
            }
        }
        self.blocks = blocks
        self.prose = prose
        #expect(open == nil, "\(path): a block has no end")
    }

    /// What stands between backquotes outside of blocks.
    var code: [Piece] {
        self.prose.flatMap { piece in
            let parts = piece.text.components(separatedBy: "`")
            return stride(from: 1, to: parts.count - 1, by: 2).map {
                Piece(line: piece.line, text: parts[$0])
            }
        }
    }

    /// The targets of links and pictures.
    var links: [Piece] {
        self.prose.flatMap { piece in
            piece.text.components(separatedBy: "](").dropFirst().map {
                Piece(line: piece.line, text: String($0.prefix { $0 != ")" }))
            }
        }
    }

    /// What `#` links may name, as GitHub makes it from headings.
    var anchors: Set<String> {
        Set(
            self.prose.filter { $0.text.hasPrefix("#") }.map { piece in
                let title = piece.text.drop { $0 == "#" || $0 == " " }.lowercased()
                return String(
                    title.compactMap { character -> Character? in
                        if character == " " { return "-" }
                        let stays = character.isLetter || character.isNumber || "-_".contains(character)
                        return stays ? character : nil
                    })
            })
    }

    /// The rows of tables whose first row begins with `titles`.
    func rows(titled titles: String...) -> [(line: Int, cells: [String])] {
        var rows: [(line: Int, cells: [String])] = []
        var isOpen = false
        for piece in self.prose {
            guard piece.text.hasPrefix("|") else {
                isOpen = false
                continue
            }
            let cells = piece.text.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if Array(cells.prefix(titles.count)) == titles {
                isOpen = true
            } else if isOpen, !cells.allSatisfy({ $0.allSatisfy { $0 == "-" } }) {
                rows.append((piece.line, cells))
            }
        }
        return rows
    }

    /// What stands between backquotes in `text`.
    static func code(in text: String) -> [String] {
        let parts = text.components(separatedBy: "`")
        return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
    }
}
