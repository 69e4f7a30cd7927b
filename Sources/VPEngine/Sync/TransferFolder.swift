/// Names that transfers use for themselves. On an instance the workspace is the only place that is known to
/// be on the same file system as its files.
package enum TransferFolder {
    /// Where an interrupted file waits for the next attempt, relative to its folder.
    package static let partial = ".vp-partial"
    /// What an upload needs there while it runs, relative to the workspace.
    package static let own = ".vp-sync"
    /// A file there that says whose the workspace is.
    package static let project = ".vp-project"
    /// Where further projects have folders of their own on an instance.
    package static let projects = ".vp-projects"
    /// What an upload replaces or removes is moved here first, to be judged once it is done.
    package static let aside = ".vp-sync/aside"
    /// A file that is on its way has a name here, and none among the others.
    package static let temporary = ".vp-sync/temporary"
}
