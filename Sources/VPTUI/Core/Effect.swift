import VPEngine

/// What is to be done next, as values. The dashboard itself does nothing.
/// Each kind is switched over in full where it is performed.
public enum Effect: Equatable, Sendable {
    /// For the loop, which owns the terminal.
    case terminal(TerminalEffect)
    /// To the engine, beside everything else; an `Answer` comes back.
    case ask(Question)
    /// To the reader of logs; a `LogAnswer` comes back.
    case log(LogQuestion)
    /// To the engine, in the order in which they are given: a cancel never overtakes its start.
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
    /// The same, where an answer will do that another program has had, at most so many seconds ago.
    case pollInstances(maximumAge: Double)
    case loadOffers(OfferQuery, generation: Int)
    case pollOffers(OfferQuery, generation: Int, maximumAge: Double)
    /// What the last session had, where it was too much to be waited for.
    case loadCachedOffers
    case loadBalances
    case pollBalances(maximumAge: Double)
    /// The newest of the history, a page of it.
    case loadJobs
    /// The newest `limit`: somebody has gone further back.
    case loadJobHistory(limit: Int)
    /// What is being spent, and what is wrong with it; asks no platform.
    case loadMoney
    /// What a create would rent now, and for how much.
    case quote(CreateRequest, generation: Int)
    case compareWorkspace(InstanceID)
    /// What the platform says about the instance's start.
    case loadProviderLog(InstanceID)
    case loadUnsafeResults(InstanceID)
    /// Whether a sync would meet files that both sides changed.
    case checkConflicts([InstanceID])
    case prepareShell(InstanceID)
    case loadVerbs
    /// The names in a folder of this computer, from where `vp` is called.
    case listFolder(String)
    /// A line of `vp`, without the name, whose answer is shown.
    case runLine([String])
}

public enum LogQuestion: Equatable, Sendable {
    case readLog(LogReadRequest)
    case searchLog(LogSearchRequest)
    case writeLog(JobID, path: String, filter: TextPattern?)
    /// All figures of a job's log so far.
    case readMetrics(JobID)
    /// What the ends of these jobs' logs say, where that has changed.
    case readTrainings([JobID])
}

public enum Order: Equatable, Sendable {
    case start(EngineAction, ActionID)
    case cancel(ActionID)
    /// On record before anybody sees it count down.
    case confirmDestroys([PendingDestroy])
    case takeBackDestroys([InstanceID])
    /// Ends that were asked for earlier and that nobody is at.
    case takeUpEnds
    /// A lease of so many seconds from now on.
    case setLease(InstanceID, seconds: Double)
    case forward(PortForward)
    case endForward(PortForward)
    case rename(InstanceID, String)
    /// These instances' load and no other's; that of `fleet` less often.
    case watch([InstanceID], fleet: [InstanceID] = [])
    case remember(Remembered)
}
