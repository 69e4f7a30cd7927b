/// Ends that are given to an instance's own watchdog.
extension WatchdogScript {
    /// Tells the instance to destroy itself, with everything that is on it now, and to go on until it is gone.
    ///
    /// It begins after a moment, in which whoever gives the order has usually had it done by the platform.
    package static func order(discardsResults: Bool) -> String {
        """
        umask 077
        \(self.folder)
        [ -s "$lease/settings" ] || exit 0
        printf '%s' \(ShellQuoting.quoted(self.watchdog)) > "$lease/watchdog.new"
        mv "$lease/watchdog.new" "$lease/watchdog"
        \(discardsResults ? ":" : "touch \"$lease/safe\"")
        echo '\(discardsResults ? "discard" : "destroy")' > "$lease/order.new"
        mv "$lease/order.new" "$lease/order"
        setsid sh "$lease/watchdog" "$lease" order </dev/null >/dev/null 2>&1 &
        exit 0
        """
    }

    /// Tells the instance to destroy itself as soon as no job runs there and everything is known to be elsewhere.
    package static let orderAfterJobs = """
        umask 077
        \(folder)
        [ -s "$lease/settings" ] || exit 0
        echo after-jobs > "$lease/order.new"
        mv "$lease/order.new" "$lease/order"
        exit 0
        """

    /// Takes an order back.
    package static let withdrawOrder = """
        \(folder)
        rm -f "$lease/order"
        exit 0
        """
}
