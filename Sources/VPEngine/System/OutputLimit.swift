import Foundation

/// The limits on a program's output and time.
package struct OutputLimit: Hashable, Sendable {
    package var bytes: Int
    package var time: Duration

    package init(bytes: Int = 64 << 20, time: Duration = .seconds(3600)) {
        self.bytes = bytes
        self.time = time
    }

    /// The limit for an answer of a few lines that takes no time.
    package static let words = OutputLimit(bytes: 1 << 20, time: .seconds(120))

    /// The limit for the files of a workspace.
    package static let listing = OutputLimit(bytes: 256 << 20, time: .seconds(1800))

    private enum Breach: Sendable { case bytes, time }

    /// Runs `program`, which hands over its output, and returns its ending and its output.
    ///
    /// A program that exceeds these limits is ended: `.answerTooLarge` or `.timedOut`. Of standard error the
    /// first and the last half megabyte are kept.
    func collect(
        _ activity: EngineError.Activity,
        _ program:
            @escaping @Sendable (
                _ onOutput: @escaping @Sendable ([UInt8]) -> Void,
                _ onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
            ) async throws(EngineError) -> ProcessEnding
    ) async throws(EngineError) -> ProcessResult {
        let (breaches, breach) = AsyncStream.makeStream(of: Breach.self, bufferingPolicy: .bufferingOldest(1))
        let output = ByteCollector(limit: self.bytes) { breach.yield(.bytes) }
        let errorOutput = ByteCollector()
        let result = await withTaskGroup(of: Result<ProcessEnding, EngineError>?.self) { group in
            group.addTask {
                do throws(EngineError) {
                    return .success(
                        try await program({ output.append($0) }, { errorOutput.append($0) }))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do {
                    try await Task.sleep(for: self.time)
                    breach.yield(.time)
                } catch {}
                return nil
            }
            group.addTask {
                for await reason in breaches {
                    let (code, words): (EngineError.Code, String) =
                        switch reason {
                        case .bytes: (.answerTooLarge, "the output exceeds \(self.bytes >> 20) MB")
                        case .time:
                            (.timedOut, "the program did not finish within \(self.time.wholeSeconds) s")
                        }
                    return .failure(EngineError(code, activity, detail: words))
                }
                return nil
            }
            defer {
                group.cancelAll()
                breach.finish()
            }
            // The first result is the program's own end, or an exceeded limit, which then ends the program.
            while let result = await group.next() {
                if let result { return result }
            }
            return .failure(EngineError(.cancelled, activity))
        }
        let ending = try result.get()
        // The program may have ended by itself a moment after it exceeded the limit.
        guard !output.isOver else {
            throw EngineError(.answerTooLarge, activity, detail: "the output exceeds \(self.bytes >> 20) MB")
        }
        return ProcessResult(ending: ending, output: output.bytes, errorOutput: errorOutput.bytes)
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int64 { self.components.seconds }
}
