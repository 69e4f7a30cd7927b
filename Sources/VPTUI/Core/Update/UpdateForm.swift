import Foundation
import VPEngine

/// The launch form: the hardware to rent, and its price.
extension State {
    mutating func openForm(offer: Offer?) -> [Effect] {
        guard !self.settings.platforms.isEmpty else {
            self.toast("No platform has a key: `vp config-set --vast-api-key -`", .warning)
            return []
        }
        if self.focus == .offers, offer == nil {
            self.toast(
                "No offer is selected: \(self.way(to: .editQuery, word: "offers QUERY")) edits the query",
                .warning)
            return []
        }
        var form = LaunchForm(
            query: self.market.query, offer: offer, settings: self.settings, openedAt: self.now)
        if let refused = self.refusedForm, offer == nil || offer?.id == refused.offer?.id {
            form = refused
            form.openedAt = self.now
            self.refusedForm = nil
            self.toast("The form as it was filled in before", .muted)
        }
        if let offer = form.offer {
            form.quote = .known([offer], job: self.market.query.job, failures: [])
            self.overlay = .form(form)
            return []
        }
        return self.askQuote(&form)
    }

    /// Requests the price once typing has paused.
    mutating func quoteWhenDue() -> [Effect] {
        guard case .form(var form) = self.overlay, form.quote == .due else { return [] }
        return self.askQuote(&form)
    }

    private mutating func askQuote(_ form: inout LaunchForm) -> [Effect] {
        defer { self.overlay = .form(form) }
        do {
            let request = try form.request()
            form.generation += 1
            form.quote = .asking
            form.problem = nil
            return [.ask(.quote(request, generation: form.generation))]
        } catch {
            form.problem = error
            return []
        }
    }

    mutating func quoteArrived(
        _ result: Result<PlatformAnswers<Offer>, EngineError>, _ job: JobEstimate, generation: Int
    ) {
        guard case .form(var form) = self.overlay, form.quote == .asking, form.generation == generation
        else { return }
        switch result {
        case .success(let answers):
            let failures = answers.failures.map { SourceFailure(platform: $0.platform, error: $0.error) }
            form.quote = .known(answers.values, job: job, failures: failures)
        case .failure(let error): form.quote = .failed(error)
        }
        self.overlay = .form(form)
    }

    mutating func rent(_ form: LaunchForm, at date: Date) -> [Effect] {
        // Keys typed before the form appeared must not rent anything.
        guard date.timeIntervalSince(form.openedAt) >= Dialog.settleTime else { return [] }
        var form = form
        do {
            let request = try form.request()
            switch form.quote {
            case .known(let offers, _, _) where offers.isEmpty:
                throw LaunchForm.Problem(field: .gpu, sentence: "No matching offer is available now")
            case .failed(let error) where error.code == .limitRefused:
                throw LaunchForm.Problem(field: .price, sentence: error.detail ?? ErrorWords(error).title)
            case .due, .asking, .known, .failed: break
            }
            self.overlay = nil
            let effect = self.start(.create(request))
            if case .order(.start(_, let id)) = effect {
                self.formsOfCreates[id] = form
                if !form.text(.command).isEmpty {
                    self.commandsAfterCreate[id] = form.text(.command)
                    self.remember(command: form.text(.command))
                }
            }
            return [effect]
        } catch {
            form.problem = error as? LaunchForm.Problem
            form.focused = form.problem?.field ?? form.focused
            self.overlay = .form(form)
            return []
        }
    }

    /// The options of `create-instance` that have a field in the form.
    static let formFields: [String: LaunchForm.Field] = [
        "--gpu-type": .gpu, "--gpu": .gpu, "--gpu-count": .count, "--num-gpus": .count,
        "--max-price": .price, "--disk": .disk, "--image": .image, "--name": .name,
        "--lease": .lease, "--max-cost": .cost,
    ]

    /// Fills the form from a `vp create-instance` line. Returns `false` if an option has no field.
    mutating func fillForm(from words: [String]) -> Bool {
        guard case .form(var form) = self.overlay else { return false }
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            let value = parts.count > 1 ? String(parts[1]) : rest.first
            func take() { if parts.count == 1 { rest = rest.dropFirst() } }
            guard let value else { return false }
            if let field = Self.formFields[String(parts[0])] {
                form.set(field, value)
            } else if parts[0] == "--platform" || parts[0] == "-p" {
                form.platform = Platform(rawValue: value)
            } else if parts[0] == "--instance-type" {
                form.isSpot = value == "interruptible"
            } else {
                return false
            }
            take()
        }
        form.wantsAnotherOffer()
        self.overlay = .form(form)
        return true
    }
}
