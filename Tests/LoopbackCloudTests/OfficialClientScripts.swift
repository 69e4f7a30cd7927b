/// Scripts for the clients in Python. Each prints its findings line by line, and fails if it waits in vain.
enum OfficialClientScripts {
    /// The common beginning, with `until`.
    private static let waiting = """
        import os, time

        def until(ask, wanted):
            end = time.monotonic() + 60
            while time.monotonic() < end:
                seen = ask()
                if wanted(seen):
                    return seen
                time.sleep(0.05)
            raise SystemExit(f"waited in vain: {seen}")

        """

    /// RunPod's SDK, which speaks GraphQL.
    static let runPod =
        waiting + """
            import runpod
            from runpod.error import AuthenticationError, QueryError
            runpod.api_key = os.environ["RUNPOD_API_KEY"]
            print("no pods:", runpod.get_pods())
            kind = "NVIDIA GeForce RTX 4090"
            print(runpod.get_gpu(kind)["memoryInGb"], "GB")

            def ssh(seen):
                ports = (seen["runtime"] or {}).get("ports") or []
                return [p for p in ports if p["privatePort"] == 22 and p["isIpPublic"]]

            pod = runpod.create_pod("sdk-pod", "runpod/pytorch:2.8", kind, ports="22/tcp", volume_in_gb=20,
                                    volume_mount_path="/workspace", env={"A": "b"})["id"]
            look = lambda: runpod.get_pod(pod)
            until(look, lambda seen: seen["desiredStatus"] == "RUNNING" and ssh(seen))
            runpod.stop_pod(pod)
            seen = until(look, lambda seen: seen["desiredStatus"] == "EXITED" and not seen["runtime"])
            print(seen["desiredStatus"], seen["name"])
            runpod.resume_pod(pod, 1)
            print("running on", ssh(until(look, ssh))[0]["privatePort"])
            print([each["name"] for each in runpod.get_pods()])
            runpod.terminate_pod(pod)
            print("no such pod:", runpod.get_pod(pod))
            login = runpod.create_container_registry_auth("mine", "user", "secret")
            print("login", login["name"], runpod.delete_container_registry_auth(login["id"]))
            try:
                runpod.create_pod("none", "x:1", kind, gpu_count=16)
            except QueryError as error:
                print("no capacity:", error)
            runpod.api_key = "rpa_WRONG"
            try:
                runpod.get_pods()
            except AuthenticationError as error:
                print("wrong key:", error)
            """

    /// vast.ai's SDK under the name of its older package.
    static let vast =
        waiting + """
            import vastai_sdk
            client = vastai_sdk.VastAI()
            print("credit", client.show_user()["credit"] > 24, len(client.show_ssh_keys()))
            offers = client.search_offers(query="num_gpus=1 gpu_ram>=20", order="dph_total", limit=3)
            print(len(offers), "offers")
            made = client.create_instance(
                id=offers[0]["id"], image="pytorch/pytorch:2.4.0", disk=16, ssh=True, direct=True,
                onstart_cmd="echo hello from onstart", label="mine", env={"A": "b"})
            number = made["new_contract"]
            look = lambda: client.show_instance(id=number)
            until(look, lambda seen: seen["actual_status"] == "running")
            print(client.ssh_url(id=number).startswith("ssh://root@127.0.0.1:"))
            client.label_instance(id=number, label="renamed")
            print([each["label"] for each in client.show_instances()])
            print("hello" in until(lambda: client.logs(number, tail="50"), lambda seen: "hello from onstart" in seen))
            print(client.stop_instance(id=number)["success"])
            until(look, lambda seen: seen["actual_status"] == "exited")
            print(client.start_instance(id=number)["success"])
            until(look, lambda seen: seen["actual_status"] == "running")
            print(client.destroy_instance(id=number)["success"])
            until(client.show_instances, lambda seen: seen == [])
            """

    /// Imports SkyPilot's provision layer without the rest of SkyPilot, which has many requirements:
    /// its other modules, none of which makes a call, are replaced by empty ones.
    private static let skyPilot =
        waiting + """
            import importlib.machinery, importlib.metadata, sys, types
            from unittest import mock

            package = importlib.metadata.distribution("skypilot")
            own = ("sky.provision.runpod", "sky.provision.vast", "sky.provision.common", "sky.adaptors",
                   "sky.skylet.constants", "sky.utils.status_lib")

            class Rest:
                def find_spec(self, name, path=None, target=None):
                    if name.split(".")[0] != "sky" or name.startswith(own):
                        return None
                    return importlib.machinery.ModuleSpec(name, self, is_package=True)

                def create_module(self, spec):
                    if not any(each.startswith(spec.name + ".") for each in own):
                        return mock.MagicMock(name=spec.name)
                    module = types.ModuleType(spec.name)
                    module.__version__ = package.version
                    module.__path__ = [str(package.locate_file(spec.name.replace(".", "/")))]
                    return module

                def exec_module(self, module):
                    pass

            sys.meta_path.insert(0, Rest())
            from sky.provision import common
            key = os.environ["VP_SSH_IDENTITY"] + ".pub"

            def wanted(kind, image, **provider):
                node = {"InstanceType": kind, "DiskSize": 20, "ImageId": image, "PublicKey": open(key).read().strip(),
                        "Preemptible": provider.pop("spot", False), "BidPerGPU": 0.6}
                return common.ProvisionConfig(
                    provider_config=provider, authentication_config={"ssh_public_key": key}, docker_config={},
                    node_config=node, count=1, tags={}, resume_stopped_nodes=True, ports_to_open_on_launch=None)

            def statuses():
                return [str(each[0].value) for each in layer.query_instances("c", "c-1", {}).values()]

            """

