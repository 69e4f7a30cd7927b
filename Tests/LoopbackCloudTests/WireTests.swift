import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// The answers on the wire against the documented ones: keys, types, statuses.
@Suite(.requires("sshd", "ssh-keygen"))
struct WireTests {
    /// Columns of a documented offer row.
    private static let offerColumns = """
        id ask_contract_id bundle_id bundled_results machine_id host_id hosting_type hostname cluster_id num_gpus \
        gpu_name gpu_ids gpu_arch gpu_frac gpu_ram gpu_total_ram gpu_mem_bw gpu_lanes gpu_max_power gpu_max_temp \
        gpu_display_active bw_nvlink compute_cap cuda_max_good driver_version driver_vers pci_gen pcie_bw cpu_name \
        cpu_arch cpu_cores cpu_cores_effective cpu_ghz cpu_ram has_avx mobo_name os_version disk_name disk_space \
        disk_bw inet_up inet_down inet_up_cost inet_down_cost internet_up_cost_per_tb internet_down_cost_per_tb \
        public_ipaddr static_ip direct_port_count geolocation geolocode reliability reliability2 \
        expected_reliability reliability_mult verification vericode vms_enabled is_vm_deverified rentable rented \
        external is_bid resource_type dph_base dph_total dph_total_adj min_bid storage_cost storage_total_cost \
        vram_costperhour credit_discount_max discount_rate discounted_hourly discounted_dph_total search instance \
        dlperf dlperf_per_dphtotal total_flops flops_per_dphtotal score start_date end_date duration \
        avail_vol_ask_id avail_vol_dph avail_vol_size nw_disk_min_bw nw_disk_max_bw nw_disk_avg_bw logo webpage rn \
        time_remaining time_remaining_isbid
        """
    /// Columns of a documented instance row in the list.
    private static let instanceColumns = """
        id label machine_id host_id bundle_id hosting_type actual_status intended_status cur_state next_state \
        status_msg image_uuid image_args image_runtype extra_env onstart jupyter_token template_id \
        template_hash_id template_name ssh_host ssh_port ssh_idx machine_dir_ssh_port public_ipaddr local_ipaddrs \
        direct_port_count direct_port_start direct_port_end static_ip ports start_date end_date duration \
        uptime_mins num_gpus gpu_name gpu_arch gpu_ram gpu_totalram gpu_frac gpu_util gpu_temp vmem_usage \
        gpu_mem_bw gpu_lanes bw_nvlink cpu_name cpu_arch cpu_cores cpu_cores_effective cpu_ram cpu_util mem_limit \
        mem_usage disk_name disk_space disk_bw disk_usage disk_util inet_up inet_down inet_up_cost inet_down_cost \
        cuda_max_good driver_version os_version mobo_name pci_gen pcie_bw geolocation country_code verification \
        reliability2 rentable external is_bid min_bid dph_base dph_total storage_cost storage_total_cost \
        vram_costperhour credit_balance credit_discount credit_discount_max search instance client_run_time \
        host_run_time time_remaining time_remaining_isbid dlperf dlperf_per_dphtotal total_flops \
        flops_per_dphtotal score volume_info logo webpage
        """

    private static func columns(_ text: String) -> Set<String> { Set(text.components(separatedBy: " ")) }

