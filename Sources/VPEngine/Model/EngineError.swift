/// A failure of the engine to do what it was asked.
///
/// It states facts. Each front end chooses its words, advice and exit status in one exhaustive `switch` over
/// `code`.
public struct EngineError: Error, Hashable, Sendable {
    /// The kind of failure. JSON output contains the raw values, so they must not change.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// A configuration file or setting cannot be used; `detail` names file and line.
        case badConfiguration
        /// The platform needs a key and none was found where keys are kept.
        case missingKey
        /// The platform refused the key.
        case unauthorized
        /// The platform knows the key, and does not let it do this; `detail` holds the platform's words.
        case missingPermission
        /// No ssh key pair was found.
        case missingIdentity
        /// A program we depend on (ssh, rsync, git) is not installed; `detail` names it.
        case missingProgram
        /// The front end or platform cannot do this yet.
        case unsupported
        /// The request itself was malformed in the platform's eyes.
        case badRequest
        /// The account has too little credit for the request, or none at all.
        case insufficientCredit
        /// The platform asks for fewer calls (HTTP 429), or its limit would keep the next call waiting for
        /// too long.
        case rateLimited
        /// The platform's searches of the day are used up, or the last ones are reserved for renting;
        /// `detail` says until when.
        case searchQuotaSpent
        /// The platform could not be reached at all, or the connection broke before its answer was whole.
        case networkDown
        /// The server cannot prove its identity, so that nothing was sent to it; `detail` names the fault of
        /// its certificate.
        case insecureConnection
        /// The platform answered with an error of its own (5xx).
        case platformFailed
        /// The platform answered something that could not be understood. Never treated as an empty list.
        case badResponse
        /// The endpoint was switched off by the platform.
        case endpointRetired
        /// No GPU has that name; `suggestions` holds the nearest.
        case unknownGPU
        /// No offer satisfies the request, or all that do are on machines that failed a short while ago.
        case noMatchingOffer
        /// The offer can no longer be rented: taken, withdrawn or out of capacity. Another one may be
        /// tried.
        case offerTaken
        /// Every matching offer was tried, and none became an instance; `detail` gives the reason for each.
        case noCandidateLeft
        /// The registry does not serve the image to anybody, or no machine can start it; `subject` is the
        /// image, `detail` the reason that was given.
        case imageUnavailable
        /// The image cannot run on the GPU; `subject` is the image, `suggestions` one that can.
        case imageUnfit
        /// The registry of the image serves nobody at the machine's address for now.
        case registryBusy
        /// Another instance already has the requested name.
        case nameInUse
        /// The account lacks our ssh key, and adding it was not allowed; `detail` is its fingerprint.
        case keyNotOnAccount
        /// No instance has that name or, if none was named, no running one was rented for this project.
        /// `suggestions` lists the existing instances.
        case noInstance
        /// Several instances fit; `suggestions` lists them.
        case ambiguousInstance
        /// The platform has no instance of that id.
        case instanceGone
        /// The platform says that the instance no longer runs: it stopped or failed, or its host is lost.
        case instanceNotRunning
        /// The instance did not get ready within its deadline;
        /// `detail` holds the stage and the provider's words.
        case instanceNotReady
        /// The instance was asked to end and the platform still shows it.
        case destroyUnconfirmed
        /// Destroying would lose results that are not here yet.
        case unsafeResults
        /// An end was refused because other jobs run on the instance; `suggestions` names them with their
        /// age.
        case jobsRunning
        /// ssh reached no sshd, the connection was lost, or the login shell ran none of our script.
        case unreachable
        /// The instance's host key is not the one recorded at the first connection, so ssh refused to
        /// connect.
        case hostKeyChanged
        /// The instance's sshd accepted none of our keys.
        case sshRefused
        /// ssh could not forward the port; `detail` has its words.
        case portRefused
        /// No job has that id, several begin with it (`suggestions` lists them), or the instance has no
        /// record of it.
        case noSuchJob
        /// The job to cancel has ended and left nothing behind.
        case jobOver
        /// Processes of a cancelled job still run; `detail` names them.
        case cancelIncomplete
        /// The project folder does not exist, or is one that is never synced: `/`, the home folder or a
        /// parent of it.
        case workspaceRefused
        /// The upload would exceed the project's limit; `detail` counts its files, `suggestions` lists the
        /// largest.
        case uploadTooBig
        /// Files could not be sent to the instance or removed there; `detail` says why.
        case uploadFailed
        /// The instance was rented for another project, whose files are on it; `detail` names that project.
        case otherProject
        /// Files changed both here and on the instance, and no version was chosen to run a command with;
        /// `suggestions` names them.
        case conflictingFiles
        /// The instance's files could not be listed, compared or downloaded; `detail` says why.
        case downloadFailed
        /// The instance's disk has no room for an upload, a job's input or a job's own files.
        case remoteDiskFull
        /// The local disk, or the user's quota on it, is full.
        case localDiskFull
        /// The instance disappeared while a job ran on it.
        case instanceLost
        /// One of the user's own budgets or limits refused the action.
        case limitRefused
        /// The job was ended because its training met a condition of `--stop-on`.
        case stopRuleMet
        /// The platform did not answer, or did not finish its answer, within the call's deadline.
        case timedOut
        /// An instance or a local program printed more than the limit for an answer of its kind.
        case answerTooLarge
        /// The history database cannot be used, or another program holds a lock for too long.
        case historyUnavailable
        /// The caller cancelled the task. A request that was already on its way may have taken effect.
        case cancelled
        /// A local file could not be read or written.
        case fileSystem
    }

    /// The work of the engine, as words that complete "while …": `listing instances`.
    public struct Activity: Hashable, Sendable {
        /// A phrase in lower case that begins with a verb in its -ing form.
        public var words: String
        /// The platform concerned; nil if it is no single one.
        public var platform: Platform?
        /// The id of the offer, instance or job concerned.
        public var subject: String?

        /// An activity that concerns no platform and no particular object, unless they are named.
        public init(_ words: String, platform: Platform? = nil, subject: String? = nil) {
            self.words = words
            self.platform = platform
            self.subject = subject
        }
    }

    /// The kind of failure, from which a front end derives its words and exit status.
    public let code: Code
    /// The work that the engine was doing when it failed.
    public let activity: Activity
    /// One line in the server's, ssh's or rsync's own words. It never contains a key.
    public let detail: String?
    /// Nearest names, or the ids to choose from.
    public let suggestions: [String]
    /// An instance that exists in spite of the failure, and is billed.
    public let leftoverInstance: InstanceID?

    /// An error that consists of its code and activity, unless there is more to say.
    public init(
        _ code: Code, _ activity: Activity, detail: String? = nil, suggestions: [String] = [],
        leftoverInstance: InstanceID? = nil
    ) {
        self.code = code
        self.activity = activity
        self.detail = detail
        self.suggestions = suggestions
        self.leftoverInstance = leftoverInstance
    }

    /// Returns the same failure, with `instance` as what it has left behind.
    package func leaving(_ instance: InstanceID) -> EngineError {
        EngineError(
            self.code, self.activity, detail: self.detail, suggestions: self.suggestions,
            leftoverInstance: instance)
    }
}
