import Foundation

/// A part of an action, in the order in which they can occur.
public enum ActionStage: String, CaseIterable, Hashable, Sendable {
    /// Asking the platforms for offers.
    case searching
    /// An offer or a platform failed and the next one is being tried; `detail` names the failure.
    case tryingNext
    /// Placing the order and, if the account lacks our ssh key, adding it first.
    case renting
    /// The platform has accepted the order; it places the instance and fetches the image.
    case loading
    /// Waiting until sshd answers.
    case sshPort
    /// sshd answers and does not accept our key yet.
    case sshLogin
    /// Making the workspace, and installing rsync if it is missing.
    case preparing
    /// Checking that the instance shows every GPU that was rented, with a driver that suits the image.
    case checkingGPU
    /// Listing the files of both sides to find out what differs.
    case scanning
    /// Sending files, or a job's standard input.
    case uploading
    /// The job is being handed to the instance or is running there; `detail` is the command.
    case running
    /// The connection broke and a new one is being made; `detail` is ssh's reason.
    case reconnecting
    /// Bringing files back.
    case downloading
    /// Checking what a transfer has left on the instance, or comparing contents on both sides.
    case verifying
    /// Asking the platform to start a stopped instance.
    case starting
    /// Asking the platform to stop the instance, and waiting until it has.
    case stopping
    /// Ending a job's processes.
    case cancelling
    /// Asking the platform to destroy the instance, and asking again if it refused.
    case destroying
    /// The order was accepted; waiting until the platform no longer shows the instance.
    case confirming

    /// The stage as text, shown while it lasts.
    public var words: String {
        switch self {
        case .searching: "searching offers"
        case .tryingNext: "trying the next"
        case .renting: "renting"
        case .loading: "loading the image"
        case .sshPort: "waiting for the ssh port"
        case .sshLogin: "logging in by ssh"
        case .preparing: "preparing the workspace"
        case .checkingGPU: "checking the GPU"
        case .scanning: "comparing files"
        case .uploading: "uploading"
        case .running: "running"
        case .reconnecting: "reconnecting"
        case .downloading: "downloading results"
        case .verifying: "verifying results"
        case .starting: "starting"
        case .stopping: "stopping"
        case .cancelling: "ending the job's processes"
        case .destroying: "destroying"
        case .confirming: "waiting until it is gone"
        }
    }
}

/// The progress of a transfer.
public struct TransferProgress: Hashable, Sendable {
    /// Bytes moved so far.
    public var bytes: Int64
    /// Total size of the files to move; it exceeds the plan if files grow meanwhile.
    public var totalBytes: Int64
    /// Files moved so far.
    public var files: Int
    /// Files to move in all.
    public var totalFiles: Int
    /// The rate of the transfer; nil while the tool that moves the files reports none.
    public var bytesPerSecond: Double?

    /// Progress at an unknown rate, unless it is given.
    public init(bytes: Int64, totalBytes: Int64, files: Int, totalFiles: Int, bytesPerSecond: Double? = nil) {
        self.bytes = bytes
        self.totalBytes = totalBytes
        self.files = files
        self.totalFiles = totalFiles
        self.bytesPerSecond = bytesPerSecond
    }

    /// The share of the bytes that has been moved, from 0 to 1; nil if there are none to move.
    public var fraction: Double? {
        guard self.totalBytes > 0 else { return nil }
        return NumberRange.share.clamp(Double(self.bytes) / Double(self.totalBytes))
    }

    /// Seconds until the end at the current rate; nil while the rate is unknown or zero.
    public var secondsLeft: Double? {
        guard let rate = self.bytesPerSecond, rate > 0 else { return nil }
        let left = self.totalBytes.subtractingSaturated(self.bytes)
        return NumberRange.seconds.clamp(Double(left) / rate)
    }
}

/// The current state of an action, reported when a stage begins and whenever it advances.
public struct ActionProgress: Hashable, Sendable {
    /// The part of the action that is under way.
    public var stage: ActionStage
    /// Details of this stage: the platform's own words, the name of an offer, or a file.
    public var detail: String?
    /// The progress of the transfer; nil if no files are being moved.
    public var transfer: TransferProgress?

    /// A stage without details or a transfer, unless they are given.
    public init(_ stage: ActionStage, detail: String? = nil, transfer: TransferProgress? = nil) {
        self.stage = stage
        self.detail = detail
        self.transfer = transfer
    }
}
