import Foundation

/// What has to be on a disk before something irrevocable is asked for.
package enum Durability {
    /// Returns once everything written below `folder` is on the disk: its whole file system is flushed,
    /// so that a power cut takes nothing of what came down.
    ///
    /// Throws `.fileSystem` where the system cannot say so.
    package static func flush(_ folder: String) throws(EngineError) {
        let activity = EngineError.Activity("writing \(folder) to the disk", subject: folder)
        do throws(BeneathFolder.Failure) {
            try BeneathFolder(folder).flush()
        } catch {
            throw EngineError(
                error.number == ENOSPC || error.number == EDQUOT ? .localDiskFull : .fileSystem, activity,
                detail: error.words)
        }
    }
}
