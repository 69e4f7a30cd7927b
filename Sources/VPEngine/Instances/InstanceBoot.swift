import Foundation
import VPScripts

/// Waits until an instance has booted, its workspace can be used and its GPUs answer.
///
/// Each stage is named in the progress and has its own deadline. A failure of the instance itself throws
/// `.instanceNotReady` with the stage and the platform's words; any other error is not the instance's fault.
struct InstanceBoot {
    let context: EngineContext
    let deadlines: BootDeadlines
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void
    /// `true` when starting a stopped instance: the platform may show the old state for a while.
    var isRestart = false
    /// The CUDA version that the image was built for; with an older driver no GPU is found.
    var imageCUDA: Double?
    /// The hardware that was rented; nil if it is unknown or does not matter.
    var rented: RentedHardware?
    /// The container's variables, which platforms pass to its first process only, and not to logins.
    var environment: [String: String] = [:]

    func run(_ rented: Instance) async throws(EngineError) -> Instance {
        let (instance, shell) = try await self.waitForLogin(rented)
        try await self.prepare(shell)
        // The rented GPU count is required, even if the platform's row says less.
        let count = max(instance.gpuCount, self.rented?.gpuCount ?? 0)
        if count > 0 { try await self.checkGPUs(shell, count: count) }
        return instance
    }

    // MARK: Until ssh answers

    /// Asks the platform again before each attempt: the address may come late, change, or disappear.
    private func waitForLogin(_ rented: Instance) async throws(EngineError) -> (Instance, RemoteShell) {
        let start = ContinuousClock.now
        var silence = self.deadlines.silence
        // The platform may show the old state for minutes after a start.
        if self.isRestart { silence.placed = silence.loading }
        var watch = BootWatch(.loading, limit: self.deadlines.loading, silence: silence, at: 0)
        var last = rented
        var isKnown = self.isRestart
        var looks = 0
        while true {
            let seen = try await self.look(at: rented.id, isKnown: isKnown)
            if let seen {
                isKnown = true
                if seen != last { self.report(.instanceChanged(seen)) }
                last = seen
                // The hardware is checked before any data of the user's is sent, and before more is paid for.
                if let difference = self.rented?.difference(from: seen) {
                    throw self.notReady(seen, watch.stage, difference)
                }
            }
            if watch.stage == .loading {
                try await self.tellProgress(
                    of: last, to: &watch, isAfresh: looks % 3 == 0 || last.status == .failed)
                looks += 1
            }
            if seen == nil {
                watch.sawNothing(at: start.secondsUntilNow)
            } else {
                watch.saw(.init(status: last.status, words: watch.words), at: start.secondsUntilNow)
            }
            switch last.status {
            case .stopped where self.isRestart && watch.stage == .loading: break
            case .failed, .lost, .stopped:
                let words = last.statusMessage ?? watch.words
                throw self.notReady(
                    last, watch.stage,
                    [last.status.rawValue, words].compactMap(\.self).joined(separator: ", "))
            case .running:
                if watch.stage == .loading {
                    watch = BootWatch(
                        .sshPort, limit: self.deadlines.sshPort, at: start.secondsUntilNow)
                    self.progress(ActionProgress(.sshPort))
                }
                let attempt = try await self.attemptLogin(last)
                switch attempt {
                case .success(let shell): return (last, shell)
                case .failure(let error):
                    watch.words = error.detail
                    // Keys may be written after sshd has started to listen.
                    if error.code == .sshRefused, watch.stage == .sshPort {
                        watch = BootWatch(
                            .sshLogin, limit: self.deadlines.sshLogin, words: error.detail,
                            at: start.secondsUntilNow)
                        self.progress(ActionProgress(.sshLogin, detail: error.detail))
                    }
                }
            default: break
            }
            if let reason = watch.reasonToGiveUp(at: start.secondsUntilNow) {
                throw self.notReady(last, watch.stage, reason)
            }
            try await self.context.pause(watch.stage == .loading ? 3 : 2, "waiting for the instance")
        }
    }

