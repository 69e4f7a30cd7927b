import Dispatch

/// Runs engine actions in the background, on a dispatch queue of its own, and reports events as values.
///
/// Actions on different instances run concurrently. Actions on one instance run in the order in which they
/// were started: a download requested during a run follows it. Cancel and attach do not wait. Stop and
/// destroy cancel the actions in progress on their instance, and wait only for those to end: a user who
/// destroys an instance does not mean after the training.
public actor ActionQueue {
    /// The function that performs one action; `Engine.perform` outside tests.
    public typealias Perform =
        @Sendable (EngineAction, ActionID, @escaping @Sendable (EngineEvent) -> Void)
        async throws(EngineError)
        -> ActionResult

    private let executor = DispatchQueueExecutor(label: "variousplug.actions")
    private let perform: Perform
    private let report: @Sendable (EngineEvent) -> Void
    private var tasks: [ActionID: Task<Void, Never>] = [:]
    private var lastAction: [InstanceID: ActionID] = [:]
    private var instances: [ActionID: InstanceID] = [:]
    /// The actions whose turn has not come.
    private var waiting: Set<ActionID> = []

    /// The dispatch queue on which the actor, and the actions that it starts, run.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    /// Creates a queue whose actions are performed by `perform`.
    ///
    /// - Parameter report: called with each event of each action, from any thread.
    public init(report: @escaping @Sendable (EngineEvent) -> Void, perform: @escaping Perform) {
        self.report = report
        self.perform = perform
    }

    /// Creates a queue whose actions are performed by `engine`.
    ///
    /// - Parameter report: called with each event of each action, from any thread.
    public init(engine: Engine, report: @escaping @Sendable (EngineEvent) -> Void) {
        self.init(report: report) { (action, id, report) async throws(EngineError) in
            try await engine.perform(action, as: id, report: report)
        }
    }

    /// Reports `queued`, and starts `action` as soon as the actions that it must wait for have ended.
    ///
    /// An action that ends others cancels them at once. Traps if `id` names an action that has not ended.
    public func start(_ action: EngineAction, as id: ActionID) {
        precondition(self.tasks[id] == nil, "an action id names one action")
        // The action is announced before its task exists, so that nobody can see an idle queue between a key
        // press and the work it caused.
        self.report(.queued(id, action))
        let predecessor = action.orderedInstance.flatMap { self.lastAction[$0] }.flatMap { self.tasks[$0] }
        if let instance = action.orderedInstance { self.lastAction[instance] = id }
        if action.endsOthers {
            for (other, instance) in self.instances where instance == action.instance {
                self.cancel(other)
            }
        }
        self.instances[id] = action.instance
        self.waiting.insert(id)
        self.tasks[id] = Task { await self.run(action, as: id, after: predecessor) }
    }

    /// Cancels `id`: its processes get TERM, a pause, then KILL, before it is reported as cancelled.
    /// An action whose turn has not come is reported at once.
    public func cancel(_ id: ActionID) {
        self.tasks[id]?.cancel()
        guard self.waiting.remove(id) != nil else { return }
        self.instances[id] = nil
        self.report(.finished(id, .cancelled))
    }

    /// Cancels several actions; returns when they have ended.
    public func end(_ ids: [ActionID]) async {
        let tasks = ids.compactMap { self.tasks[$0] }
        for id in ids { self.cancel(id) }
        for task in tasks { await task.value }
    }

    /// Cancels everything that waits or runs, without waiting for the end; each action still reports
    /// `finished`.
    public func cancelAll() {
        for id in self.tasks.keys { self.cancel(id) }
    }

    /// Returns once every action that was started has ended.
    public func waitUntilIdle() async {
        while let task = self.tasks.values.first { await task.value }
    }

    private func run(_ action: EngineAction, as id: ActionID, after predecessor: Task<Void, Never>?) async {
        await predecessor?.value
        // One that was cancelled while it waited has been reported, but kept its place:
        // those behind it wait for the same instance.
        let outcome = self.waiting.remove(id) == nil ? nil : await self.outcome(of: action, as: id)
        self.tasks[id] = nil
        self.instances[id] = nil
        if let instance = action.orderedInstance, self.lastAction[instance] == id {
            self.lastAction[instance] = nil
        }
        if let outcome { self.report(.finished(id, outcome)) }
    }

    private func outcome(of action: EngineAction, as id: ActionID) async -> ActionOutcome {
        self.report(.started(id))
        do {
            return .succeeded(try await self.perform(action, id, self.report))
        } catch {
            return error.code == .cancelled ? .cancelled : .failed(error)
        }
    }
}

/// A serial executor on a dispatch queue; Dispatch on Linux does not provide one.
final class DispatchQueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        self.queue = DispatchQueue(label: label, qos: .userInitiated)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = self.asUnownedSerialExecutor()
        self.queue.async { job.runSynchronously(on: executor) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
