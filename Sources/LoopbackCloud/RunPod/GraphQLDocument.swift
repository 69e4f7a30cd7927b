/// One GraphQL operation, parsed from its text: as much of the language as the platform's clients use.
struct GraphQLDocument {
    struct Failure: Error { let message: String }

    indirect enum Value {
        case json(JSON)
        case variable(String)
        case list([Value])
        case object([String: Value])

        /// The value with `variables` inserted; missing ones are null.
        func resolved(_ variables: [String: JSON]) -> JSON {
            switch self {
            case .json(let value): value
            case .variable(let name): variables[name] ?? .null
            case .list(let values): .array(values.map { $0.resolved(variables) })
            case .object(let members): .object(members.mapValues { $0.resolved(variables) })
            }
        }
    }

    struct Field {
        var name: String
        /// The name in the answer.
        var alias: String
        var arguments: [String: Value] = [:]
        /// Empty for a scalar.
        var selection: [Field] = []
    }

    let isMutation: Bool
    let fields: [Field]

    init(parsing text: String) throws(Failure) {
        var parser = Parser(text)
        (self.isMutation, self.fields) = try parser.operation()
    }

    private enum Token: Equatable {
        case name(String), string(String), number(String), variable(String), mark(Character), end
    }

    private struct Parser {
        private var characters: [Character]
        private var index = 0
        private var token = Token.end

        init(_ text: String) { self.characters = Array(text) }

        mutating func operation() throws(Failure) -> (Bool, [Field]) {
            try self.advance()
            var isMutation = false
            if case .name(let kind) = self.token {
                guard kind == "query" || kind == "mutation" else { throw self.unexpected() }
                isMutation = kind == "mutation"
                try self.advance()
                if case .name = self.token { try self.advance() }
                if self.token == .mark("(") { try self.skipDefinitions() }
            }
            let fields = try self.selection()
            guard self.token == .end else { throw self.unexpected() }
            return (isMutation, fields)
        }

        /// Skips `($id: String!, $input: [Thing] = null)`: types are not checked here, and values are checked
        /// where they are used.
        private mutating func skipDefinitions() throws(Failure) {
            while self.token != .mark(")") {
                guard self.token != .end else { throw self.unexpected() }
                try self.advance()
            }
            try self.advance()
        }

        private mutating func selection() throws(Failure) -> [Field] {
            guard self.token == .mark("{") else { throw self.unexpected() }
            try self.advance()
            var fields: [Field] = []
            while self.token != .mark("}") {
                var field = Field(name: try self.name(), alias: "")
                field.alias = field.name
                if self.token == .mark(":") {
                    try self.advance()
                    field.name = try self.name()
                }
                if self.token == .mark("(") {
                    field.arguments = try self.members(open: "(", close: ")")
                }
                if self.token == .mark("{") { field.selection = try self.selection() }
                fields.append(field)
            }
            guard !fields.isEmpty else { throw self.unexpected() }
            try self.advance()
            return fields
        }

        private mutating func members(open: Character, close: Character) throws(Failure) -> [String: Value] {
            try self.advance()
            var members: [String: Value] = [:]
            while self.token != .mark(close) {
                let name = try self.name()
                guard self.token == .mark(":") else { throw self.unexpected() }
                try self.advance()
                members[name] = try self.value()
            }
            try self.advance()
            return members
        }

        private mutating func value() throws(Failure) -> Value {
            switch self.token {
            case .string(let text):
                try self.advance()
                return .json(.string(text))
            case .number(let text):
                try self.advance()
                if let integer = Int(text) { return .json(.int(integer)) }
                guard let number = Double(text) else {
                    throw Failure(message: "Syntax Error: Invalid number")
                }
                return .json(.number(number))
            case .variable(let name):
                try self.advance()
                return .variable(name)
            case .name(let word):
                try self.advance()
                switch word {
                case "true": return .json(true)
                case "false": return .json(false)
                case "null": return .json(nil)
                // Other words belong to an enumeration.
                default: return .json(.string(word))
                }
            case .mark("["):
                try self.advance()
                var values: [Value] = []
                while self.token != .mark("]") { values.append(try self.value()) }
                try self.advance()
                return .list(values)
            case .mark("{"): return .object(try self.members(open: "{", close: "}"))
            default: throw self.unexpected()
            }
        }

        private mutating func name() throws(Failure) -> String {
            guard case .name(let name) = self.token else { throw self.unexpected() }
            try self.advance()
            return name
        }

        private func unexpected() -> Failure {
            let found =
                switch self.token {
                case .name(let name): "Name \"\(name)\""
                case .string: "String"
                case .number(let text): "Number \"\(text)\""
                case .variable(let name): "\"$\(name)\""
                case .mark(let mark): "\"\(mark)\""
                case .end: "<EOF>"
                }
            return Failure(message: "Syntax Error: Unexpected \(found).")
        }

        // MARK: Tokens

        private mutating func advance() throws(Failure) {
            while self.index < self.characters.count {
                let character = self.characters[self.index]
                if character == "#" {
                    while self.index < self.characters.count, !self.characters[self.index].isNewline {
                        self.index += 1
                    }
                } else if character.isWhitespace || character == "," {
                    self.index += 1
                } else {
                    break
                }
            }
            guard self.index < self.characters.count else {
                self.token = .end
                return
            }
            let character = self.characters[self.index]
            if character == "\"" {
                self.token = .string(try self.string())
            } else if character == "$" {
                self.index += 1
                self.token = .variable(self.word())
            } else if character == "_" || character.isLetter {
                self.token = .name(self.word())
            } else if character == "-" || character.isNumber {
                let start = self.index
                self.index += 1
                while self.index < self.characters.count,
                    self.characters[self.index].isNumber || "+-.eE".contains(self.characters[self.index])
                {
                    self.index += 1
                }
                self.token = .number(String(self.characters[start..<self.index]))
            } else {
                self.index += 1
                self.token = .mark(character)
            }
        }

        private mutating func word() -> String {
            let start = self.index
            while self.index < self.characters.count,
                self.characters[self.index] == "_" || self.characters[self.index].isLetter
                    || self.characters[self.index].isNumber
            {
                self.index += 1
            }
            return String(self.characters[start..<self.index])
        }

        private mutating func string() throws(Failure) -> String {
            self.index += 1
            var text = ""
            while self.index < self.characters.count {
                let character = self.characters[self.index]
                self.index += 1
                if character == "\"" { return text }
                if character.isNewline { break }
                guard character == "\\" else {
                    text.append(character)
                    continue
                }
                guard self.index < self.characters.count else { break }
                let escape = self.characters[self.index]
                self.index += 1
                switch escape {
                case "n": text.append("\n")
                case "r": text.append("\r")
                case "t": text.append("\t")
                case "b": text.append("\u{8}")
                case "f": text.append("\u{C}")
                case "\"", "\\", "/": text.append(escape)
                case "u":
                    let digits = String(self.characters[self.index...].prefix(4))
                    guard digits.count == 4, let code = UInt32(digits, radix: 16),
                        let scalar = Unicode.Scalar(code)
                    else { throw Failure(message: "Syntax Error: Invalid Unicode escape sequence.") }
                    text.unicodeScalars.append(scalar)
                    self.index += 4
                default:
                    throw Failure(
                        message: "Syntax Error: Invalid character escape sequence: \"\\\(escape)\".")
                }
            }
            throw Failure(message: "Syntax Error: Unterminated string.")
        }
    }
}
