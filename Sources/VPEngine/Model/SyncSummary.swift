/// What one sync did, and what it left alone.
public struct SyncSummary: Hashable, Sendable {
    /// Up is from here to the instance, down is back.
    public enum Direction: String, Hashable, Sendable { case up, down }

    /// Which way files were moved.
    public var direction: Direction
    /// Files and links that arrived, those put beside a conflicting one included; upward also empty
    /// folders.
    public var transferredFiles: Int
    /// Their sizes together. Fewer bytes travel where the other side had a part of a file.
    public var transferredBytes: Int64
    /// Files that were the same on both sides already.
    public var unchangedFiles: Int
    /// Files removed on the instance because they were sent from here and are gone here.
    public var deletedFiles: Int
    /// Paths changed on both sides. Downward, the remote version was written beside the local one.
    public var conflicts: [String]
    /// Paths that could not be brought or sent, each with its reason. Empty means whole.
    public var missing: [String]
    /// Paths that were written to all the while: what arrived may be a state in between.
    public var changing: [String]
    /// Paths that were born, or grew on, after the look at the instance: what there was of them then is here.
    public var later: [String]
    /// What was left on the instance because it must not come here,
    /// each path with its reason and named once: no part of `missing`.
    public var refused: [String]
    /// Upward, of `conflicts` those whose version on the instance nobody here has:
    /// what runs there now runs with it.
    public var undecided: [String] = []
    /// Upward, paths that the instance no longer has and that are unchanged here: not sent again,
    /// and named once.
    public var removedThere: [String] = []
    /// Downward, paths that were removed here and are still there: brought where they are asked for.
    public var removedHere: [String] = []
    /// What stays there for a reason, each with it: what can be made again, what the settings leave there.
    public var left: [String] = []
    /// How long it took.
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

    /// True when every file there was is here as well, or the other way round.
    public var isWhole: Bool { self.missing.isEmpty && self.changing.isEmpty }
}

extension SyncSummary {
    /// Whether nothing of it is there alone.
    var isSafe: Bool { self.isWhole && self.later.isEmpty }

    /// Adds what came by another way.
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

    /// Adds what a second attempt has brought; what is still missing is its word alone.
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
