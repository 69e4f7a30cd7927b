import Foundation
import VPEngine

/// All that can happen to the dashboard. Each group is switched over in full where it is applied,
/// so that a case that nobody takes does not compile.
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
    case answered(Answer)
    case log(LogAnswer)
    case telemetry(InstanceID, TelemetrySample, at: Date)
    case telemetryEnded(InstanceID, EngineError)
    /// While the dashboard was stopped, `vp` has begun to destroy these.
    case destroysHandedOver([InstanceID])
    case shellEnded(InstanceID, exitStatus: Int32)
    /// A question that a key asked could not be answered.
    case failed(EngineError, at: Date)
}

/// What came of a `Question`, or of an `Order` that answers.
public enum Answer: Equatable, Sendable {
    case instancesLoaded(PlatformAnswers<Instance>)
    case offersLoaded(Result<PlatformAnswers<Offer>, EngineError>, generation: Int)
    case cachedOffersLoaded(PlatformAnswers<Offer>?)
    case quoted(Result<PlatformAnswers<Offer>, EngineError>, job: JobEstimate, generation: Int)
    case balancesLoaded(PlatformAnswers<Balance>)
    case jobsLoaded(Result<[Job], EngineError>)
    case moneyLoaded(Result<MoneyReport, EngineError>)
    case leaseSet(InstanceID, Lease)
    case workspaceCompared(InstanceID, Result<WorkspaceReport, EngineError>)
    case providerLogLoaded(InstanceID, String)
    case unsafeResultsLoaded(InstanceID, Result<UnsafeResults, EngineError>)
    case conflictsChecked([InstanceID], [String])
    case forwarded(PortForward)
    case forwardEnded(PortForward)
    case renamed(Instance)
    case shellReady(InstanceID, argv: [String])
    case verbsLoaded(VerbTable)
    case folderListed(Palette.Listing)
    case lineEnded(String, output: [String], exitStatus: Int32, seconds: Double, at: Date)
}

/// What the reader of logs has found.
public enum LogAnswer: Equatable, Sendable {
    case logRead(LogReadRequest, LogPart)
    case logUnavailable(JobID, EngineError)
    case logFound(generation: Int, hit: Int64?, hasWrapped: Bool)
    case logCounted(generation: Int, total: Int, position: Int?, fraction: Double)
    case logWritten(path: String, Result<Int64, EngineError>)
    case metricsRead(JobID, TrainingReading, end: Int64)
    case trainingsRead([JobID: TrainingReading])
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
