import Foundation

/// The result of an action.
public enum ActionResult: Hashable, Sendable {
    /// The rented instance: ready for jobs, or just accepted by the platform if the request did not
    /// wait.
    case created(Instance)
    /// A summary of the upload.
    case synced(SyncSummary)
    /// The job, and the transfers before and after it.
    case ran(RunSummary)
    /// A summary of the download.
    case downloaded(SyncSummary)
    /// The instance, ready for jobs again.
    case started(Instance)
    /// The stopped instance; `unsafe` names results that could not be downloaded first and are still on its
    /// disk.
    case stopped(Instance, unsafe: EngineError?)
    /// The instance is confirmed gone.
    case destroyed(DestroyReceipt)
    /// The job as it stands after its processes were ended.
    case cancelled(Job)
    /// A job that was followed to its end, as if it had been run now.
    case attached(RunSummary)
}

/// The result of a run: its job and its transfers.
public struct RunSummary: Hashable, Sendable {
    /// The job; nil if nothing was run.
    public var job: Job?
    /// The upload; nil if there was none.
    public var upload: SyncSummary?
    /// The download; nil if there was none, or if it failed for the reason in `downloadError`.
    public var download: SyncSummary?
    /// The reason why the results could not be downloaded completely. The job's own status is known all the
    /// same.
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

/// The facts about an instance that is confirmed gone.
public struct DestroyReceipt: Hashable, Sendable {
    /// The instance that is gone.
    public var instance: InstanceID
    /// The label it was given at creation, if any.
    public var name: String?
    /// The download just before the end; nil if nothing was outstanding or the instance could not be reached.
    public var download: SyncSummary?
    /// The cost from creation to end at the running price, in dollars; the platform's invoice decides.
    public var dollars: Double?
    /// Seconds since its creation; nil if the platform did not report when that was.
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
    /// The action was done.
    case succeeded(ActionResult)
    /// The action was not done, or not completely.
    case failed(EngineError)
    /// The action was ended on request before it was done.
    case cancelled
}

/// An event that the engine reports while it works.
public enum EngineEvent: Hashable, Sendable {
    /// The action was accepted; it waits for earlier actions on the same instance.
    case queued(ActionID, EngineAction)
    /// The action's turn has come.
    case started(ActionID)
    /// A stage of the action began or advanced.
    case progress(ActionID, ActionProgress)
    /// An instance was seen in a state that a list may not show yet.
    case instanceChanged(Instance)
    /// The platform confirmed that the instance is gone.
    case instanceGone(InstanceID)
    /// A job as it stands now, whether it is new or something about it changed.
    case jobChanged(Job)
    /// A warning about money that the user should see now.
    case alarm(Alarm)
    /// A sentence about an action in progress, for the user to read now.
    case notice(String)
    /// `bytes` were appended to the job's local log at `offset`.
    case jobOutput(JobID, offset: Int64, bytes: [UInt8])
    /// The same for standard error, if it has a log of its own.
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
