/// The differences between the platforms' containers, seen from inside.
struct ContainerManner: Sendable {
    var hostName: String
    /// The text that sshd prints before the login.
    var banner: String?
    /// Programs of the image, keyed by absolute path.
    var files: [String: String] = [:]
    /// Folders that are mounted, by absolute path.
    var folders: [String] = []
    /// Folders of this machine that are mounted, keyed by the path inside. They are not mounted without
    /// sandboxes.
    var mounts: [String: String] = [:]
    /// The shell line that runs the container, if the owner decides about it. It must start sshd by calling
    /// `sshd`, or nobody can log in. nil starts sshd beside the owner's `onstart.sh`.
    var command: String?
    /// `true` if `command` is known to start sshd, for hosts where it cannot be run.
    var startsDaemon = true
    /// The number by which `vastai copy` names the container; nil if it cannot reach it.
    var instanceNumber: Int?

    static func vast(instance: Int) -> ContainerManner {
        ContainerManner(
            hostName: "C.\(instance)",
            banner: """
                Welcome to vast.ai. If authentication fails, try again after a few seconds, and double check your ssh key.
                Have fun!

                """, instanceNumber: instance)
    }
}
