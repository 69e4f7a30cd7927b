/// One answer of a platform's API, and what it says went wrong. Each platform has words of its own for that.
protocol PlatformAnswer: Sendable {
    init(_ body: AnswerBody)

    var body: AnswerBody { get }

    /// Whether the platform has not done what it was asked, whatever the status.
    var isRefusal: Bool { get }
    var errorCode: EngineError.Code { get }
    /// The server's own words, with the status for want of any.
    var message: String { get }
}

extension PlatformAnswer {
    var response: HTTPResponse { self.body.response }
    var json: JSONValue { self.body.json }
    var isJSON: Bool { self.body.isJSON }
    var isRefusal: Bool { !self.response.isSuccess }
}

/// The body of an answer: JSON, or what a proxy in between or an overloaded server sent instead.
struct AnswerBody: Sendable {
    let response: HTTPResponse
    /// `.null` where the body is no JSON.
    let json: JSONValue
    let isJSON: Bool
    /// Why the body is no JSON.
    let problem: String?

    init(_ response: HTTPResponse) {
        self.response = response
        do throws(JSONParser.Failure) {
            self.json = try JSONParser.parse(response.body)
            self.isJSON = true
            self.problem = nil
        } catch {
            self.json = .null
            self.isJSON = false
            self.problem = error.reason
        }
    }

    var isHTML: Bool { self.response.text.drop(while: \.isWhitespace).first == "<" }

    /// What the members `fields`, or a body of plain text, say, in lower case. A page of HTML says nothing.
    func words(in fields: [String]) -> String {
        guard self.isJSON else { return self.isHTML ? "" : self.response.text.lowercased() }
        return fields.compactMap { self.json[$0].text }.joined(separator: " ").lowercased()
    }

    /// The first of the members `fields` that says something, else the plain text, else the status.
    func message(in fields: [String]) -> String {
        for field in fields {
            if let text = self.json[field].text { return text }
        }
        let text = self.isJSON || self.isHTML ? "" : self.response.text
        return text.contains { !$0.isWhitespace } ? text : "HTTP status \(self.response.status)"
    }
}
