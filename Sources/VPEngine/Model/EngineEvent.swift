import Foundation

/// What an action achieved.
public enum ActionResult: Hashable, Sendable {
    /// The rented instance: ready for jobs, or just accepted by the platform where the request did not
    /// wait.
    case created(Instance)
    /// What was uploaded.
    case synced(SyncSummary)
    /// The job, and what was moved before and after it.
    case ran(RunSummary)
    /// What was brought back.
    case downloaded(SyncSummary)
    /// The instance, ready for jobs again.
    case started(Instance)
    /// `unsafe` says what could not be brought back first; it is still on the instance's disk.
    case stopped(Instance, unsafe: EngineError?)
    /// The instance is confirmed gone.
    case destroyed(DestroyReceipt)
    /// The job as it stands after its processes were ended.
    case cancelled(Job)
    /// A job that was followed to its end, as if it had been run now.
    case attached(RunSummary)
}

/// What came of a run: its job and its transfers.
public struct RunSummary: Hashable, Sendable {
    /// nil when nothing was run.
    public var job: Job?
    /// Nil where nothing was to be sent.
    public var upload: SyncSummary?
    /// Nil where nothing was to be brought back, and where `downloadError` says why that failed.
    public var download: SyncSummary?
    /// The results could not be brought back whole. The job's own status is known all the same.
    public var downloadError: EngineError?

    /// A run without transfers, unless they are given.
    public init(
        job: Job?, upload: SyncSummary? = nil, download: SyncSummary? = nil, downloadError: EngineError? = nil
    ) {
        self.job = job
        self.upload = upload
        self.download = download
        self.downloadError = downloadError
    }
}

/// What is known after an instance is confirmed gone.
public struct DestroyReceipt: Hashable, Sendable {
    /// The instance that is gone.
    public var instance: InstanceID
    /// The label it was given at creation, if any.
    public var name: String?
    /// Brought back just before; nil where nothing was outstanding or it could not be reached.
    public var download: SyncSummary?
    /// Rental from creation to end at the running price, in dollars; the platform's invoice decides.
    public var dollars: Double?
    /// Seconds since its creation; nil where the platform did not say when that was.
    public var duration: TimeInterval?

    /// A receipt; nil stands for what is not known.
    public init(
        instance: InstanceID, name: String?, download: SyncSummary?, dollars: Double?, duration: TimeInterval?
    ) {
        self.instance = instance
        self.name = name
        self.download = download
        self.dollars = dollars
        self.duration = duration
    }
}

/// How an action ended.
public enum ActionOutcome: Hashable, Sendable {
    /// Done.
    case succeeded(ActionResult)
    /// Not done, or not all of it.
    case failed(EngineError)
    /// Ended on request before it was done.
    case cancelled
}

/// What the engine reports while it works.
public enum EngineEvent: Hashable, Sendable {
    /// Accepted; it waits for earlier actions on the same instance.
    case queued(ActionID, EngineAction)
    /// Its turn has come.
    case started(ActionID)
    /// A stage of it began, or moved on.
    case progress(ActionID, ActionProgress)
    /// An instance was seen in a state that a list may not show yet.
    case instanceChanged(Instance)
    /// The platform confirmed that it is gone.
    case instanceGone(InstanceID)
    /// A job as it stands now, whether it is new or something about it changed.
    case jobChanged(Job)
    /// Something about money that the user should hear of now.
    case alarm(Alarm)
    /// A sentence about an action that goes on, for the user to read now.
    case notice(String)
    /// `bytes` were appended to the job's local log at `offset`.
    case jobOutput(JobID, offset: Int64, bytes: [UInt8])
    /// The same for standard error, where it has a log of its own.
    case jobErrors(JobID, offset: Int64, bytes: [UInt8])
    /// The last event of an action.
    case finished(ActionID, ActionOutcome)
}

extension EngineEvent {
    static func output(of job: JobID, _ stream: JobStream, offset: Int64, bytes: [UInt8]) -> EngineEvent {
        switch stream {
        case .log: .jobOutput(job, offset: offset, bytes: bytes)
        case .errors: .jobErrors(job, offset: offset, bytes: bytes)
        }
    }
}