    /// Reports the platform's messages about the boot, and throws if they show that it cannot succeed.
    ///
    /// - Parameter isAfresh: `true` to ask a platform for messages that its list does not contain; each
    ///   question is a separate call.
    private func tellProgress(
        of instance: Instance, to watch: inout BootWatch, isAfresh: Bool
    ) async throws(EngineError) {
        var lines: [String] = []
        if let message = instance.statusMessage {
            lines = [message]
        } else if isAfresh {
            let client = try self.context.client(instance.id.platform, "waiting for the instance")
            lines = (try? await client.startMessages(instance.id)) ?? []
            // After a restart, the messages of earlier starts precede its own.
            if self.isRestart { lines = lines.suffix(1) }
        }
        guard let words = lines.last else { return }
        if words != watch.words {
            watch.words = words
            self.progress(ActionProgress(.loading, detail: words))
        }
        guard let (meaning, line) = StartMessages.verdict(of: lines, image: instance.image) else { return }
        throw self.failure(instance, meaning, line)
    }

    /// The error for a failed boot. Its code says whose fault it is, which decides the user's message and the
    /// next step of a create.
    private func failure(
        _ instance: Instance, _ meaning: StartMessages.Meaning, _ line: String
    ) -> EngineError {
        let image = instance.image ?? "the image"
        switch meaning {
        case .image:
            return EngineError(
                .imageUnavailable,
                .init("waiting for instance \(instance.id)", platform: instance.id.platform, subject: image),
                detail: line)
        case .registry:
            return EngineError(
                .registryBusy,
                .init("waiting for instance \(instance.id)", platform: instance.id.platform, subject: image),
                detail: line)
        case .machine, .nobody: return self.notReady(instance, .loading, line)
        }
    }

    /// Returns nil if the platform gave no usable answer: one bad answer must not cost the machine.
    private func look(at id: InstanceID, isKnown: Bool) async throws(EngineError) -> Instance? {
        do throws(EngineError) {
            return try await self.context.freshInstance(id)
        } catch {
            switch error.code {
            case .networkDown, .platformFailed, .timedOut, .rateLimited, .badResponse: return nil
            case .instanceGone:
                // A fresh rental may take a moment to appear; an instance that was seen and no longer is, is
                // gone.
                guard isKnown else { return nil }
                throw EngineError(
                    .instanceNotReady, error.activity, detail: "it disappeared while it was starting")
            default: throw error
            }
        }
    }

    private func attemptLogin(
        _ instance: Instance
    ) async throws(EngineError) -> Result<RemoteShell, EngineError> {
        guard let address = instance.ssh else {
            return .failure(
                EngineError(.unreachable, .init("connecting"), detail: "the platform names no address yet"))
        }
        self.progress(ActionProgress(.sshPort, detail: "\(address.host):\(address.port)"))
        do throws(EngineError) {
            let shell = try await self.context.connections.shell(for: instance)
            _ = try await shell.run("exit 0\n")
            return .success(shell)
        } catch {
            self.context.connections.reset(instance.id)
            switch error.code {
            case .unreachable, .sshRefused: return .failure(error)
            case .hostKeyChanged:
                // The key changed between two attempts of one boot: nothing was sent, and the instance is not
                // to be trusted.
                throw self.notReady(instance, .sshPort, error.detail ?? "its host key changed")
            default: throw error
            }
        }
    }

    // MARK: By ssh

    private func prepare(_ shell: RemoteShell) async throws(EngineError) {
        self.progress(ActionProgress(.preparing))
        let script = BootScript.prepare(root: self.context.configuration.workspace.remoteRoot)
        let result = try await self.run(script, shell, .preparing, limit: self.deadlines.preparing)
        guard result.isSuccess else {
            throw self.notReady(
                shell.target.instance, .preparing, result.lastErrorLine ?? "the workspace cannot be created")
        }
        let isWiped = self.isRestart && shell.target.instance.platform == .runpod
        guard !self.environment.isEmpty || isWiped else { return }
        let keeping = try await self.run(
            self.environment.isEmpty ? BootScript.restore : BootScript.keep(self.environment), shell,
            .preparing,
            limit: self.deadlines.preparing)
        guard keeping.isSuccess else {
            throw self.notReady(
                shell.target.instance, .preparing, keeping.lastErrorLine ?? "the variables cannot be saved")
        }
    }

