import Foundation
import VPEngine

/// All that can happen to the dashboard.
public enum Message: Equatable, Sendable {
    /// Each key carries its time: dialogs drop keys that were typed before anybody could read them.
    case key(Key, at: Date)
    case pasted(String, at: Date)
    case resized(Size)
    /// About once a second.
    case tick(Date)
    /// Some program wrote to the history.
    case historyChanged
    case engine(EngineEvent, at: Date)
    case instancesLoaded(PlatformAnswers<Instance>)
    case offersLoaded(Result<PlatformAnswers<Offer>, EngineError>, generation: Int)
    case balancesLoaded(PlatformAnswers<Balance>)
    case jobsLoaded(Result<[Job], EngineError>)
    case logLoaded(JobID, offset: Int64, bytes: [UInt8])
    case logUnavailable(JobID, EngineError)
    case unsafeResultsLoaded(InstanceID, Result<UnsafeResults, EngineError>)
    case shellReady(InstanceID, argv: [String])
    case shellEnded(InstanceID, exitStatus: Int32)
    /// A question that a key asked could not be answered.
    case failed(EngineError, at: Date)
}

/// What is to be done next, as values. The dashboard itself does nothing.
public enum Effect: Equatable, Sendable {
    case loadInstances
    case loadOffers(OfferQuery, generation: Int)
    case loadBalances
    case loadJobs
    /// From `offset`, or the newest part when nil.
    case loadLog(JobID, from: Int64?)
    case loadUnsafeResults(InstanceID)
    case prepareShell(InstanceID)
    case start(EngineAction, ActionID)
    case cancel(ActionID)
    // The rest is the terminal's.
    case openShell(InstanceID, argv: [String])
    case copy(String)
    case suspend
    case redraw
    case quit
}
