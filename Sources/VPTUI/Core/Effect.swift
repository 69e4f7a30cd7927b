import VPEngine

/// The actions to perform next, as values; the dashboard's core itself performs none. Each kind is switched
/// over exhaustively where it is performed.
public enum Effect: Equatable, Sendable {
    /// Performed by the loop, which owns the terminal.
    case terminal(TerminalEffect)
    /// Asked of the engine, concurrently with everything else; an `Answer` comes back.
    case ask(Question)
    /// Asked of the log reader; a `LogAnswer` comes back.
    case log(LogQuestion)
    /// Given to the engine in order: a cancel never overtakes its start.
    case order(Order)
}

public enum TerminalEffect: Equatable, Sendable {
    case openShell(InstanceID, argv: [String])
    case copy(String)
    case suspend
    case redraw
    case toggleTheme
    case quit
}

public enum Question: Equatable, Sendable {
    case loadInstances
    /// Like `loadInstances`, but another program's answer will do if it is at most this many seconds old.
    case pollInstances(maximumAge: Double)
    case loadOffers(OfferQuery, generation: Int)
    case pollOffers(OfferQuery, generation: Int, maximumAge: Double)
    /// The offers of the last session, if there were too many to wait for.
    case loadCachedOffers
    case loadBalances
    case pollBalances(maximumAge: Double)
    /// The newest page of the history.
    case loadJobs
    /// The newest `limit` jobs, after the user has scrolled further back.
    case loadJobHistory(limit: Int)
    /// The spending and the alarms; asks no platform.
    case loadMoney
    /// The offers that a create would try now, with their prices.
    case quote(CreateRequest, generation: Int)
    case compareWorkspace(InstanceID)
    /// The platform's log of the instance's start.
    case loadProviderLog(InstanceID)
    case loadUnsafeResults(InstanceID)
    /// Tells whether a sync would find files that changed on both sides.
    case checkConflicts([InstanceID])
    case prepareShell(InstanceID)
    case loadVerbs
    /// The names in a local folder, relative to the one in which `vp` runs.
    case listFolder(String)
    /// A `vp` command line without the name `vp`; its output is shown.
    case runLine([String])
}

public enum LogQuestion: Equatable, Sendable {
    case readLog(LogReadRequest)
    case searchLog(LogSearchRequest)
    case writeLog(JobID, path: String, filter: TextPattern?)
    /// The times at which a job's output arrived.
    case readTimes(JobID)
    /// All figures in a job's log so far.
    case readMetrics(JobID)
    /// The figures at the ends of these jobs' logs, if they have changed.
    case readTrainings([JobID])
}

public enum Order: Equatable, Sendable {
    case start(EngineAction, ActionID)
    case cancel(ActionID)
    /// Recorded before the countdown is visible.
    case confirmDestroys([PendingDestroy])
    case takeBackDestroys([InstanceID])
    /// Destroys that were requested earlier and that no process is carrying out.
    case takeUpEnds
    /// A lease of this many seconds from now.
    case setLease(InstanceID, seconds: Double)
    case forward(PortForward)
    case endForward(PortForward)
    case rename(InstanceID, String)
    /// Samples the load of these instances, each after so many seconds, and of no others.
    case watch([InstanceID: Int])
    case remember(Remembered)
}
