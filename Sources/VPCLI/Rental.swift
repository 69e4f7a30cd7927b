import ArgumentParser
import VPEngine

/// How something is rented; the same for `create-instance` and `run --create`.
struct RentalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Container image; auto is the newest of PyTorch that GPU and driver can run. (default: the project's)",
            valueName: "image"))
    var image: String?

    @Flag(help: "Take an image that cannot run on the GPU, and hardware that is not what was rented.")
    var acceptAnyway = false

    @Option(
        help: ArgumentHelp(
            "How long an image may take to load before the next machine is tried. (default: 15m)",
            valueName: "time"), transform: TimeArgument.span)
    var loadLimit: Double?

    @OptionGroup var lease: LeaseOptions

    @Flag(
        name: .shortAndLong,
        help: "Ask nothing: a missing ssh key is added to the account, and Ctrl-C destroys what was rented.")
    var yes = false

    var isGiven: Bool {
        self.image != nil || self.acceptAnyway || self.loadLimit != nil || self.lease.isGiven
    }

    func validate() throws {
        if let image = self.image, image != StockImage.auto, let problem = ImageName.problem(image) {
            throw ValidationError("--image \"\(Terminal.printable(image))\" cannot be: \(problem).")
        }
        if let seconds = self.loadLimit, seconds >= 86_400 {
            throw ValidationError("--load-limit must be less than a day.")
        }
    }

    /// What `hardware` and these ask for, priced for a job of this folder.
    func request(
        _ hardware: HardwareOptions, offer: OfferID? = nil, platform: Platform?, isBoth: Bool = false,
        _ engine: Engine,
        _ session: Session
    ) async -> CreateRequest {
        var query = hardware.query(session.configuration.defaults)
        query.job = await engine.jobEstimate(hours: hardware.hours)
        // A default without a key must not stand in the way of a platform that has one.
        let usable = Set(session.configuration.endpoints.map(\.platform))
        let usual = session.configuration.defaults.platform.flatMap { usable.contains($0) ? $0 : nil }
        var request = CreateRequest(
            offer: offer, query: query, platform: platform ?? offer?.platform ?? (isBoth ? nil : usual),
            image: self.image)
        request.acceptsAnyway = self.acceptAnyway
        request.lease = self.lease.terms(session.configuration.money.lease)
        if let seconds = self.loadLimit { request.deadlines.loading = seconds }
        return request
    }
}

/// Rents an instance as `create-instance` and `run --create` do: with the questions that belong to it.
struct Rental {
    let engine: Engine
    let session: Session
    /// Ask nothing; what would be asked is agreed to.
    let yes: Bool
    /// A signal that came before.
    var earlier: ActionRunner.Interruption?

    /// The new instance. Ends with 130 after Ctrl-C, once what was rented is destroyed or was to be kept.
    func rent(_ request: CreateRequest) async throws -> Instance {
        var request = request
        request.addsAccountKey = self.yes
        while true {
            var runner = ActionRunner(engine: self.engine, session: self.session)
            runner.earlier = self.earlier
            switch await runner.perform(.create(request)) {
            case .succeeded(.created(let instance)): return instance
            case .succeeded: throw ExitStatus(status: Status.failed)
            case .failed(let error):
                guard error.code == .keyNotOnAccount, !request.addsAccountKey, self.mayAdd(error) else {
                    // The question may have ended by a signal.
                    if let signal = self.earlier?.signal { throw ExitStatus(status: 128 + signal) }
                    throw error
                }
                request.addsAccountKey = true
            case .interrupted(let instance, _):
                try await self.tidyUp(instance, after: runner.interruption)
                throw ExitStatus(status: runner.interruption.exitStatus)
            }
        }
    }

    private func mayAdd(_ error: EngineError) -> Bool {
        guard self.session.terminal.canAsk, let platform = error.activity.platform else { return false }
        let fingerprint = error.detail.map { " (\($0))" } ?? ""
        return Prompt(terminal: self.session.terminal).confirm(
            "Your \(platform.displayName) account does not have the ssh key \(error.activity.subject ?? "")"
                + "\(fingerprint), and would let nobody in. Add it?")
    }

    /// After a signal an instance may be half way up, and is paid for already. Nothing was run on it yet.
    func tidyUp(_ instance: Instance?, after interruption: ActionRunner.Interruption) async throws {
        // Before anything is asked or waited for: from here on it ends, whatever becomes of this program.
        let names = (try? self.engine.leaveRentals()) ?? []
        guard let instance else {
            Terminal.note(
                names.isEmpty
                    ? "vp: \(interruption.words). Nothing is known to be rented; `vp ls` shows what is there."
                    : "vp: \(interruption.words). The platform has not told yet whether it rented "
                        + "\(names.joined(separator: ", ")): where it did, `vp ls` or the dashboard destroys it."
            )
            return
        }
        _ = try? self.engine.leaveEnd(of: instance.id, discardsResults: true)
        let price = Units.hourly(instance.price.dollarsPerHour)
        // Nothing was run on it yet, so nothing can be lost; leaving it would go on costing money unseen.
        var destroys = true
        if self.session.terminal.canAsk, !self.yes, interruption.mayAsk {
            // A signal ends the question, and not this program.
            let signals = interruption.watch()
            defer { signals.end() }
            let answer = Prompt(terminal: self.session.terminal).text(
                "\(instance.id) is rented at \(price). [d]estroy it or [k]eep it?", fallback: "d")
            destroys = !answer.lowercased().hasPrefix("k")
        }
        guard destroys else {
            try self.engine.withdrawEnd(of: instance.id)
            Terminal.note(
                "vp: \(instance.id) is kept at \(price). `vp destroy-instance \(instance.id)` ends it.")
            return
        }
        Terminal.note("vp: \(interruption.words); \(instance.id) is being destroyed, nothing was run on it.")
        do {
            let request = DestroyRequest(discardsResults: true, endsJobs: true, staysOrdered: true)
            _ = try await ActionRunner(engine: self.engine, session: self.session)
                .result(of: .destroy(instance.id, request))
        } catch let error as EngineError where error.code == .instanceGone {
            // It ended by itself.
        } catch let left as ExitStatus {
            Terminal.note(
                "vp: \(instance.id) is not confirmed to be gone yet. The order stands: `vp ls` or the dashboard goes on "
                    + "with it; until then it may cost \(price).")
            throw left
        }
        Terminal.note("vp: \(instance.id) is gone.")
    }
}