    /// SkyPilot on RunPod, on demand and by a bid.
    static let skyPilotOnRunPod =
        skyPilot + """
            import runpod
            import sky.provision.runpod.instance as layer
            layer.POLL_INTERVAL = 0.05
            runpod.api_key = os.environ["RUNPOD_API_KEY"]
            for spot in (False, True):
                config = wanted("1x_RTX4090_SECURE", "runpod/pytorch:2.8", availability_zone=None, spot=spot)
                made = layer.run_instances("US", "c", "c-1", config)
                print(len(made.created_instance_ids), made.head_instance_id == made.created_instance_ids[0])
                again = layer.run_instances("US", "c", "c-1", config)
                print(again.created_instance_ids, statuses())
                info = layer.get_cluster_info("US", "c-1")
                print(info.instances[made.head_instance_id][0].external_ip)
                layer.terminate_instances("c-1")
                print(statuses())
            """

    /// SkyPilot on vast.ai, with a stop and a start.
    static let skyPilotOnVast =
        skyPilot + """
            import sky.provision.vast.instance as layer
            layer.POLL_INTERVAL = 0.05
            config = wanted("1x-RTX_4090-8-32768", "pytorch/pytorch:2.4.0")
            made = layer.run_instances("US", "c", "c-1", config)
            print(len(made.created_instance_ids), statuses())
            print(layer.get_cluster_info("US", "c-1").instances[made.head_instance_id][0].external_ip)
            layer.stop_instances("c-1")
            until(statuses, lambda seen: seen == ["STOPPED"])
            again = layer.run_instances("US", "c", "c-1", config)
            print(again.created_instance_ids, statuses())
            layer.terminate_instances("c-1")
            until(statuses, lambda seen: seen == [])
            """

    /// dstack's clients of both platforms. Their addresses are constants of theirs.
    static let dstack =
        waiting + """
            import dstack._internal.core.backends.runpod.api_client as of_runpod
            import dstack._internal.core.backends.vastai.api_client as of_vast
            base = os.environ["RUNPOD_API_BASE_URL"]
            of_runpod.API_GRAPHQL_URL, of_runpod.API_V2_URL = base + "/graphql", base + "/v2"
            client = of_runpod.RunpodApiClient(os.environ["RUNPOD_API_KEY"])
            print(client.validate_api_key(), of_runpod.RunpodApiClient("rpa_WRONG").validate_api_key())
            login = client.create_container_registry_credentials(name="mine", username="user", password="secret")
            print([each["name"] for each in client.list_container_registry_credentials()])
            kind = "NVIDIA GeForce RTX 4090"
            terms = dict(
                name="d", cloud="SECURE", gpu_type_id=kind, gpu_count=1, min_cpu_count_per_gpu=4,
                min_memory_in_gb_per_gpu=8, container_disk_in_gb=20, image_name="dstackai/base:0.10",
                container_registry_credentials_id=login["id"], entrypoint=["/bin/bash", "-c"],
                cmd=["echo it\\'s on; sleep 600"], ports=["10022/tcp"], env={"A": "b"})
            pod = client.create_pod(**terms)
            seen = until(lambda: client.get_pod(pod["id"]), lambda seen: seen["status"] == "RUNNING")
            print(seen["runtime"]["ports"] is not None, seen["registry"] == login["id"])
            print(client.terminate_pod(pod["id"]), client.terminate_pod(pod["id"]), client.get_pod(pod["id"]))
            client.delete_container_registry_credentials(login["id"])
            try:
                client.create_pod(**{**terms, "container_registry_credentials_id": None, "gpu_count": 16})
            except of_runpod.RunpodV2ClientError as error:
                print(error.status, error.title)
            volume = client.create_network_volume(name="v", data_center_id="EU-RO-1", size=10)
            print(client.get_network_volume(volume["id"])["size"], client.delete_network_volume(volume["id"]))
            for bid in (None, 0.6):
                made = client.create_gpu_pod_graphql(
                    name="d", image_name="dstackai/base:0.10", gpu_type_id=kind, cloud_type="SECURE",
                    container_disk_in_gb=20, docker_args="sleep 600", ports="10022/tcp", bid_per_gpu=bid)
                print(client.terminate_pod(made["id"]))

            client = of_vast.VastAIAPIClient(os.environ["VAST_API_KEY"])
            client.s.base_url = os.environ["VAST_URL"] + "/api/"
            print(client.auth_test())
            offers = client.s.get("/v0/bundles/").json()["offers"]
            ask = [each["id"] for each in offers if each["rentable"] and each["num_gpus"] == 1][0]
            number = client.create_instance("d", ask, "dstackai/base:0.10", "echo hello; sleep 600", 20)
            seen = until(lambda: client.get_instance(number), lambda seen: seen["actual_status"] == "running")
            print(seen["label"], seen["public_ipaddr"].strip(), seen["ports"]["10022/tcp"][0]["HostPort"].isdigit())
            client.destroy_instance(number)
            until(lambda: client.get_instance(number), lambda seen: seen is None)
            client.destroy_instance(number)
            """
}
