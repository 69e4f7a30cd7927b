import Foundation
import Testing
import VPScripts
import VPTestSupport

@testable import VPEngine

/// What an instance itself takes for a loss that is no number any more (`--stop-on nan`): a job that is ended
/// for nothing is worse than a loss that is missed.
@Suite(.requires("dash", "bash", "busybox"), .timeLimit(.minutes(15)))
struct WatchLossTests {
    private static let shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]

    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("corpus")

    private static func logs(_ folder: String) throws -> [(name: String, bytes: Data)] {
        let folder = Self.corpus.appendingPathComponent(folder)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".log") }.sorted()
            .map { (String($0.dropLast(4)), try Data(contentsOf: folder.appendingPathComponent($0))) }
    }

    /// What the script says of each log, by its number: the loss and its step, or nothing.
    /// A log that comes in several pieces is looked at after each.
    private static func verdicts(_ logs: [[Data]], in shell: [String]) async throws -> [String] {
        try await TemporaryFolder.with { folder in
            for (number, pieces) in logs.enumerated() {
                for (piece, bytes) in pieces.enumerated() {
                    let path = String(format: "%@/%04d/%04d", folder.path, number, piece)
                    try FileManager.default.createDirectory(
                        atPath: (path as NSString).deletingLastPathComponent,
                        withIntermediateDirectories: true)
                    try bytes.write(to: URL(fileURLWithPath: path))
                }
            }
            var path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            if shell[0] == "busybox" {
                // Its own awk, dd, tail and tr, and not those of this machine.
                let program = try #require(Programs.path(of: "busybox"))
                for name in ["awk", "dd", "tail", "tr", "wc", "cat"] {
                    try folder.writeProgram(
                        "#!/bin/sh\nexec \(program) \(name) \"$@\"\n", to: "bin/\(name)")
                }
                path = folder.path + "/bin:" + path
            }
            let script = """
                \(ScriptFile.watchLoss.text)
                for job in \(folder.path)/[0-9]*; do
                offset=0 losses=''
                for piece in "$job"/[0-9]*; do cat "$piece" >>"$job/log"; look_at_losses; [ -z "$words" ] || break; done
                echo "${job##*/} $words"
                done
                """
            let words = [try #require(Programs.path(of: shell[0]))] + shell.dropFirst() + ["-s"]
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    words[0], Array(words.dropFirst()), environment: ["PATH": path, "HOME": folder.path],
                    input: Array(script.utf8)))
            #expect(result.errorOutput.isEmpty, "\(String(decoding: result.errorOutput, as: UTF8.self))")
            let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
            #expect(lines.count == logs.count)
            return lines.map { String($0.dropFirst(5)) }
        }
    }

    /// Each three times over, as a run that is begun again: 86 programs, and 15 logs of no training.
    @Test(arguments: Self.shells) func noHealthyLogEndsAJob(shell: [String]) async throws {
        let logs = try Self.logs("") + Self.logs("none")
        #expect(logs.count == 101)
        let verdicts = try await Self.verdicts(logs.map { [$0.bytes + $0.bytes + $0.bytes] }, in: shell)
        for (log, verdict) in zip(logs, verdicts) { #expect(verdict.isEmpty, "\(log.name): \(verdict)") }
    }

    /// One line that is no number ends nothing; a run that goes on so does, where its format is a plain one.
    @Test(arguments: Self.shells) func aRunThatGoesOnWithoutANumberIsEnded(shell: [String]) async throws {
        let healthy = Dictionary(uniqueKeysWithValues: try Self.logs("").map { ($0.name, $0.bytes) })
        let logs = try Self.logs("nan")
        #expect(logs.count == 71)
        #expect(try await Self.verdicts(logs.map { [$0.bytes] }, in: shell).allSatisfy(\.isEmpty))
        let longer = logs.map { log in
            let lines = Self.lines(of: log.bytes)
            let broken = zip(lines, Self.lines(of: healthy[log.name] ?? Data())).filter { $0 != $1 }.map(\.0)
            return [log.bytes, Data((1...3).flatMap { Self.later(broken, by: $0) }.joined().utf8)]
        }
        let verdicts = try await Self.verdicts(longer, in: shell)
        let caught = zip(logs, verdicts).filter { !$1.isEmpty }.map(\.0.name)
        #expect(
            caught.count >= 45, "\(caught.count) of 71; missed \(Set(logs.map(\.name)).subtracting(caught))")
        #expect(verdicts.allSatisfy { $0.isEmpty || $0.contains("loss:") }, "\(verdicts)")
    }

    private static func lines(of bytes: Data) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        )
        .map(String.init)
    }

    /// The same lines so many steps later: each number that is no date, time or part of a name is higher.
    private static func later(_ lines: [String], by steps: Int) -> [String] {
        lines.map { line in
            line.replacing(#/(^|[^\d.:\-\w])(\d+)(\.\d+)?(?![\d\-]|:\d|\.\d)/#) { match in
                guard let fraction = match.output.3 else {
                    return "\(match.output.1)\((Int(match.output.2) ?? 0) + steps)"
                }
                let digits = fraction.count - 1
                let value = (Double(match.output.2 + fraction) ?? 0) + Double(steps) / pow(10, Double(digits))
                return "\(match.output.1)\(String(format: "%.\(digits)f", value))"
            } + "\n"
        }
    }

    /// `%` stands for the number of the step.
    @Test(arguments: [
        "step %/100 | loss 1.009399 (+nanz)| norm 15.3210 (+nanz)| lr 8.57e-07",
        "iteration % | lm loss: 4.5 | loss scale: nan | number of nan iterations: 0 |",
        "step:%/1770 train_loss:0.5 step_avg:nanms", "step % loss 0.5 aux_loss nan",
        "step %: loss 0.5, loss_mask: nan", "step % loss 0.5 val_loss nan",
        "epoch % - loss: 0.5 - val_loss: nan",
        "step 7 loss nan after %", "loss nan", "Step % | Disc Loss: nan", "Test: step % loss nan",
        "[valid] epoch % loss=nan", "step % best loss: nan", "step % ep_rew_mean nan loss 0.5",
        "step % Pseudo dice [0.8, nan], loss 0.25", "step % loss inf", "step % loss nanny",
        "step % loss nan.5e1x",
        "step % glossary: nan", "step % loss 0.5 loss nan", "step % F1 loss: nan", "step % loss: n/a",
        "step % loss/actor: nan", "epoch % {'eval_loss': nan, 'loss': 0.5}",
        "step % loss scaler: nan, skipping", "sample % of text: the loss is nan",
    ])
    func aTrapEndsNoJob(line: String) async throws {
        var log = (1...5).map { "step \($0) loss 0.\($0) val_loss 0.5 aux_loss 0.5\n" }.joined()
        log += (6...40).map { line.replacing("%", with: "\($0)") + "\n" }.joined()
        for shell in Self.shells {
            #expect(try await Self.verdicts([[Data(log.utf8)]], in: shell) == [""], "\(shell): \(line)")
        }
    }

    @Test(arguments: [
        ("step % loss nan", "loss:3"), ("Step %/100, Loss: -nan, lr 0.1", "loss:3"),
        ("{'loss': nan, 'epoch': 0.0%}", "loss:"), (#"{"step":%,"loss":NaN,"lr":1}"#, "loss:3"),
        ("Epoch %: 100%|██| 4/4 [00:01<00:00, loss=nan.0]", "loss:"),
        ("epoch % Train Loss: nan, Val Loss: 0.5", "train_loss:"),
        ("iter % | total_loss: nan | loss_cls: 0.5", "total_loss:3"),
        ("\u{1B}[32mstep\u{1B}[0m=% \u{1B}[36mloss\u{1B}[0m=\u{1B}[35mnan\u{1B}[0m", "loss:3"),
        ("step % loss nan\r", "loss:3"), ("\u{0}step % loss nan", "loss:3"),
    ])
    func aLossThatBecameNoNumberEndsAJob(form: String, words: String) async throws {
        func line(_ step: Int) -> String { form.replacing("%", with: "\(step)") + "\n" }
        func number(_ step: Int) -> String {
            line(step).replacing(#/-?nan(\.0)?|NaN/#) { _ in "0.5" }
        }
        // Twice is an accident, and so is what comes back.
        let log =
            number(1) + number(2) + line(3) + line(4) + number(5) + line(6) + line(7)
        let end = line(8)
        let step = words.hasSuffix("3") ? "\(words.dropLast())6" : words
        let bytes = Data(log.utf8)
        for shell in Self.shells {
            let verdicts = try await Self.verdicts(
                [
                    [bytes], [bytes + Data(end.utf8)], [bytes, Data(end.utf8)],
                    // Never a number, so that nothing is known of it.
                    [Data((1...9).map(line).joined().utf8)],
                ], in: shell)
            #expect(verdicts == ["", step, step, ""], "\(shell): \(form)")
        }
    }

    /// However it arrives: half a line is none, and nothing is read twice.
    @Test(arguments: [1, 7, 64]) func piecesDoNotMatter(size: Int) async throws {
        let text =
            "step 1 loss 0.5\n\u{0}\u{0}\r12%|█ | 2/9 loss=0.4\rstep 3 loss nan\nstep 4 loss nan\n"
            + "step 5 loss nan\n"
        let bytes = Data(text.utf8)
        let pieces = stride(from: 0, to: bytes.count, by: size).map {
            bytes[$0..<min(bytes.count, $0 + size)]
        }
        let short = Data(text.utf8.dropLast(1))
        for shell in Self.shells {
            #expect(
                try await Self.verdicts([pieces.map { Data($0) }, [short]], in: shell) == ["loss:3", ""],
                "\(shell)")
        }
    }
}

