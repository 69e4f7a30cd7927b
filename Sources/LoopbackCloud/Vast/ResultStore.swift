import Foundation
import Synchronization

/// Texts that can be fetched from a link some time after they were requested, without a key: the platform
/// uploads them to a storage service.
final class ResultStore: Sendable {
    private struct Result {
        let text: String
        let readyAt: Double
        var wasAskedFor = false
    }

    private let results = Mutex<[String: Result]>([:])

    /// Stores `text` and returns the path of its link.
    func add(_ text: String, readyAt: Double) -> String {
        let name = UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased() + ".log"
        self.results.withLock { $0[name] = Result(text: text, readyAt: readyAt) }
        return "/instance_logs/\(name)"
    }

    /// The first look is always too early, so that no client learns to rely on a single one.
    func answer(_ request: APIRequest, at now: Double) -> APIReply {
        let denied = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>
            """
        let notYet = APIReply(status: 403, contentType: "application/xml", body: Data(denied.utf8))
        guard request.method == "GET", let name = request.path.last else { return notYet }
        return self.results.withLock { results in
            guard var result = results[name] else { return notYet }
            let isReady = result.wasAskedFor && now >= result.readyAt
            result.wasAskedFor = true
            results[name] = result
            return isReady ? .text(result.text) : notYet
        }
    }
}
