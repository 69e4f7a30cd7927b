import VPEngine

/// A failure of `vp` itself, as opposed to one of the engine.
struct CommandFailure: Error, Hashable {
    var code: String
    var message: String
    var advice: String
    var status: Int32
}

/// An exit status that `vp` passes on without a message, such as a job's.
struct ExitStatus: Error, Hashable {
    var status: Int32
}

/// The exit statuses of `vp` itself.
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

extension Report {
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
            .localDiskFull, .noSuchJob, .jobOver:
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
        case .limitRefused, .stopRuleMet, .uploadTooBig, .imageUnfit, .jobsRunning: Status.limitRefused
        case .cancelIncomplete, .portRefused: Status.failed
        case .destroyUnconfirmed: Status.stillExists
        case .cancelled: Status.interrupted
        }
    }
}
