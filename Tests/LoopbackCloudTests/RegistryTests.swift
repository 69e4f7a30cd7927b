import LoopbackCloud
import Testing
import VPTestSupport

/// Logins of registries: made and named by either dialect, and kept while a pod uses them.
@Suite(.requires("sshd", "ssh-keygen"))
struct RegistryTests {
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    @Test(.loopbackCloud(free)) func aLoginIsKeptWhileAPodUsesIt() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let none = try await client.post("/v2/registries", #"{"name":"mine","username":"me"}"#)
        #expect(none.status == 422, "\(none)")
        let made = try await client.post(
            "/v2/registries", #"{"name":"mine","username":"me","password":"secret"}"#)
        #expect(made.status == 201 && !made.text.contains("secret"), "\(made)")
        let id = try #require(made["id"] as? String)
        #expect(try await client.get("/v2/registries/\(id)")["name"] as? String == "mine")
        let shown = try await client.data("{ myself { containerRegistryCreds { id } } }", "myself")
        #expect("\(shown ?? "")".contains(id), "\(String(describing: shown))")

        let unknown = try await client.post("/v2/pods", TestClient.podBody(#""registry":"none","#))
        #expect(unknown.status == 404, "\(unknown)")
        let pod = try await client.post("/v2/pods", TestClient.podBody("\"registry\":\"\(id)\","))
        #expect(pod["registry"] as? String == id, "\(pod)")
        let number = try #require(pod["id"] as? String)
        #expect(try await client.delete("/v2/registries/\(id)", nil).status == 400)
        let kept = try await client.graphQL("mutation { deleteRegistryAuth(registryAuthId: \"\(id)\") }")
        #expect(kept.text.contains("Registry auth not found"), "\(kept)")
        #expect(try await client.delete("/v2/pods/\(number)", nil).status == 204)
        #expect(try await client.delete("/v2/registries/\(id)", nil).status == 204)
        #expect(try await client.get("/v2/registries").rows("registries").isEmpty)
        // Told so by the platform, and not by a 404.
        #expect(try await client.delete("/v2/registries/\(id)", nil).status == 400)
    }
}
