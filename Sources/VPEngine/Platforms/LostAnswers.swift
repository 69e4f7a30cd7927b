extension Duration {
    /// The time after which the answer to an order about an instance counts as lost.
    static let order = Duration.seconds(10)
}

extension APICaller {
    /// Sends an order about one instance, once. If its answer is lost, checks the instance: the order was
    /// carried out if the instance is in the requested state.
    ///
    /// The platform may show the new state with a delay, so the check is made three times within 8 s. Throws
    /// the order's own error if the state is never reached, or cannot be checked.
    ///
    /// - Parameter isDone: true if the instance is in the requested state; nil is an instance that is gone.
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
                // A platform that does not answer at all has the same trouble as before.
                break
            }
        }
        throw EngineError(
            failure.code, activity,
            detail: [failure.detail, "it is not known whether it was done"].compactMap(\.self).joined(
                separator: "; "))
    }
}
