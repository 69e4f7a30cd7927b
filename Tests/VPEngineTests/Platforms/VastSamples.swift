import VPEngine

/// Answers as the facts about vast.ai have them.
enum VastSamples {
    static let offer = """
        {
          "id": 31234567, "ask_contract_id": 31234567, "bundle_id": 987654321, "bundled_results": null,
          "machine_id": 28811, "host_id": 91234, "hosting_type": 0, "hostname": null, "cluster_id": null,
          "num_gpus": 1, "gpu_name": "RTX 4090", "gpu_ids": [41221], "gpu_arch": "nvidia", "gpu_frac": 0.25,
          "gpu_ram": 24564, "gpu_total_ram": 24564, "gpu_mem_bw": 909.5, "gpu_lanes": 16,
          "gpu_max_power": 450.0, "gpu_max_temp": 89.0, "gpu_display_active": false, "bw_nvlink": 0.0,
          "compute_cap": 890, "cuda_max_good": 12.8, "driver_version": "570.133.07",
          "driver_vers": 570133007, "pci_gen": 4.0, "pcie_bw": 23.9,
          "cpu_name": "AMD EPYC 7402P 24-Core Processor", "cpu_arch": "amd64", "cpu_cores": 48,
          "cpu_cores_effective": 12.0, "cpu_ghz": 2.8, "cpu_ram": 257650, "has_avx": 1,
          "mobo_name": "ROMED8-2T", "os_version": "22.04", "disk_name": "SAMSUNG MZQL23T8",
          "disk_space": 812.4, "disk_bw": 3120.5, "inet_up": 812.3, "inet_down": 934.8,
          "inet_up_cost": 0.0039, "inet_down_cost": 0.0026, "internet_up_cost_per_tb": 3.99,
          "internet_down_cost_per_tb": 2.66, "public_ipaddr": "203.0.113.42", "static_ip": true,
          "direct_port_count": 249, "geolocation": "Quebec, CA", "geolocode": 1234567,
          "reliability": 0.9981, "reliability2": 0.9981, "expected_reliability": 0.9952,
          "reliability_mult": 0.987, "verification": "verified", "vericode": 1, "vms_enabled": false,
          "is_vm_deverified": false, "rentable": true, "rented": false, "external": null, "is_bid": false,
          "resource_type": "gpu", "dph_base": 0.3467, "dph_total": 0.3541, "dph_total_adj": 0.3612,
          "min_bid": 0.2133, "storage_cost": 0.1333, "storage_total_cost": 0.0074,
          "vram_costperhour": 0.0000141, "credit_discount_max": 0.4, "discount_rate": 0.0,
          "discounted_hourly": 0.0, "discounted_dph_total": 0.3541,
          "search": {"gpuCostPerHour": 0.3467, "diskHour": 0.0074, "totalHour": 0.3541,
            "discountTotalHour": 0, "discountedTotalPerHour": 0.3541},
          "instance": {"gpuCostPerHour": 0.0, "diskHour": 0.0074, "totalHour": 0.0074,
            "discountTotalHour": 0, "discountedTotalPerHour": 0.0074},
          "dlperf": 92.1, "dlperf_per_dphtotal": 260.1, "total_flops": 82.6, "flops_per_dphtotal": 233.3,
          "score": 312.7, "start_date": 1795000000.5, "end_date": 1803000000.0, "duration": 7527727.0,
          "avail_vol_ask_id": 333333, "avail_vol_dph": 0.00017, "avail_vol_size": 512.0,
          "nw_disk_min_bw": null, "logo": "/static/logos/vastai_small2.png", "webpage": null, "rn": 1,
          "time_remaining": "", "time_remaining_isbid": ""
        }
        """

    static let row = """
        {
          "id": 7835610, "label": "train", "machine_id": 28811, "host_id": 91234, "bundle_id": 987654321,
          "actual_status": "running", "intended_status": "running", "cur_state": "running",
          "next_state": "running",
          "status_msg": "success, running pytorch/pytorch_2.4.0-cuda12.4-cudnn9-runtime/ssh\\n",
          "image_uuid": "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", "image_args": [],
          "image_runtype": "ssh_direc ssh_proxy", "extra_env": [["FOO", "bar"], ["-p 8000:8000", "1"]],
          "onstart": "echo hi", "jupyter_token": "df77e2", "template_id": null,
          "ssh_host": "ssh5.vast.ai", "ssh_port": 15610, "ssh_idx": "5", "machine_dir_ssh_port": 21000,
          "public_ipaddr": "203.0.113.42\\n", "local_ipaddrs": "192.168.1.20 172.17.0.1 \\n",
          "direct_port_count": 249, "direct_port_start": 41000, "direct_port_end": 41002,
          "ports": {"22/tcp": [{"HostIp": "0.0.0.0", "HostPort": "41000"}],
            "8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "41001"}]},
          "start_date": 1795400000.12, "end_date": 1803000000.0, "duration": 7527727.0, "uptime_mins": null,
          "num_gpus": 1, "gpu_name": "RTX 4090", "gpu_ram": 24564, "gpu_totalram": 24564, "gpu_frac": 0.25,
          "gpu_util": 87.0, "gpu_temp": 63.0, "vmem_usage": 11.4, "cpu_util": 3.1, "mem_limit": 62.9,
          "disk_space": 40.0, "disk_usage": 6.4, "disk_util": 0.16, "geolocation": "Quebec, CA",
          "country_code": "CA", "verification": "verified", "reliability2": 0.9981, "rentable": true,
          "external": false, "is_bid": false, "min_bid": 0.2133, "dph_base": 0.3467, "dph_total": 0.3541,
          "storage_cost": 0.1333, "storage_total_cost": 0.0074,
          "search": {"gpuCostPerHour": 0.3467, "diskHour": 0.0074, "totalHour": 0.3541},
          "instance": {"gpuCostPerHour": 0.3467, "diskHour": 0.0074, "totalHour": 0.3541},
          "volume_info": [{"id": 881, "label": "data", "type": "machine", "total_space": 50.0}]
        }
        """

    static let user = """
        {"id": 123456, "username": "me", "email": "you@example.com", "credit": 25.0, "balance": 0.0,
         "api_key": "\(VastBench.key)", "key_id": 1, "can_pay": true, "last4": null}
        """

    static func offers(_ rows: String...) -> String { #"{"offers":[\#(rows.joined(separator: ","))]}"# }

    static func page(_ rows: [String], next: String? = nil) -> String {
        let token = next.map { "\"\($0)\"" } ?? "null"
        return #"{"success":true,"instances_found":\#(rows.count),"total_instances":\#(rows.count),"#
            + #""label_counts":{},"next_token":\#(token),"instances":[\#(rows.joined(separator: ","))]}"#
    }

    static func single(_ row: String) -> String { #"{"instances":\#(row)}"# }

    /// `sample` with some members replaced; a nil one is taken out.
    static func edit(_ sample: String, _ changes: [String: JSONValue?]) -> String {
        guard let parsed = try? JSONParser.parse(Array(sample.utf8)), var members = parsed.object else {
            preconditionFailure("a sample is a JSON object")
        }
        for (key, value) in changes { members[key] = value }
        return JSONValue.object(members).encoded
    }
}
