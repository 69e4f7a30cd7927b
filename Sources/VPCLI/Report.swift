import ArgumentParser
import VPEngine

/// Failures of `vp` itself, beside those of the engine.
struct CommandFailure: Error, Hashable {
    var code: String
    var message: String
    var advice: String
    var status: Int32
}

/// A job's or another program's exit status, passed on without a word.
struct ExitStatus: Error, Hashable {
    var status: Int32
}

/// The exit statuses that are ours.
enum Status {
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    static let configuration: Int32 = 200
    static let noInstance: Int32 = 201
    static let platform: Int32 = 202
    static let unreachable: Int32 = 203
    static let uploadFailed: Int32 = 204
    static let resultsNotWhole: Int32 = 205
    static let hostKeyChanged: Int32 = 206
    static let instanceLost: Int32 = 207
    static let limitRefused: Int32 = 208
    static let stillExists: Int32 = 209
    static let interrupted: Int32 = 130
}

/// Puts engine errors into words, advice and exit statuses.
enum Report {
    /// What a failure says: what happened and where, then what to do next.
    struct Words: Hashable {
        var code: String
        var message: String
        var advice: String

        var json: JSON {
            .object([
                "error": .object([
                    "code": .text(self.code), "message": .text(self.message), "advice": .text(self.advice),
                ])
            ])
        }
    }

    static func words(for error: any Error) -> Words {
        switch error {
        case let error as EngineError: Self.words(for: error)
        case let failure as CommandFailure:
            Words(code: failure.code, message: failure.message, advice: failure.advice)
        default:
            Words(code: "unexpected", message: Terminal.printable("\(error)"), advice: "Try again with -v.")
        }
    }

