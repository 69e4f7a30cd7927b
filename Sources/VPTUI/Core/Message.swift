import Foundation
import VPEngine

/// All that can happen to the dashboard.
public enum Message: Equatable, Sendable {
    /// Each key carries its time: dialogs drop keys that were typed before anybody could read them.
    case key(Key, at: Date)
    case mouse(MouseEvent, at: Date)
    case pasted(String, at: Date)
    case resized(Size)
    /// About once a second.
    case tick(Date)
    /// Some program wrote to the history.
    case historyChanged
    case engine(EngineEvent, at: Date)
    case called(APICallRecord)
    case instancesLoaded(PlatformAnswers<Instance>)
    case offersLoaded(Result<PlatformAnswers<Offer>, EngineError>, generation: Int)
    case cachedOffersLoaded(PlatformAnswers<Offer>?)
    case quoted(Result<PlatformAnswers<Offer>, EngineError>, job: JobEstimate, generation: Int)
    case balancesLoaded(PlatformAnswers<Balance>)
    case jobsLoaded(Result<[Job], EngineError>)
    case logRead(LogReadRequest, LogPart)
    case logUnavailable(JobID, EngineError)
    case logFound(generation: Int, hit: Int64?, hasWrapped: Bool)
    case logCounted(generation: Int, total: Int, position: Int?, fraction: Double)
    case logWritten(path: String, Result<Int64, EngineError>)
    case metricsRead(JobID, Metrics, start: Int64, end: Int64)
    case telemetry(InstanceID, TelemetrySample, at: Date)
    case telemetryEnded(InstanceID, EngineError)
    case workspaceCompared(InstanceID, Result<WorkspaceReport, EngineError>)
    case providerLogLoaded(InstanceID, String)
    case unsafeResultsLoaded(InstanceID, Result<UnsafeResults, EngineError>)
    case conflictsChecked([InstanceID], [String])
    case forwarded(PortForward)
    case forwardEnded(PortForward)
    case renamed(Instance)
    /// While the dashboard was stopped, `vp` has begun to destroy these.
    case destroysHandedOver([InstanceID])
    case shellReady(InstanceID, argv: [String])
    case shellEnded(InstanceID, exitStatus: Int32)
    case verbsLoaded(VerbTable)
    case lineEnded(String, output: [String], exitStatus: Int32, seconds: Double, at: Date)
    /// A question that a key asked could not be answered.
    case failed(EngineError, at: Date)
}

/// What the mouse did, and where.
public struct MouseEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case press, wheelUp, wheelDown }

    public var kind: Kind
    public var point: Point

    public init(_ kind: Kind, at point: Point) {
        self.kind = kind
        self.point = point
    }
}

/// What is to be done next, as values. The dashboard itself does nothing.
public enum Effect: Equatable, Sendable {
    case loadInstances
    /// The same, where an answer will do that another program has had, at most so many seconds ago.
    case pollInstances(maximumAge: Double)
    case loadOffers(OfferQuery, generation: Int)
    case pollOffers(OfferQuery, generation: Int, maximumAge: Double)
    /// What the last session had, where it was too much to be waited for.
    case loadCachedOffers
    case loadBalances
    case pollBalances(maximumAge: Double)
    case loadJobs
    /// What a create would rent now, and for how much.
    case quote(CreateRequest, generation: Int)
    case readLog(LogReadRequest)
    case searchLog(LogSearchRequest)
    case writeLog(JobID, path: String, filter: TextPattern?)
    /// All figures of a job's log so far.
    case readMetrics(JobID)
    /// These instances' load and no other's.
    case watch([InstanceID])
    case compareWorkspace(InstanceID)
    /// What the platform says about the instance's start.
    case loadProviderLog(InstanceID)
    case loadUnsafeResults(InstanceID)
    /// Whether a sync would meet files that both sides changed.
    case checkConflicts([InstanceID])
    case forward(PortForward)
    case endForward(PortForward)
    case rename(InstanceID, String)
    case prepareShell(InstanceID)
    case start(EngineAction, ActionID)
    case cancel(ActionID)
    case loadVerbs
    /// A line of `vp`, without the name, whose answer is shown.
    case runLine([String])
    case remember(Remembered)
    /// The rest is done at once, by the loop. What was confirmed is on record before anybody sees it count down.
    case confirmDestroys([PendingDestroy])
    case takeBackDestroys([InstanceID])
    case openShell(InstanceID, argv: [String])
    case copy(String)
    case suspend
    case redraw
    case toggleTheme
    case quit
}
