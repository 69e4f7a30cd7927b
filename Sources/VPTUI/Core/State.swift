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

/// The whole state of the dashboard.
public struct State: Equatable, Sendable {
    public enum Zoom: String, Codable, Hashable, Sendable { case both, lists, main }
    public enum MainContent: String, CaseIterable, Hashable, Sendable { case details, log, metrics, files }

    public var settings: Settings
    public var keyMap: KeyMap
    public var size: Size
    public var now: Date
    /// The time of the last key.
    var typedAt = Date.distantPast
    public var focus = Pane.instances
    /// The last focused list, to return to from the main pane.
    public var lastList = Pane.instances
    public var zoom = Zoom.both
    public var mainContent = MainContent.details
    /// The number of rows above the main pane's first visible row, unless it shows a log.
    public var mainScroll = 0

    /// The pane whose keys work now: the details have those of the list that their row is in.
    var keyPane: Pane { self.focus == .main && self.mainContent == .details ? self.lastList : self.focus }

    /// The title of the help about the keys that work now.
    var focusTitle: String {
        guard self.focus == .main else { return self.focus.title }
        return switch self.mainContent {
        case .log: "Log"
        case .metrics: "Metrics"
        case .files: "Files"
        case .details: "Details"
        }
    }

    public var instances = ListState<Instance>()
    public var offers = ListState<Offer>()
    public var jobs = ListState<Job>()
    /// The number of jobs that are read from the history.
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
    /// The time of each platform's last answer to any request.
    public internal(set) var answeredAt: [Platform: Date] = [:]

    public var actions: [ActionRecord] = []
    public var pendingDestroys: [PendingDestroy] = []
    /// Ids of instances that are gone. Ids are never reused, so a late answer cannot bring an instance back.
    public var goneInstances: Set<InstanceID> = []
    /// An instance on which a run was started whose job is not known yet: its log opens once it is.
    public var awaitsJobOn: InstanceID?
    /// The commands to run after creates.
    public var commandsAfterCreate: [ActionID: String] = [:]
    /// The forms of creates in progress, and that of the last one that failed: nobody fills one in twice.
    var formsOfCreates: [ActionID: LaunchForm] = [:]
    var refusedForm: LaunchForm?
    public var commandHistory: [String] = []
    public var history = HistoryState()
    public var verbs = VerbTable()
    public var paletteHistory: [String] = []

    public var overlay: Overlay?
    /// Errors that arrived while an overlay was open.
    public var waitingErrors: [ErrorWords] = []
    public var toasts: [Toast] = []
    public var lastClick: Click?

    let session: UUID
    let begunAt: Date
    var actionCount: UInt32 = 0
    /// The last values given to the engine and written to disk, so that each is passed on only once.
    var watched: [InstanceID: Int] = [:]
    /// The time since which the instance has been selected: moving past one starts no sampler.
    var selectedSince = SelectedSince()
    var remembered: Remembered?

    /// - Parameter session: makes the ids of actions unique without randomness in `update`.
    public init(settings: Settings, keyMap: KeyMap = .standard, size: Size, session: UUID, now: Date) {
        self.settings = settings
        self.keyMap = keyMap
        self.size = size
        self.session = session
        self.begunAt = now
        self.now = now
        var query = OfferQuery()
        query.gpu = settings.defaults.gpu
        query.maximumPrice = settings.defaults.maximumPrice
        query.diskBytes = settings.defaults.diskBytes
        // Offers on which the image cannot run are useless for this project.
        query.minimumCUDA = ImageCUDA.version(of: settings.defaults.image)
        self.market = MarketState(query: query)
    }
}

struct SelectedSince: Equatable, Sendable {
    var id: InstanceID?
    var date = Date.distantPast
}

/// The position and time of the last click, to recognise a double click.
public struct Click: Equatable, Sendable {
    public var point: Point
    public var date: Date
}

/// A notice at the bottom for a few seconds.
public struct Toast: Equatable, Sendable {
    public var text: String
    public var role: Role
    public var until: Date
    /// The notice names an alarm, which the top line shows as well.
    var isAlarm = false
}

/// The query for offers, and the state of its answer.
public struct MarketState: Equatable, Sendable {
    public var query: OfferQuery
    public var queryText: String
    /// Replies to older queries are dropped.
    public var generation = 0
    public var error: EngineError?
    /// The platforms whose offers are all dearer than the query allows, and how many they are.
    public private(set) var dearer: [Platform: Int] = [:]
    /// The first offer of the next answer is selected.
    var selectsFirst = false
    /// The generation whose answer somebody who reads lines waits for.
    var awaited: Int?

    public init(query: OfferQuery) {
        self.query = query
        self.queryText = OfferQueryText.text(query)
    }

    mutating func want(_ query: OfferQuery) {
        if query != self.query { self.dearer = [:] }
        self.query = query
        self.queryText = OfferQueryText.text(query)
    }

    mutating func noteDearer(_ answers: PlatformAnswers<Offer>) {
        for platform in answers.values.map(\.platform) + answers.failures.map(\.platform) {
            self.dearer[platform] = nil
        }
        // A refresh in the background does not count the dearer offers of every platform again.
        self.dearer.merge(answers.dearer) { $1 }
    }
}

/// The requests that are repeated periodically.
public struct Polls: Equatable, Sendable {
    public var instances = Poll()
    public var offers = Poll()
    public var balances = Poll()
    public var jobs = Poll()
}

/// A request that is repeated periodically.
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
        // A clock that was set back must not stop the requests.
        return now.timeIntervalSince(askedAt) >= interval || now < askedAt
    }
}
