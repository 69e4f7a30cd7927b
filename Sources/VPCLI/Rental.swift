import ArgumentParser
import VPEngine

/// Options for renting, the same for `create-instance` and `run --create`.
struct RentalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Container image; auto chooses the newest PyTorch image that GPU and driver can run. (default: the "
                + "project's image)", valueName: "image"))
    var image: String?

    @Option(
        help: ArgumentHelp(
            "Name of the instance. (default: derived from the project's name)", valueName: "name"))
    var name: String?

    @Flag(
        help: "Rent even if the image cannot run on the GPU, and keep hardware that differs from the offer.")
    var acceptAnyway = false

    @Option(
        help: ArgumentHelp(
            "Maximum time for loading the image; after it, vp tries the next machine. (default: 15m)",
            valueName: "time"), transform: TimeArgument.span)
    var loadLimit: Double?

    @OptionGroup var lease: LeaseOptions

    @Flag(
        name: .shortAndLong,
        help: "Do not ask: add a missing ssh key to the account, and destroy the new instance on Ctrl-C.")
    var yes = false

    var isGiven: Bool {
        self.image != nil || self.name != nil || self.acceptAnyway || self.loadLimit != nil
            || self.lease.isGiven
    }

    func validate() throws {
        if let image = self.image, image != StockImage.auto, let problem = ImageName.problem(image) {
            throw ValidationError(
                "--image \"\(Terminal.printable(image))\" is not an image name: \(problem).")
        }
        if let seconds = self.loadLimit, seconds >= 86_400 {
            throw ValidationError("--load-limit must be less than one day.")
        }
    }

    /// Returns the request for `hardware` and these options, priced for a job with this folder's files.
    func request(
        _ hardware: HardwareOptions, offer: OfferID? = nil, platform: Platform?, isBoth: Bool = false,
        _ engine: Engine,
        _ session: Session
    ) async -> CreateRequest {
        var query = hardware.query(session.configuration.defaults)
        query.job = await engine.jobEstimate(hours: hardware.hours)
        // A default platform without a key must not hide a platform that has one.
        let usable = Set(session.configuration.endpoints.map(\.platform))
        let usual = session.configuration.defaults.platform.flatMap { usable.contains($0) ? $0 : nil }
        var request = CreateRequest(
            offer: offer, query: query, platform: platform ?? offer?.platform ?? (isBoth ? nil : usual),
            image: self.image)
        request.name = self.name
        request.acceptsAnyway = self.acceptAnyway
        request.lease = self.lease.terms(session.configuration.money.lease)
        if let seconds = self.loadLimit { request.deadlines.loading = seconds }
        return request
    }
}

/// Rents an instance for `create-instance` and `run --create`, and asks the questions that belong to it.
struct Rental {
    let engine: Engine
    let session: Session
    /// `true` asks nothing and takes every answer for yes.
    let yes: Bool
    /// A signal that arrived before the rental.
    var earlier: ActionRunner.Interruption?

    /// Returns the new instance. After Ctrl-C it throws status 130,
    /// once the instance is destroyed or the user wants to keep it.
    func rent(_ request: CreateRequest) async throws -> Instance {
        var request = request
        request.addsAccountKey = self.yes
        // The user is asked.
        request.isKeptWhenCancelled = true
        while true {
            var runner = ActionRunner(engine: self.engine, session: self.session)
            runner.earlier = self.earlier
            switch await runner.perform(.create(request)) {
            case .succeeded(.created(let instance)): return instance
            case .succeeded: throw ExitStatus(status: Status.failed)
            case .failed(let error):
                guard error.code == .keyNotOnAccount, !request.addsAccountKey, self.mayAdd(error) else {
                    // A signal may have ended the question.
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
                + "\(fingerprint), so vp could not log in to the instance. Add the key?")
    }

    /// Destroys or keeps an instance after a signal: it may be starting, and it is billed already.
    /// Nothing was run on it yet.
    func tidyUp(_ instance: Instance?, after interruption: ActionRunner.Interruption) async throws {
        // Recorded before any question or wait: from here on the instance ends even if this process is
        // killed.
        let names = (try? self.engine.leaveRentals()) ?? []
        guard let instance else {
            Terminal.note(
                names.isEmpty
                    ? "vp: \(interruption.words). As far as vp knows, nothing was rented; `vp ls` lists all instances."
                    : "vp: \(interruption.words). The platform has not confirmed whether it rented "
                        + "\(names.joined(separator: ", ")); if it did, `vp ls` or the dashboard destroys it."
            )
            return
        }
        _ = try? self.engine.leaveEnd(of: instance.id, discardsResults: true)
        let price = Units.hourly(instance.price.dollarsPerHour)
        // Nothing was run on it yet, so nothing can be lost,
        // while an instance left behind would cost money unseen.
        var destroys = true
        if self.session.terminal.canAsk, !self.yes, interruption.mayAsk {
            // A signal ends the question, not this process.
            let signals = interruption.watch()
            defer { signals.end() }
            let answer = Prompt(terminal: self.session.terminal).text(
                "\(instance.id) is rented at \(price). [d]estroy it or [k]eep it?", fallback: "d")
            destroys = !answer.lowercased().hasPrefix("k")
        }
        guard destroys else {
            try self.engine.withdrawEnd(of: instance.id)
            Terminal.note(
                "vp: \(instance.id) is kept at \(price). `vp destroy-instance \(instance.id)` destroys it.")
            return
        }
        Terminal.note("vp: \(interruption.words); destroying \(instance.id), on which nothing was run.")
        do {
            let request = DestroyRequest(discardsResults: true, endsJobs: true, staysOrdered: true)
            _ = try await ActionRunner(engine: self.engine, session: self.session)
                .result(of: .destroy(instance.id, request))
        } catch let error as EngineError where error.code == .instanceGone {
            // The instance has ended by itself.
        } catch let left as ExitStatus {
            Terminal.note(
                "vp: \(instance.id) is not confirmed as gone yet. `vp ls` or the dashboard continues the destroy; until "
                    + "then it may cost \(price).")
            throw left
        }
        Terminal.note("vp: \(instance.id) is gone.")
    }
}
