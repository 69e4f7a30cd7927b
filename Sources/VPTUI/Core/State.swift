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

/// All that the dashboard remembers.
public struct State: Equatable, Sendable {
    public enum Zoom: String, Codable, Hashable, Sendable { case both, lists, main }
    public enum MainContent: String, CaseIterable, Hashable, Sendable { case details, log, metrics, files }

    public var settings: Settings
    public var keyMap: KeyMap
    public var size: Size
    public var now: Date
    /// When a key was pressed last.
    var typedAt = Date.distantPast
    public var focus = Pane.instances
    /// The list that had the focus last, to come back to from the main pane.
    public var lastList = Pane.instances
    public var zoom = Zoom.both
    public var mainContent = MainContent.details
    /// Rows of the main pane above its first one on screen, where it is no log.
    public var mainScroll = 0

    public var instances = ListState<Instance>()
    public var offers = ListState<Offer>()
    public var jobs = ListState<Job>()
    /// How far back the history is read.
    var jobsWanted = State.jobsPage
    public var money = MoneyState()
    public var log = LogState()
    public var metrics = MetricsState()
    public var trainings = TrainingsState()
    public var telemetry = TelemetryState()
    public var files = FilesState()
    public var forwards: [PortForward] = []

    public var market: MarketState
    public var polls = Polls()
    /// When each platform answered last, whatever it was asked.
    public internal(set) var answeredAt: [Platform: Date] = [:]

    public var actions: [ActionRecord] = []
    public var pendingDestroys: [PendingDestroy] = []
    /// Ids are never used twice, so a late answer cannot bring one back.
    public var goneInstances: Set<InstanceID> = []
    /// Runs started here whose job is not known yet: its log opens when it is.
    public var awaitsJobOn: InstanceID?
    /// What to run once a create is done.
    public var commandsAfterCreate: [ActionID: String] = [:]
    public var commandHistory: [String] = []
    public var history = HistoryState()
    public var verbs = VerbTable()
    public var paletteHistory: [String] = []

    public var overlay: Overlay?
    /// Errors that came while something else had the keys.
    public var waitingErrors: [ErrorWords] = []
    public var toasts: [Toast] = []
    public var lastClick: Click?

    let session: UUID
    var actionCount: UInt32 = 0
    /// What was told to the engine and the disk last, so that it is told once.
    var watched: Set<InstanceID> = []
    /// The others of the fleet, which are looked at less often.
    var watchedFleet: Set<InstanceID> = []
    /// Since when the same instance has been selected: passing over one starts no sampler.
    var selectedSince = SelectedSince()
    var remembered: Remembered?

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
        // What the image cannot run on is no offer for this project.
        query.minimumCUDA = ImageCUDA.version(of: settings.defaults.image)
        self.market = MarketState(query: query)
    }
}

struct SelectedSince: Equatable, Sendable {
    var id: InstanceID?
    var date = Date.distantPast
}

/// Where and when the mouse was pressed last, to know a double click.
public struct Click: Equatable, Sendable {
    public var point: Point
    public var date: Date
}

/// A sentence at the bottom for a few seconds.
public struct Toast: Equatable, Sendable {
    public var text: String
    public var role: Role
    public var until: Date
    /// It names an alarm, which the top line shows as well.
    var isAlarm = false
}

/// What is wanted of the market, and what came of asking.
public struct MarketState: Equatable, Sendable {
    public var query: OfferQuery
    public var queryText: String
    /// Replies to older queries are dropped.
    public var generation = 0
    public var error: EngineError?

    public init(query: OfferQuery) {
        self.query = query
        self.queryText = OfferQueryText.text(query)
    }

    mutating func want(_ query: OfferQuery) {
        self.query = query
        self.queryText = OfferQueryText.text(query)
    }
}

/// What is asked again and again.
public struct Polls: Equatable, Sendable {
    public var instances = Poll()
    public var offers = Poll()
    public var balances = Poll()
    public var jobs = Poll()
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
