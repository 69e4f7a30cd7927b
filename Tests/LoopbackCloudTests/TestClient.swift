import Foundation
import FoundationNetworking
import LoopbackCloud
import VPTestSupport

/// A plain HTTP client: what the wire says, nothing of our engine.
struct TestClient: Sendable {
    struct Answer: @unchecked Sendable {
        let status: Int
        let contentType: String?
        let text: String
        /// Nil when the text is no JSON. Made of Foundation's immutable values.
        let json: Any?

        subscript(key: String) -> Any? { (self.json as? [String: Any])?[key] }
        func rows(_ key: String) -> [[String: Any]] { self[key] as? [[String: Any]] ?? [] }
    }

    let base: URL
    var key: String?

    init(base: URL) { self.base = base }

    init(_ cloud: LoopbackCloud) {
        self.base = cloud.vastURL
        self.key = cloud.vastAPIKey
    }

    func with(key: String?) -> TestClient {
        var copy = self
        copy.key = key
        return copy
    }

    func get(_ path: String) async throws -> Answer { try await self.send("GET", path, nil) }
    func post(_ path: String, _ body: String) async throws -> Answer {
        try await self.send("POST", path, body)
    }
    func put(_ path: String, _ body: String = "{}") async throws -> Answer {
        try await self.send("PUT", path, body)
    }
    func delete(_ path: String, _ body: String = "{}") async throws -> Answer {
        try await self.send("DELETE", path, body)
    }

    func send(_ method: String, _ path: String, _ body: String?) async throws -> Answer {
        let url = path.hasPrefix("http") ? URL(string: path) : URL(string: self.base.absoluteString + path)
        guard let url else { throw URLError(.badURL) }
        var request = URLRequest(url: url, timeoutInterval: 30)
        request.httpMethod = method
        if let key = self.key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
        if let body {
            request.httpBody = Data(body.utf8)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let (data, response) = try await Self.session.data(for: request)
        let http = response as? HTTPURLResponse
        return Answer(
            status: http?.statusCode ?? 0, contentType: http?.value(forHTTPHeaderField: "Content-Type"),
            text: String(decoding: data, as: UTF8.self),
            json: try? JSONSerialization.jsonObject(with: data, options: [.fragmentsAllowed]))
    }

    private static let session = URLSession(configuration: .ephemeral)

    /// Form encoding as Python's client does it: a space is a plus.
    static func encoded(_ text: String) -> String {
        let kept = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: " "))
        return (text.addingPercentEncoding(withAllowedCharacters: kept) ?? "").replacingOccurrences(
            of: " ", with: "+")
    }

    // MARK: The usual steps

    /// An offer that can be rented, cheapest first.
    func offer(_ position: Int = 0) async throws -> [String: Any] {
        let answer = try await self.post(
            "/api/v0/bundles/", #"{"order":[["dph_total","asc"]],"direct_port_count":{"gte":1}}"#)
        return answer.rows("offers")[position]
    }

    /// Rents and returns the instance's id.
    func rent(
        _ position: Int = 0, _ more: String = "", runtype: String = "ssh_direc ssh_proxy"
    ) async throws -> Int {
        let id = try await self.offer(position)["id"] as? Int ?? 0
        let answer = try await self.put(
            "/api/v0/asks/\(id)/",
            #"{"image":"pytorch/pytorch:2.4.0","disk":16,"runtype":"\#(runtype)"\#(more)}"#)
        guard let contract = answer["new_contract"] as? Int else {
            throw WaitTimeout(description: answer.text)
        }
        return contract
    }

    /// The row of `id`, nil when the platform says that it knows none. A refused call says nothing and is
    /// repeated.
    func instance(_ id: Int) async throws -> [String: Any]? {
        let answer = try await wait(for: "an answer") { () -> Answer? in
            let answer = try await self.get("/api/v0/instances/\(id)/?owner=me")
            return answer.status == 200 ? answer : nil
        }
        return answer["instances"] as? [String: Any]
    }

    /// Waits until the platform says that `id` runs.
    func running(_ id: Int) async throws -> [String: Any] {
        try await wait(for: "instance \(id) to run") {
            guard let row = try await self.instance(id), row["actual_status"] as? String == "running" else {
                return nil
            }
            return row
        }
    }
}
