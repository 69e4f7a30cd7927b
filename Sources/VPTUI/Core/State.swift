import Foundation
import VPEngine

public enum Pane: Int, CaseIterable, Hashable, Sendable {
    case instances = 1
    case offers, jobs
    case main

    public var title: String {
        switch self {
        case .instances: "Instances"
        case .offers: "Offers"
        case .jobs: "Jobs"
        case .main: "Log"
        }
    }
}

/// What was chosen at the start and does not change.
public struct Settings: Equatable, Sendable {
    public var isReadOnly = false
    /// Nothing outside ASCII is drawn.
    public var isASCII = false
    /// Of local time, in seconds.
    public var secondsFromGMT = 0
    public var workspaceName = ""
    /// The platforms that have a key. None: nothing can be rented, and the first screen says how to begin.
    public var platforms: [Platform] = []
    public var defaults = EngineConfiguration.Defaults()

    public init() {}
}

/// An action that was asked for, and how far it is.
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

/// A destroy that was confirmed and can still be taken back.
public struct PendingDestroy: Equatable, Sendable {
    public var instance: InstanceID
    public var request: DestroyRequest
    public var due: Date
}

/// A sentence at the bottom for a few seconds.
public struct Toast: Equatable, Sendable {
    public var text: String
    public var role: Role
    public var until: Date
}

/// One question that is asked again and again.
public struct Poll: Equatable, Sendable {
    public var askedAt: Date?
    public var isAsking = false

    mutating func ask(at now: Date) {
        self.askedAt = now
        self.isAsking = true
    }

    func isDue(_ interval: TimeInterval, _ now: Date) -> Bool {
        guard !self.isAsking else { return false }
        guard let askedAt = self.askedAt else { return true }
        // A clock that was set back must not stop the questions.
        return now.timeIntervalSince(askedAt) >= interval || now < askedAt
    }
}

/// All that the dashboard remembers.
public struct State: Equatable, Sendable {
    public enum Zoom: Hashable, Sendable { case both, lists, main }
    public enum MainContent: Equatable, Sendable { case details, log }

    public var settings: Settings
    public var keyMap: KeyMap
    public var size: Size
    public var now: Date
    /// When a key was pressed last.
    var typedAt = Date.distantPast
    public var focus = Pane.instances
    /// The list that had the focus last, to come back to from the log.
    public var lastList = Pane.instances
    public var zoom = Zoom.both
    public var mainContent = MainContent.details

    public var instances = ListState<Instance>()
    public var offers = ListState<Offer>()
    public var jobs = ListState<Job>()
    public var balances: [Balance] = []
    public var balanceFailures: [SourceFailure] = []
    public var log = LogState()

    public var offerQuery: OfferQuery
    public var offerQueryText = ""
    /// Replies to older queries are dropped.
    public var offerGeneration = 0
    public var offersError: EngineError?

    public var instancesPoll = Poll()
    public var offersPoll = Poll()
    public var balancesPoll = Poll()
    public var jobsPoll = Poll()

    public var actions: [ActionRecord] = []
    public var pendingDestroys: [PendingDestroy] = []
    /// Ids are never used twice, so a late answer cannot bring one back.
    public var goneInstances: Set<InstanceID> = []
    /// Runs started here whose job is not known yet: its log opens when it is.
    public var awaitsJobOn: InstanceID?
    public var commandHistory: [String] = []

    public var overlay: Overlay?
    /// Errors that came while something else had the keys.
    public var waitingErrors: [ErrorWords] = []
    public var toasts: [Toast] = []

    let session: UUID
    var actionCount: UInt32 = 0

    /// `session` makes the ids of actions unique without `update` drawing lots.
    public init(settings: Settings, keyMap: KeyMap = .standard, size: Size, session: UUID, now: Date) {
        self.settings = settings
        self.keyMap = keyMap
        self.size = size
        self.session = session
        self.now = now
        var query = OfferQuery()
        query.gpu = settings.defaults.gpu
        query.maximumPrice = settings.defaults.maximumPrice
        query.diskBytes = settings.defaults.diskBytes
        self.offerQuery = query
        self.offerQueryText = OfferQueryText.text(query)
    }

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

    var activeActions: [ActionRecord] { self.actions.filter(\.isActive) }

    /// The ids of what goes on and satisfies `test`.
    public func activeActionIDs(where test: (EngineAction) -> Bool) -> [ActionID] {
        self.actions.filter { $0.isActive && test($0.action) }.map(\.id)
    }

    func pendingDestroy(of id: InstanceID) -> PendingDestroy? {
        self.pendingDestroys.first { $0.instance == id }
    }

    /// The action here that follows `job`.
    func action(following job: JobID) -> ActionRecord? {
        self.actions.last { $0.isActive && $0.job == job }
    }
}
