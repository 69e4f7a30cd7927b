import Foundation
import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

/// Renting as a user types it, with trouble on the way.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh"), .timeLimit(.minutes(15))) struct CreateCommandTests {
    /// From nothing to results to nothing, though the first two candidates fail in different ways.
    @Test(arguments: ["vast", "runpod", "auto"]) func fromNothingToResultsToNothing(platform: String)
        async throws
    {
        let session = try await CloudSession(seed: 21, faults: ["offer-taken", "image-never-loads"])
        let harness = session.harness
        try harness.write(
            "project/train.py", "open('model.bin', 'w').write('weights')\nprint('trained')\n")
        let run = try await harness.start([
            "run", "--create", "--platform", platform, "--gpu-type", "RTX4090", "--max-price", "1",
            "--load-limit", "5s", "--destroy", "--", "python3", "train.py",
        ]).output()
        #expect(run.status == 0, "\(run)")
        #expect(run.stdout == "trained\n", "the job's output, and nothing of ours: \(run)")
        #expect(try harness.read("project/model.bin") == "weights")
        #expect(run.stderr.contains("taken"), "\(run)")
        #expect(run.stderr.contains("given up after 5 s"), "\(run)")
        #expect(run.stderr.contains("is gone: rented for"), "\(run)")
        let left = try #require(try await harness.vp("ls", "--json").json()["instances"] as? [Any])
        #expect(left.isEmpty)
        let jobs = try #require(try await harness.vp("jobs", "--json").json()["jobs"] as? [[String: Any]])
        #expect(jobs.map { $0["state"] as? String } == ["succeeded"])
        try await session.end()
    }

    /// The job's failure is the status; its results are here and the instance is gone all the same.
    @Test func aJobThatFailsIsBroughtBackAndEnded() async throws {
        let session = try await CloudSession(seed: 22)
        let harness = session.harness
        let run = try await harness.vp(
            "run", "--create", "--gpu", "RTX4090", "--destroy", "--", "sh", "-c",
            "echo half > part.txt; exit 7")
        #expect(run.status == 7, "\(run)")
        #expect(try harness.read("project/part.txt") == "half\n")
        let left = try #require(try await harness.vp("ls", "--json").json()["instances"] as? [Any])
        #expect(left.isEmpty)
        try await session.end()
    }

    /// Without a terminal there is nobody to ask: what was rented is destroyed.
    @Test func anInterruptedCreateLeavesNothing() async throws {
        let session = try await CloudSession(seed: 23, faults: ["image-never-loads"])
        let harness = session.harness
        let child = try harness.start(["create-instance", "--gpu-type", "RTX4090"])
        try await waitUntil("the rental; \(child.errorText)") {
            child.errorText.contains("loading the image: instance")
        }
        child.send(SIGINT)
        let output = try await child.output(limit: .seconds(30))
        #expect(output.status == 130, "\(output)")
        #expect(output.stderr.contains("is gone"), "\(output)")
        #expect(try await harness.vp("ls").stdout.contains("No instances."))
        try await session.end()
    }

    /// On a terminal Ctrl-C asks once.
    @Test(.ownThread, arguments: ["k", "d"]) func anInterruptedCreateAsks(answer: String) async throws {
        let session = try await CloudSession(seed: 24, faults: ["image-never-loads"])
        let harness = session.harness
        let terminal = try PTYSession(
            CLIHarness.products + "/vp", ["create-instance", "--gpu-type", "RTX4090"], width: 140,
            environment: harness.environment.merging(["TERM": "xterm"]) { $1 }, directory: harness.project)
        try terminal.wait(for: "loading the image")
        terminal.type("\u{3}")
        try terminal.wait(for: "[d]estroy it or [k]eep it?")
        terminal.type("\(answer)\r")
        try terminal.wait(for: answer == "k" ? "is kept at" : "is gone.")
        _ = try terminal.waitForEnd()
        let left = try #require(try await harness.vp("ls", "--json").json()["instances"] as? [Any])
        #expect(left.count == (answer == "k" ? 1 : 0))
        try await session.end()
    }

    @Test func aDryRunRentsNothing() async throws {
        let session = try await CloudSession(seed: 25)
        let harness = session.harness
        let words = try await harness.vp("create-instance", "--gpu-type", "rtx 4090", "--dry-run")
        #expect(words.status == 0)
        #expect(words.stdout.hasPrefix("Would rent RTX 4090"), "\(words)")
        #expect(words.stdout.hasSuffix("Nothing was rented.\n"))
        let plan = try await harness.vp("create-instance", "--gpu-type", "rtx 4090", "--dry-run", "--json")
            .json()
        let offer = try #require(plan["offer"] as? [String: Any])
        let alternatives = try #require(plan["alternatives"] as? [[String: Any]])
        let costs = ([offer] + alternatives).compactMap { $0["job_dollars"] as? Double }
        #expect(costs.count == alternatives.count + 1 && costs == costs.sorted())
        #expect(Set(alternatives.compactMap { $0["platform"] as? String }) == ["vast", "runpod"])
        // The newest of PyTorch that the driver there can run.
        let needs = try #require(plan["image_cuda"] as? Double)
        #expect(needs >= 11.8 && needs <= offer["cuda"] as? Double ?? 0, "\(plan)")
        let left = try #require(try await harness.vp("ls", "--json").json()["instances"] as? [Any])
        #expect(left.isEmpty)

        let dear = try await harness.vp(
            "create-instance", "--gpu-type", "H100", "--max-price", "0.01", "--dry-run", "--json")
        #expect(dear.status == 208, "\(dear)")
        #expect(try dear.error()["message"]?.contains("the limit is $0.010/h") == true)
        try await session.end()
    }

    /// A default narrows what is not named; `--platform auto` is a name, in each verb that rents.
    @Test func bothPlatformsAreTriedWhereBothAreNamed() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            try harness.write("project/.vp/config.yaml", "platforms: {default: vast}\n")
            func tried(_ words: String...) async throws -> Set<String> {
                let plan = try await harness.start(
                    ["create-instance", "--gpu-type", "rtx 4090", "--dry-run", "--json"] + words
                ).output().json()
                let offers =
                    [plan["offer"] as? [String: Any]].compactMap(\.self)
                    + (plan["alternatives"] as? [[String: Any]] ?? [])
                return Set(offers.compactMap { $0["platform"] as? String })
            }
            #expect(try await tried() == ["vast"])
            #expect(try await tried("--platform", "auto") == ["vast", "runpod"])
            #expect(try await tried("--platform", "runpod") == ["runpod"])
            // A job's own rental, where the default cannot serve it.
            await local.cloud.inject(Fault(.noCapacity, times: .max).on(.vast))
            let usual = try await harness.vp("run", "--create", "--gpu-type", "RTX4090", "--", "true")
            #expect(usual.status == 201, "\(usual)")
            let both = try await harness.vp(
                "run", "--create", "--platform", "auto", "--gpu-type", "RTX4090", "--", "true")
            #expect(both.status == 0, "\(both)")
            let jobs = try await harness.vp("jobs", "--json").json()["jobs"] as? [[String: Any]]
            #expect(jobs?.first?["platform"] as? String == "runpod", "\(String(describing: jobs))")
        }
    }

    /// Refused before anything is rented, with the image that can; where no GPU is named,
    /// such offers are left out.
    @Test func anImageThatCannotRunThereIsRefused() async throws {
        let session = try await CloudSession(seed: 31)
        let harness = session.harness
        let old = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime"
        let refused = try await harness.vp(
            "create-instance", "--gpu-type", "RTX 5090", "--image", old, "--json")
        #expect(refused.status == 208, "\(refused)")
        let error = try refused.error()
        #expect(
            error["code"] == "imageUnfit" && error["message"]?.contains("12.8 or newer") == true, "\(error)")
        #expect(error["advice"]?.contains("cuda12.8") == true, "\(error)")
        let amd = try await harness.vp("run", "--create", "--gpu-type", "MI300X", "--", "true")
        #expect(amd.status == 208 && amd.stderr.contains("ROCm"), "\(amd)")
        let plan = try await harness.vp("create-instance", "--image", old, "--dry-run")
        #expect(
            plan.status == 0 && plan.stdout.contains("omitted GPUs that cannot run the image"), "\(plan)")
        let left = try #require(try await harness.vp("ls", "--json").json()["instances"] as? [Any])
        #expect(left.isEmpty)
        try await session.end()
    }

    /// After the platform's refusal no program asks again; the doctor counts.
    @Test func theSearchesOfADayAreShared() async throws {
        let session = try await CloudSession(seed: 32, faults: ["search-quota:3600,skip=2"])
        let harness = session.harness
        let first = try await harness.vp("offers", "--platform", "vast", "--json")
        #expect(first.status == 0, "\(first)")
        // Out of the list that was found a moment ago.
        let again = try await harness.vp("offers", "--platform", "vast", "--json")
        #expect(again.stdout == first.stdout)
        let doctor = try await harness.vp("doctor")
        #expect(doctor.stdout.contains("2 today, UTC"), "\(doctor)")
        let refused = try await harness.vp("offers", "--platform", "vast", "--refresh", "--json")
        #expect(refused.status == 202, "\(refused)")
        #expect((refused.stdout + refused.stderr).contains("used up"), "\(refused)")
        let closed = try await harness.vp("doctor")
        #expect(closed.stdout.contains("there are no more until"), "\(closed)")
        // The other platform is searched, and what was seen can still be rented.
        let both = try await harness.vp("offers", "--refresh", "--json")
        #expect(both.stdout.contains("runpod"), "\(both)")
        try await session.end()
    }

    @Test func whatIsGivenReachesTheContainer() async throws {
        let session = try await CloudSession(seed: 26)
        let harness = session.harness
        try harness.write("project/start.sh", "echo started > /workspace/started.txt\n")
        let created = try await harness.start(
            [
                "create-instance", "--platform", "vast", "--gpu-type", "RTX3090", "--name", "mine", "--disk",
                "25",
                "--env", "COLOUR=blue", "--env", "SECRET", "--on-start", "@start.sh", "--json",
            ], environment: ["SECRET": "from here"]
        ).output()
        #expect(created.status == 0, "\(created)")
        let instance = try created.json()
        #expect(instance["name"] as? String == "mine")
        #expect(instance["disk_bytes"] as? Int == 25_000_000_000)
        let seen = try await harness.vp(
            "--no-sync", "run", "--",
            "cat /workspace/started.txt; tr '\\0' '\\n' < /proc/1/environ | grep -E 'COLOUR|SECRET'")
        #expect(seen.stdout.contains("started\n"), "\(seen)")
        // Not the container's first process alone has them: jobs do, and who logs in.
        let job = try await harness.vp("--no-sync", "run", "--", "echo $COLOUR, $SECRET")
        #expect(job.stdout == "blue, from here\n", "\(job)")
        let login = try await harness.vp("ssh", "mine", "--", "bash -c '. ~/.bashrc; echo $COLOUR, $SECRET'")
        #expect(login.stdout.contains("blue, from here"), "\(login)")
        let again = try await harness.vp(
            "create-instance", "--gpu-type", "RTX3090", "--name", "mine", "--json")
        #expect(again.status == 200)
        #expect(try again.error()["code"] == "nameInUse")
        try await session.end()
    }

    @Test func withoutWaitingItReturnsAtOnce() async throws {
        let session = try await CloudSession(seed: 27, faults: ["image-never-loads"])
        let output = try await session.harness.vp(
            "create-instance", "--gpu", "RTX3090", "--no-wait", "--json")
        #expect(output.status == 0, "\(output)")
        #expect(try output.json()["status"] as? String == "pending")
        try await session.end()
    }

    /// `--limit` is of the whole list, and a part of the world is many countries.
    @Test func offersAreOneList() async throws {
        let session = try await CloudSession(seed: 28)
        let harness = session.harness
        func offers(_ words: String...) async throws -> [[String: Any]] {
            let output = try await harness.start(["offers", "--json"] + words).output()
            return try #require(try output.json()["offers"] as? [[String: Any]], "\(output)")
        }
        let both = try await offers("--gpu", "4090", "--limit", "500")
        #expect(Set(both.compactMap { $0["platform"] as? String }) == ["vast", "runpod"])
        let costs = both.compactMap { $0["job_dollars"] as? Double }
        #expect(costs == costs.sorted() && costs.count == both.count)
        #expect(try await offers("--gpu", "4090", "--limit", "3").count == 3)
        let european = try await offers("--region", "europe", "--platform", "vast", "--limit", "100")
        let countries = Set(european.compactMap { ($0["location"] as? String)?.suffix(2) })
        #expect(!countries.isEmpty && countries.isDisjoint(with: ["US", "CA", "JP", "CN"]))
        let spot = try await offers("--interruptible", "--gpu", "3090", "--platform", "vast")
        #expect(!spot.isEmpty && spot.allSatisfy { $0["interruptible"] as? Bool == true })
        let reliable = try await offers(
            "--min-reliability", "0.99", "--platform", "vast", "--sort", "reliability")
        #expect(reliable.compactMap { $0["reliability"] as? Double }.allSatisfy { $0 >= 0.99 })
        let wide = try await offers("--count", "2", "--min-memory", "40", "--cuda", "12.4", "--limit", "100")
        #expect(
            wide.allSatisfy {
                $0["gpu_count"] as? Int == 2 && ($0["gpu_memory_bytes"] as? Int ?? 0) > 37_000_000_000
            })
        try await session.end()
    }

    /// A platform that fails is said beside what the other has, with a status of its own.
    @Test(arguments: ["ls", "offers"]) func aFailingPlatformHidesNothing(verb: String) async throws {
        let session = try await CloudSession(seed: 29)
        let harness = session.harness
        let id = try await session.rent("vast")
        let broken = ["RUNPOD_API_KEY": "rpa_wrong0123456789"]
        let words = try await harness.start([verb], environment: broken).output()
        #expect(words.status == 200, "\(words)")
        #expect(
            words.stdout.contains("vast") && words.stderr.contains("RunPod refused the API key"), "\(words)")
        let json = try await harness.start([verb, "--json"], environment: broken).output().json()
        let errors = try #require(json["errors"] as? [[String: Any]])
        #expect(errors.map { $0["platform"] as? String } == ["runpod"])
        let rows = try #require((json["instances"] ?? json["offers"]) as? [[String: Any]])
        #expect(rows.contains { verb == "offers" || $0["id"] as? String == id })
        try await session.end()
    }

    @Test func theDoctorIsHonest() async throws {
        let session = try await CloudSession(seed: 30)
        let harness = session.harness
        let well = try await harness.vp("doctor")
        #expect(well.status == 0, "\(well)")
        #expect(well.stdout.contains("Everything looks good."), "\(well)")

        let ill = try await harness.vp(
            "doctor", "--json", environment: ["VAST_API_KEY": "wrong-key-0123456789"])
        #expect(ill.status == 200, "\(ill)")
        let document = try ill.json()
        #expect(document["healthy"] as? Bool == false)
        let checks = try #require(document["checks"] as? [[String: Any]])
        let broken = checks.filter { $0["verdict"] as? String == "broken" }
        #expect(broken.map { $0["subject"] as? String } == ["vast.ai key"], "\(checks)")
        #expect((broken[0]["fix"] as? String)?.contains("vp config-set --vast-api-key -") == true)
        #expect(!ill.stdout.contains("wrong-key"))

        // A key that is new, and so not the account's: made, said, and put right.
        let other = ["VP_SSH_IDENTITY": ""]
        let missing = try await harness.vp("doctor", "--fix", environment: other)
        #expect(missing.stderr.contains("is a new ssh key"), "\(missing)")
        #expect(
            missing.status == 200 && missing.stdout.contains("the account does not have it"), "\(missing)")
        let refused = try await harness.vp(
            "create-instance", "--platform", "vast", "--gpu", "RTX3090", "--json", environment: other)
        #expect(try refused.error()["code"] == "keyNotOnAccount")
        let fixed = try await harness.vp("doctor", "--fix", environment: other)
        #expect(fixed.status == 0, "\(fixed)")
        let created = try await harness.vp(
            "create-instance", "--platform", "vast", "--gpu", "RTX3090", environment: other)
        #expect(created.status == 0, "\(created)")

        try await session.end()
    }

    @Test func theDoctorNeedsNoPlatform() async throws {
        let harness = try CLIHarness()
        let output = try await harness.vp("doctor")
        #expect(output.status == 200)
        #expect(output.stdout.contains("vp config-set --vast-api-key -"), "\(output)")
        #expect(output.stdout.contains("ssh-keygen -t ed25519"))
        let fixed = try await harness.vp("doctor", "--fix")
        #expect(fixed.stderr.contains("is a new ssh key"), "\(fixed)")
        #expect(harness.exists(".ssh/id_ed25519.pub"))
    }
}
