import Foundation
import VPEngine

/// Everything that can happen to the dashboard. Each group is switched over exhaustively where it is applied,
/// so that an unhandled case does not compile.
public enum Message: Equatable, Sendable {
    /// Each key carries its time: dialogs ignore keys that were typed before anybody could read them.
    case key(Key, at: Date)
    case mouse(MouseEvent, at: Date)
    case pasted(String, at: Date)
    case resized(Size)
    /// About once a second.
    case tick(Date)
    /// A program changed the history.
    case historyChanged
    case engine(EngineEvent, at: Date)
    case called(APICallRecord)
    case answered(Answer)
    case log(LogAnswer)
    case telemetry(InstanceID, TelemetrySample, at: Date)
    case telemetryEnded(InstanceID, EngineError)
    /// While the dashboard was suspended, `vp` began to destroy these instances.
    case destroysHandedOver([InstanceID])
    case shellEnded(InstanceID, exitStatus: Int32)
    /// A question that a key caused has failed.
    case failed(EngineError, at: Date)
}

/// The answer to a `Question`, or to an `Order` that has one.
public enum Answer: Equatable, Sendable {
    case instancesLoaded(PlatformAnswers<Instance>)
    case offersLoaded(Result<PlatformAnswers<Offer>, EngineError>, generation: Int)
    case cachedOffersLoaded(PlatformAnswers<Offer>?)
    case quoted(Result<PlatformAnswers<Offer>, EngineError>, job: JobEstimate, generation: Int)
    case balancesLoaded(PlatformAnswers<Balance>)
    case jobsLoaded(Result<[Job], EngineError>)
    /// The report, and the caps in force, which may have changed since the start.
    case moneyLoaded(Result<MoneyReport, EngineError>, limits: Limits = Limits())
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

/// The answer of the log reader.
public enum LogAnswer: Equatable, Sendable {
    case logRead(LogReadRequest, LogPart)
    case logUnavailable(JobID, EngineError)
    case logFound(generation: Int, hit: Int64?, hasWrapped: Bool)
    case logCounted(generation: Int, total: Int, position: Int?, fraction: Double)
    case logWritten(path: String, Result<Int64, EngineError>)
    case timesRead(JobID, [LogState.Arrival])
    case metricsRead(JobID, TrainingReading, end: Int64)
    case trainingsRead([JobID: TrainingReading])
}

/// An action of the mouse, and its position.
public struct MouseEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case press, wheelUp, wheelDown }

    public var kind: Kind
    public var point: Point

    public init(_ kind: Kind, at point: Point) {
        self.kind = kind
        self.point = point
    }
}