/// The same by the job's own supervisor.
@Suite(.requires("dash", "bash", "busybox", "perl"), .timeLimit(.minutes(15)))
struct WatchedJobTests {
    @Test(arguments: JobShell.Kind.allCases)
    func theInstanceEndsAJobByItself(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            var script = shell.script(
                .shell(
                    """
                    (setsid sh -c 'trap "" TERM; echo $$ > other; while :; do sleep 0.1; done' &)
                    echo kept > result; echo step 1 loss 0.5
                    for i in 2 3 4 5; do echo step $i loss nan; done; while :; do sleep 0.05; done
                    """))
            script.watchesLoss = true
            #expect(try await shell.run(script.startAndReturn).reports.last?.isFollowing == true)
            try await shell.wait(for: "status")
            let (output, reports) = try await shell.run(script.follow(from: 0))
            guard case .ended(let end) = reports.last else { throw JobShell.WrongEnd() }
            #expect(end.stop == TrainingAlarm(.nan, series: "loss", step: 2) && !end.wasCancelled)
            #expect(JobCause.words(for: end, tail: output)?.hasPrefix("--stop-on nan: loss is not") == true)
            #expect(String(decoding: output, as: UTF8.self).contains("this job is being ended.\n"))
            let other = try String(contentsOfFile: shell.home + "/workspace/other", encoding: .utf8)
            #expect(!JobShell.runs(try #require(pid_t(other.dropLast()))))
        }
    }

    /// A job that ends by itself leaves nobody behind who watches it, and says nothing of it.
    @Test(arguments: JobShell.Kind.allCases)
    func aHealthyJobIsLeftAlone(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let gate = shell.home + "/gate"
            var script = shell.script(
                .shell("echo step 1 loss 0.5; while [ ! -e \(gate) ]; do sleep 0.05; done; exit 4"))
            script.watchesLoss = true
            #expect(try await shell.run(script.startAndReturn).reports.last?.isFollowing == true)
            func watchers() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
                    let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
                    return words.range(of: Data(shell.path(of: "supervise").utf8)) != nil
                }
            }
            // The supervisor, and the one that watches.
            try await waitUntil("the watcher") { try watchers().count == 2 }
            try Data().write(to: URL(fileURLWithPath: gate))
            try await shell.wait(for: "status")
            let (output, reports) = try await shell.run(script.follow(from: 0))
            guard case .ended(let end) = reports.last else { throw JobShell.WrongEnd() }
            #expect(end.outcome == .exited(4) && end.stop == nil)
            #expect(output == Array("step 1 loss 0.5\n".utf8))
            try await waitUntil("its end") { try watchers().isEmpty }
        }
    }
}
