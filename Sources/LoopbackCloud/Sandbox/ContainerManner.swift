/// What tells one platform's containers from another's, seen from inside.
struct ContainerManner: Sendable {
    var hostName: String
    /// What sshd says before the login.
    var banner: String?
    /// Programs of the image, by absolute path.
    var files: [String: String] = [:]
    /// Folders that are mounted, by absolute path.
    var folders: [String] = []
    /// Folders of this machine that are mounted, by the path inside. Without sandboxes they stay away.
    var mounts: [String: String] = [:]
    /// The shell line that runs the container, where the owner decides about it. It must bring sshd up by
    /// calling `sshd`, or nobody can log in. Nil starts sshd beside the owner's `onstart.sh`.
    var command: String?
    /// Whether `command` is known to bring up sshd, for where it cannot be run.
    var startsDaemon = true
    /// What `vastai copy` knows the container by; nil where that does not reach it.
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