    @Test(.loopbackCloud()) func offersHaveTheDocumentedColumns() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let row = try await client.offer()
        #expect(Set(row.keys) == Self.columns(Self.offerColumns))
        #expect(row["id"] as? Int == row["ask_contract_id"] as? Int)
        let search = try #require(row["search"] as? [String: Any])
        #expect(search["totalHour"] as? Double == row["dph_total"] as? Double)
    }

    @Test(.loopbackCloud()) func instancesHaveTheDocumentedColumns() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let id = try await client.rent(0, #","label":"train","env":{"FOO":"bar","-p 8000:8000":"1"}"#)
        _ = try await client.running(id)
        let list = try await client.get("/api/v1/instances/?select_filters=%7B%7D&limit=25")
        #expect(list["total_instances"] as? Int == 1)
        #expect((list["label_counts"] as? [String: Int]) == ["train": 1])
        #expect(list["next_token"] is NSNull)
        let row = try #require(list.rows("instances").first)
        #expect(Set(row.keys) == Self.columns(Self.instanceColumns))
        #expect(row["public_ipaddr"] as? String == "127.0.0.1\n")
        #expect(row["status_msg"] as? String == "success, running pytorch/pytorch_2.4.0/ssh\n")
        #expect(row["extra_env"] as? [[String]] == [["-p 8000:8000", "1"], ["FOO", "bar"]])
        let ports = try #require(row["ports"] as? [String: [[String: String]]])
        #expect(Set(ports.keys) == ["22/tcp", "8000/tcp"])
        #expect(ports["22/tcp"]?.first?["HostIp"] == "0.0.0.0")
        #expect(try await client.instance(id)?["volume_info"] == nil)
    }

    /// A boot shows its stages in order, with a text that moves while the image loads.
    @Test(.loopbackCloud(.init(speed: 3, enforcesRateLimits: false))) func aBootPassesThroughTheStages()
        async throws
    {
        let client = TestClient(try #require(CloudTrait.current))
        let id = try await client.rent()
        var stages: [String] = []
        var messages: Set<String> = []
        try await wait(for: "running") { () -> Bool? in
            let row = try #require(try await client.instance(id))
            let stage = row["actual_status"] as? String ?? "null"
            if stages.last != stage { stages.append(stage) }
            if stage != "running" { #expect(row["ports"] == nil) }
            if stage == "loading", let text = row["status_msg"] as? String { messages.insert(text) }
            return stage == "running" ? true : nil
        }
        // A busy machine may look past a short stage, and must not see one out of its order.
        let order = ["null", "created", "loading", "running"]
        #expect(stages == order.filter(stages.contains))
        #expect(stages.contains("loading"))
        #expect(messages.count >= 2, "\(messages)")
    }

    /// The proxy run type publishes no port of the machine.
    @Test(.loopbackCloud()) func onlyDirectRunTypesPublishSSH() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let id = try await client.rent(runtype: "ssh")
        let row = try await client.running(id)
        #expect((row["ports"] as? [String: Any])?["22/tcp"] == nil)
        #expect(row["ssh_port"] is Int)
    }

    @Test(.loopbackCloud()) func keysAreTold() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let wrong = try await client.with(key: "nonsense").get("/api/v0/users/current")
        #expect(wrong.status == 404 && wrong["error"] as? String == "auth_error")
        #expect(wrong["msg"] as? String == "Invalid user key")
        let none = try await client.with(key: nil).get("/api/v1/instances/")
        #expect(none.status == 403 && none["msg"] as? String == "This action requires login.")
        let query = try await client.with(key: nil).get("/api/v0/users/current?api_key=\(client.key ?? "")")
        #expect(query.status == 200)
        let open = try await client.with(key: nil).get("/api/v0/gpu_names/unique/")
        #expect((open["gpu_names"] as? [String])?.contains("RTX 4090") == true)
        #expect(open.contentType == "application/json")
    }

    /// The key that an instance finds in its environment reaches that instance only.
    @Test(.loopbackCloud(.init(speed: 100, enforcesRateLimits: false))) func anInstancesKeyIsScoped()
        async throws
    {
        let client = TestClient(try #require(CloudTrait.current))
        let ask = try #require(try await client.offer()["id"] as? Int)
        let answer = try await client.put("/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16}"#)
        let id = try #require(answer["new_contract"] as? Int)
        let own = client.with(key: answer["instance_api_key"] as? String)
        #expect(try await own.get("/api/v0/instances/\(id)/").status == 200)
        #expect(try await own.get("/api/v0/instances/\(id + 1)/").status == 403)
        #expect(try await own.get("/api/v0/users/current").status == 403)
        #expect(try await own.delete("/api/v0/instances/\(id)/").status == 200)
    }

    @Test(.loopbackCloud(.init(speed: 100, enforcesRateLimits: false))) func refusalsHaveTheirDocumentedForm()
        async throws
    {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let body = #"{"image":"pytorch/pytorch:2.4.0","disk":16}"#
        let old = try await client.get("/api/v0/instances/?owner=me")
        #expect(old.status == 410 && old["error"] as? String == "deprecated_endpoint")
        let unknown = try await client.put("/api/v0/asks/1/", body)
        #expect(unknown.status == 404 && unknown["ask_id"] as? Int == 1)
        #expect((unknown["msg"] as? String)?.contains("no_such_ask") == true)
        let ask = try #require(try await client.offer()["id"] as? Int)
        await cloud.inject(.offerTaken)
        let taken = try await client.put("/api/v0/asks/\(ask)/", body)
        #expect(taken.status == 410 && taken["error"] as? String == "no_such_ask")
        let small = try await client.put("/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":2}"#)
        #expect(small.status == 400 && small["error"] as? String == "invalid_args")
        let low = try await client.put("/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16,"price":0.001}"#)
        #expect(low.status == 400 && low["new_contract"] is Int)
        #expect(try await client.put("/api/v0/asks/\(ask)/", body).status == 404)
        #expect(try await client.post("/api/v0/bundles/", "{").status == 400)
        let operation = try await client.post("/api/v0/bundles/", #"{"num_gpus":{"is":1}}"#)
        #expect((operation["msg"] as? String)?.contains("is not a valid search op") == true)
        let column = try await client.get(
            "/api/v1/instances/?select_filters=%7B%22dph_total%22:%7B%22lt%22:1%7D%7D")
        #expect(
            column.status == 400 && (column["msg"] as? String)?.contains("is not a valid search key") == true)
        #expect(
            try await client.get("/api/v1/instances/?after_token=nonsense")["error"] as? String
                == "invalid_token")
        #expect(try await client.get("/api/v0/instances/99/")["instances"] is NSNull)
        #expect(
            try await client.put("/api/v0/instances/99/", #"{"state":"stopped"}"#)["error"] as? String
                == "no_such_instance")
        #expect(
            try await client.delete("/api/v0/instances/", #"{"instance_ids":[98,99]}"#)["success"] as? Bool
                == true)
        #expect(try await client.put("/api/v0/instances/command/99/", #"{"command":"ls"}"#).status == 404)
    }

    @Test(.loopbackCloud(.init(speed: 100, enforcesRateLimits: false))) func theListComesInPages()
        async throws
    {
        let client = TestClient(try #require(CloudTrait.current))
        var ids: [Int] = []
        for position in 0..<5 { ids.append(try await client.rent(position * 3)) }
        var found: [Int] = []
        var token = ""
        repeat {
            let order = TestClient.encoded(#"[{"col": "id", "dir": "desc"}]"#)
            let columns = TestClient.encoded(#"["id","nonsense"]"#)
            let page = try await client.get(
                "/api/v1/instances?order_by=\(order)&limit=2&select_cols=\(columns)&after_token=\(token)")
            #expect(page["total_instances"] as? Int == 5, "\(page.text)")
            found += page.rows("instances").compactMap { $0["id"] as? Int }
            #expect(page.rows("instances").allSatisfy { $0["nonsense"] is NSNull && $0.count == 2 })
            token = TestClient.encoded(page["next_token"] as? String ?? "")
        } while !token.isEmpty
        #expect(found == ids.sorted(by: >))
    }

    @Test(.loopbackCloud()) func logsComeThroughALinkThatNeedsNoKey() async throws {
        let client = TestClient(try #require(CloudTrait.current))
        let id = try await client.rent(0, #","onstart":"echo hello from onstart""#)
        _ = try await client.running(id)
        let answer = try await client.put("/api/v0/instances/request_logs/\(id)", #"{"tail":"100"}"#)
        let link = try #require(answer["result_url"] as? String)
        let open = client.with(key: nil)
        #expect(try await open.get(link).status == 403)
        _ = try await wait(for: "what was asked for") { try await open.get(link).status == 200 ? true : nil }
        // What is behind a link was there when it was asked for,
        // and a container may be slow to say its first word.
        try await wait(for: "the container's start") {
            let answer = try await client.put("/api/v0/instances/request_logs/\(id)", #"{"tail":"100"}"#)
            let link = try #require(answer["result_url"] as? String)
            let text = try await wait(for: "the log") {
                let result = try await open.get(link)
                return result.status == 200 ? result.text : nil
            }
            return text.contains("container C.\(id) started") ? true : nil
        }
        let daemon = try await client.put("/api/v0/instances/request_logs/\(id)/", #"{"daemon_logs":"true"}"#)
        let other = try #require(daemon["result_url"] as? String)
        try await wait(for: "the daemon's log") {
            try await open.get(other).text.contains(
                "Status: Downloaded newer image for pytorch/pytorch:2.4.0")
                ? true : nil
        }
    }

    @Test(.loopbackCloud()) func accountKeysAreManaged() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let first = try #require(try await client.get("/api/v0/ssh/").json as? [[String: Any]])
        #expect(first.count == 1)
        #expect(Set(first[0].keys) == ["id", "user_id", "key", "created_at", "deleted_at"])
        let own = try String(contentsOfFile: cloud.identityFile + ".pub", encoding: .utf8)
        #expect(own == (first[0]["key"] as? String ?? "") + "\n")
        let added = try await client.post("/api/v0/ssh/", #"{"ssh_key":"ssh-ed25519 AAAAC3 me"}"#)
        #expect((added["key"] as? [String: Any])?["public_key"] as? String == "ssh-ed25519 AAAAC3 me")
        #expect(try await client.delete("/api/v0/ssh/\(first[0]["id"] ?? 0)/")["success"] as? Bool == true)
        let id = try #require((added["key"] as? [String: Any])?["id"] as? Int)
        #expect(try await client.delete("/api/v0/ssh/\(id)/")["success"] as? Bool == true)
        #expect(try await client.get("/api/v0/ssh/").status == 404)
        let gone = try await client.delete("/api/v0/ssh/\(id)/")
        #expect(gone.status == 400 && gone["error"] as? String == "no_ssh_key")
    }
}
