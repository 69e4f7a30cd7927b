import Foundation
import Synchronization
import VPEngine

/// Both platforms with some instances on each, in a time of their own that sleepers move on.
final class FullPlatforms: HTTPTransport {
    private let state: Mutex<(now: Double, requests: [(line: String, time: Double)])> = Mutex((0, []))
    /// Tasks that have looked at the clock and have neither sent their request nor gone to sleep.
    private let deciding = Mutex<Set<Int>>([])
    private let rowCount: Int

    init(rows: Int) { self.rowCount = rows }

    var now: Double { self.state.withLock { $0.now } }
    /// Method and path of all requests.
    var lines: [String] { self.state.withLock { $0.requests.map(\.line) } }

    func times(of line: String) -> [Double] {
        self.state.withLock { $0.requests.filter { $0.line.hasPrefix(line) }.map(\.time).sorted() }
    }

    func advance(to time: Double) { self.state.withLock { $0.now = max($0.now, time) } }

    /// - Parameter folder: where searches are counted.
    func clients(_ folder: String) -> [any PlatformClient] {
        let clock = PacingClock(
            now: {
                self.setDeciding(true)
                return .seconds(self.now)
            },
            sleep: { duration in
                let end = self.now + duration / .seconds(1)
                self.setDeciding(false)
                await self.letOthersSend()
                self.advance(to: end)
                self.setDeciding(true)
            })
        func caller(_ platform: Platform, _ address: String, _ pacer: RequestPacer) -> APICaller {
            APICaller(
                endpoint: PlatformEndpoint(
                    platform: platform, baseURL: URL(string: address)!, key: APIKey("key-of-the-test")),
                transport: self, pacer: pacer, clock: clock)
        }
        func pacer(_ platform: Platform) -> RequestPacer {
            RequestPacer(
                clock: clock, shared: SharedPace(folder: folder, account: platform.rawValue))
        }
        let pods = pacer(.runpod)
        return [
            VastClient(
                caller: caller(.vast, "https://vast.test", pacer(.vast)),
                quota: SearchQuota(
                    folder: folder, account: "", now: { Samples.now.addingTimeInterval(self.now) })),
            RunPodClient(
                caller: caller(.runpod, "https://runpod.test/v2", pods),
                graphQL: caller(.runpod, "https://runpod.test/graphql", pods)),
        ]
    }

    private func setDeciding(_ isDeciding: Bool) {
        let task = withUnsafeCurrentTask { $0?.hashValue ?? 0 }
        self.deciding.withLock { tasks in
            if isDeciding { tasks.insert(task) } else { tasks.remove(task) }
        }
    }

    /// A call whose turn has come is sent before time goes on, also if a busy machine has taken its thread
    /// away. One that was refused its turn never sends: nobody waits for it twice.
    private func letOthersSend() async {
        for turn in 0..<10_000 {
            if turn >= 100, self.deciding.withLock(\.isEmpty) { return }
            await Task.yield()
        }
        self.deciding.withLock { $0 = [] }
    }

    func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse {
        let path = request.url.path
        defer { self.setDeciding(false) }
        self.state.withLock { state in
            // The slash at the end belongs to vast.ai's paths and is lost on the way here.
            let isVast = request.url.host == "vast.test" && !path.hasSuffix("/")
            state.requests.append(("\(request.method.rawValue) \(path)\(isVast ? "/" : "")", state.now))
        }
        return HTTPResponse(status: 200, body: Array(self.answer(path).utf8))
    }

    private func answer(_ path: String) -> String {
        func rows(_ row: (Int) -> String) -> String {
            (1...self.rowCount).map(row).joined(separator: ",")
        }
        if path.contains("/v1/instances") {
            let instances = rows { #"{"id":\#($0),"actual_status":"running","intended_status":"running"}"# }
            return
                #"{"success":true,"total_instances":\#(self.rowCount),"next_token":null,"instances":[\#(instances)]}"#
        }
        if path.contains("bundles") {
            let offers = rows {
                #"{"id":\#($0),"gpu_name":"RTX 4090","num_gpus":1,"gpu_ram":24564,"dph_total":0.\#($0 + 10)}"#
            }
            return #"{"offers":[\#(offers)]}"#
        }
        if path.hasSuffix("/pods") {
            return #"{"pods":[\#(rows { #"{"id":"p\#($0)","status":"RUNNING"}"# })]}"#
        }
        if path.hasSuffix("/graphql") { return #"{"data":{"myself":{"clientBalance":10}}}"# }
        return path.contains("catalog") ? #"{"gpus":[]}"# : #"{"credit":10}"#
    }
}
