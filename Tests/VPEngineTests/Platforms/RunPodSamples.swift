import Foundation
import VPEngine

/// Answers as the facts about RunPod have them.
enum RunPodSamples {
    static let pod = """
        { "id":"7h9k2m4n6p","name":"vp-train","status":"RUNNING","actions":["stop","restart","terminate"],
          "image":"runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404","args":"","disk":20,
          "mounts":{"persistent":{"size":40,"path":"/workspace"}},
          "ports":["22/tcp","8888/http"],"env":{"MODEL":"llama-3"},"registry":null,
          "gpu":{"id":"NVIDIA GeForce RTX 4090","count":1},
          "cloud":"SECURE","dataCenterId":"US-KS-2","cudaVersion":"12.8",
          "ssh":{"proxy":{"host":"ssh.runpod.io","port":22,"username":"7h9k2m4n6p-64411eb2","command":"ssh …"},
                 "direct":{"host":"195.26.233.3","port":34446,"username":"root","command":"ssh …"}},
          "template":null,"cost":0.44,"locked":false,"globalNetworking":{"enabled":false},
          "runtime":{"uptime":3600,"gpus":[{"util":93,"memoryUtil":41}],"cpu":{"util":12},"memory":{"util":30},
                     "ports":[{"private":8888,"public":60141,"type":"http","ip":"100.65.0.101"},
                              {"private":22,"public":34447,"type":"tcp","ip":"195.26.233.4"}]},
          "createdAt":"2026-06-01T12:00:00Z","startedAt":"2026-06-01T12:02:00.5Z" }
        """

    static let gpu = """
        {"id":"NVIDIA GeForce RTX 4090","name":"RTX 4090","pool":"ADA_24","manufacturer":"NVIDIA","memory":24,
         "secure":true,"community":true,"price":{"secure":0.44,"community":0.31,"serverless":1.1},
         "maxCount":{"secure":8,"community":4},"availability":"HIGH",
         "dataCenters":[{"id":"US-KS-2","name":"US Kansas 2","availability":"HIGH"},
           {"id":"US-TX-3","name":"US Texas 3","availability":"LOW"},
           {"id":"EU-RO-1","name":"EU Romania 1","availability":"MEDIUM"},
           {"id":"EU-CZ-1","name":"EU Czechia 1","availability":"NONE"}],
         "cudaVersions":[{"version":"12.4","available":true},{"version":"12.8","available":true},
           {"version":"13.0","available":false}]}
        """

    static let noCapacity =
        "There are no longer any instances available with the requested specifications. Please refresh and try again."

    static func catalogue(_ rows: String...) -> String { #"{"gpus":[\#(rows.joined(separator: ","))]}"# }

    static func list(_ rows: String...) -> String { #"{"pods":[\#(rows.joined(separator: ","))]}"# }

    static func problem(_ status: Int, _ detail: String) -> ScriptedTransport.Step {
        .json(status, #"{"title":"Problem","status":\#(status),"detail":"\#(detail)"}"#)
    }
}

/// A RunPod client with everything around it scripted.
struct RunPodBench {
    static let key = "rpa_test_key_0123456789abcdef"

    let transport: ScriptedTransport
    let clock = ScriptedClock()
    let client: RunPodClient

    init(_ steps: [ScriptedTransport.Step], repeatsLast: Bool = false) {
        let transport = ScriptedTransport(steps, repeatsLast: repeatsLast)
        let pacing = self.clock.pacing
        let pacer = RequestPacer(scale: 0, clock: pacing)
        var patience = APICaller.Patience()
        patience.jitter = { 0 }
        func caller(_ address: String) -> APICaller {
            APICaller(
                endpoint: PlatformEndpoint(
                    platform: .runpod, baseURL: URL(string: address)!, key: APIKey(RunPodBench.key)),
                transport: transport, pacer: pacer, clock: pacing, patience: patience)
        }
        self.transport = transport
        self.client = RunPodClient(
            caller: caller("https://runpod.test/v2/"), graphQL: caller("https://runpod.test/graphql"))
    }

    init(_ body: String) {
        self.init([.ok(body)], repeatsLast: true)
    }

    var bodies: [JSONValue] {
        self.transport.requests.map { request in
            request.body.flatMap { try? JSONParser.parse($0) } ?? .null
        }
    }

    var lines: [String] {
        self.transport.requests.map { request in
            request.method.rawValue + " "
                + request.url.absoluteString.replacing("https://runpod.test", with: "")
        }
    }
}
