import Foundation
import VPEngine
import VPTUICore

/// Performs effects away from the loop and posts what comes of them.
///
/// One task takes the effects in order, so that a cancel never overtakes its start; questions run beside it.
final class EffectRunner: Sendable {
    /// As much of a log as is read at once, and shown when it is opened.
    static let logPartBytes = 256 << 10
    /// When more than this is missing, the pane starts over at the end of the file.
    static let logGapBytes: Int64 = 2 << 20

    private let engine: Engine
    private let queue: ActionQueue
    private let mailbox: Mailbox
    private let effects: AsyncStream<Effect>.Continuation

    init(engine: Engine, mailbox: Mailbox) {
        self.engine = engine
        self.mailbox = mailbox
        self.queue = ActionQueue(engine: engine) { mailbox.post(.engine($0, at: Date())) }
        let (stream, continuation) = AsyncStream.makeStream(of: Effect.self)
        self.effects = continuation
        Task.detached { [self] in
            for await effect in stream { await self.perform(effect) }
        }
    }

    var historyStamp: HistoryStamp { self.engine.historyStamp }

    func run(_ effect: Effect) {
        self.effects.yield(effect)
    }

    /// Ends transfers and connections; jobs on instances go on. Waits at most `limit`.
    func finish(cancelling actions: [ActionID], limit: DispatchTimeInterval) {
        self.effects.finish()
        let done = DispatchSemaphore(value: 0)
        Task.detached { [self] in
            for id in actions { await self.queue.cancel(id) }
            await self.engine.shutDown()
            done.signal()
        }
        _ = done.wait(timeout: .now() + limit)
    }

    private func perform(_ effect: Effect) async {
        switch effect {
        case .start(let action, let id): await self.queue.start(action, as: id)
        case .cancel(let id): await self.queue.cancel(id)
        case .loadInstances: self.ask { .instancesLoaded(await self.engine.instances()) }
        case .loadOffers(let query, let generation):
            self.ask {
                do throws(EngineError) {
                    return .offersLoaded(
                        .success(try await self.engine.offers(query)), generation: generation)
                } catch {
                    return .offersLoaded(.failure(error), generation: generation)
                }
            }
        case .loadBalances: self.ask { .balancesLoaded(await self.engine.balances()) }
        case .loadJobs:
            self.ask {
                do throws(EngineError) {
                    return .jobsLoaded(.success(try self.engine.jobs()))
                } catch {
                    return .jobsLoaded(.failure(error))
                }
            }
        case .loadLog(let job, let offset): self.ask { self.readLog(job, from: offset) }
        case .loadUnsafeResults(let id):
            self.ask {
                do throws(EngineError) {
                    return .unsafeResultsLoaded(id, .success(try await self.engine.unsafeResults(on: id)))
                } catch {
                    return .unsafeResultsLoaded(id, .failure(error))
                }
            }
        case .prepareShell(let id):
            self.ask {
                do throws(EngineError) {
                    return .shellReady(id, argv: try await self.engine.shellCommand(for: id))
                } catch {
                    return .failed(error, at: Date())
                }
            }
        case .openShell, .copy, .suspend, .redraw, .quit:
            preconditionFailure("the loop performs what concerns the terminal")
        }
    }

    private func ask(_ question: @escaping @Sendable () async -> Message) {
        Task.detached { [mailbox] in mailbox.post(await question()) }
    }

    private func readLog(_ job: JobID, from offset: Int64?) -> Message {
        do throws(EngineError) {
            let size = try self.engine.logSize(job)
            var start = offset ?? max(0, size - Int64(Self.logPartBytes))
            if size - start > Self.logGapBytes { start = size - Int64(Self.logPartBytes) }
            let bytes = try self.engine.readLog(job, from: start, limit: Self.logPartBytes)
            return .logLoaded(job, offset: start, bytes: bytes)
        } catch {
            return .logUnavailable(job, error)
        }
    }
}
