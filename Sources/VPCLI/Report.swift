import VPEngine

/// Turns errors into messages, advice and exit statuses.
enum Report {
    /// The words of a failure: a message that says what happened and where, then advice for the next step.
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

        let (sentence, advice): (String, String) =
            switch error.code {
            case .badConfiguration:
                (
                    detail ?? "The configuration cannot be used.",
                    "Correct it there: in the file, the environment or the option that it came from."
                )
            case .missingKey:
                platform == nil
                    ? (
                        "No API key was found.",
                        "One platform is enough: `vp config-set --vast-api-key -` or `vp config-set --runpod-api-key -`. "
                            + "`vp demo` works without a key."
                    )
                    : (
                        "No API key\(platform.map { " for \($0)" } ?? "") was found.",
                        "Set one with `vp config-set --\(name)-api-key -`, or in \(name.uppercased())_API_KEY. "
                            + "`vp demo` works without a key."
                    )
            case .unauthorized:
                (
                    "\(platform ?? "The platform") refused the API key\(because).",
                    "Set a valid key with `vp config-set --\(name)-api-key -`; `vp config-show` shows where the current "
                        + "one comes from."
                )
            case .missingPermission:
                (
                    "The API key lacks a permission on \(platform ?? "the platform") for \(activity.words)\(because).",
                    "Add the permission on \(platform.map { "\($0)'s" } ?? "the platform's") page of API keys, or set another "
                        + "key with `vp config-set --\(name)-api-key -`; `vp doctor` lists the key's permissions."
                )
            case .missingIdentity:
                (
                    "There is no ssh key that vp can use\(because).",
                    "If you have none, `vp doctor --fix` creates one; otherwise set VP_SSH_IDENTITY or `ssh.identity` to "
                        + "the path of a private key that has its .pub beside it."
                )
            case .missingProgram:
                (
                    "A required program is not installed\(because).",
                    "Install it; on Debian: `apt-get install rsync openssh-client libcurl4`."
                )
            case .unsupported:
                ("vp cannot do this\(place)\(because).", "The platform's website may be able to do it.")
            case .badRequest:
                (
                    "\(platform ?? "The platform") rejected a request while \(activity.words)\(subject)\(because).",
                    "Check the values that you gave."
                )
            case .insufficientCredit:
                (
                    "The account\(place) has too little credit\(because).",
                    "Nothing was rented. Add credit on the platform's billing page."
                )
            case .rateLimited:
                (
                    "\(platform ?? "The platform") limits the rate of requests\(because).",
                    "Wait half a minute and try again."
                )
            case .searchQuotaSpent:
                (
                    "\(platform ?? "The platform") allows no more searches for offers today\(because).",
                    "Running instances are not affected. `vp create-instance --offer ID` still rents an offer that "
                        + "`vp offers` has listed, and the other platform has no such limit."
                )
            case .networkDown:
                (
                    "\(platform ?? "The platform") could not be reached while \(activity.words)\(because).",
                    "Check the network; `vp config-show` shows the platform's address."
                )
            case .insecureConnection:
                (
                    "The connection to \(platform ?? "the platform") is not secure, so vp sent nothing\(because).",
                    "If you use a proxy or a CA of your own, set SSL_CERT_FILE, or `platforms.\(name).ca_file` in your own "
                        + "configuration, to its certificate."
                )
            case .platformFailed:
                (
                    "\(platform ?? "The platform") reported an internal error while \(activity.words)\(subject)\(because).",
                    "Try again in a minute; `vp ls` lists your instances."
                )
            case .badResponse:
                (
                    "vp does not understand \(platform.map { "\($0)'s" } ?? "the platform's") answer while "
                        + "\(activity.words)\(because).",
                    "vp does not treat this as an empty answer. Try again; if it persists, a newer vp may know the new format."
                )
            case .endpointRetired:
                (
                    "\(platform ?? "The platform") has retired an address that vp uses for \(activity.words)\(because).",
                    "Update vp."
                )
            case .unknownGPU:
                (
                    "\(subject.isEmpty ? "That" : String(subject.dropFirst())) is not a known GPU\(because).",
                    choices.isEmpty ? "`vp offers` lists the GPUs for rent." : "Did you mean \(choices)?"
                )
            case .noMatchingOffer:
                (
                    "No offer\(place) fits\(because).",
                    "Raise --max-price or relax the other requirements; `vp offers` lists the offers."
                )
            case .offerTaken:
                ("The offer\(subject) can no longer be rented\(because).", "Choose another from `vp offers`.")
            case .noCandidateLeft:
                (
                    "No instance could be rented\(place)\(because).",
                    "Nothing is left running. Choose other hardware from `vp offers`, or try again later."
                )
            case .imageUnavailable:
                (
                    "The image\(subject) cannot be used\(place)\(because).",
                    "Check its name and tag. Private images are not supported."
                )
            case .imageUnfit:
                (
                    "The image\(subject) cannot run on this hardware\(because).",
                    (choices.isEmpty
                        ? "Nothing was rented. Choose another GPU or image"
                        : "Nothing was rented. Use --image \(choices), or let vp choose: --image auto")
                        + "; --accept-anyway rents anyway."
                )
            case .registryBusy:
                (
                    "The registry of the image\(subject) refuses to serve it at the moment\(because).",
                    "Try again in an hour, or use a copy of the image in another public registry."
                )
            case .nameInUse:
                (
                    "The name\(subject) is already in use\(because).",
                    "Choose another name, or leave out --name, and vp chooses one."
                )
            case .keyNotOnAccount:
                (
                    "The account\(place) does not have your ssh key\(subject)\(because).",
                    "Nothing was rented. --yes adds the key to the account, and so does `vp doctor --fix`."
                )
            case .noInstance where !subject.isEmpty:
                (
                    "No instance\(place) has the id or name\(subject)\(because).",
                    choices.isEmpty ? "`vp ls` lists your instances." : "Your instances: \(choices)."
                )
            case .noInstance:
                (
                    "No running instance belongs to this project\(because).",
                    choices.isEmpty
                        ? "Rent one with `vp create-instance --gpu-type RTX4090`; `vp ls` lists your instances."
                        : "Your instances: \(choices). Use one of another project with -i ID --own-folder, start a stopped one "
                            + "with `vp start ID`, or rent one with `vp create-instance`."
                )
            case .ambiguousInstance:
                ("Several instances match\(because).", "Choose one with -i ID: \(choices).")
            case .instanceGone:
                (
                    "The instance\(subject) does not exist\(place)\(because).",
                    "`vp ls` lists your instances."
                )
            case .instanceNotRunning:
                (
                    "The instance\(subject) is not running\(because).",
                    "Start it with `vp start\(subject.isEmpty ? " ID" : subject)`; `vp ls` lists your instances."
                )
            case .instanceNotReady:
                (
                    "The instance\(subject) was not ready in time\(because).",
                    "`vp ls` shows whether it still exists; if so, it is billed."
                )
            case .destroyUnconfirmed:
                (
                    "The platform has not confirmed that the instance\(subject) is gone\(because).",
                    "The next `vp ls` or dashboard asks the platform again. You can also destroy the instance on "
                        + "\(platform.map { "\($0)'s" } ?? "the platform's") own page."
                )
            case .jobsRunning:
                (
                    "Other jobs are running on the instance\(subject) and would end with it: \(choices)\(because).",
                    "Wait for them with `vp attach`, or end them too with --end-jobs."
                )
            case .unsafeResults:
                (
                    "Results on the instance\(subject) are not downloaded yet\(because).",
                    "Download them with `vp download\(subject)`, after `vp start\(subject)` if the instance is stopped, or "
                        + "give them up: `vp destroy-instance\(subject) --discard-results`."
                )
            case .unreachable:
                (
                    "The instance\(subject) cannot be reached by ssh\(because).",
                    "Check with `vp ls` whether it is running, and try again."
                )
            case .hostKeyChanged:
                (
                    "The host key of the instance\(subject) has changed; nothing was sent\(because).",
                    "Someone may intercept the connection, or the container was rebuilt. The instance still costs money: "
                        + "`vp destroy-instance\(subject.isEmpty ? " ID" : subject)` destroys it. If you know that it was "
                        + "rebuilt, remove its file below known_hosts/ in the state folder."
                )
            case .sshRefused:
                (
                    "The instance\(subject) does not accept the ssh key\(because).",
                    "The key must be on the account before the instance is rented; `vp config-show` shows which key vp uses."
                )
            case .noSuchJob where activity.subject == Engine.newestJob:
                ("No job has been run yet.", "Run one: `vp run -- python train.py`.")
            case .noSuchJob:
                (
                    subject.isEmpty
                        ? "No such job\(because)." : "The job\(subject) does not exist\(because).",
                    "`vp jobs` lists the jobs."
                )
            case .jobOver:
                (
                    "The job\(subject) has already ended, and left no processes behind\(because).",
                    "`vp jobs\(subject)` shows how it ended."
                )
            case .cancelIncomplete:
                (
                    "Some processes of the job\(subject) are still running\(because).",
                    "End them with `vp ssh`, or stop the instance."
                )
            case .workspaceRefused:
                (
                    "vp does not sync this folder\(because).",
                    "Run vp in the project's own folder; `vp --init` sets one up."
                )
            case .uploadTooBig:
                (
                    "This sync exceeds the limit for uploads without confirmation\(because). The largest files: "
                        + "\(choices).",
                    "Confirm with --yes-big, exclude files in .vpignore, or raise sync.limit."
                )
            case .otherProject:
                (
                    "The instance\(subject) holds the files of another project\(because).",
                    "Rent an instance for this project with `vp create-instance`, or use a separate folder on this one: "
                        + "`vp sync -i\(subject) --own-folder`."
                )
            case .conflictingFiles:
                (
                    "Nothing was run. Files changed both here and on the instance\(subject) (\(choices)), and the command "
                        + "would use the instance's versions.",
                    "Use --mine to upload your versions (the instance's stay on it as conflict copies), or --theirs to run "
                        + "with the instance's. `vp download\(subject)` puts them beside yours."
                )
            case .uploadFailed:
                (
                    "The project could not be uploaded\(because).",
                    "Nothing was run. The same command resumes the upload."
                )
            case .downloadFailed:
                (
                    "The results could not be downloaded completely\(because).",
                    "They are still on the instance; `vp download\(subject)` tries again."
                )
            case .remoteDiskFull:
                (
                    "The instance's disk is full\(because).",
                    "Free some space with `vp ssh`, or rent an instance with a larger disk: --disk 100."
                )
            case .localDiskFull:
                (
                    "The disk of this machine is full\(because).",
                    "Free some space and run the same command again."
                )
            case .instanceLost:
                (
                    "The instance\(subject) disappeared while the job was running\(because).",
                    "`vp logs -1` shows the output received until then."
                )
            case .limitRefused:
                (
                    "A limit does not allow this\(because).",
                    "Change that limit if you want this; `vp limits` shows those that limits.yaml sets."
                )
            case .portRefused:
                ("The port could not be forwarded\(because).", "Choose another local port.")
            case .stopRuleMet:
                (
                    "The job was ended\(because).",
                    "`vp metrics` shows its figures; without --stop-on it would have gone on."
                )
            case .timedOut:
                (
                    "\(platform ?? "The platform") did not answer in time while \(activity.words)\(subject)\(because).",
                    "Try again; `vp ls` lists your instances."
                )
            case .answerTooLarge where activity.platform == nil:
                ("The program\(subject) printed more than vp accepts\(because).", "Try again with -v.")
            case .answerTooLarge:
                (
                    "The instance sent more than vp accepts while \(activity.words)\(subject)\(because).",
                    "The machine may be broken or hostile: `vp ssh\(subject)` opens a shell on it, "
                        + "`vp destroy-instance\(subject)` destroys it."
                )
            case .historyUnavailable:
                (
                    "The history cannot be used\(because).",
                    "Check history.sqlite in the state folder and the free space on its disk."
                )
            case .cancelled:
                ("Cancelled while \(activity.words)\(subject).", "`vp ls` lists your instances.")
            case .fileSystem:
                (
                    "A file could not be read or written while \(activity.words)\(because).",
                    "Check its permissions and the free space on its disk."
                )
            }
        let message = sentence.replacing("?.", with: "?")
        guard let leftover = error.leftoverInstance else {
            return Words(code: error.code.rawValue, message: message, advice: advice)
        }
        return Words(
            code: error.code.rawValue, message: message,
            advice: "\(leftover) still exists and is billed: `vp destroy-instance \(leftover)` destroys it.")
    }

    /// Writes `error` to stderr, in words or as JSON.
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
