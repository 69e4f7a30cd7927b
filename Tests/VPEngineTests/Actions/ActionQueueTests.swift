import Synchronization
import Testing

@testable import VPEngine

struct ActionQueueTests {
    /// Actions that stay open until the test lets them go.
    private final class Gate: Sendable {
        private struct State {
            var open: Set<ActionID> = []
            var waiting: [ActionID: CheckedContinuation<Void, Never>] = [:]
            var begun: [ActionID] = []
            var watchers: [(count: Int, CheckedContinuation<Void, Never>)] = []
        }

        private let state = Mutex(State())

        var begun: [ActionID] { self.state.withLock(\.begun) }

        func pass(_ id: ActionID) async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let ready = self.state.withLock { state in
                        state.begun.append(id)
                        let ready = state.watchers.filter { $0.count <= state.begun.count }.map(\.1)
                        state.watchers.removeAll { $0.count <= state.begun.count }
                        if state.open.contains(id) || Task.isCancelled { return ready + [continuation] }
                        state.waiting[id] = continuation
                        return ready
                    }
                    for continuation in ready { continuation.resume() }
                }
            } onCancel: {
                self.open(id)
            }
        }

        func open(_ id: ActionID) {
            let continuation = self.state.withLock { state in
                state.open.insert(id)
                return state.waiting.removeValue(forKey: id)
            }
            continuation?.resume()
        }

        /// Returns once `count` actions have begun.
        func waitUntilBegun(_ count: Int) async {
            await withCheckedContinuation { continuation in
                let isReady = self.state.withLock { state in
                    if state.begun.count >= count { return true }
                    state.watchers.append((count, continuation))
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private final class Events: Sendable {
        private let all = Mutex<[EngineEvent]>([])

        func add(_ event: EngineEvent) { self.all.withLock { $0.append(event) } }

        var values: [EngineEvent] { self.all.withLock { $0 } }

        func outcome(of id: ActionID) -> ActionOutcome? {
            self.values.lazy.compactMap { event in
                if case .finished(id, let outcome) = event { outcome } else { nil }
            }.first
        }
    }

    private let gate = Gate()
    private let events = Events()

    private func makeQueue() -> ActionQueue {
        let gate = self.gate
        let events = self.events
        return ActionQueue(report: { events.add($0) }) { (action, id, _) async throws(EngineError) in
            await gate.pass(id)
            if Task.isCancelled { throw EngineError(.cancelled, .init(action.verb)) }
            if case .stop = action { throw EngineError(.unreachable, .init("stopping")) }
            return .synced(SyncSummary(direction: .up))
        }
    }

    private static func instance(_ id: String) -> InstanceID { InstanceID(platform: .vast, rawValue: id) }

    @Test func actionsOnOneInstanceKeepTheirOrder() async {
        let queue = self.makeQueue()
        let ids = [ActionID(), ActionID(), ActionID()]
        for id in ids { await queue.start(.sync(Self.instance("1")), as: id) }
        await self.gate.waitUntilBegun(1)
        #expect(self.gate.begun == [ids[0]])
        for id in ids { self.gate.open(id) }
        await queue.waitUntilIdle()
        #expect(self.gate.begun == ids)
    }

    @Test func actionsOnDifferentInstancesRunSideBySide() async {
        let queue = self.makeQueue()
        let ids = [ActionID(), ActionID(), ActionID()]
        for (number, id) in ids.enumerated() {
            await queue.start(.sync(Self.instance("\(number)")), as: id)
        }
        // All three begin although none has been let go.
        await self.gate.waitUntilBegun(3)
        for id in ids { self.gate.open(id) }
        await queue.waitUntilIdle()
        for id in ids {
            #expect(self.events.outcome(of: id) == .succeeded(.synced(SyncSummary(direction: .up))))
        }
    }

    @Test func aFailedActionDoesNotHoldUpTheNext() async {
        let queue = self.makeQueue()
        let first = ActionID()
        let second = ActionID()
        await queue.start(.stop(Self.instance("1")), as: first)
        await queue.start(.sync(Self.instance("1")), as: second)
        self.gate.open(first)
        self.gate.open(second)
        await queue.waitUntilIdle()
        #expect(self.events.outcome(of: first) == .failed(EngineError(.unreachable, .init("stopping"))))
        #expect(self.events.outcome(of: second) == .succeeded(.synced(SyncSummary(direction: .up))))
    }

    @Test func cancellingEndsARunningActionAndAWaitingOne() async {
        let queue = self.makeQueue()
        let running = ActionID()
        let waiting = ActionID()
        await queue.start(.sync(Self.instance("1")), as: running)
        await queue.start(.sync(Self.instance("1")), as: waiting)
        await self.gate.waitUntilBegun(1)
        await queue.cancel(waiting)
        await queue.cancel(running)
        await queue.waitUntilIdle()
        #expect(self.events.outcome(of: running) == .cancelled)
        #expect(self.events.outcome(of: waiting) == .cancelled)
        #expect(self.gate.begun == [running])
    }

    /// A user who has cancelled what waits must not wonder for hours whether it was;
    /// those behind it keep their place.
    @Test func aWaitingActionIsCancelledAtOnce() async {
        let queue = self.makeQueue()
        let (running, waiting, last) = (ActionID(), ActionID(), ActionID())
        for id in [running, waiting, last] { await queue.start(.sync(Self.instance("1")), as: id) }
        await self.gate.waitUntilBegun(1)
        await queue.cancel(waiting)
        #expect(self.events.outcome(of: waiting) == .cancelled)
        #expect(self.events.outcome(of: running) == nil && self.gate.begun == [running])
        for id in [running, last] { self.gate.open(id) }
        await queue.waitUntilIdle()
        #expect(self.gate.begun == [running, last])
        let ends = self.events.values.filter { if case .finished(waiting, _) = $0 { true } else { false } }
        #expect(ends.count == 1)
    }

    /// A destroy that waited for the training to end would bill until then.
    @Test(arguments: [EngineAction.stop(instance("1")), .destroy(instance("1"), DestroyRequest())])
    func endingAnInstanceEndsWhatRunsOnIt(ending: EngineAction) async {
        let queue = self.makeQueue()
        let run = ActionID()
        let waiting = ActionID()
        let elsewhere = ActionID()
        let end = ActionID()
        await queue.start(.run(Self.instance("1"), RunRequest(command: .shell("train"))), as: run)
        await queue.start(.download(Self.instance("1")), as: waiting)
        await queue.start(.sync(Self.instance("2")), as: elsewhere)
        await self.gate.waitUntilBegun(2)
        await queue.start(ending, as: end)
        await self.gate.waitUntilBegun(3)
        #expect(self.gate.begun.last == end)
        #expect(self.events.outcome(of: run) == .cancelled)
        #expect(self.events.outcome(of: waiting) == .cancelled)
        #expect(self.events.outcome(of: elsewhere) == nil)
        for id in [end, elsewhere] { self.gate.open(id) }
        await queue.waitUntilIdle()
    }

    @Test func anActionIsAnnouncedBeforeStartReturns() async {
        let queue = self.makeQueue()
        let id = ActionID()
        await queue.start(.sync(Self.instance("1")), as: id)
        #expect(self.events.values.first == .queued(id, .sync(Self.instance("1"))))
        self.gate.open(id)
        await queue.waitUntilIdle()
        #expect(self.events.values.last == .finished(id, .succeeded(.synced(SyncSummary(direction: .up)))))
    }
}
