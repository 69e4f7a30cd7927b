import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// What an end would lose although the workspace's listing does not show it.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct OutsideResultsTests {
    private func destroy(_ instance: Instance, _ fixture: EndsFixture) async throws -> SyncSummary {
        guard
            case .destroyed(let receipt) = try await fixture.perform(.destroy(instance.id, DestroyRequest())),
            let download = receipt.download
        else { throw EngineFixture.WrongResult() }
        return download
    }

    // MARK: Links

    @Test(arguments: VPEngine.Platform.allCases)
    func whatLiesBehindALinkComesThroughIt(platform: VPEngine.Platform) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            try FileManager.default.createDirectory(
                atPath: "\(fixture.project)/mine", withIntermediateDirectories: true)
            try Data("here\n".utf8).write(to: URL(fileURLWithPath: "\(fixture.project)/mine/a.txt"))
            let instance = try await fixture.create(on: platform)
            try await fixture.there(
                """
                mkdir -p "$HOME/set/sub" "$HOME/second" "$HOME/other"
                echo one > "$HOME/set/sub/a.txt"
                echo deep > "$HOME/second/b.txt"
                echo there > "$HOME/other/a.txt"
                echo file > "$HOME/model.bin"
                ln -s "$HOME/second" "$HOME/set/nested"
                ln -s "$HOME/set" data
                ln -s "$HOME/other" mine
                ln -s "$HOME/model.bin" last.bin
                # What leads everywhere, nowhere and in circles.
                ln -s / everything; ln -s /proc processes; ln -s "$HOME" home; ln -s . self
                ln -s loop-2 loop-1; ln -s loop-1 loop-2; ln -s "$HOME/set" "$HOME/second/back"
                """, on: instance)
            // A download before the end brings the links themselves, which are in the way then.
            _ = try await fixture.perform(.download(instance.id))
            let summary = try await self.destroy(instance, fixture)
            #expect(summary.isWhole)
            #expect(fixture.here("data/sub/a.txt") == "one\n")
            #expect(fixture.here("data/nested/b.txt") == "deep\n")
            #expect(fixture.here("last.bin") == "file\n")
            // What is the user's stays.
            #expect(fixture.here("mine/a.txt") == "here\n")
            let beside = try FileManager.default.subpathsOfDirectory(atPath: fixture.project)
                .filter { $0.contains(".remote-") && fixture.here($0) == "there\n" }
            #expect(!beside.isEmpty)
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    /// What was there when the instance came up is no result.
    @Test func whatAnImageHoldsStaysBehindItsLink() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                """
                mkdir -p "$HOME/set"
                echo old > "$HOME/set/old.txt"
                sleep 0.1
                touch "$HOME/.vp/since"
                sleep 0.1
                echo new > "$HOME/set/new.txt"
                ln -s "$HOME/set" data
                """, on: instance)
            _ = try await self.destroy(instance, fixture)
            #expect(fixture.here("data/new.txt") == "new\n")
            #expect(fixture.here("data/old.txt") == nil)
        }
    }

    @Test func moreThanTheLimitRefusesAndIsNamed() async throws {
        let settings: @Sendable (inout EngineConfiguration) -> Void = { $0.sync.uploadLimit?.bytes = 1000 }
        try await EndsFixture.with(usesSandboxes: false, settings: settings) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                "mkdir -p \"$HOME/set\"; head -c 5000 /dev/zero > \"$HOME/set/big\"; ln -s \"$HOME/set\" data",
                on: instance)
            let error = try await fixture.failure(of: .destroy(instance.id, DestroyRequest()))
            #expect(error.code == .unsafeResults)
            #expect(error.detail?.contains("data: 1 files") == true, "\(error)")
            #expect(error.detail?.contains("sync.keep_there: [data]") == true, "\(error)")
            #expect(await fixture.cloud.instanceCount == 1)
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest(discardsResults: true)))
        }
    }

    @Test(arguments: [["data", "cold/"], ["*"], ["/", "**/*"]])
    func whatIsToStayThereIsSaid(patterns: [String]) async throws {
        let settings: @Sendable (inout EngineConfiguration) -> Void = { $0.sync.keepThere = patterns }
        try await EndsFixture.with(usesSandboxes: false, settings: settings) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                """
                mkdir -p "$HOME/set" cold; echo x > "$HOME/set/x"; ln -s "$HOME/set" data
                echo frozen > cold/a; echo result > result.txt
                """, on: instance)
            let summary = try await self.destroy(instance, fixture)
            #expect(fixture.here("result.txt") == "result\n")
            let stays = patterns.contains("data")
            #expect((fixture.here("data/x") == nil) == stays)
            #expect((fixture.here("cold/a") == nil) == stays)
            #expect(summary.left.contains { $0.hasPrefix("data") } == stays, "\(summary.left)")
            #expect(summary.left.contains { $0.hasPrefix("cold (") } == stays, "\(summary.left)")
        }
    }

    /// Names that programs here act on come beside also where they come through a link,
    /// and what must not come at all is kept inert.
    @Test func whatIsActedOnComesBesideThroughALink() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                """
                o=$HOME/out; mkdir -p "$o/editor" "$o/objects/x" "$o/refs" "$o/clone" bare sub
                echo evil > "$o/editor/tasks.json"; echo evil > "$o/envrc"; echo evil > "$o/objects/x/y"
                echo evil > "$o/refs/z"; echo evil > "$o/HEAD"; echo kept > "$o/clone/.vpignore"
                ln -s "$o/editor" .vscode; ln -s "$o/envrc" .envrc; ln -s "$o/envrc" sub/.gitattributes
                ln -s "$o/objects" bare/objects; ln -s "$o/refs" bare/refs; ln -s "$o/HEAD" bare/HEAD
                ln -s "$o/clone" clone
                """, on: instance)
            let summary = try await self.destroy(instance, fixture)
            for name in [".vscode/tasks.json", ".envrc", "sub/.gitattributes", "clone/.vpignore"] {
                #expect(fixture.here(name) == nil, "\(name)")
            }
            let paths = try FileManager.default.subpathsOfDirectory(atPath: fixture.project)
            for (start, end) in [(".vscode.remote-", "/tasks.json"), (".envrc.remote-", "")] {
                let beside = paths.filter { $0.hasPrefix(start) && $0.hasSuffix(end) }
                #expect(beside.contains { fixture.here($0) == "evil\n" }, "\(paths)")
            }
            let parts = ["HEAD", "objects", "refs"].filter {
                FileManager.default.fileExists(atPath: "\(fixture.project)/bare/\($0)")
            }
            #expect(parts.count < 3, "git would take it for a repository")
            #expect(
                summary.left.contains { $0.hasPrefix("clone/") && $0.contains("saved on this machine") },
                "\(summary.left)")
        }
    }

    /// Links that are called what must not come here prevent no end, and what lies behind them comes beside.
    @Test func aLinkWithARefusedNamePreventsNoEnd() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                """
                mkdir -p sub "$HOME/notes"; echo kept > "$HOME/rules"; echo result > "$HOME/notes/a"
                ln -s "$HOME/rules" .vpignore; ln -s "$HOME/notes" sub/.git
                """, on: instance)
            _ = try await self.destroy(instance, fixture)
            #expect(fixture.here(".vpignore") == nil && fixture.here("sub/.git/a") == nil)
            let paths = try FileManager.default.subpathsOfDirectory(atPath: fixture.project)
            #expect(paths.contains { fixture.here($0) == "kept\n" }, "\(paths)")
            #expect(paths.contains { fixture.here($0) == "result\n" }, "\(paths)")
        }
    }

    /// A name beside a refused one makes no folder that is refused as well.
    @Test func aLinkInAPartOfARepositoryMakesNoSuchPart() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            for name in ["HEAD", "refs/x"] {
                let url = URL(fileURLWithPath: "\(fixture.project)/\(name)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data("mine".utf8).write(to: url)
            }
            try await fixture.there(
                "mkdir -p objects; echo result > \"$HOME/r\"; ln -s \"$HOME/r\" objects/r", on: instance)
            _ = try await self.destroy(instance, fixture)
            #expect(!FileManager.default.fileExists(atPath: "\(fixture.project)/objects"))
            let paths = try FileManager.default.contentsOfDirectory(atPath: fixture.project)
            let beside = try #require(paths.first { $0.hasPrefix("objects_r.remote-") }, "\(paths)")
            #expect(fixture.here(beside) == "result\n")
        }
    }

    /// A transfer that is cut behind a link leaves nothing of its own in the folder.
    @Test func aTransferThatIsCutLeavesNothingBehindALink() async throws {
        let runner = CutRunner()
        try await EndsFixture.with(usesSandboxes: false, runner: runner) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                "mkdir \"$HOME/set\"; echo x > \"$HOME/set/x\"; ln -s \"$HOME/set\" data", on: instance)
            runner.cut("rsync", times: 1000)
            let error = try await fixture.failure(of: .destroy(instance.id, DestroyRequest()))
            #expect(error.code == .unsafeResults)
            let left = try FileManager.default.subpathsOfDirectory(atPath: fixture.project)
                .filter { $0.hasPrefix("data") && $0.contains(".vp") }
            #expect(left.isEmpty, "\(left)")
            runner.cut("rsync", times: 0)
            _ = try await self.destroy(instance, fixture)
            #expect(fixture.here("data/x") == "x\n")
        }
    }

    /// While a job runs, too much behind a link is an alarm that names the line to add.
    @Test(arguments: [[], ["data"]]) func tooMuchBehindALinkIsAnAlarm(keeping: [String]) async throws {
        let settings: @Sendable (inout EngineConfiguration) -> Void = {
            $0.sync.uploadLimit?.bytes = 100_000
            $0.sync.keepThere = keeping
        }
        try await EndsFixture.with(usesSandboxes: false, settings: settings) { fixture in
            let instance = try await fixture.create(on: .vast)
            let script = """
                mkdir -p "$HOME/set" "$HOME/few"; ln -s "$HOME/set" data; ln -s "$HOME/few" little; ln -s / all
                head -c 500000 /dev/zero | tr '\\0' x > "$HOME/set/big"; echo x > "$HOME/few/x"
                until [ -e stop ]; do sleep 0.1; done
                """
            func alarms() throws -> [Alarm] {
                try fixture.engine.moneyReport().alarms.filter { $0.kind == .behindLink }
            }
            let request = RunRequest(command: .shell(script), syncsUp: false, syncsDown: false)
            async let run = fixture.perform(.run(instance.id, request))
            try await wait(for: "a look behind links") {
                ManifestStore(fixture.engine.context).loadBehindLinks(instance: instance.id).flatMap {
                    links in
                    links.bytes.isEmpty && keeping.isEmpty ? nil : true
                }
            }
            // Alarms are about what the platform was last seen to have.
            _ = await fixture.engine.instances()
            let words = try alarms().map(\.words)
            #expect(words.count == (keeping.isEmpty ? 1 : 0), "\(words)")
            #expect(words.allSatisfy { $0.contains("sync.keep_there: [data]") })
            try await fixture.there("rm -f \"$HOME/set/big\"; : > stop", on: instance)
            _ = try await run
            // The next look sees that it is gone.
            await OutsideWatch(context: fixture.engine.context, instance: instance.id).look()
            #expect(try alarms().isEmpty)
        }
    }

    @Test(arguments: [
        "behind\0data\05\0", "behind\0data\0-5\0end\0", "behind\0data\01e300\0end\0", "x\0a\01\0end\0", "",
    ])
    func sizesThatLieAreNone(answer: String) {
        #expect(LastLook.parseSizes(Array(answer.utf8)) == nil)
    }

    @Test func sizesAreRead() {
        let answer = "behind\0data\02\0behind\0../x\01\0end\0"
        let sizes = LastLook.parseSizes(Array(answer.utf8))
        #expect(sizes?[SyncPath("data")] == 2048)
        #expect(sizes?.keys.contains(SyncPath("../x")) == false)
    }

    // MARK: Repositories

    private static let identity = "-c user.name=a -c user.email=a@example.org -c init.defaultBranch=main"

    @Test(.requires("git")) func whatNoRemoteHasComesAsABundle() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            let tips = try await fixture.there(
                """
                g() { git \(Self.identity) "$@"; }
                g init -q origin.git --bare
                mv origin.git "$HOME/origin.git"
                g clone -q "$HOME/origin.git" clean 2>/dev/null
                cd clean; echo a > a; g add a; g commit -qm a; g push -q origin HEAD 2>/dev/null; cd ..
                g clone -q "$HOME/origin.git" changed 2>/dev/null
                cd changed; echo b > b; g add b; g commit -qm b; g branch side
                echo c > b; g stash -q; g rev-parse HEAD; g rev-parse refs/stash; cd ..
                g init -q fresh; cd fresh; echo d > d; g add d; g commit -qm d; g rev-parse HEAD; cd ..
                g clone -q --depth 1 "file://$HOME/origin.git" shallow 2>/dev/null
                cd shallow; echo e > e; g add e; g commit -qm e
                """, on: instance
            ).split(separator: "\n").map(String.init)
            let summary = try await self.destroy(instance, fixture)
            #expect(summary.isWhole, "\(summary)")
            func heads(of name: String) async throws -> String {
                let result = try await SystemProcessRunner().run(
                    ProcessCommand(
                        "git",
                        ["bundle", "list-heads", "\(fixture.project)/\(name).remote-\(instance.id).bundle"],
                        environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]))
                return String(decoding: result.output, as: UTF8.self)
            }
            let changed = try await heads(of: "changed")
            #expect(tips.count == 3 && tips[..<2].allSatisfy(changed.contains), "\(changed) \(tips)")
            #expect(changed.contains("refs/heads/side"))
            #expect(try await heads(of: "fresh").contains(tips[2]))
            #expect(try await heads(of: "clean").isEmpty)
            // What a bundle cannot hold is kept as it is, where nothing unpacks it.
            let held = "\(fixture.engine.configuration.paths.stateFolder)/held"
            let archive = try #require(
                try FileManager.default.contentsOfDirectory(atPath: held).first { $0.hasSuffix(".tar") })
            let list = try await SystemProcessRunner().run(
                ProcessCommand(
                    "tar", ["-tf", "\(held)/\(archive)"],
                    environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]))
            #expect(String(decoding: list.output, as: UTF8.self).contains("shallow/.git/HEAD"))
            #expect(!FileManager.default.fileExists(atPath: "\(fixture.project)/changed/.git"))
        }
    }

    /// Each stash takes a program there: of too many the repository is kept as it is, soon.
    @Test(.requires("git")) func aThousandStashesAreNotBundled() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                """
                git \(Self.identity) init -q r; cd r; echo a > a; git add a; git \(Self.identity) commit -qm a
                tip=$(git rev-parse HEAD); git update-ref refs/stash "$tip"; mkdir -p .git/logs/refs
                yes "$tip $tip a <a@example.org> 1700000000 +0000\tm" | head -n 2000 > .git/logs/refs/stash
                """, on: instance)
            let summary = try await self.destroy(instance, fixture)
            #expect(
                summary.left.contains { $0.hasPrefix("r/.git is saved on this machine") }, "\(summary.left)")
        }
    }

    // MARK: Folders by evidence

    /// A folder that is only called so is a folder.
    @Test func onlyEvidenceMakesAFolderOneThatCanBeMadeAgain() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there(
                """
                mkdir -p weights/deep plain; echo made > weights/deep/a; : > weights/CACHEDIR.TAG; echo mine > plain/a
                mkdir -p venv/bin .venv/bin js/node_modules/x node_modules/x __pycache__ target cache/.cache \\
                    hub/models--a--b env/conda-meta
                echo mine > venv/bin/notes; echo made > .venv/bin/python; : > .venv/pyvenv.cfg
                echo made > env/conda-meta/history
                echo made > js/node_modules/x/index.js; : > js/package.json
                echo mine > node_modules/x/index.js
                echo made > __pycache__/a.pyc; echo mine > module.pyc
                echo mine > target/a; echo made > cache/.cache/a; : > cache/.cache/CACHEDIR.TAG
                echo made > hub/models--a--b/a
                """, on: instance)
            let summary = try await self.destroy(instance, fixture)
            for file in ["plain/a", "venv/bin/notes", "node_modules/x/index.js", "module.pyc", "target/a"] {
                #expect(fixture.here(file) == "mine\n", "\(file)")
            }
            for file in [
                ".venv/bin/python", "env/conda-meta/history", "js/node_modules/x/index.js",
                "__pycache__/a.pyc",
                "cache/.cache/a", "hub/models--a--b/a", "weights/deep/a",
            ] {
                #expect(fixture.here(file) == nil, "\(file)")
            }
            for folder in [
                ".venv", "env", "js/node_modules", "__pycache__", "cache/.cache", "hub/models--a--b",
                "weights",
            ] {
                #expect(
                    summary.left.contains { $0.hasPrefix("\(folder) (") && $0.contains("recreated") },
                    "\(folder): \(summary.left)")
            }
        }
    }

    // MARK: Folders of jobs

    @Test func whatAJobWroteElsewhereComes() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            let folder = try await fixture.there(
                "mkdir -p \"$HOME/elsewhere\"; printf %s \"$HOME/elsewhere\"", on: instance)
            let request = RunRequest(
                command: .shell("echo made > out.txt"), workingDirectory: folder, syncsUp: false,
                syncsDown: false)
            _ = try await fixture.perform(.run(instance.id, request))
            _ = try await self.destroy(instance, fixture)
            #expect(fixture.here("elsewhere.remote-\(instance.id)/out.txt") == "made\n")
        }
    }
}
