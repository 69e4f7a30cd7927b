import Foundation
import Synchronization

/// Checks everything that a run depends on, and changes nothing.
struct Doctor {
    let context: EngineContext

    private var configuration: EngineConfiguration { self.context.configuration }

    func diagnose() async -> [Diagnosis] {
        let key: LoginKey?
        var findings: [Diagnosis] = []
        do throws(EngineError) {
            let found = try await LoginKey.find(self.context)
            let fingerprint = await found.fingerprint(self.context)
            if let fingerprint {
                findings.append(Diagnosis("ssh key", .fine, "\(found.origin), \(fingerprint)"))
            } else {
                findings.append(
                    Diagnosis(
                        "ssh key", .broken, "\(found.origin) holds no public key",
                        fix: "Recreate it: ssh-keygen -y -f KEY > KEY.pub", code: .missingIdentity))
            }
            key = fingerprint == nil ? nil : found
        } catch {
            let path = "\(self.configuration.environment["HOME"] ?? "~")/.ssh/id_ed25519"
            let isFree = self.configuration.identityFile == nil
            findings.append(
                Diagnosis(
                    "ssh key", .broken, error.detail ?? "there is none",
                    fix: isFree
                        ? "Create one: ssh-keygen -t ed25519"
                        : "Set another one in VP_SSH_IDENTITY or ssh.identity",
                    remedy: isFree ? .makeKey(path: path) : nil, code: .missingIdentity))
            key = nil
        }
        findings += await self.programs()
        findings.append(self.socketPath())
        findings += self.modes()
        findings += self.disks()
        if let problem = self.context.store.problem {
            findings.append(
                Diagnosis(
                    "history", .broken, "it cannot be written: \(problem.detail ?? problem.code.rawValue)",
                    fix: problem.code == .localDiskFull
                        ? "Make room on that disk"
                        : "Make that folder writable, or set another one in XDG_STATE_HOME",
                    code: problem.code))
        }
        findings += self.configuration.warnings.map { Diagnosis("configuration", .doubtful, $0) }
        return await self.platforms(key) + findings
    }

    // MARK: Platforms

    /// Checks all platforms concurrently.
    private func platforms(_ key: LoginKey?) async -> [Diagnosis] {
        guard !self.configuration.endpoints.isEmpty else {
            return [
                Diagnosis(
                    "API key", .broken, "there is none for any platform",
                    fix: "vp config-set --vast-api-key - or --runpod-api-key -", code: .missingKey)
            ]
        }
        return await withTaskGroup(of: (Int, [Diagnosis]).self) { group in
            for (index, endpoint) in self.configuration.endpoints.enumerated() {
                group.addTask { (index, await PlatformCheck(endpoint: endpoint, doctor: self).run(key)) }
            }
            var found: [Int: [Diagnosis]] = [:]
            for await (index, findings) in group { found[index] = findings }
            return found.keys.sorted().flatMap { found[$0] ?? [] }
        }
    }

    // MARK: This machine

    private func programs() async -> [Diagnosis] {
        [
            // Version 7.6 has `accept-new` for host keys.
            await self.program("ssh", ["-V"], atLeast: (7, 6), package: "openssh-client"),
            // Version 3.1 has `--info` and safe argument passing.
            await self.program("rsync", ["--version"], atLeast: (3, 1), package: "rsync"),
            // git decides which files are ignored.
            await self.program("git", ["--version"], atLeast: (2, 0), package: "git"),
        ]
    }

