extension Duration {
    /// How long the answer to an order about an instance may take before it counts as lost.
    static let order = Duration.seconds(10)
}

extension APICaller {
    /// Performs an order about one instance, which is sent once. Where its answer is lost,
    /// the instance is looked at: the order was carried out where it shows what was asked for.
    ///
    /// A moment later it may show so that did not at once,
    /// which is why it is looked at three times within 8 s. Throws the order's own error where it never does,
    /// or cannot be looked at.
    ///
    /// - Parameter isDone: whether what the platform shows is what the order asks for;
    ///   nil is an instance that is gone.
    func order(
        _ activity: EngineError.Activity, _ order: () async throws(EngineError) -> Void,
        look: () async throws(EngineError) -> Instance?, isDone: (Instance?) -> Bool
    ) async throws(EngineError) {
        let failure: EngineError
        do throws(EngineError) {
            return try await order()
        } catch {
            guard error.code == .networkDown || error.code == .timedOut else { throw error }
            failure = error
        }
        for pause in [Duration.zero, .seconds(2), .seconds(3)] {
            if pause > .zero { try await self.sleep(for: pause, activity: activity) }
            do throws(EngineError) {
                if isDone(try await look()) { return }
            } catch {
                if error.code == .cancelled { throw error }
                // A platform that does not answer at all is the same trouble as before.
                break
            }
        }
        throw EngineError(
            failure.code, activity,
            detail: [failure.detail, "it is not known to have been done"].compactMap(\.self).joined(
                separator: "; "))
    }
}
