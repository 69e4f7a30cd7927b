import Foundation
import Testing
import VPEngine
import VPTestSupport

/// Whom is believed, and how it is said when a server cannot prove who it is.
@Suite("Certificates and proxies", .requires("openssl", "python3"))
struct SecureConnectionTests {
    private static func request(_ url: URL) -> HTTPRequest {
        HTTPRequest(
            method: .get, url: url, headers: ["Authorization": "Bearer key-of-a-test"],
            activity: .init("testing", platform: .vast))
    }

    private static func settings(_ environment: [String: String]) -> NetworkSettings {
        NetworkSettings(environment: environment)
    }

    private func ask(_ url: URL, _ settings: NetworkSettings) async -> Result<Int, EngineError> {
        do throws(EngineError) {
            return .success(try await CurlTransport(settings).send(Self.request(url)).status)
        } catch {
            return .failure(error)
        }
    }

    private func failure(_ result: Result<Int, EngineError>) -> EngineError? {
        if case .failure(let error) = result { error } else { nil }
    }

    @Test func anAuthorityOfOnesOwnIsBelieved() async throws {
        try await TemporaryFolder.with { folder in
            let file = try TLSServer.makeCertificates(in: folder.path)
            let server = try TLSServer(.good, in: folder.path)
            for variable in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
                #expect(
                    await self.ask(server.url, Self.settings([variable: file])) == .success(200),
                    "\(variable)")
            }
            let unknown = self.failure(await self.ask(server.url, NetworkSettings()))
            #expect(unknown?.code == .insecureConnection)
            #expect(unknown?.detail?.hasPrefix("the certificate of 127.0.0.1 is not trusted") == true)
        }
    }

    @Test func aFolderOfAuthoritiesIsBelieved() async throws {
        try await TemporaryFolder.with { folder in
            _ = try TLSServer.makeCertificates(in: folder.path)
            let server = try TLSServer(.good, in: folder.path)
            let store = "\(folder.path)/store"
            for variable in ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"] {
                #expect(
                    await self.ask(server.url, Self.settings([variable: store])) == .success(200),
                    "\(variable)")
            }
        }
    }

    @Test func whatACertificateLacksIsSaid() async throws {
        try await TemporaryFolder.with { folder in
            let settings = Self.settings(["SSL_CERT_FILE": try TLSServer.makeCertificates(in: folder.path)])
            for (certificate, words) in [
                (TLSServer.Certificate.expired, "has expired"), (.otherHost, "is for another host name"),
            ] {
                let server = try TLSServer(certificate, in: folder.path)
                let error = self.failure(await self.ask(server.url, settings))
                #expect(error?.code == .insecureConnection)
                #expect(error?.detail == "the certificate of 127.0.0.1 \(words)")
            }
        }
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        let url = try #require(URL(string: "https://127.0.0.1:9/"))
        let server = try LoopbackServer { _ in .partial("") }
        let secure = try #require(URL(string: "https://127.0.0.1:\(server.port)/"))
        for url in [url, secure] {
            let error = self.failure(await self.ask(url, Self.settings(["SSL_CERT_FILE": "/nowhere/ca.pem"])))
            // A host that is away may be noticed first.
            guard error?.code != .networkDown else { continue }
            #expect(error?.code == .badConfiguration)
            #expect(error?.detail?.contains("/nowhere/ca.pem, which SSL_CERT_FILE names") == true)
        }
    }

    @Test func aServerWithoutTLSIsNoSecureConnection() async throws {
        let server = try LoopbackServer { _ in .response("200 OK", "") }
        let url = try #require(URL(string: "https://127.0.0.1:\(server.port)/"))
        let error = self.failure(await self.ask(url, NetworkSettings()))
        // The server waits for the end of a request that it can read, or says at once that this is none.
        #expect([.networkDown, .timedOut].contains(error?.code))
        #expect(error?.detail?.contains("127.0.0.1") == true)
        #expect(error?.detail?.contains("(-1)") == false)
    }

    // MARK: Proxies

    /// 127.0.0.2 is this machine by another address, which nothing exempts from a proxy.
    private static func remote(_ scheme: String, _ port: Int) throws -> URL {
        try #require(URL(string: "\(scheme)://127.0.0.2:\(port)/x"))
    }

    @Test func aProxyIsAsked() async throws {
        let proxy = try LoopbackServer { _ in .response("200 OK", "by proxy") }
        let url = try Self.remote("http", 9)
        for variable in ["http_proxy", "ALL_PROXY"] {
            let settings = Self.settings([variable: "http://user:secret@127.0.0.1:\(proxy.port)"])
            #expect(await self.ask(url, settings) == .success(200))
        }
        #expect(proxy.requests.map(\.line) == Array(repeating: "GET http://127.0.0.2:9/x HTTP/1.1", count: 2))
        // HTTP_PROXY in capitals may be a header of a request to a CGI program.
        let ignored = self.failure(
            await self.ask(url, Self.settings(["HTTP_PROXY": proxy.url.absoluteString])))
        #expect(ignored?.detail == "cannot connect to 127.0.0.2")
        let exempt = Self.settings([
            "http_proxy": proxy.url.absoluteString, "NO_PROXY": "example.com,127.0.0.2",
        ])
        // The error names no proxy that was not asked.
        #expect(self.failure(await self.ask(url, exempt))?.detail == "cannot connect to 127.0.0.2")
        #expect(proxy.requests.count == 2)
    }

    @Test func aProxyIsNamedInTheError() async throws {
        let port = try LoopbackServer { _ in .partial("") }.port
        let away = Self.settings(["HTTPS_PROXY": "http://user:secret@127.0.0.1:\(port)"])
        let error = self.failure(await self.ask(try Self.remote("https", 9), away))
        #expect(error?.code == .networkDown)
        #expect(
            error?.detail
                == "cannot connect to 127.0.0.2 through the proxy http://***@127.0.0.1:\(port) (HTTPS_PROXY)")

        let refusing = try LoopbackServer { _ in .response("403 Forbidden", "no") }
        let settings = Self.settings(["https_proxy": refusing.url.absoluteString])
        let refused = self.failure(await self.ask(try Self.remote("https", 9), settings))
        #expect(refused?.code == .networkDown)
        #expect(refused?.detail?.contains("127.0.0.1:\(refusing.port)") == true)
        #expect(
            refused?.detail?.contains("(https_proxy) refuses to connect to 127.0.0.2 (status 403)") == true)
        // The key is for the server behind it.
        #expect(refusing.requests.allSatisfy { $0.header("authorization") == nil })
    }

    @Test func thisMachineIsAskedWithoutAProxy() async throws {
        let server = try LoopbackServer { _ in .response("200 OK", "") }
        let settings = Self.settings(["ALL_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"])
        #expect(await self.ask(server.url, settings) == .success(200))
    }

    @Test(arguments: [
        ("https://user:pw@host:1/v2", "https://***@host:1/v2"), ("https://host/a@b", "https://host/a@b"),
        ("http://k@[::1]:80", "http://***@[::1]:80"), ("user:pw@host", "***@host"), ("host", "host"),
        ("https://a:b@c@d/", "https://***@d/"),
    ]) func passwordsAreNotShown(text: String, shown: String) {
        #expect(ShownAddress.redacted(text) == shown)
    }
}