    private func program(
        _ name: String, _ arguments: [String], atLeast minimum: (Int, Int), package: String
    ) async -> Diagnosis {
        let command = ProcessCommand(name, arguments, environment: self.configuration.environment)
        guard let result = try? await self.context.runner.run(command) else {
            return Diagnosis(
                name, .broken, "it is not installed", fix: "On Debian: apt-get install \(package)",
                code: .missingProgram)
        }
        let text = String(decoding: result.output + result.errorOutput, as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        guard let version = Self.version(in: line) else {
            return Diagnosis(name, .doubtful, "its version is unknown: \(line.prefix(80))")
        }
        let words = "version \(version.0).\(version.1)"
        guard version >= minimum else {
            return Diagnosis(
                name, .broken, "\(words), and \(minimum.0).\(minimum.1) is needed",
                fix: "On Debian: apt-get install \(package)", code: .missingProgram)
        }
        return Diagnosis(name, .fine, words)
    }

    /// The first `N.N` in `text`.
    static func version(in text: String) -> (Int, Int)? {
        for word in text.split(whereSeparator: { !($0.isASCII && $0.isNumber) && $0 != "." }) {
            let parts = word.split(separator: ".")
            if parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) {
                return (major, minor)
            }
        }
        return nil
    }

    private func socketPath() -> Diagnosis {
        let target = SSHTarget(
            instance: InstanceID(platform: .vast, rawValue: "1"), address: SSHAddress(host: "", port: 22),
            identityFile: nil, paths: self.configuration.paths)
        let length = target.controlPath.utf8.count
        guard target.canShareConnection else {
            return Diagnosis(
                "ssh sockets", .doubtful,
                "the path below \(self.configuration.paths.socketFolder) is too long (\(length) bytes) to share "
                    + "connections: every command logs in again",
                fix: "Set a shorter TMPDIR")
        }
        do {
            try PrivateFolder.make(self.configuration.paths.socketFolder)
        } catch {
            return Diagnosis(
                "ssh sockets", .broken,
                "\(self.configuration.paths.socketFolder): \(error.detail ?? "it cannot be used")",
                fix: "Move it away", code: .fileSystem)
        }
        return Diagnosis(
            "ssh sockets", .fine, "\(self.configuration.paths.socketFolder) can hold shared connections")
    }

    private func modes() -> [Diagnosis] {
        let paths = self.configuration.paths
        let userFolder = (paths.userConfigurationFile as NSString).deletingLastPathComponent
        var wanted = [
            (paths.userConfigurationFile, mode_t(0o600)), (userFolder, 0o700), (paths.stateFolder, 0o700),
            (paths.cacheFolder, 0o700),
        ]
        if let identity = self.configuration.identityFile { wanted.append((identity, 0o600)) }
        var loose: [Diagnosis] = []
        for (path, mode) in wanted {
            var information = stat()
            guard stat(path, &information) == 0, information.st_mode & 0o077 != 0 else { continue }
            loose.append(
                Diagnosis(
                    "file modes", .broken, "others can read \(path)",
                    fix: "chmod \(String(mode, radix: 8)) '\(path)'",
                    remedy: .tighten(path: path, mode: UInt32(mode)), code: .badConfiguration))
        }
        return loose.isEmpty
            ? [Diagnosis("file modes", .fine, "nobody else can read keys or history")] : loose
    }

    private func disks() -> [Diagnosis] {
        let folders = [
            ("disk of the project", self.configuration.workspace.localRoot),
            ("disk of the history", self.configuration.paths.stateFolder),
        ]
        return folders.compactMap { name, folder in
            var information = statvfs()
            guard statvfs(folder, &information) == 0 else { return nil }
            let free = Int64(information.f_bavail) * Int64(information.f_frsize)
            let words = "\(ByteCount.text(free)) free"
            switch free {
            case ..<100_000_000:
                return Diagnosis(
                    name, .broken, words, fix: "Make room: results could not be saved", code: .localDiskFull)
            case ..<2_000_000_000: return Diagnosis(name, .doubtful, words, fix: "Make room for results")
            default: return Diagnosis(name, .fine, words)
            }
        }
    }
}

extension Engine {
    /// Checks everything that a run depends on, and changes nothing.
    public func diagnose() async -> [Diagnosis] { await Doctor(context: self.context).diagnose() }