    static func words(for error: EngineError) -> Words {
        let activity = error.activity
        let platform = activity.platform?.displayName
        let place = platform.map { " on \($0)" } ?? ""
        let subject = activity.subject.map { " \(Terminal.printable($0))" } ?? ""
        let detail = error.detail.map { Terminal.printable(Self.firstLine($0)) }
        let because = detail.map { ": \($0)" } ?? ""
        let choices = error.suggestions.map(Terminal.printable).joined(separator: ", ")
        let name = activity.platform?.rawValue ?? "vast"

        let (message, advice): (String, String) =
            switch error.code {
            case .badConfiguration:
                (
                    detail ?? "The configuration cannot be used.",
                    "Correct the file; `vp config-show` tells what is read."
                )
            case .missingKey:
                (
                    "No API key\(platform.map { " for \($0)" } ?? "") was found.",
                    "Set one with `vp config-set --\(name)-api-key -`, or in \(name.uppercased())_API_KEY. "
                        + "`vp demo` needs none."
                )
            case .unauthorized:
                (
                    "\(platform ?? "The platform") refused the key\(because).",
                    "Set a working one with `vp config-set --\(name)-api-key -`; `vp config-show` tells where it is from."
                )
            case .missingPermission:
                (
                    "\(platform ?? "The platform") knows the key and does not let it do that, while \(activity.words)\(because).",
                    "Give the key that right on \(platform.map { "\($0)'s" } ?? "the platform's") page of keys, or set one that "
                        + "has it with `vp config-set --\(name)-api-key -`; `vp doctor` tells what the key may do."
                )
            case .missingIdentity:
                (
                    "No ssh key was found\(because).",
                    "Make one with `vp doctor --fix`, or name one in VP_SSH_IDENTITY or `ssh.identity`."
                )
            case .missingProgram:
                (
                    "A program that is needed is not installed\(because).",
                    "Install it, on Debian with `apt-get install rsync openssh-client libcurl4`."
                )
            case .unsupported:
                ("This is not possible\(place)\(because).", "Use the platform's own console for it.")
            case .badRequest:
                (
                    "\(platform ?? "The platform") did not accept the request while \(activity.words)\(subject)\(because).",
                    "Check the values given."
                )
            case .insufficientCredit:
                (
                    "The account\(place) has too little credit\(because).",
                    "Nothing was rented. Add credit on the platform's billing page."
                )
            case .rateLimited:
                (
                    "\(platform ?? "The platform") wants fewer requests\(because).",
                    "Wait half a minute and try again."
                )
            case .searchQuotaSpent:
                (
                    "\(platform ?? "The platform") allows no further search for offers today\(because).",
                    "Instances that run are not affected. `vp create-instance --offer ID` still rents what `vp offers` "
                        + "has shown; the other platform has no such limit."
                )
            case .networkDown:
                (
                    "\(platform ?? "The platform") could not be reached while \(activity.words)\(because).",
                    "Check the network, and the address with `vp config-show`."
                )
            case .insecureConnection:
                (
                    "\(platform ?? "The platform") cannot be asked safely, and was sent nothing\(because).",
                    "Where a proxy or a CA of your own stands in between, name its certificate in SSL_CERT_FILE or in "
                        + "`platforms.\(name).ca_file` of your own configuration."
                )
            case .platformFailed:
                (
                    "\(platform ?? "The platform") failed while \(activity.words)\(subject)\(because).",
                    "Try again in a minute; `vp ls` shows what is there."
                )
            case .badResponse:
                (
                    "\(platform ?? "The platform") gave an answer that cannot be understood while \(activity.words)\(because).",
                    "It is not taken for an empty one. Try again; if it stays, a newer vp may know the new form."
                )
            case .endpointRetired:
                (
                    "\(platform ?? "The platform") has switched off an address that vp used while \(activity.words)\(because).",
                    "A newer vp is needed."
                )
            case .unknownGPU:
                (
                    "No GPU is called\(subject.isEmpty ? " that" : subject)\(because).",
                    choices.isEmpty ? "`vp offers` lists what there is." : "Did you mean \(choices)?"
                )
            case .noMatchingOffer:
                (
                    "No offer\(place) fits\(because).",
                    "Raise --max-price, ask for less, or see `vp offers`."
                )
            case .offerTaken:
                ("The offer\(subject) was taken by someone else.", "Choose another with `vp offers`.")
            case .noCandidateLeft:
                (
                    "No instance could be rented\(place)\(because).",
                    "Nothing is left running. Ask for other hardware (`vp offers`), or try again later."
                )
            case .imageUnavailable:
                (
                    "The image\(subject) cannot be used\(place)\(because).",
                    "Check the name and the tag; a private image needs a login at its registry."
                )
            case .imageUnfit:
                (
                    "The image\(subject) cannot run there\(because).",
                    (choices.isEmpty
                        ? "Nothing was rented. Choose another GPU or image"
                        : "Nothing was rented. Take --image \(choices), or leave the choice to vp: --image auto")
                        + "; --accept-anyway rents all the same."
                )
            case .registryBusy:
                (
                    "The registry of the image\(subject) refuses to serve it for now\(because).",
                    "Try again in an hour, or use a copy in a registry that asks for a login."
                )
            case .nameInUse:
                (
                    "The name\(subject) is in use\(because).",
                    "Take another, or leave --name out to have one made."
                )
            case .keyNotOnAccount:
                (
                    "The account\(place) does not have your ssh key\(subject)\(because).",
                    "Nothing was rented. --yes adds it; so does `vp doctor --fix`."
                )
            case .noInstance:
                (
                    "No instance fits\(because).",
                    choices.isEmpty
                        ? "Rent one with `vp create-instance --gpu-type RTX4090`, or see `vp ls`."
                        : "There is \(choices). Name one with -i ID, or start it with `vp start ID`."
                )
            case .ambiguousInstance:
                ("Several instances fit\(because).", "Name one with -i ID: \(choices).")
            case .instanceGone:
                ("There is no instance\(subject)\(place)\(because).", "`vp ls` shows what is there.")
            case .instanceNotRunning:
                (
                    "The instance\(subject) is not running\(because).",
                    "Start it with `vp start\(subject.isEmpty ? " ID" : subject)`, or see `vp ls`."
                )
            case .instanceNotReady:
                (
                    "The instance\(subject) did not get ready in time\(because).",
                    "See `vp ls`; an instance that is there is being paid for."
                )
            case .destroyUnconfirmed:
                (
                    "The end of the instance\(subject) is not confirmed\(because).",
                    "The order stands: each later vp gives it again. `vp ls` shows whether it is gone; "
                        + "\(platform.map { "\($0)'s" } ?? "the platform's") own page ends it as well."
                )
            case .jobsRunning:
                (
                    "Other jobs run on the instance\(subject), and would end with it: \(choices)\(because).",
                    "Wait for them with `vp attach`, or end them as well: --end-jobs."
                )
            case .unsafeResults:
                (
                    "Results on the instance\(subject) are not here yet\(because).",
                    "Bring them with `vp download\(subject)`, after `vp start\(subject)` where it is stopped, or give "
                        + "them up: `vp destroy-instance\(subject) --discard-results`."
                )
            case .unreachable:
                (
                    "The instance\(subject) cannot be reached by ssh\(because).",
                    "See whether it runs with `vp ls`, and try again."
                )
            case .hostKeyChanged:
                (
                    "The instance\(subject) shows another host key than before; nothing was sent\(because).",
                    "Somebody may be listening, or the container was rebuilt. The instance goes on costing money: "
                        + "`vp destroy-instance\(subject.isEmpty ? " ID" : subject)` ends it. If you know that it was "
                        + "rebuilt, remove its file below known_hosts/ in the state folder."
                )
            case .sshRefused:
                (
                    "The instance\(subject) does not accept the ssh key\(because).",
                    "The key must be on the account before the instance is rented; see `vp config-show`."
                )
            case .noSuchJob:
                (
                    "There is no job\(subject.isEmpty ? " of that name" : subject)\(because).",
                    "`vp jobs` lists them."
                )
            case .cancelIncomplete:
                (
                    "Not every process of job\(subject) has ended\(because).",
                    "End them with `vp ssh`, or stop the instance."
                )
            case .workspaceRefused:
                (
                    "This folder is not synced\(because).",
                    "Run vp in the project's own folder; `vp --init` makes one of it."
                )
            case .uploadTooBig:
                (
                    "That is more than is sent unasked\(because), the largest of them \(choices).",
                    "Send it with --yes-big, leave it out by a line in .vpignore, or raise sync.limit."
                )
            case .otherProject:
                (
                    "The instance\(subject) holds the files of another project\(because).",
                    "Rent one for this project with `vp create-instance`, or give it a folder of its own there: "
                        + "`vp sync -i\(subject) --own-folder`."
                )
            case .conflictingFiles:
                (
                    "Nothing was run: these changed here and on the instance\(subject), and the command would run with its "
                        + "versions: \(choices).",
                    "Give --mine to send yours (the instance's stay beside them, there), or --theirs to run with the "
                        + "instance's. `vp download\(subject)` brings those beside yours."
                )
            case .uploadFailed:
                (
                    "The project could not be sent\(because).",
                    "Nothing was run. The same command again goes on where this one stopped."
                )
            case .downloadFailed:
                (
                    "The results could not be brought back whole\(because).",
                    "They are still on the instance: `vp download\(subject)` tries again."
                )
            case .remoteDiskFull:
                (
                    "The instance's disk is full\(because).",
                    "Make room with `vp ssh`, or rent one with more: --disk 100."
                )
            case .localDiskFull:
                ("This machine's disk is full\(because).", "Make room and run the same command again.")
            case .instanceLost:
                (
                    "The instance\(subject) disappeared while the job ran\(because).",
                    "What it had printed is kept: `vp logs -1`."
                )
            case .limitRefused:
                ("Your own limit does not allow it\(because).", "Raise the limit if this is meant.")
            case .timedOut:
                (
                    "\(platform ?? "The platform") did not answer in time while \(activity.words)\(subject)\(because).",
                    "Try again; `vp ls` shows what is there."
                )
            case .answerTooLarge:
                (
                    "An answer was larger than any can be, \(activity.words)\(subject)\(because).",
                    "The machine may be broken or hostile: `vp ssh\(subject)` shows it, "
                        + "`vp destroy-instance\(subject)` ends it."
                )
            case .historyUnavailable:
                (
                    "The history cannot be used\(because).",
                    "Check history.sqlite in the state folder, and the room on that disk."
                )
            case .cancelled:
                ("Cancelled while \(activity.words)\(subject).", "`vp ls` shows what is there.")
            case .fileSystem:
                (
                    "A file could not be read or written while \(activity.words)\(because).",
                    "Check its permissions and the room on the disk."
                )
            }
        guard let leftover = error.leftoverInstance else {
            return Words(code: error.code.rawValue, message: message, advice: advice)
        }
        return Words(
            code: error.code.rawValue, message: message,
            advice: "\(leftover) still exists and is billed: `vp destroy-instance \(leftover)` ends it.")
    }

