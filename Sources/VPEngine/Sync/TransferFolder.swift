/// Names that transfers use for their own files. On an instance the workspace is the only place that is known
/// to be on the same file system as its files.
package enum TransferFolder {
    /// The folder for partial files, relative to the folder of each file.
    package static let partial = ".vp-partial"
    /// The folder that an upload needs on the instance while it runs, relative to the workspace.
    package static let own = ".vp-sync"
    /// The file on the instance that says whose the workspace is.
    package static let project = ".vp-project"
    /// The folder on the instance for the workspaces of further projects.
    package static let projects = ".vp-projects"
    /// Files that an upload replaces or removes are first moved here, to be judged once it is done.
    package static let aside = ".vp-sync/aside"
    /// Files in transfer are written here, not among the others.
    package static let temporary = ".vp-sync/temporary"
}
