import Foundation
import VPEngine

/// A platform's own description of its API, as kept in `Tests/OpenAPI`, and what breaks it.
struct OpenAPI {
    let document: JSONValue

    /// - Parameter name: of the file, without its ending.
    init(_ name: String) throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: tests.appendingPathComponent("OpenAPI/\(name).json"))
        self.document = try JSONParser.parse(Array(data))
    }

    // MARK: Requests and answers

    /// What is wrong with `request`; a path that is not described is not complained about but returned as
    /// nil.
    func complaints(about request: HTTPRequest) -> [String]? {
        guard let operation = self.operation(for: request) else { return nil }
        let line = "\(request.method.rawValue) \(request.url.path)"
        var found = self.queryComplaints(request, operation).map { "\(line)\($0)" }
        let schema = self.resolved(operation["requestBody"])["content"]["application/json"]["schema"]
        guard let body = request.body else {
            if operation["requestBody"]["required"].bool == true { found.append("\(line): no body") }
            return found
        }
        guard let value = try? JSONParser.parse(body) else { return found + ["\(line): the body is no JSON"] }
        // The official clients send `{}` where there is nothing to say.
        if schema.isNull, value.object?.isEmpty == true { return found }
        if schema.isNull { return found + ["\(line): a body that nobody asked for"] }
        return found + self.complaints(value, schema, at: "$").map { "\(line) \($0)" }
    }

    /// What is wrong with `response`, the answer to `request`.
    func complaints(about response: HTTPResponse, to request: HTTPRequest) -> [String]? {
        guard let operation = self.operation(for: request) else { return nil }
        let line = "\(request.method.rawValue) \(request.url.path) \(response.status)"
        let responses = operation["responses"]
        let named = responses[String(response.status)]
        let described = self.resolved(named.isNull ? responses["default"] : named)
        guard !described.isNull else { return ["\(line): an undescribed status"] }
        let content = described["content"]
        let kind = response.headers["content-type"] ?? ""
        guard content.object?.isEmpty == false else {
            return response.body.isEmpty ? [] : ["\(line): a body that is not described"]
        }
        guard !content[kind].isNull else { return ["\(line): \(kind) is not described"] }
        guard kind.hasSuffix("json") else { return [] }
        guard let value = try? JSONParser.parse(response.body) else { return ["\(line): no JSON"] }
        return self.complaints(value, content[kind]["schema"], at: "$").map { "\(line) \($0)" }
    }

    /// Paths are described without the slash at their end, which real requests to vast.ai have.
    private func operation(for request: HTTPRequest) -> JSONValue? {
        let parts = request.url.path.split(separator: "/")
        for (template, operations) in self.document["paths"].object ?? [:] {
            let names = template.split(separator: "/")
            guard names.count == parts.count, zip(names, parts).allSatisfy({ $0.hasPrefix("{") || $0 == $1 })
            else { continue }
            let operation = operations[request.method.rawValue.lowercased()]
            return operation.isNull ? nil : operation
        }
        return nil
    }

    private func queryComplaints(_ request: HTTPRequest, _ operation: JSONValue) -> [String] {
        let items = URLComponents(url: request.url, resolvingAgainstBaseURL: false)?.queryItems ?? []
        let parameters = (operation["parameters"].array ?? []).map(self.resolved)
        return items.flatMap { item -> [String] in
            guard
                let parameter = parameters.first(where: {
                    $0["in"].text == "query" && $0["name"].text == item.name
                })
            else { return ["?\(item.name) is not described"] }
            let schema = self.resolved(parameter["schema"])
            let text = item.value ?? ""
            let value: JSONValue =
                switch schema["type"].text {
                case "array": .array(text.split(separator: ",").map { .string(String($0)) })
                case "integer", "number": Double(text).map(JSONValue.number) ?? .string(text)
                case "boolean": ["true": true, "false": false][text] ?? .string(text)
                default: .string(text)
                }
            return self.complaints(value, schema, at: "?\(item.name)")
        }
    }

    // MARK: Schemas

    private func resolved(_ value: JSONValue) -> JSONValue {
        guard let reference = value["$ref"].text else { return value }
        var found = self.document
        for part in reference.split(separator: "/").dropFirst() { found = found[String(part)] }
        return self.resolved(found)
    }

    /// As much of JSON Schema as the two descriptions use.
    private func complaints(_ value: JSONValue, _ unresolved: JSONValue, at place: String) -> [String] {
        let schema = self.resolved(unresolved)
        var found: [String] = []
        for part in schema["allOf"].array ?? [] { found += self.complaints(value, part, at: place) }
        for keyword in ["anyOf", "oneOf"] {
            guard let choices = schema[keyword].array else { continue }
            let misses = choices.map { self.complaints(value, $0, at: place) }
            if !misses.contains(where: \.isEmpty) {
                found.append("\(place): none of \(choices.count) forms fits: \(misses.joined().prefix(3))")
            }
        }
        if !schema["not"].isNull, self.complaints(value, schema["not"], at: place).isEmpty {
            found.append("\(place): what must not be is")
        }
        if !schema["if"].isNull, self.complaints(value, schema["if"], at: place).isEmpty {
            found += self.complaints(value, schema["then"], at: place)
        }
        let types = schema["type"].array?.compactMap(\.text) ?? schema["type"].text.map { [$0] } ?? []
        if !types.isEmpty, !types.contains(where: { self.has(value, type: $0) }) {
            return found + ["\(place): expected \(types.joined(separator: " or "))"]
        }
        if let words = schema["enum"].array, !words.contains(value) {
            found.append("\(place): \(value.encoded) is not among the words")
        }
        switch value {
        case .string(let text):
            if let least = schema["minLength"].int, text.count < least { found.append("\(place): too short") }
            if let most = schema["maxLength"].int, text.count > most { found.append("\(place): too long") }
            if let pattern = schema["pattern"].text,
                text.range(of: pattern, options: .regularExpression) == nil
            {
                found.append("\(place): does not match \(pattern)")
            }
        case .number(let number):
            if let least = schema["minimum"].double, number < least { found.append("\(place): too small") }
            if let most = schema["maximum"].double, number > most { found.append("\(place): too large") }
        case .array(let elements):
            if let most = schema["maxItems"].int, elements.count > most { found.append("\(place): too many") }
            if let least = schema["minItems"].int, elements.count < least {
                found.append("\(place): too few")
            }
            if !schema["items"].isNull {
                for (index, element) in elements.enumerated() {
                    found += self.complaints(element, schema["items"], at: "\(place)[\(index)]")
                }
            }
        case .object(let members): found += self.complaints(members, schema, at: place)
        case .null, .bool: break
        }
        return found
    }

    private func complaints(
        _ members: [String: JSONValue], _ schema: JSONValue, at place: String
    ) -> [String] {
        var found: [String] = []
        for name in schema["required"].array?.compactMap(\.text) ?? [] where members[name] == nil {
            found.append("\(place): \(name) is missing")
        }
        if let least = schema["minProperties"].int, members.count < least {
            found.append("\(place): too few")
        }
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            let described = schema["properties"][name]
            if !described.isNull {
                found += self.complaints(member, described, at: "\(place).\(name)")
            } else if schema["additionalProperties"] == .bool(false) {
                found.append("\(place): \(name) is not allowed")
            } else if schema["additionalProperties"].object != nil {
                found += self.complaints(member, schema["additionalProperties"], at: "\(place).\(name)")
            }
        }
        if schema["unevaluatedProperties"] == .bool(false) {
            let known = self.knownNames(schema)
            for name in members.keys.sorted() where !known.contains(name) {
                found.append("\(place): \(name) is not allowed")
            }
        }
        return found
    }

    private func knownNames(_ unresolved: JSONValue) -> Set<String> {
        let schema = self.resolved(unresolved)
        var names = Set((schema["properties"].object ?? [:]).keys)
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in schema[keyword].array ?? [] { names.formUnion(self.knownNames(part)) }
        }
        return names
    }

    private func has(_ value: JSONValue, type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.array, "array"), (.object, "object"),
            (.number, "number"):
            true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}
