import Foundation
import VPTestSupport

@testable import VPEngine

/// An instance that lies, chosen by seed: programs of its own stand first in its PATH,
/// its files have names and kinds that mean harm, and they change between two looks.
struct HostileInstance {
    let instance: LocalInstance
    /// Another one, of the same kind and for the same project.
    let second: LocalInstance
    let judge: HomeJudge
    var history: [String] = []
    /// Files that were sent or brought; without any, nothing has been tried.
    var moved = 0
    var random: SeededGenerator
    var serial = 0
    let folder: String

    /// Text that must never leave, and the marker of a program that has run.
    static let secret = "SECRET-TEXT"
    var tripwire: String { "\(self.folder)/tripped" }
    var programs: String { "\(self.folder)/hostile-bin" }
    var remote: String { self.instance.remote }

    /// Stands before each program of the instance, which keeps it to its own folders:
    /// a link there may lead into this machine, which a real instance does not have. Empty where there is no
    /// sandbox; then no link leads here.
    let sandbox: String

    /// In it the home and the project are the instance's own, under the names that they have here.
    private static func sandbox(_ folder: String) -> String {
        let quoted = ShellQuoting.quoted
        var words = "bwrap --ro-bind / / --dev-bind /dev /dev --proc /proc --tmpfs \(quoted(folder)) "
        for (name, source) in [
            ("instance", "instance"), ("instance-8", "instance-8"), ("elsewhere", "elsewhere"),
            ("home", "elsewhere/home"),
            ("project", "elsewhere/project"),
        ] {
            words += "--bind \(quoted("\(folder)/\(source)")) \(quoted("\(folder)/\(name)")) "
        }
        let programs = quoted("\(folder)/hostile-bin")
        return words + "--ro-bind \(programs) \(programs) --chdir \(quoted("\(folder)/elsewhere")) "
            + "--unshare-pid --die-with-parent "
    }

