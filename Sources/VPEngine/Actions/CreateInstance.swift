import Foundation

/// Rents an instance and sees it through to a workspace that can be used.
///
/// Candidates are tried in order of price. The name is unique and is in the ledger before the platform is
/// asked, so that an instance whose answer was lost is found again, and none exists that the ledger does not
/// know.
struct CreateInstance {
    /// How long each stage may take, in seconds, before the instance is given up.
    struct Deadlines {
        var loading = 900.0
        var sshPort = 180.0
        var sshLogin = 180.0
    }

    let engine: Engine
    let request: CreateRequest
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void
    var deadlines = Deadlines()

    /// No more than this many offers are tried: what fails five times in a row fails for a reason of its own.
    private static let candidateLimit = 5

    func run() async throws(EngineError) -> Instance {
        guard self.engine.configuration.identityFile != nil else {
            throw EngineError(.missingIdentity, .init("renting an instance"))
        }
        let candidates = try await self.candidates()
        var failures: [EngineError] = []
        for offer in candidates.prefix(Self.candidateLimit) {
            do throws(EngineError) {
                return try await self.rent(offer)
            } catch {
                switch error.code {
                case .offerTaken, .instanceNotReady: failures.append(error)
                default: throw error
                }
            }
        }
        guard let last = failures.last else {
            throw EngineError(
                .noMatchingOffer, .init("renting an instance", platform: self.request.platform),
                detail: self.request.query.gpu)
        }
        throw last
    }

    private func candidates() async throws(EngineError) -> [Offer] {
        self.progress(ActionProgress(.searching))
        var query = self.request.query
        // The one that is wanted need not be among the first.
        if self.request.offer != nil { query.limit = max(query.limit, 200) }
        let answers = try await self.engine.offers(
            query, platform: self.request.offer?.platform ?? self.request.platform)
        if let id = self.request.offer {
            // An offer picked from a list is looked up in what is for rent now, or in what was shown.
            let offers = answers.values + (self.engine.cachedOffers()?.values ?? [])
            guard let offer = offers.first(where: { $0.id == id }) else {
                throw EngineError(
                    .offerTaken, .init("renting offer \(id)", platform: id.platform, subject: id.rawValue),
                    detail: "it is no longer listed")
            }
            return [offer]
        }
        if answers.values.isEmpty, let failure = answers.failures.first { throw failure.error }
        let since = Date(timeIntervalSinceNow: -86_400)
        var bad: [Platform: Set<String>] = [:]
        for platform in Platform.allCases {
            bad[platform] = try self.engine.history.badMachines(on: platform, since: since)
        }
        let limit = self.request.query.maximumPrice ?? self.engine.configuration.defaults.maximumPrice
        let affordable = answers.values.filter { offer in limit.map { offer.price <= $0 } ?? true }
        if affordable.isEmpty, let cheapest = answers.values.first, let limit {
            throw EngineError(
                .limitRefused, .init("renting an instance"),
                detail: String(
                    format: "the cheapest offer costs $%.3f/h and the limit is $%.3f/h",
                    cheapest.price.dollarsPerHour, limit.dollarsPerHour))
        }
        return affordable.filter { offer in
            offer.machineID.map { bad[offer.id.platform]?.contains($0) != true } ?? true
        }
    }

    // MARK: One candidate

    private func rent(_ offer: Offer) async throws(EngineError) -> Instance {
        let client = try self.engine.client(offer.id.platform, "renting an instance")
        try await self.registerKey(with: client)
        let configuration = self.engine.configuration
        let name = self.request.name ?? Self.makeName(configuration.workspace.name)
        let request = RentRequest(
            offer: offer, name: name, image: self.request.image ?? configuration.defaults.image,
            diskBytes: self.request.query.diskBytes, environment: self.request.environment,
            onStart: self.request.onStart)
        self.progress(ActionProgress(.renting, detail: Self.describe(offer)))
        try self.engine.history.insert(
            LedgerEntry(
                name: name, platform: offer.id.platform, instance: nil, state: .intended,
                gpuName: offer.gpuName, dollarsPerHour: offer.price.dollarsPerHour, image: request.image,
                machineID: offer.machineID, workspaceRoot: configuration.workspace.localRoot,
                remoteRoot: configuration.workspace.remoteRoot, createdAt: Date()))
        let id = try await self.place(request, with: client)
        try self.engine.history.update(name, state: .rented, instance: id)
        var instance = Instance(
            id: id, name: name, status: .pending, gpuName: offer.gpuName, gpuCount: offer.gpuCount,
            gpuMemoryBytes: offer.gpuMemoryBytes, price: offer.price, createdAt: Date(), image: request.image,
            location: offer.location, machineID: offer.machineID)
        self.report(.instanceChanged(instance))
        guard self.request.waitsUntilReady else { return instance }
        do throws(EngineError) {
            instance = try await self.waitUntilReady(instance)
            return instance
        } catch {
            guard error.code == .instanceNotReady else { throw error }
            if let machine = offer.machineID {
                try self.engine.history.markBad(
                    machine: machine, platform: offer.id.platform, reason: error.detail ?? "never got ready")
            }
            let destroy = DestroyInstance(
                engine: self.engine, id: id, request: DestroyRequest(discardsResults: true),
                progress: self.progress, report: self.report)
            _ = try await destroy.run()
            throw error
        }
    }

