import Foundation
import VPEngine

/// A requested action and its progress.
public struct ActionRecord: Equatable, Identifiable, Sendable {
    public enum Phase: Equatable, Sendable {
        case queued, running
        case ended(ActionOutcome, at: Date)
    }

    public var id: ActionID
    public var action: EngineAction
    public var phase: Phase
    public var progress: ActionProgress?
    public var startedAt: Date
    /// The job that a run started.
    public var job: JobID?
    public var isCancelling = false

    public init(id: ActionID, action: EngineAction, phase: Phase, startedAt: Date) {
        self.id = id
        self.action = action
        self.phase = phase
        self.startedAt = startedAt
    }

    public var isActive: Bool {
        if case .ended = self.phase { false } else { true }
    }
}

/// A confirmed destroy that can still be undone.
public struct PendingDestroy: Equatable, Sendable {
    public var instance: InstanceID
    public var request: DestroyRequest
    public var due: Date

    /// The arguments with which `vp` does the same.
    public var words: [String] {
        let line = CommandTwin.line(.destroy(self.instance, self.request)).split(separator: " ").map(
            String.init)
        return line.dropFirst() + ["--platform", self.instance.platform.rawValue, "--yes", "--confirmed"]
    }
}

/// A local port that forwards to a port on an instance.
public struct PortForward: Hashable, Sendable {
    public var instance: InstanceID
    public var localPort: Int
    public var remotePort: Int

    public init(instance: InstanceID, localPort: Int, remotePort: Int) {
        self.instance = instance
        self.localPort = localPort
        self.remotePort = remotePort
    }
}

extension State {
    mutating func nextActionID() -> ActionID {
        self.actionCount += 1
        var bytes = self.session.uuid
        bytes.12 = UInt8(truncatingIfNeeded: self.actionCount >> 24)
        bytes.13 = UInt8(truncatingIfNeeded: self.actionCount >> 16)
        bytes.14 = UInt8(truncatingIfNeeded: self.actionCount >> 8)
        bytes.15 = UInt8(truncatingIfNeeded: self.actionCount)
        return ActionID(UUID(uuid: bytes))
    }

    /// The newest active action on `id`.
    func activeAction(on id: InstanceID) -> ActionRecord? {
        self.actions.last { $0.isActive && $0.action.instance == id && $0.phase == .running }
            ?? self.actions.last { $0.isActive && $0.action.instance == id }
    }

    /// The actions worth a row: running ones first, then ended ones. Following a job is not
    /// work, so it has no row.
    var listedActions: [ActionRecord] {
        let shown = self.actions.filter { if case .attach = $0.action { false } else { true } }
        return shown.filter(\.isActive) + shown.filter { !$0.isActive }
    }

    var activeActions: [ActionRecord] { self.actions.filter(\.isActive) }

    /// The ids of the active actions that satisfy `test`.
    public func activeActionIDs(where test: (EngineAction) -> Bool) -> [ActionID] {
        self.actions.filter { $0.isActive && test($0.action) }.map(\.id)
    }

    func pendingDestroy(of id: InstanceID) -> PendingDestroy? {
        self.pendingDestroys.first { $0.instance == id }
    }

    /// Destroys in progress.
    public var activeDestroys: [PendingDestroy] {
        self.actions.compactMap { record -> PendingDestroy? in
            guard record.isActive, case .destroy(let id, let request) = record.action else { return nil }
            return PendingDestroy(instance: id, request: request, due: self.now)
        }
    }

    /// The action of this dashboard that follows `job`.
    func action(following job: JobID) -> ActionRecord? {
        self.actions.last { $0.isActive && $0.job == job }
    }

    mutating func start(_ action: EngineAction) -> Effect {
        let id = self.nextActionID()
        self.actions.append(ActionRecord(id: id, action: action, phase: .queued, startedAt: self.now))
        return .order(.start(action, id))
    }
}
