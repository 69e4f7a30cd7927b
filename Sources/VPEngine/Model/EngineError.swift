/// Why the engine did not do what it was asked.
///
/// It states facts. Each front end chooses its words, advice and exit status in one exhaustive `switch` over
/// `code`.
public struct EngineError: Error, Hashable, Sendable {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// A configuration file or setting cannot be used; `detail` names file and line.
        case badConfiguration
        /// The platform needs a key and none was found in any of the places.
        case missingKey
        /// The platform refused the key.
        case unauthorized
        /// No ssh key pair was found.
        case missingIdentity
        /// A program we depend on (ssh, rsync, git) is not installed; `detail` names it.
        case missingProgram
        /// The front end or platform cannot do this yet.
        case unsupported
        /// The request itself was malformed in the platform's eyes.
        case badRequest
        case insufficientCredit
        case rateLimited
        /// The platform's searches of the day are used up, or what is left of them is kept; `detail` says until when.
        case searchQuotaSpent
        /// The platform could not be reached at all, or the connection broke before its answer was whole.
        case networkDown
        /// The server cannot prove who it is; nothing was sent to it. `detail` says what its certificate lacks.
        case insecureConnection
        /// The platform answered with an error of its own (5xx).
        case platformFailed
        /// The platform answered something that could not be understood. Never treated as an empty list.
        case badResponse
        /// The endpoint was switched off by the platform.
        case endpointRetired
        /// No GPU has that name; `suggestions` holds the nearest.
        case unknownGPU
        case noMatchingOffer
        case offerTaken
        /// Everything that fitted was tried, and none of it became an instance; `detail` says why each did not.
        case noCandidateLeft
        /// The registry does not give the image to anybody, or no machine can start it; `subject` is the image, `detail`
        /// what was said of it.
        case imageUnavailable
        /// The image cannot run on the GPU; `subject` is the image, `suggestions` one that can.
        case imageUnfit
        /// The registry of the image serves nobody at the machine's address for now.
        case registryBusy
        /// The name that was wanted for an instance belongs to another one.
        case nameInUse
        /// The account does not know our ssh key, and was not to be given it; `detail` is its fingerprint.
        case keyNotOnAccount
        /// No instance fits, or several do and none was named.
        case noInstance
        case ambiguousInstance
        /// The platform has no instance of that id.
        case instanceGone
        /// The platform says it runs no longer: stopped, failed, or host lost.
        case instanceNotRunning
        /// The instance did not get ready within its deadline; `detail` holds the stage and the provider's words.
        case instanceNotReady
        /// The instance was asked to end and the platform still shows it.
        case destroyUnconfirmed
        /// Destroying would lose results that are not here yet.
        case unsafeResults
        /// An end was not asked for, because other jobs run there; `suggestions` names them with their age.
        case jobsRunning
        case unreachable
        case hostKeyChanged
        case sshRefused
        case noSuchJob
        /// Processes of a cancelled job are still there; `detail` names them.
        case cancelIncomplete
        case workspaceRefused
        /// More would be sent than the project's limit allows; `detail` says how much, `suggestions` what.
        case uploadTooBig
        case uploadFailed
        case downloadFailed
        case remoteDiskFull
        case localDiskFull
        /// The instance disappeared while a job ran on it.
        case instanceLost
        /// A budget or guard of the user's own said no.
        case limitRefused
        /// The platform did not answer, or did not finish its answer, within the call's deadline.
        case timedOut
        /// An instance, or a program here, has printed more than any answer of its kind holds.
        case answerTooLarge
        case historyUnavailable
        case cancelled
        /// A local file could not be read or written.
        case fileSystem
    }

    /// What the engine was doing, as words that complete "while …": `listing instances`.
    public struct Activity: Hashable, Sendable {
        public var words: String
        public var platform: Platform?
        /// The id of the offer, instance or job concerned.
        public var subject: String?

        public init(_ words: String, platform: Platform? = nil, subject: String? = nil) {
            self.words = words
            self.platform = platform
            self.subject = subject
        }
    }

    public let code: Code
    public let activity: Activity
    /// One line in the server's, ssh's or rsync's own words. Never a key.
    public let detail: String?
    /// Nearest names, or the ids to choose from.
    public let suggestions: [String]
    /// An instance that exists in spite of the failure, and is billed.
    public let leftoverInstance: InstanceID?

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

    /// The same failure, which has left `instance` behind.
    package func leaving(_ instance: InstanceID) -> EngineError {
        EngineError(
            self.code, self.activity, detail: self.detail, suggestions: self.suggestions,
            leftoverInstance: instance)
    }
}
