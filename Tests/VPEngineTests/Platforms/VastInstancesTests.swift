import Foundation
import Testing
import VPEngine

@Suite("vast.ai: reading instances")
struct VastInstancesTests {
    private let id = InstanceID(platform: .vast, rawValue: "7835610")

    @Test func theDocumentedRowDecodes() async throws {
        let bench = VastBench(VastSamples.page([VastSamples.row]))
        let instances = try await bench.client.instances()
        var expected = Instance(
            id: self.id, name: "train", status: .running,
            statusMessage: "success, running pytorch/pytorch_2.4.0-cuda12.4-cudnn9-runtime/ssh",
            gpuName: "RTX 4090", gpuCount: 1, gpuMemoryBytes: 24_564_000_000,
            price: HourlyPrice(dollarsPerHour: 0.3541),
            createdAt: Date(timeIntervalSince1970: 1_795_400_000.12),
            image: "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime",
            addresses: [
                SSHAddress(host: "203.0.113.42", port: 41000),
                SSHAddress(host: "ssh5.vast.ai", port: 15610),
            ],
            diskBytes: 40_000_000_000, location: "Quebec, CA", machineID: "28811")
        // The disk alone, as the host charges it while the instance is stopped.
        expected.stoppedPrice = HourlyPrice(dollarsPerHour: 0.0074)
        #expect(instances == [expected])
        #expect(
            bench.lines == [
                "GET /api/v1/instances/?select_filters=%7B%7D"
                    + "&order_by=%5B%7B%22col%22%3A%22id%22%2C%22dir%22%3A%22asc%22%7D%5D&limit=25"
            ])
    }

    @Test func allPagesAreRead() async throws {
        func row(_ id: Int) -> String { VastSamples.edit(VastSamples.row, ["id": .number(Double(id))]) }
        let bench = VastBench([
            .ok(VastSamples.page([row(1), row(2)], next: "YQ==")),
            .ok(VastSamples.page([row(2), row(3)], next: "Yg==")),
            .ok(VastSamples.page([row(4)])),
        ])
        let instances = try await bench.client.instances()
        #expect(instances.map(\.id.rawValue) == ["1", "2", "3", "4"])
        #expect(bench.lines[1].hasSuffix("&limit=25&after_token=YQ%3D%3D"))
    }

    @Test func pagesThatGoRoundInCirclesAreAnError() async {
        let bench = VastBench([.ok(VastSamples.page([VastSamples.row], next: "YQ=="))], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == .badResponse)
        #expect(bench.lines.count == 2)
    }

    @Test func aFailingSecondPageIsNotAShortList() async {
        let bench = VastBench([
            .ok(VastSamples.page([VastSamples.row], next: "YQ==")), .json(500, #"{"error":"server_error"}"#),
        ])
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == .platformFailed)
    }

    @Test func anAccountWithoutInstancesIsEmpty() async throws {
        let instances = try await VastBench(VastSamples.page([])).client.instances()
        #expect(instances.isEmpty)
    }

    @Test(arguments: [
        "{}", #"{"instances":null}"#, #"{"success":true}"#, #"{"instances":{}}"#, #"{"instances":[null]}"#,
        #"{"instances":[{"label":"x"}]}"#, #"{"instances":[],"total_instances":3}"#, "[]", "null", "",
        "<html><body>Bad gateway</body></html>",
    ])
    func whatIsNoListOfInstancesIsNeverEmpty(body: String) async {
        let bench = VastBench(body)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == .badResponse)
    }

    @Test func oneInstanceComesAsObjectOrArray() async throws {
        for body in [VastSamples.single(VastSamples.row), VastSamples.single("[\(VastSamples.row)]")] {
            let bench = VastBench(body)
            #expect(try await bench.client.instance(self.id)?.name == "train")
            #expect(bench.lines == ["GET /api/v0/instances/7835610/?owner=me"])
        }
    }

    @Test func oneThatIsGoneIsNil() async throws {
        let steps: [ScriptedTransport.Step] = [
            .ok(#"{"instances":null}"#), .ok(#"{"instances":[]}"#),
            .json(404, #"{"success":false,"error":"no_such_instance","msg":"Instance 7835610 not found."}"#),
            .json(404, #"{"success":false,"error":"not_found","msg":"gone"}"#),
        ]
        for step in steps {
            #expect(try await VastBench([step]).client.instance(self.id) == nil)
        }
    }

    @Test(arguments: [
        (404, "<html>not found</html>", EngineError.Code.badResponse),
        (404, "", .badResponse),
        (404, #"{"success":false,"error":"auth_error","msg":"Invalid user key"}"#, .unauthorized),
        (200, "{}", .badResponse),
        (200, #"{"instances":{"label":"x"}}"#, .badResponse),
    ])
    func whatDoesNotSayGoneIsNotGone(status: Int, body: String, code: EngineError.Code) async {
        let bench = VastBench([.json(status, body)])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.instance(self.id)
        }
        #expect(error?.code == code)
    }

    struct StatusCase: CustomTestStringConvertible, Sendable {
        let actual: JSONValue
        let current: JSONValue
        let intended: JSONValue
        var message: JSONValue = nil
        let status: InstanceStatus

        var testDescription: String {
            "\(self.actual.encoded) \(self.current.encoded) \(self.intended.encoded) \(self.message.encoded)"
        }
    }

    @Test(arguments: [
        StatusCase(actual: nil, current: "running", intended: "running", status: .pending),
        StatusCase(actual: "created", current: "running", intended: "running", status: .pending),
        StatusCase(
            actual: "loading", current: "running", intended: "running",
            message: "8cf1e2: Pulling fs layer 31%\n", status: .loading),
        StatusCase(
            actual: "running", current: "running", intended: "running",
            message: "success, running pytorch/pytorch_2.2.0/ssh", status: .running),
        StatusCase(actual: "running", current: "running", intended: nil, status: .running),
        StatusCase(actual: "running", current: "running", intended: "stopped", status: .stopping),
        StatusCase(actual: "exited", current: "running", intended: "stopped", status: .stopping),
        StatusCase(actual: "exited", current: "stopped", intended: "stopped", status: .stopped),
        StatusCase(actual: "exited", current: "stopped", intended: "running", status: .pending),
        StatusCase(actual: "exited", current: "running", intended: "running", status: .failed),
        StatusCase(actual: "rebooting", current: "running", intended: "running", status: .loading),
        StatusCase(actual: "recycling", current: "running", intended: "running", status: .loading),
        StatusCase(actual: "offline", current: "running", intended: "running", status: .lost),
        StatusCase(actual: "unknown", current: "running", intended: "running", status: .lost),
        StatusCase(
            actual: "created", current: "running", intended: "running",
            message: "docker: OCI runtime create failed: no such device", status: .failed),
        StatusCase(
            actual: "loading", current: "running", intended: "running",
            message: "manifest unknown: no such tag", status: .failed),
        StatusCase(
            actual: "loading", current: "running", intended: "running",
            message: "pull access denied for nobody/nothing", status: .failed),
        StatusCase(actual: "frozen", current: "running", intended: "running", status: .unknown),
        StatusCase(actual: "hibernating", current: "running", intended: "running", status: .unknown),
        StatusCase(actual: nil, current: nil, intended: nil, status: .pending),
    ])
    func fourFieldsMakeOneStatus(sample: StatusCase) async throws {
        let row = VastSamples.edit(
            VastSamples.row,
            [
                "actual_status": sample.actual, "cur_state": sample.current,
                "intended_status": sample.intended, "status_msg": sample.message,
            ])
        let instance = try await VastBench(VastSamples.single(row)).client.instance(self.id)
        #expect(instance?.status == sample.status)
    }

    @Test func theOldStatusAfterAStartIsNotACrash() async throws {
        let row = VastSamples.edit(VastSamples.row, ["actual_status": "exited"])
        let bench = VastBench([
            .ok(#"{"success":true}"#), .ok(VastSamples.single(row)), .ok(VastSamples.single(row)),
        ])
        try await bench.client.start(self.id)
        #expect(try await bench.client.instance(self.id)?.status == .loading)
        bench.clock.advance(by: .seconds(601))
        #expect(try await bench.client.instance(self.id)?.status == .failed)
    }

    @Test func aStoppedInstanceCostsItsDisk() async throws {
        let stopped: [String: JSONValue?] = [
            "actual_status": "exited", "cur_state": "stopped", "intended_status": "stopped",
        ]
        let charged = stopped.merging(["instance": ["totalHour": 0.0074]]) { _, new in new }
        let derived = stopped.merging(["instance": nil]) { _, new in new }
        for changes in [charged, derived] {
            let body = VastSamples.single(VastSamples.edit(VastSamples.row, changes))
            #expect(try await VastBench(body).client.instance(self.id)?.price.dollarsPerHour == 0.0074)
        }
    }

    private static let addresses: [([String: JSONValue?], [String])] = [
        (["ports": .none], ["ssh5.vast.ai:15610"]),
        (["ports": .some(.null)], ["ssh5.vast.ai:15610"]),
        (["ports": .object(["22/tcp": .null])], ["ssh5.vast.ai:15610"]),
        (["ports": .object(["22/tcp": []])], ["ssh5.vast.ai:15610"]),
        (
            ["ports": .object(["22/tcp": [.object(["HostPort": 41000])]])],
            ["203.0.113.42:41000", "ssh5.vast.ai:15610"]
        ),
        (
            ["image_runtype": "jupyter_direc ssh_direc ssh_proxy"],
            ["203.0.113.42:41000", "ssh5.vast.ai:15611"]
        ),
        (["public_ipaddr": .none], ["ssh5.vast.ai:15610"]),
        (["public_ipaddr": "-oProxyCommand=x"], ["ssh5.vast.ai:15610"]),
        (["ssh_host": .none, "ssh_port": .none], ["203.0.113.42:41000"]),
        (["ssh_port": "15610"], ["203.0.113.42:41000", "ssh5.vast.ai:15610"]),
        (["ssh_port": 0, "ports": .none], []),
        (["ssh_port": 99999, "ports": .none], []),
    ]

    @Test(arguments: VastInstancesTests.addresses)
    func addressesAreDirectFirst(changes: [String: JSONValue?], expected: [String]) async throws {
        let body = VastSamples.single(VastSamples.edit(VastSamples.row, changes))
        let instance = try await VastBench(body).client.instance(self.id)
        #expect(instance?.addresses.map { "\($0.host):\($0.port)" } == expected)
    }

    @Test func theStatusMessageIsOneHarmlessLine() async throws {
        let row = VastSamples.edit(
            VastSamples.row,
            ["status_msg": .string("one\n\ntwo\u{1B}[31mred\t  three\n" + String(repeating: "x", count: 900))]
        )
        let message = try await VastBench(VastSamples.single(row)).client.instance(self.id)?.statusMessage
        #expect(message?.hasPrefix("one two [31mred three xxx") == true)
        #expect(message?.count == 301)
        #expect(message?.unicodeScalars.contains { $0.value < 32 } == false)
    }
}
