import Foundation

/// Brings back what is only on an instance, before it is stopped or destroyed.
struct SecureResults {
    let engine: Engine
    let instance: Instance
    /// Completes "while …": `destroying instance 31415`.
    let words: String
    let progress: @Sendable (ActionProgress) -> Void

    /// Returns once every file on the instance is here as well: what was brought for that, or nil where
    /// nothing can be there. Throws `.unsafeResults` where that cannot be said.
    func run() async throws(EngineError) -> SyncSummary? {
        let id = self.instance.id
        guard self.instance.status == .running else {
            // It never ran, so that there is nothing on it.
            if [.pending, .loading, .failed].contains(self.instance.status) { return nil }
            let daily = Figures.dollars(self.instance.price.dollarsPerDay)
            throw self.refusal(
                "it is \(self.instance.status.rawValue), so its files cannot be compared; it costs \(daily) a day"
            )
        }
        do throws(EngineError) {
            let sync = self.engine.sync(
                id, workspace: try self.engine.workspace(of: id), shell: try await self.engine.shell(for: id),
                self.progress)
            guard try self.engine.history.ledgerEntry(for: id) != nil else {
                // Somebody else's rental: its files belong in no folder of ours.
                let files = UnsafeResults(try await sync.outstanding()).files
                if files == 0 { return nil }
                throw self.refusal("it was not rented from here and holds \(files) files")
            }
            let summary = try await sync.download(conflictSuffix: id.rawValue)
            let unsafe = summary.missing + summary.changing + summary.later
            if let first = unsafe.first { throw self.refusal(first, paths: unsafe) }
            return summary
        } catch {
            switch error.code {
            case .cancelled, .unsafeResults, .hostKeyChanged, .localDiskFull: throw error
            default:
                throw self.refusal(
                    "its results could not be brought back: \(error.detail ?? error.code.rawValue)")
            }
        }
    }

    private func refusal(_ detail: String, paths: [String] = []) -> EngineError {
        var detail = detail
        if paths.isEmpty, let (results, date) = self.engine.lastKnownResults(on: self.instance.id) {
            let seconds = Date().timeIntervalSince(date)
            let age = seconds < 60 ? "a moment ago" : "\(Engine.words(seconds)) ago"
            let size = Figures.fixed(Double(results.bytes) / 1e6, 1) + " MB"
            detail +=
                results.isSafe
                ? "; \(age) everything was here"
                : "; \(age) \(results.files) files, \(size), were not here"
        }
        return EngineError(
            .unsafeResults,
            .init(
                self.words, platform: self.instance.id.platform, subject: self.instance.id.rawValue),
            detail: detail, suggestions: paths)
    }
}
