import VPEngine

/// Rents an instance as `create-instance` and `run --create` do: with the questions that belong to it.
struct Rental {
    let engine: Engine
    let session: Session
    /// Ask nothing; what would be asked is agreed to.
    let yes: Bool

    /// The new instance. Ends with 130 after Ctrl-C, once what was rented is destroyed or was to be kept.
    func rent(_ request: CreateRequest) async throws -> Instance {
        var request = request
        request.addsAccountKey = self.yes
        while true {
            let runner = ActionRunner(engine: self.engine, session: self.session)
            switch await runner.perform(.create(request)) {
            case .succeeded(.created(let instance)): return instance
            case .succeeded: throw ExitStatus(status: Status.failed)
            case .failed(let error):
                guard error.code == .keyNotOnAccount, !request.addsAccountKey, self.mayAdd(error) else {
                    throw error
                }
                request.addsAccountKey = true
            case .interrupted(let instance, _):
                try await self.tidyUp(instance)
                throw ExitStatus(status: Status.interrupted)
            }
        }
    }

    /// The platform when none is named: a default without a key must not stand in the way of one that has one.
    static func platform(_ chosen: Platform?, offer: OfferID? = nil, _ session: Session) -> Platform? {
        let usable = Set(session.configuration.endpoints.map(\.platform))
        let usual = session.configuration.defaults.platform.flatMap { usable.contains($0) ? $0 : nil }
        return chosen ?? offer?.platform ?? usual
    }

    private func mayAdd(_ error: EngineError) -> Bool {
        guard self.session.terminal.canAsk, let platform = error.activity.platform else { return false }
        let fingerprint = error.detail.map { " (\($0))" } ?? ""
        return Prompt(terminal: self.session.terminal).confirm(
            "Your \(platform.displayName) account does not have the ssh key \(error.activity.subject ?? "")"
                + "\(fingerprint), and would let nobody in. Add it?")
    }

    /// After Ctrl-C an instance may be half way up, and is paid for already.
    private func tidyUp(_ instance: Instance?) async throws {
        guard let instance else {
            Terminal.note("vp: interrupted. Nothing is known to be rented; `vp ls` shows what is there.")
            return
        }
        let price = Units.hourly(instance.price.dollarsPerHour)
        // Nothing was run on it yet, so nothing can be lost; leaving it would go on costing money unseen.
        var destroys = true
        if self.session.terminal.canAsk, !self.yes {
            let answer = Prompt(terminal: self.session.terminal).text(
                "\(instance.id) is rented at \(price). [d]estroy it or [k]eep it?", fallback: "d")
            destroys = !answer.lowercased().hasPrefix("k")
        }
        guard destroys else {
            Terminal.note(
                "vp: \(instance.id) is kept at \(price). `vp destroy-instance \(instance.id)` ends it.")
            return
        }
        Terminal.note("vp: interrupted; \(instance.id) is being destroyed, nothing was run on it.")
        do {
            _ = try await ActionRunner(engine: self.engine, session: self.session)
                .result(of: .destroy(instance.id, DestroyRequest(discardsResults: true)))
        } catch let error as EngineError where error.code == .instanceGone {
            // It ended by itself.
        }
        Terminal.note("vp: \(instance.id) is gone.")
    }
}
