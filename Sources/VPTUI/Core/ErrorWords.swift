import VPEngine

/// An engine error in the dashboard's words: what happened, the details, and what to do next.
public struct ErrorWords: Hashable, Sendable {
    public var title: String
    public var detail: String?
    public var advice: String

    public init(title: String, detail: String? = nil, advice: String) {
        self.title = title
        self.detail = detail
        self.advice = advice
    }

    public init(_ error: EngineError) {
        let place = error.activity.platform?.displayName ?? "the platform"
        let subject = error.activity.subject ?? "it"
        let (title, advice) = Self.words(error, place: place, subject: subject)
        self.title = title
        var detail = error.detail
        if !error.suggestions.isEmpty {
            let list = error.suggestions.prefix(6).joined(separator: ", ")
            detail = (detail.map { $0 + " — " } ?? "") + list
        }
        self.detail = detail
        self.advice = advice
    }

    /// The error in one line: `vast.ai: refused the key`.
    public static func brief(_ failure: SourceFailure) -> String {
        let words = ErrorWords(failure.error)
        return failure.error.activity.platform == nil
            ? "\(failure.platform.displayName): \(words.title)" : words.title
    }

    private static func words(
        _ error: EngineError, place: String, subject: String
    ) -> (title: String, advice: String) {
        let doing = error.activity.words
        switch error.code {
        case .badConfiguration:
            return ("The configuration cannot be used", "Correct the file named above, then start again.")
        case .missingKey:
            return ("\(place) has no key", "Set one with `vp config-set --vast-api-key -`, then Ctrl-r.")
        case .unauthorized:
            return ("\(place) refused the key", "Set a valid one with `vp config-set`, then Ctrl-r.")
        case .missingPermission:
            return (
                "\(place) does not let the key do that while \(doing)",
                "Give the key that right on the platform's page of keys, or set one that has it."
            )
        case .missingIdentity:
            return ("No ssh key was found", "Make one with `ssh-keygen -t ed25519`, then try again.")
        case .missingProgram:
            return ("A program is missing", "Install the program named above, then try again.")
        case .unsupported:
            return ("Not possible here: \(doing)", "Use the platform's own console for it.")
        case .badRequest:
            return ("\(place) refused the request while \(doing)", "Change what was asked and try again.")
        case .insufficientCredit:
            return ("\(place) has too little credit", "Add credit on the platform's site, then try again.")
        case .rateLimited:
            return ("\(place) asks to slow down", "Nothing to do: it is asked again in a while.")
        case .searchQuotaSpent:
            return (
                "\(place) allows no further search for offers",
                "What is shown stays, and can be rented. Searches begin again at midnight, UTC."
            )
        case .networkDown:
            return ("\(place) cannot be reached", "Check the network. What is shown stays, with its age.")
        case .insecureConnection:
            return (
                "\(place) cannot be asked safely",
                "A CA of your own goes into SSL_CERT_FILE, or `ca_file` of the platform in your configuration."
            )
        case .platformFailed:
            return ("\(place) failed while \(doing)", "It is the platform's fault; try again in a minute.")
        case .badResponse:
            return (
                "\(place) answered something unknown while \(doing)",
                "Try again; if it stays, report it with the line above."
            )
        case .endpointRetired:
            return ("\(place) has retired this call", "Update VariousPlug.")
        case .unknownGPU:
            return ("No GPU has that name", "Press e in Offers and use one of the names above.")
        case .noMatchingOffer:
            return ("No offer fits", "Press e in Offers and ask for less, or raise the price.")
        case .offerTaken:
            return ("Somebody else took the offer", "Choose another; the list has been refreshed.")
        case .noCandidateLeft:
            return ("No instance could be rented", "Nothing is left running. Take other hardware in Offers.")
        case .nameInUse:
            return ("The name \(subject) is in use", "Take another name.")
        case .keyNotOnAccount:
            return ("\(place) does not have the ssh key", "Add it with `vp doctor --fix`, then try again.")
        case .noInstance:
            return ("No instance to use", "Rent one in Offers, or start a stopped one with x.")
        case .ambiguousInstance:
            return ("Several instances fit", "Select the one you mean.")
        case .instanceGone:
            return ("\(subject) is gone", "The platform knows it no longer. Rent another in Offers.")
        case .instanceNotRunning:
            return ("\(subject) is not running", "Start it with x, or rent another in Offers.")
        case .instanceNotReady:
            return ("\(subject) did not get ready in time", "Destroy it with D and take another offer.")
        case .imageUnavailable:
            return (
                "\(subject) cannot be used as an image",
                "Nothing is left running. Check its name and tag in the form."
            )
        case .imageUnfit:
            let advice =
                error.suggestions.first.map { "Take \($0), or auto." } ?? "Choose another GPU or image."
            return ("\(subject) cannot run on that GPU", advice)
        case .registryBusy:
            return (
                "the registry of \(subject) refuses for now",
                "Try again later, or use an image from a registry with a login."
            )
        case .destroyUnconfirmed:
            return (
                "\(subject) still exists after the destroy",
                "It may still cost money: try D again, or use the platform's console."
            )
        case .jobsRunning:
            return (
                "Other jobs run on \(subject), and would end with it",
                "Let them end, or press D again: the question names them."
            )
        case .unsafeResults:
            return (
                "\(subject) holds results that are not here",
                "Press d to bring them, or D and “Discard” to give them up."
            )
        case .unreachable:
            return ("\(subject) cannot be reached by ssh", "Wait a little and try again; it may be starting.")
        case .hostKeyChanged:
            return (
                "The host key of \(subject) has changed",
                "Somebody may be in between. Do not go on unless you know why."
            )
        case .sshRefused:
            return ("\(subject) refused our ssh key", "Add the key to the account, then make a new instance.")
        case .noSuchJob:
            return ("No such job: \(subject)", "Press Ctrl-r to read the history again.")
        case .cancelIncomplete:
            return ("Not every process of \(subject) has ended", "Press X to try again, or D to destroy.")
        case .workspaceRefused:
            return ("This folder is not sent", "Start in the project's own folder.")
        case .uploadTooBig:
            return (
                "More would be sent than is sent unasked", "Leave it out in .vpignore, or raise sync.limit."
            )
        case .otherProject:
            return (
                "\(subject) was rented for another project",
                "Rent one for this project, or give it a folder there: vp sync -i \(subject) --own-folder."
            )
        case .conflictingFiles:
            return (
                "Files changed here and on \(subject), and nothing was run",
                "d brings its versions beside yours; then run it again."
            )
        case .uploadFailed:
            return ("The files could not be sent to \(subject)", "Press S to try again; it resumes.")
        case .downloadFailed:
            return ("The results could not be brought back whole", "Press d to try again; it resumes.")
        case .remoteDiskFull:
            return ("The disk of \(subject) is full", "Free space with s, or rent one with a larger disk.")
        case .localDiskFull:
            return ("The local disk is full", "Free space, then press d again; it resumes.")
        case .instanceLost:
            return ("\(subject) disappeared while the job ran", "What was downloaded is here. Rent another.")
        case .limitRefused:
            return ("A limit of yours refused it", "Raise the limit in `.vp/config.yaml`, or ask for less.")
        case .timedOut:
            return ("\(place) did not answer in time while \(doing)", "Try again.")
        case .answerTooLarge:
            return (
                "An answer without end while \(doing)",
                "The machine may be broken or hostile: look with s, or destroy it with D."
            )
        case .historyUnavailable:
            return ("The history cannot be read", "Check the state folder's permissions and free space.")
        case .cancelled:
            return ("Cancelled: \(doing)", "Nothing more happens.")
        case .fileSystem:
            return ("A file could not be read or written while \(doing)", "Check the path named above.")
        }
    }
}
