/// The result of one sync: what it did, and what it left alone.
public struct SyncSummary: Hashable, Sendable {
    /// `up` is from here to the instance, `down` is back.
    public enum Direction: String, Hashable, Sendable { case up, down }

    /// The direction in which files were moved.
    public var direction: Direction
    /// The number of files and links that arrived, conflict copies included; for an upload also empty
    /// folders.
    public var transferredFiles: Int
    /// Their total size. Fewer bytes travel if the other side had a part of a file.
    public var transferredBytes: Int64
    /// The number of files that were the same on both sides already.
    public var unchangedFiles: Int
    /// The number of files removed on the instance because they were sent from here and are gone here.
    public var deletedFiles: Int
    /// Paths changed on both sides. A download writes the remote version beside the local one.
    public var conflicts: [String]
    /// Paths that could not be transferred, each with its reason. Empty means complete.
    public var missing: [String]
    /// Paths that were written to during the sync: the version that arrived may be a state in between.
    public var changing: [String]
    /// Paths that appeared or grew after the scan of the instance; their content as of the scan has been
    /// downloaded.
    public var later: [String]
    /// Paths left on the instance because they must not come here, each with its reason and reported once.
    /// They are no part of `missing`.
    public var refused: [String]
    /// For an upload, the paths of `conflicts` whose version on the instance exists nowhere here: a command
    /// started now runs with that version.
    public var undecided: [String] = []
    /// For an upload, paths that were removed on the instance and are unchanged here: they are not sent
    /// again, and are reported once.
    public var removedThere: [String] = []
    /// For a download, paths that were removed here and are still there: they are downloaded only on request.
    public var removedHere: [String] = []
    /// Paths that stay there for a reason, each with it: files that can be made again, or that the settings
    /// exclude.
    public var left: [String] = []
    /// The duration.
    public var seconds: Double

    /// A sync that found nothing to do, unless told otherwise.
    public init(
        direction: Direction, transferredFiles: Int = 0, transferredBytes: Int64 = 0, unchangedFiles: Int = 0,
        deletedFiles: Int = 0, conflicts: [String] = [], missing: [String] = [], changing: [String] = [],
        later: [String] = [], refused: [String] = [], seconds: Double = 0
    ) {
        self.direction = direction
        self.transferredFiles = transferredFiles
        self.transferredBytes = transferredBytes
        self.unchangedFiles = unchangedFiles
        self.deletedFiles = deletedFiles
        self.conflicts = conflicts
        self.missing = missing
        self.changing = changing
        self.later = later
        self.refused = refused
        self.seconds = seconds
    }

    /// True if every file of one side is on the other side as well.
    public var isWhole: Bool { self.missing.isEmpty && self.changing.isEmpty }
}

extension SyncSummary {
    /// True if no file of it is left on the instance alone.
    var isSafe: Bool { self.isWhole && self.later.isEmpty }

    /// Adds the summary of files that came by another way.
    mutating func join(_ other: SyncSummary) {
        self.later += other.later
        self.refused += other.refused
        self.transferredFiles += other.transferredFiles
        self.transferredBytes += other.transferredBytes
        self.conflicts += other.conflicts
        self.missing += other.missing
        self.changing += other.changing
        self.left += other.left
    }

    /// Adds the summary of a second attempt, whose lists of missing files replace the earlier ones.
    mutating func add(_ other: SyncSummary) {
        self.transferredFiles += other.transferredFiles
        self.transferredBytes += other.transferredBytes
        self.unchangedFiles = max(0, other.unchangedFiles - self.transferredFiles)
        self.conflicts += other.conflicts
        self.missing = other.missing
        self.changing = other.changing
        self.later = other.later
        self.refused += other.refused
        self.left = other.left
        self.removedHere = other.removedHere
        self.seconds += other.seconds
    }
}