    init(in folder: String, seed: UInt64) async throws {
        self.folder = folder
        self.random = SeededGenerator(seed: seed)
        self.instance = try LocalInstance(in: folder)
        self.second = try LocalInstance(in: folder, id: "8")
        for name in ["hostile-bin", "elsewhere/set", "elsewhere/home/.ssh", "elsewhere/project/data"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let sandbox = Self.sandbox(folder)
        self.sandbox = await Self.run(sandbox + "true") ? sandbox : ""
        self.judge = HomeJudge(
            home: folder,
            free: [
                "/instance", "/instance-8", "/state", "/cache", "/sockets", "/calls", "/elsewhere",
                "/project/.vp/incoming",
            ],
            precious: [
                ".env", "key.pem", ".vpignore", "data/only-copy", "data", "checkpoints/kept", "checkpoints",
                "id_ed25519", "sub/.env", ".vp/config.yaml",
            ])
        try self.prepare()
        _ = try await self.instance.sync().upload()
        guard self.leak() == nil else { throw CocoaError(.fileWriteUnknown) }
    }

    private func prepare() throws {
        func write(_ text: String, _ path: String) throws {
            let path = "\(self.folder)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        for path in ["home/.ssh/config", "home/.ssh/id_ed25519", "home/.bashrc", "home/.config/git/config"] {
            try write("# mine\n", path)
        }
        for path in [
            "project/.env", "project/key.pem", "project/id_ed25519", "project/sub/.env",
            "project/data/only-copy", "project/checkpoints/kept",
        ] { try write(Self.secret + "\n", path) }
        try write("data/\ncheckpoints/*\n", "project/.vpignore")
        try write("# mine\n", "project/.vp/config.yaml")
        for path in ["a", "b", "src/train.py", "src/x/y", "empty/.keep"] {
            try write("text\n", "project/\(path)")
        }
        for path in [
            "set/1", "home/.bashrc", "home/.ssh/config", "home/.ssh/authorized_keys", "home/new",
            "project/.env",
            "project/data/only-copy", "project/a",
        ] { try write("theirs\n", "elsewhere/\(path)") }
        // Between the connection and the instance's shell, its own programs and start-up file come first.
        let ssh = try String(contentsOfFile: "\(self.folder)/bin/ssh", encoding: .utf8)
        let hostile = """
            PATH=$VP_TEST_FOLDER/hostile-bin:$PATH; export PATH
            exec \(self.sandbox)/bin/sh -c '[ ! -e "$0" ] || . "$0"; eval "$1"' \
            "$VP_TEST_FOLDER/hostile-bin/profile" "$*"
            """
        try ProgramFile.write(
            ssh.replacing("exec /bin/sh -c \"$*\"", with: hostile), to: "\(self.folder)/bin/ssh")
    }

    // MARK: A round

    private static let actions = [
        "download", "download", "download", "verify", "upload", "upload", "hold", "end", "end", "jobs",
        "load",
        "both",
    ]
    /// Seconds that no round may take: what hangs there is given up long before.
    private static let deadline = 90

    /// Plays one round and returns what is wrong with it; nil where nothing is.
    mutating func play() async throws -> String? {
        self.history = []
        for _ in 0..<self.pick(0...3) { await self.plant() }
        try self.lie()
        if self.chance(3) {
            try self.instance.meanwhile(self.shellEdit(), beforeCall: self.pick(1...4))
        }
        if self.chance(5) { try self.instance.meanwhileBeforeRsync(self.shellEdit()) }
        if self.chance(3) { await self.editHere() }
        let before = self.judge.look()
        let action = self.pick(Self.actions)
        self.history.append(action)
        let start = ContinuousClock.now
        do throws(EngineError) {
            try await self.perform(action)
        } catch {
            self.history.append("failed: \(error.code.rawValue) \(error.detail ?? "")")
        }
        let seconds = (ContinuousClock.now - start).components.seconds
        if seconds > Self.deadline { return "\(action) took \(seconds) s" }
        self.instance.endMeanwhile()
        unlink("\(self.folder)/meanwhile-rsync")
        let after = self.judge.look()
        if let complaint = self.judge.complaint(before, after) { return complaint }
        if after != before { await self.workHere() }
        if FileManager.default.fileExists(atPath: self.tripwire) { return "a program has run here" }
        return try self.storeComplaint() ?? self.leak().map { "a secret has left in \($0)" }
    }

    /// What a user does next: git looks for a repository where it is called.
    private func workHere() async {
        let quoted = ShellQuoting.quoted
        _ = await Self.run(
            """
            export HOME=\(quoted("\(self.folder)/home")) GIT_CEILING_DIRECTORIES=\(quoted(self.folder))
            cd \(quoted(self.instance.project)) || exit
            for folder in . bare sub; do
            if [ -d "$folder" ] && [ ! -L "$folder" ]; then git -C "$folder" status; fi
            done >/dev/null 2>&1
            """)
    }

    /// A file of the instance, also beside its workspace, that holds what must not leave the project.
    private func leak() -> String? {
        for folder in [self.remote, self.second.remote, "\(self.folder)/elsewhere"] {
            let files = FileManager.default.enumerator(atPath: folder)
            while let name = files?.nextObject() as? String {
                var information = stat()
                let path = "\(folder)/\(name)"
                guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
                    let data = FileManager.default.contents(atPath: path)
                else { continue }
                if data.range(of: Data(Self.secret.utf8)) != nil { return path }
            }
        }
        return nil
    }

    // MARK: Harm

    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self.random)
    }
    mutating func chance(_ oneIn: Int) -> Bool { self.pick(1...oneIn) == 1 }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[self.pick(0...values.count - 1)] }

    private static let names = [
        ".vpignore", ".vp/config.yaml", ".vp/incoming/x", ".VP/config.yaml", ".git/config",
        ".GIT/hooks/pre-commit",
        "sub/.git/config", ".git", ".vp", "HEAD", "config", "objects/x", "refs/heads/x", "bare/HEAD",
        "bare/config",
        "bare/objects/x", "bare/refs/x", ".gitattributes", ".gitmodules", ".envrc", "sub/.envrc",
        ".vscode/tasks.json", "born/.idea/x", ".vpignore/x", "src/.vpignore", "a", "b",
        "data",
        "data/only-copy", "data/new", "checkpoints", "checkpoints/kept", "src", "src/train.py", "src/x",
        "src/x/y",
        "empty", "results/1", "results", "new\nline", "-rf", "q'uote", "sp ace", ".env", "key.pem",
        ".ssh/config",
        "long/\(String(repeating: "n", count: 200))", "x.remote-7", "a.remote-7", ".vp-sync/aside/a",
    ]

    var targets: [String] {
        let near = ["a", ".", "data", "\(self.folder)/elsewhere/set", "../elsewhere/set"]
        guard !self.sandbox.isEmpty else { return near }
        return near + [
            "/", "..", "../home/.ssh", "\(self.folder)/home", "\(self.folder)/home/.bashrc",
            "\(self.folder)/project",
            "/etc/passwd", "../project/.env", "../project/data", "../../home",
        ]
    }

    static let texts = [
        "!.env\n!*.pem\n!id_*\n!data/\n", "[core]\n\tfsmonitor = touch TRIPWIRE\n\tbare = false\n",
        "ssh:\n  identity: \"x\\\"\\nProxyCommand touch TRIPWIRE\"\n", "#!/bin/sh\ntouch TRIPWIRE\n",
        "ref: refs/heads/x\n",
        "* filter=evil\n", "", "results\n",
    ]

    private mutating func plant() async { _ = await Self.run(self.shellEdit()) }

    /// Shell text that changes the instance's files.
    mutating func shellEdit() -> String {
        "\(self.sandbox)/bin/sh -c \(ShellQuoting.quoted(self.edit()))"
    }

    mutating func edit() -> String {
        self.serial += 1
        let path = self.pick(Self.names)
        let name = ShellQuoting.quoted("\(self.remote)/\(path)")
        // Not through a link of an earlier round: what that leads to is not the instance's.
        let folders = path.split(separator: "/").dropLast().reduce(into: [String]()) { folders, part in
            folders.append((folders.last.map { $0 + "/" } ?? "") + part)
        }
        let unlink = folders.map { folder in
            let folder = ShellQuoting.quoted("\(self.remote)/\(folder)")
            return "[ -d \(folder) ] && [ ! -L \(folder) ] || rm -f \(folder); "
        }.joined()
        let make = "\(unlink)rm -rf \(name); mkdir -p \"$(dirname \(name))\" 2>/dev/null"
        self.history.append("plant \(name)")
        switch self.pick(0...6) {
        case 0, 1, 2:
            let text = self.pick(Self.texts).replacing("TRIPWIRE", with: self.tripwire) + "#\(self.serial)\n"
            let mode = self.pick(["644", "755", "4755", "2711", "1777", "000"])
            return "\(make); printf %s \(ShellQuoting.quoted(text)) > \(name); chmod \(mode) \(name)"
        case 3, 4: return "\(make); ln -s \(ShellQuoting.quoted(self.pick(self.targets))) \(name)"
        case 5: return "\(make); mkdir -p \(name)"
        default: return self.chance(2) ? "\(make); mkfifo \(name)" : "\(unlink)rm -rf \(name)"
        }
    }

    private mutating func editHere() async {
        self.serial += 1
        let name = self.pick(["a", "b", "src/train.py", "src/new", "results/1"])
        let isRemoval = self.chance(3)
        self.history.append("\(isRemoval ? "remove" : "edit") here \(name)")
        let path = ShellQuoting.quoted("\(self.instance.project)/\(name)")
        // Not through a link that came down: the edit is the user's own.
        _ = await Self.run(
            """
            folder=$(dirname \(path))
            [ ! -L "$folder" ] && mkdir -p "$folder" && [ ! -L \(path) ] || exit
            \(isRemoval ? "rm -f \(path)" : "echo \(self.serial) > \(path)")
            """)
    }

    /// Runs shell text; true where it ended well.
    static func run(_ text: String) async -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let result = try? await SystemProcessRunner().run(
            ProcessCommand("sh", ["-c", text], environment: ["PATH": path]))
        return result?.isSuccess == true
    }

    private static let records = [
        "f 5 1795000000.0 644 ../evil", "f 5 1795000000.0 644 /evil", "f 5 1795000000.0 644 a/../../evil",
        "f 5 1795000000.0 644 .git/config", "d 0 0 755 data", "f 5 1795000000.0 644 ",
        "f -1 1795000000.0 644 n",
        "f 9223372036854775807 1795000000.0 644 huge", "f 4611686018427387904 1.0 644 huge2",
        "f 5 1e300 644 n",
        "f 5 99999999999999999999.5 4755 n", "l a\u{0}../../home", "l ../x\u{0}y", "l data\u{0}/",
        "x 1 1 1 n",
        "f 5 1795000000.0 644 a", "d 0 0 755 a", "f 5 1795000000.0 644 a/b/c", "f 5 1795000000.0 777777 n",
        "nonsense",
    ]

    private static let lyingPrograms = [
        "find", "rsync", "tar", "sha256sum", "stat", "df", "mv", "profile", "git", "nvidia-smi", "readlink",
        "wc",
        "du", "cat", "tail",
    ]

    /// Lays out programs that lie, each in its own way, or none.
    private mutating func lie() throws {
        for name in Self.lyingPrograms {
            unlink("\(self.programs)/\(name)")
        }
        guard self.chance(3) else {
            for _ in 0..<self.pick(1...2) { try self.lieOnce() }
            return
        }
    }

    private mutating func lieOnce() throws {
        let name = self.pick(Self.lyingPrograms + ["find", "find", "find", "rsync", "tar"])
        let honest = "PATH=${PATH#*:}; export PATH; exec \(name) \"$@\""
        let lie =
            switch name {
            case "find": self.lyingFind(honest)
            case "tar": self.lyingTar(honest)
            case "rsync":
                self.pick([
                    "exec sleep 600", "exit 12", "exit 127", "head -c 2000 /dev/urandom", "cd ..; \(honest)",
                    "exit 0",
                    "yes | head -c 300000", "kill -9 $PPID", "\(self.edit())\n\(honest)",
                ])
            case "profile":
                self.chance(2)
                    ? self.lyingAnswer()
                    : self.pick([
                        "echo unasked; echo vp-job lost >&2", "printf 'f 1 1 644 x\\0end 1\\0'", "umask 0",
                        "cd /",
                        "exit 0", "TAR_OPTIONS=--transform=s,^,../,; export TAR_OPTIONS",
                        "head -c 3000 /dev/urandom",
                        "find() { printf 'f 1 1 644 ../x\\0'; }", "IFS=/e", "exec 2>&1", "set -x",
                        self.edit(),
                    ])
            case "nvidia-smi", "git": self.pick(Self.garbage) + (self.chance(2) ? "" : "; sleep 600")
            default:
                self.pick([
                    "exec sleep 600", "exit 1", "exit 0", "exit 3", "echo 99999999999999999999999999 x",
                    "yes | head -c 300000",
                    "printf '%0*d  -\\n' 64 0", "kill -9 $PPID", "\(self.edit())\n\(honest)",
                ])
            }
        self.history.append("\(name) lies: \(lie.prefix(300))")
        let path = "\(self.programs)/\(name)"
        try ProgramFile.write("#!/bin/sh\n\(lie)\n", to: path)
    }

    private mutating func lyingFind(_ honest: String) -> String {
        switch self.pick(0...7) {
        case 6: return "sleep 600"
        case 7: return self.lyingLastLook(honest)
        // Something else at every look.
        case 0: return "\(self.edit())\n\(honest)"
        // As busybox has it, so that stat is asked.
        case 1: return "case $* in *-printf*) exit 1;; esac\n\(honest)"
        default:
            let records = (0..<self.pick(1...4)).map { _ in self.pick(Self.records) }
            let text = records.map { "\($0)\u{0}" }.joined().replacing("\u{0}", with: "\\0")
            let rest = self.chance(2) ? "PATH=${PATH#*:}; find \"$@\"; " : ""
            return "case $* in *printf*\\ %P*) \(rest)printf '\(text)'; exit 0;; esac\n\(honest)"
        }
    }

    private mutating func lyingTar(_ honest: String) -> String {
        // Members that nobody asked for, through links, above the folder, among our own;
        // what is sent is kept beside.
        let from = ShellQuoting.quoted("\(self.folder)/elsewhere")
        let real = "PATH=${PATH#*:}; export PATH; case $1 in -x*) exec cat > \(from)/wire;; esac"
        return self.pick([
            "\(real); exec tar -cf - -P --transform='s,^,../../,' -C \(from) set",
            """
            \(real); cd \(from); ln -sfn ../../../../../home in; tar -cf - in; rm in; mkdir -p in/.ssh
            echo evil | tee in/.bashrc > in/.ssh/config; tar -cf - in/.bashrc in/.ssh; rm -r in
            """,
            "\(real); exec tar -cf - --transform='s,^set,.git,' -C \(from) set",
            "\(real); exec tar -cf - -P \(from)/set/1",
            "\(real); exec tar -cf - --transform='s,^set/1,a,' -C \(from) set/1",
            "\(real); exec tar -cf - --transform='s,^set/1,.vpignore,' -C \(from) set/1",
            "exec sleep 600", "head -c 3000 /dev/urandom", "exit 3", "yes | head -c 300000", "kill -9 $PPID",
            "\(self.edit())\n\(honest)",
        ])
    }
}
