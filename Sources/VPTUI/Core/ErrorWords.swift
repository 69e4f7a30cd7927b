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
            return (
                "The configuration cannot be used",
                "Correct the file named above, then restart the dashboard."
            )
        case .missingKey:
            return (
                "\(place) has no key",
                "Set one with `vp config-set --\(error.activity.platform?.rawValue ?? "vast")-api-key -`, then press "
                    + "Ctrl-r."
            )
        case .unauthorized:
            return ("\(place) refused the key", "Set a valid key with `vp config-set`, then press Ctrl-r.")
        case .missingPermission:
            return (
                "The key for \(place) lacks a permission: \(doing) was refused",
                "Grant the permission on the platform's page of keys, or set a key that has it."
            )
        case .missingIdentity:
            return ("No ssh key was found", "Create one with `ssh-keygen -t ed25519`, then try again.")
        case .missingProgram:
            return ("A required program is not installed", "Install the program named above, then try again.")
        case .unsupported:
            return ("This is not possible here: \(doing)", "The platform's website may be able to do it.")
        case .badRequest:
            return ("\(place) refused the request while \(doing)", "Change the request and try again.")
        case .insufficientCredit:
            return ("\(place) has too little credit", "Add credit on the platform's site, then try again.")
        case .rateLimited:
            return (
                "\(place) limits the rate of requests",
                "No action is needed: the dashboard retries in a while."
            )
        case .searchQuotaSpent:
            return (
                "\(place) allows no further search for offers",
                "The offers shown can still be rented. Searches resume at midnight UTC."
            )
        case .networkDown:
            return (
                "\(place) cannot be reached", "Check the network. The rows on screen stay, with their age."
            )
        case .insecureConnection:
            return (
                "The connection to \(place) is not secure",
                "If you use your own CA, name it in SSL_CERT_FILE or in the platform's `ca_file` setting."
            )
        case .platformFailed:
            return (
                "\(place) failed while \(doing)",
                "The fault is on the platform's side; try again in a minute."
            )
        case .badResponse:
            return (
                "\(place) sent an answer that cannot be understood while \(doing)",
                "Try again; if the error persists, report it with the line above."
            )
        case .endpointRetired:
            return ("\(place) no longer offers this API call", "Update VariousPlug.")
        case .unknownGPU:
            return ("No GPU has this name", "Press e in Offers and use one of the names above.")
        case .noMatchingOffer:
            return (
                "No offer matches", "Press e in Offers and lower the requirements, or raise the price limit."
            )
        case .offerTaken:
            return ("Someone else rented this offer", "Choose another offer; the list has been refreshed.")
        case .noCandidateLeft:
            return (
                "No instance could be rented", "Nothing is left running. Choose other hardware in Offers."
            )
        case .nameInUse:
            return ("The name \(subject) is in use", "Choose another name.")
        case .keyNotOnAccount:
            return (
                "The account on \(place) does not have your ssh key",
                "Add it with `vp doctor --fix`, then try again."
            )
        case .noInstance:
            return ("There is no instance to use", "Rent one in Offers, or start a stopped one with x.")
        case .ambiguousInstance:
            return ("Several instances match", "Select one of them.")
        case .instanceGone:
            return ("\(subject) is gone", "The platform no longer lists it. Rent another in Offers.")
        case .instanceNotRunning:
            return ("\(subject) is not running", "Start it with x, or rent another in Offers.")
        case .instanceNotReady:
            return ("\(subject) was not ready in time", "Destroy it with D and choose another offer.")
        case .imageUnavailable:
            return (
                "\(subject) cannot be used as an image",
                "Nothing is left running. Check its name and tag in the form."
            )
        case .imageUnfit:
            let advice =
                error.suggestions.first.map { "Use \($0), or auto." } ?? "Choose another GPU or image."
            return ("\(subject) cannot run on that GPU", advice)
        case .registryBusy:
            return (
                "The registry of \(subject) refuses to serve the image for now",
                "Try again later, or use an image from another registry."
            )
        case .destroyUnconfirmed:
            return (
                "\(place) has not confirmed that \(subject) is gone",
                "It may still cost money: try D again, or use the platform's console."
            )
        case .jobsRunning:
            return (
                "Other jobs run on \(subject), and would end with it",
                "Wait until they end, or press D again to end them: the question lists them."
            )
        case .unsafeResults:
            return (
                "\(subject) has results that are not downloaded yet",
                "Press d to download them, or D and “Discard” to give them up."
            )
        case .unreachable:
            return (
                "\(subject) cannot be reached by ssh",
                "It may still be starting: wait a little, then try again."
            )
        case .hostKeyChanged:
            return (
                "The host key of \(subject) has changed",
                "Someone may be intercepting the connection, or the container was rebuilt. The instance still costs "
                    + "money: D destroys it."
            )
        case .sshRefused:
            return (
                "\(subject) refused your ssh key", "Add the key to the account, then rent a new instance."
            )
        case .noSuchJob:
            return ("There is no job \(subject)", "Press Ctrl-r to reload the history.")
        case .jobOver: return ("\(subject) has already ended", "It left no processes behind.")
        case .cancelIncomplete:
            return (
                "Some processes of \(subject) are still running",
                "Press X to try again, or D to destroy the instance."
            )
        case .workspaceRefused:
            return ("This folder cannot be synced", "Start the dashboard in the project's own folder.")
        case .uploadTooBig:
            return (
                "This upload is larger than sync.limit and needs confirmation",
                "Exclude files in .vpignore, or raise sync.limit."
            )
        case .otherProject:
            return (
                "\(subject) was rented for another project",
                "Rent one for this project, or give this one its own folder: vp sync -i \(subject) --own-folder."
            )
        case .conflictingFiles:
            return (
                "Files changed both here and on \(subject), so nothing was run",
                "Press d to download its versions beside yours, then run the command again."
            )
        case .uploadFailed:
            return (
                "The files could not be uploaded to \(subject)", "Press S to try again; the upload resumes."
            )
        case .downloadFailed:
            return ("The results could not be downloaded completely", "Press d to try again; it resumes.")
        case .remoteDiskFull:
            return (
                "The disk of \(subject) is full",
                "Delete files in a shell (s), or rent an instance with a larger disk."
            )
        case .localDiskFull:
            return ("The local disk is full", "Delete some files, then press d again; the download resumes.")
        case .instanceLost:
            return (
                "\(subject) disappeared while the job ran",
                "Results downloaded before are kept. Rent another instance."
            )
        case .limitRefused:
            return (
                "One of your limits does not allow this",
                "Request less, or change the limit; `vp limits` shows those that limits.yaml sets."
            )
        case .portRefused: return ("The port could not be forwarded", "Choose another local port.")
        case .stopRuleMet:
            return ("--stop-on ended the job", "m shows its figures.")
        case .timedOut:
            return ("\(place) did not answer in time while \(doing)", "Try again.")
        case .answerTooLarge:
            return (
                "An answer exceeded every limit while \(doing)",
                "The machine may be broken or hostile: inspect it in a shell (s), or destroy it with D."
            )
        case .historyUnavailable:
            return ("The history cannot be read", "Check the state folder's permissions and free space.")
        case .cancelled:
            return ("Cancelled: \(doing)", "No further action is needed.")
        case .fileSystem:
            return ("A file could not be read or written while \(doing)", "Check the path named above.")
        }
    }
}