    private func checkGPUs(_ shell: RemoteShell, count: Int) async throws(EngineError) {
        self.progress(ActionProgress(.checkingGPU))
        let result = try await self.run(
            BootScript.countGPUs, shell, .checkingGPU, limit: self.deadlines.checkingGPU)
        let lines = String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isNewline)
        let seen = lines.first.flatMap(NumberRange.gpus.read) ?? 0
        guard seen >= count else {
            let words = result.lastErrorLine.map { ": \($0)" } ?? ""
            throw self.notReady(
                shell.target.instance, .checkingGPU, "\(seen) of \(count) GPUs can be seen\(words)")
        }
        if let wanted = self.imageCUDA, lines.count > 1, let driver = ImageCUDA.dotted(lines[1]),
            driver < wanted
        {
            throw self.notReady(
                shell.target.instance, .checkingGPU,
                "the driver supports CUDA \(Figures.fixed(driver, 1)) and the image needs \(Figures.fixed(wanted, 1))"
            )
        }
    }

    /// Runs `script`, which must be idempotent: it runs again over a new connection if one breaks. A script
    /// that hangs is the instance's fault as well.
    private func run(
        _ script: String, _ shell: RemoteShell, _ stage: ActionStage, limit: Double
    ) async throws(EngineError) -> ProcessResult {
        let id = shell.target.instance
        let start = ContinuousClock.now
        var shell = shell
        while true {
            let left = limit - start.secondsUntilNow
            let failure: EngineError
            do throws(EngineError) {
                if let result = try await Self.run(script, shell, for: max(0, left)) { return result }
                throw self.notReady(
                    id, stage, "it did not finish; vp gave up after \(Int(saturating: limit.rounded())) s")
            } catch {
                failure = error
            }
            switch failure.code {
            case .unreachable, .sshRefused:
                guard left > 0 else {
                    throw self.notReady(id, stage, failure.detail ?? "the connection broke")
                }
                self.context.connections.reset(id)
                try await self.context.pause(2, "waiting for the instance")
                if let instance = try await self.look(at: id, isKnown: true) {
                    guard instance.status == .running, !instance.addresses.isEmpty else {
                        throw self.notReady(
                            instance, stage, instance.statusMessage ?? instance.status.rawValue)
                    }
                    if let other = try? await self.context.connections.shell(for: instance) { shell = other }
                }
            case .hostKeyChanged:
                // No data of the user's was sent yet, and the instance is not to be trusted with any.
                throw self.notReady(id, stage, failure.detail ?? "its host key changed")
            default: throw failure
            }
        }
    }

    /// Returns nil, and ends the script, if it takes longer than `seconds`.
    private static func run(
        _ script: String, _ shell: RemoteShell, for seconds: Double
    ) async throws(EngineError) -> ProcessResult? {
        let result = await withTaskGroup(of: Result<ProcessResult, EngineError>?.self) { group in
            group.addTask {
                do throws(EngineError) {
                    return .success(try await shell.run(script))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if Task.isCancelled { throw EngineError(.cancelled, .init("waiting for the instance")) }
        return try result?.get()
    }

    private func notReady(_ instance: Instance, _ stage: ActionStage, _ detail: String) -> EngineError {
        self.notReady(instance.id, stage, detail)
    }

    private func notReady(_ id: InstanceID, _ stage: ActionStage, _ detail: String) -> EngineError {
        EngineError(
            .instanceNotReady,
            .init("waiting for instance \(id)", platform: id.platform, subject: id.rawValue),
            detail: "\(stage.words): \(detail)")
    }
}

/// Scripts that run on a fresh instance.
enum BootScript {
    /// Creates the workspace and installs rsync if it is missing. The last line of stderr describes a
    /// failure.
    static func prepare(root: String) -> String { ScriptFile.bootPrepare.text(["root": root]) }

    /// Saves `environment` for jobs and logins in a file that only its user can read, which shells read
    /// first.
    static func keep(_ environment: [String: String]) -> String {
        let exports = environment.sorted { $0.key < $1.key }.map { name, value in
            "export \(name)=\(ShellQuoting.quoted(value))\n"
        }.joined()
        return ScriptFile.keepVariables.text(["kept_environment": exports])
    }

    /// Saves the variables from the rental again, for a container whose disk was wiped.
    static let restore = ScriptFile.restoreVariables.text(["names_variable": RentRequest.namesVariable])

    /// Prints the number of GPUs, then the driver's CUDA version if it is known.
    static let countGPUs = ScriptFile.countGPUs.text
}