    /// Applies one remedy and returns a description of what was done.
    public func apply(_ remedy: Diagnosis.Remedy) async throws(EngineError) -> String {
        switch remedy {
        case .addKey(let platform):
            let key = try await LoginKey.find(self.context)
            try await self.context.client(platform, "adding the ssh key").addAccountKey(key.line)
            return
                "\(key.origin) is on the \(platform.displayName) account now; instances rented from now on have it"
        case .tighten(let path, let mode):
            guard chmod(path, mode_t(mode)) == 0 else {
                throw PrivateFolder.failure(.init("changing the mode of \(path)", subject: path))
            }
            return "only you can read \(path) now"
        case .makeKey(let path):
            try PrivateFolder.make((path as NSString).deletingLastPathComponent)
            let result = try await self.context.runner.run(
                ProcessCommand(
                    "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path],
                    environment: self.configuration.environment))
            guard result.isSuccess else {
                throw EngineError(
                    .fileSystem, .init("making an ssh key", subject: path), detail: result.lastErrorLine)
            }
            return "\(path) is a new ssh key"
        }
    }
}

/// The checks of one platform: the key and its rights, our ssh key on the account, the clocks.
private struct PlatformCheck {
    let endpoint: PlatformEndpoint
    let doctor: Doctor

    private var platform: Platform { self.endpoint.platform }
    private var address: String { ShownAddress.redacted(self.endpoint.baseURL.absoluteString) }

    func run(_ key: LoginKey?) async -> [Diagnosis] {
        let records = Mutex<[APICallRecord]>([])
        // This check has its own client, so that it sees the response headers.
        let client = PlatformClients.client(
            for: self.endpoint, timeScale: self.doctor.context.configuration.timeScale,
            books: self.doctor.context.configuration.paths.stateFolder
        ) { record in records.withLock { $0.append(record) } }
        let name = self.platform.displayName
        let origin = self.doctor.context.configuration.keyOrigins[self.platform].map { " (from \($0))" } ?? ""
        let (failures, keys) = await self.ask(client)
        let own = self.platform.rawValue
        let renew = "Set a working one: vp config-set --\(own)-api-key -"
        var findings: [Diagnosis] = []
        if failures.isEmpty {
            findings.append(
                Diagnosis(
                    "\(name) key", .fine, "\(self.endpoint.key)\(origin) can read everything that vp needs"))
        } else if failures.count == Question.allCases.count,
            failures.values.allSatisfy({ $0.code == .unauthorized })
        {
            findings.append(
                Diagnosis(
                    "\(name) key", .broken, "\(self.endpoint.key)\(origin) is refused", fix: renew,
                    code: .unauthorized))
        } else {
            for question in Question.allCases {
                guard let error = failures[question] else { continue }
                findings.append(self.finding(question, error, name))
            }
        }
        if let key, let keys, client.installsOnlyAccountKeys {
            let isThere = key.isAmong(keys)
            findings.append(
                isThere
                    ? Diagnosis("\(name) ssh key", .fine, "the account has it")
                    : Diagnosis(
                        "\(name) ssh key", .broken,
                        "the account does not have it: no instance would let you in",
                        fix: "vp doctor --fix adds it", remedy: .addKey(self.platform), code: .keyNotOnAccount
                    ))
        } else if key != nil, !client.installsOnlyAccountKeys {
            findings.append(Diagnosis("\(name) ssh key", .fine, "it is sent with each rental"))
        }
        if let searches = client.searches { findings.append(self.searches(searches, name)) }
        if let clock = self.clock(records.withLock(\.self), name) { findings.append(clock) }
        return findings
    }

    private enum Question: String, CaseIterable {
        case offers = "search offers"
        case instances = "list instances"
        case keys = "read the account's ssh keys"
        case balance = "read the balance"
    }

