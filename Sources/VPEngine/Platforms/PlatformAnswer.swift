/// One answer of a platform's API, and its error if there is one. Each platform has words of its own for
/// that.
protocol PlatformAnswer: Sendable {
    init(_ body: AnswerBody)

    var body: AnswerBody { get }

    /// True if the platform has not done what it was asked, whatever the status.
    var isRefusal: Bool { get }
    var errorCode: EngineError.Code { get }
    /// The server's own words, or the status if there are none.
    var message: String { get }
}

extension PlatformAnswer {
    var response: HTTPResponse { self.body.response }
    var json: JSONValue { self.body.json }
    var isJSON: Bool { self.body.isJSON }
    var isRefusal: Bool { !self.response.isSuccess }
}

/// The body of an answer: JSON, or a text that a proxy or an overloaded server sent instead.
struct AnswerBody: Sendable {
    let response: HTTPResponse
    /// The value of the body; `.null` if it is not JSON.
    let json: JSONValue
    let isJSON: Bool
    /// The reason why the body is not JSON.
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

    /// Returns the text of the members `fields`, or of a body of plain text, in lower case. A page of HTML
    /// has none.
    func words(in fields: [String]) -> String {
        guard self.isJSON else { return self.isHTML ? "" : self.response.text.lowercased() }
        return fields.compactMap { self.json[$0].text }.joined(separator: " ").lowercased()
    }

    /// Returns the first of the members `fields` with a text, else the plain text, else the status.
    func message(in fields: [String]) -> String {
        for field in fields {
            if let text = self.json[field].text { return text }
        }
        let text = self.isJSON || self.isHTML ? "" : self.response.text
        return text.contains { !$0.isWhitespace } ? text : "HTTP status \(self.response.status)"
    }
}