    /// Asks for the rental once. When the answer is lost, the instance is looked for by its name.
    private func place(_ request: RentRequest, with client: any PlatformClient) async throws(EngineError)
        -> InstanceID
    {
        do throws(EngineError) {
            return try await self.askPatiently(request, client)
        } catch {
            if let leftover = error.leftoverInstance {
                try self.engine.history.update(request.name, state: .rented, instance: leftover)
                let destroy = DestroyInstance(
                    engine: self.engine, id: leftover, request: DestroyRequest(discardsResults: true),
                    progress: self.progress, report: self.report)
                _ = try await destroy.run()
                throw error
            }
            switch error.code {
            case .networkDown, .timedOut, .platformFailed, .badResponse:
                for attempt in 1...3 {
                    try await self.engine.pause(Double(attempt) * 2, "looking for the new instance")
                    // Only a list that was read to its end can say that there is none.
                    if let instances = try? await client.instances(),
                        let found = instances.first(where: { $0.name == request.name })
                    {
                        return found.id
                    }
                }
                // The row stays as intended: the instance may still appear, and must not be forgotten then.
                throw error
            case .cancelled: throw error
            default:
                try self.engine.history.update(request.name, state: .gone)
                throw error
            }
        }
    }

    /// A request that came too fast was not looked at, so that it alone may be sent again.
    private func askPatiently(_ request: RentRequest, _ client: any PlatformClient) async throws(EngineError)
        -> InstanceID
    {
        for seconds in [5.0, 12.0] {
            do throws(EngineError) {
                return try await client.rent(request)
            } catch {
                guard error.code == .rateLimited else { throw error }
                self.progress(ActionProgress(.renting, detail: "the platform asks for a pause"))
            }
            try await self.engine.pause(seconds, "renting")
        }
        return try await client.rent(request)
    }

    /// Makes sure that the account has the key we will log in with: platforms install the account's keys when
    /// an instance is made, and not later.
    private func registerKey(with client: any PlatformClient) async throws(EngineError) {
        guard let identity = self.engine.configuration.identityFile else { return }
        let line = try await self.publicKey(of: identity)
        // Type and key; the comment may differ.
        let words = { (text: String) in text.split(whereSeparator: \.isWhitespace).prefix(2).map(String.init)
        }
        let keys = try await client.accountKeys()
        guard !keys.contains(where: { words($0.publicKey) == words(line) }) else { return }
        self.progress(ActionProgress(.renting, detail: "adding \(identity).pub to the account"))
        try await client.addAccountKey(line)
    }

