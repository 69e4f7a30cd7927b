import Foundation
import LoopbackCloud
import VPEngine
import VPTestSupport

/// A plain HTTP client: what the wire says, and of our engine nothing but the way the bytes take.
struct TestClient: Sendable {
    struct Answer: @unchecked Sendable {
        let status: Int
        let contentType: String?
        /// By lower-case name.
        let headers: [String: String]
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

    /// For RunPod's dialects: paths begin with `/v2` or `/graphql`.
    static func runPod(_ cloud: LoopbackCloud) -> TestClient {
        var client = TestClient(base: cloud.runPodURL.deletingLastPathComponent())
        client.key = cloud.runPodAPIKey
        return client
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
    func patch(_ path: String, _ body: String) async throws -> Answer {
        try await self.send("PATCH", path, body)
    }
    func delete(_ path: String, _ body: String? = "{}") async throws -> Answer {
        try await self.send("DELETE", path, body)
    }

    func send(_ method: String, _ path: String, _ body: String?) async throws -> Answer {
        let base = self.base.absoluteString
        let url = URL(string: path.hasPrefix("http") ? path : base.trimmingSuffix("/") + path)
        guard let url, let verb = HTTPRequest.Method(rawValue: method) else {
            throw CocoaError(.featureUnsupported)
        }
        var headers: [String: String] = [:]
        if let key = self.key { headers["Authorization"] = "Bearer \(key)" }
        if body != nil { headers["Content-Type"] = "application/json" }
        let response = try await Self.transport.send(
            HTTPRequest(
                method: verb, url: url, headers: headers, body: body.map { Array($0.utf8) },
                activity: .init("testing the loopback cloud")))
        return Answer(
            status: response.status, contentType: response.headers["content-type"], headers: response.headers,
            text: String(decoding: response.body, as: UTF8.self),
            json: try? JSONSerialization.jsonObject(with: Data(response.body), options: [.fragmentsAllowed]))
    }

    private static let transport = CurlTransport()

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

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        self.hasSuffix(suffix) ? String(self.dropLast(suffix.count)) : self
    }
}

// MARK: RunPod

extension TestClient {
    func graphQL(_ query: String, variables: String = "null") async throws -> Answer {
        let body = try JSONSerialization.data(withJSONObject: [query])
        let text = String(decoding: body, as: UTF8.self).dropFirst().dropLast()
        return try await self.post("/graphql", #"{"query":\#(text),"variables":\#(variables)}"#)
    }

    /// The value at `path` of a GraphQL answer's data.
    func data(_ query: String, variables: String = "null", _ path: String...) async throws -> Any? {
        var value = try await self.graphQL(query, variables: variables).json
        for name in ["data"] + path { value = (value as? [String: Any])?[name] }
        return value
    }

    /// The body that rents a pod, with `more` members in front of a comma.
    static func podBody(_ more: String = "", gpu: String = "NVIDIA GeForce RTX 4090") -> String {
        #"{\#(more)"name":"vp-pod","image":"runpod/pytorch:2.8","gpu":{"id":"\#(gpu)"},"ports":["22/tcp"]}"#
    }

    func makePod(_ more: String = "") async throws -> String {
        let answer = try await self.post(
            "/v2/pods", Self.podBody(#""startSsh":true,"# + more))
        guard answer.status == 201, let id = answer["id"] as? String else {
            throw WaitTimeout(description: answer.text)
        }
        return id
    }

    func pod(_ id: String) async throws -> Answer { try await self.get("/v2/pods/\(id)") }

    /// Waits until the pod is in `status`, and, when it runs, until it says where ssh is.
    func pod(_ id: String, is status: String) async throws -> Answer {
        try await wait(for: "pod \(id) to be \(status)") {
            let answer = try await self.pod(id)
            guard answer["status"] as? String == status else { return nil }
            return status != "RUNNING" || answer.sshPort != nil ? answer : nil
        }
    }
}

extension TestClient.Answer {
    /// A pod's published port 22.
    var sshPort: Int? { ((self["ssh"] as? [String: Any])?["direct"] as? [String: Any])?["port"] as? Int }
}