    static func status(for error: any Error) -> Int32 {
        switch error {
        case let error as EngineError: Self.status(for: error.code)
        case let failure as CommandFailure: failure.status
        case let exit as ExitStatus: exit.status
        default: Status.failed
        }
    }

    static func status(for code: EngineError.Code) -> Int32 {
        switch code {
        case .badConfiguration, .missingKey, .unauthorized, .missingPermission, .missingIdentity,
            .missingProgram, .unsupported,
            .unknownGPU, .nameInUse, .keyNotOnAccount, .workspaceRefused, .historyUnavailable, .fileSystem,
            .localDiskFull, .noSuchJob:
            Status.configuration
        case .noMatchingOffer, .offerTaken, .noCandidateLeft, .otherProject, .noInstance, .ambiguousInstance,
            .instanceGone,
            .instanceNotRunning, .imageUnavailable, .registryBusy,
            .instanceNotReady:
            Status.noInstance
        case .badRequest, .insufficientCredit, .rateLimited, .searchQuotaSpent, .networkDown,
            .insecureConnection,
            .timedOut, .platformFailed, .badResponse, .endpointRetired:
            Status.platform
        case .unreachable, .sshRefused, .answerTooLarge: Status.unreachable
        case .uploadFailed, .remoteDiskFull, .conflictingFiles: Status.uploadFailed
        case .unsafeResults, .downloadFailed: Status.resultsNotWhole
        case .hostKeyChanged: Status.hostKeyChanged
        case .instanceLost: Status.instanceLost
        case .limitRefused, .uploadTooBig, .imageUnfit, .jobsRunning: Status.limitRefused
        case .cancelIncomplete: Status.failed
        case .destroyUnconfirmed: Status.stillExists
        case .cancelled: Status.interrupted
        }
    }

    /// Says `error` on stderr, in words or as JSON.
    static func show(_ error: any Error, asJSON: Bool, terminal: Terminal) {
        guard !(error is ExitStatus) else { return }
        let words = Self.words(for: error)
        if asJSON {
            Terminal.note(words.json.line)
        } else {
            let prefix = Style.bad.apply("vp:", if: terminal.errorHasColour)
            Terminal.note("\(prefix) \(words.message)")
            if !words.advice.isEmpty { Terminal.note("    \(words.advice)") }
        }
    }

    private static func firstLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}
