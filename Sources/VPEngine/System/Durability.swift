import Foundation

/// Data that must be on a disk before an irrevocable request is made.
package enum Durability {
    /// Returns once everything written below `folder` is on the disk: its whole file system is flushed, so
    /// that a power cut loses no downloaded file.
    ///
    /// Throws `.fileSystem` if the system cannot guarantee that.
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