    private func ask(
        _ client: any PlatformClient
    ) async -> (failures: [Question: EngineError], keys: [AccountKey]?) {
        var failures: [Question: EngineError] = [:]
        var keys: [AccountKey]?
        for question in Question.allCases {
            do throws(EngineError) {
                switch question {
                case .offers: _ = try await client.offers(OfferQuery(limit: 1))
                case .instances: _ = try await client.instances()
                case .keys: keys = try await client.accountKeys()
                case .balance:
                    let dollars = try await client.balance().dollars
                    if dollars <= 0 {
                        failures[question] = EngineError(
                            .insufficientCredit, .init("reading the balance", platform: self.platform),
                            detail: "\(Figures.dollars(dollars)) is left")
                    }
                }
            } catch {
                // A balance that the platform no longer reports is no fault of the key.
                if question == .balance, error.code == .endpointRetired || error.code == .unsupported {
                    continue
                }
                failures[question] = error
                // The other questions would fail in the same way, after as long a wait.
                if [.networkDown, .insecureConnection, .timedOut].contains(error.code) { break }
            }
        }
        return (failures, keys)
    }

    private func finding(_ question: Question, _ error: EngineError, _ name: String) -> Diagnosis {
        let words = error.detail ?? error.code.rawValue
        switch error.code {
        case .unauthorized, .missingPermission:
            return Diagnosis(
                "\(name) key", question == .balance ? .doubtful : .broken,
                "it may not \(question.rawValue): \(words)",
                fix: "Give the key that right on \(name)'s page, or use one that has it", code: error.code)
        case .insufficientCredit:
            return Diagnosis(
                "\(name) balance", .broken, words, fix: "Add credit on \(name)'s billing page",
                code: error.code)
        case .searchQuotaSpent:
            return Diagnosis(
                "\(name)", .doubtful, "it cannot \(question.rawValue): \(words)",
                fix: "Rent an offer that is already listed, or use the other platform", code: error.code)
        case .networkDown, .timedOut:
            return Diagnosis(
                "\(name)", .broken, "\(self.address) cannot be reached: \(words)",
                fix: "Check the network, a proxy, and the address", code: error.code)
        case .insecureConnection:
            return Diagnosis(
                "\(name)", .broken, "\(self.address) cannot be reached securely: \(words)",
                fix: "Set SSL_CERT_FILE to the certificate of your proxy or your own CA", code: error.code)
        default:
            return Diagnosis(
                "\(name)", question == .balance ? .doubtful : .broken,
                "it cannot \(question.rawValue): \(words)", fix: "Try again in a minute", code: error.code)
        }
    }

    /// The diagnosis for the daily searches; the platform limits them, and does not say to how many.
    private func searches(_ quota: SearchQuota, _ name: String) -> Diagnosis {
        let (count, closedUntil) = quota.report()
        let words = "\(count) today, UTC"
        guard let closedUntil else { return Diagnosis("\(name) searches", .fine, words) }
        return Diagnosis(
            "\(name) searches", .doubtful,
            "\(words); there are no more until \(SearchQuota.time(closedUntil))", code: .searchQuotaSpent)
    }

    /// The diagnosis for the clock; certificates and leases depend on it.
    private func clock(_ records: [APICallRecord], _ name: String) -> Diagnosis? {
        for record in records {
            guard let theirs = record.serverDate.flatMap(HTTPDate.parse) else { continue }
            let ours = record.startedAt.addingTimeInterval(record.duration / 2)
            let skew = Int(saturating: ours.timeIntervalSince(theirs).rounded())
            guard abs(skew) > 30 else {
                return Diagnosis("clock", .fine, "agrees with \(name)'s")
            }
            return Diagnosis(
                "clock", .doubtful, "\(abs(skew)) s \(skew > 0 ? "ahead of" : "behind") \(name)'s",
                fix: "Synchronize it: timedatectl set-ntp true")
        }
        return nil
    }
}