    private func publicKey(of identity: String) async throws(EngineError) -> String {
        if let data = FileManager.default.contents(atPath: identity + ".pub") {
            return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        // A private key that stands alone still knows its public half; with a passphrase it will not tell.
        let result = try await self.engine.runner.run(
            ProcessCommand(
                "ssh-keygen", ["-y", "-P", "", "-f", identity],
                environment: self.engine.configuration.environment))
        guard result.isSuccess else {
            throw EngineError(
                .missingIdentity, .init("reading the ssh key", subject: identity),
                detail: "\(identity).pub is missing: \(result.lastErrorLine ?? "no public key")")
        }
        return String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: Stages

    private func waitUntilReady(_ rented: Instance) async throws(EngineError) -> Instance {
        let instance = try await self.waitUntilRunning(rented)
        let shell = try await self.waitForLogin(instance)
        self.progress(ActionProgress(.preparing))
        try await self.prepare(shell)
        return instance
    }

    private func waitUntilRunning(_ rented: Instance) async throws(EngineError) -> Instance {
        let start = ContinuousClock.now
        var last = rented
        while start.secondsUntilNow < self.deadlines.loading {
            let instance: Instance
            do throws(EngineError) {
                instance = try await self.engine.freshInstance(rented.id)
            } catch {
                // A fresh rental may take a moment to show, and one bad answer must not cost the machine.
                guard
                    [.instanceGone, .networkDown, .platformFailed, .timedOut, .rateLimited].contains(
                        error.code),
                    start.secondsUntilNow < self.deadlines.loading - 1
                else { throw error }
                if error.code == .instanceGone, start.secondsUntilNow > 60 { throw error }
                try await self.engine.pause(2, "waiting for the instance")
                continue
            }
            if instance != last {
                self.report(.instanceChanged(instance))
                self.progress(
                    ActionProgress(.loading, detail: instance.statusMessage ?? instance.status.rawValue))
                last = instance
            }
            switch instance.status {
            case .running where !instance.addresses.isEmpty: return instance
            case .failed, .lost, .stopped:
                throw self.notReady(rented.id, .loading, instance.statusMessage ?? instance.status.rawValue)
            default: try await self.engine.pause(3, "waiting for the instance")
            }
        }
        let stage: ActionStage = last.status == .running ? .sshPort : .loading
        throw self.notReady(
            rented.id, stage, last.statusMessage ?? "no progress within \(Int(self.deadlines.loading)) s")
    }

    private func waitForLogin(_ instance: Instance) async throws(EngineError) -> RemoteShell {
        let start = ContinuousClock.now
        self.progress(ActionProgress(.sshPort, detail: instance.ssh.map { "\($0.host):\($0.port)" }))
        var stage = ActionStage.sshPort
        var last: EngineError?
        while start.secondsUntilNow < (stage == .sshPort ? self.deadlines.sshPort : self.deadlines.sshLogin) {
            do throws(EngineError) {
                let shell = try await self.engine.connections.shell(for: instance)
                _ = try await shell.run("exit 0\n")
                return shell
            } catch {
                // Both pass: sshd starts seconds after the container, and keys may be written later still.
                guard error.code == .unreachable || error.code == .sshRefused else { throw error }
                if error.code == .sshRefused, stage == .sshPort {
                    stage = .sshLogin
                    self.progress(ActionProgress(.sshLogin, detail: error.detail))
                }
                last = error
                self.engine.connections.reset(instance.id)
                try await self.engine.pause(2, "waiting for ssh")
            }
        }
        throw self.notReady(instance.id, stage, last?.detail ?? "no answer")
    }

    private func prepare(_ shell: RemoteShell) async throws(EngineError) {
        let root = ShellQuoting.quoted(self.engine.configuration.workspace.remoteRoot)
        let result = try await shell.run(
            """
            mkdir -p \(root) && [ -w \(root) ] || { echo 'the workspace \(root) cannot be written' >&2; exit 3; }
            command -v rsync >/dev/null && exit 0
            export DEBIAN_FRONTEND=noninteractive
            { apt-get update -qq && apt-get install -y -qq rsync || apk add -q rsync || yum install -y -q rsync; } >/dev/null
            command -v rsync >/dev/null || { echo 'rsync is missing and could not be installed' >&2; exit 4; }
            """)
        guard result.isSuccess else {
            throw self.notReady(shell.target.instance, .preparing, result.lastErrorLine ?? "")
        }
    }

    private func notReady(_ id: InstanceID, _ stage: ActionStage, _ detail: String) -> EngineError {
        EngineError(
            .instanceNotReady,
            .init("waiting for instance \(id)", platform: id.platform, subject: id.rawValue),
            detail: "\(stage.words): \(detail)")
    }

    // MARK: Words

    static func describe(_ offer: Offer) -> String {
        [
            offer.gpuCount > 1 ? "\(offer.gpuCount)× \(offer.gpuName)" : offer.gpuName,
            String(format: "$%.3f/h", offer.price.dollarsPerHour), offer.location,
            offer.id.platform.displayName,
        ].compactMap(\.self).joined(separator: ", ")
    }

    /// `vp-<project>-<six letters>`: recognisable in the platform's own list, and never twice.
    private static func makeName(_ project: String) -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        let suffix = String((0..<6).map { _ in letters.randomElement()! })
        let safe = project.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "vp-\(String(safe.prefix(40)))-\(suffix)"
    }
}
