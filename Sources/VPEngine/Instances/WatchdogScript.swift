import VPScripts

/// The shell text that ends an instance from within when its lease runs out. POSIX sh; nothing is installed.
///
/// The instance's own key is read from the environment of the container's first process when it is needed, is
/// on no command line, and gives access to this one instance only.
package struct WatchdogScript: Sendable {
    /// The settings of the watchdog on one instance.
    package struct Settings: Hashable, Sendable {
        package var platform: Platform
        package var instance: String
        /// The base URL, without a slash at the end.
        package var apiBase: String
        package var workspace: String
        /// The time that a renewal adds, in seconds.
        package var seconds: Int
        /// The maximum duration of the lease in seconds, counted from the container's start; 0 for no limit.
        package var capSeconds: Int
        package var ending: Lease.Ending
        /// `true` if results that are not known to be stored elsewhere turn a destroy into a stop.
        package var keepsUnsafeResults: Bool
        /// Idle seconds after which the instance ends; 0 reports the use without ending anything for it.
        package var idleSeconds: Int
        package var idleEnding: Lease.Ending

        package init(
            platform: Platform, instance: String, apiBase: String, workspace: String, seconds: Int,
            capSeconds: Int, ending: Lease.Ending, keepsUnsafeResults: Bool, idleSeconds: Int = 0,
            idleEnding: Lease.Ending = .stop
        ) {
            self.platform = platform
            self.instance = instance
            self.apiBase = apiBase
            self.workspace = workspace
            self.seconds = seconds
            self.capSeconds = capSeconds
            self.ending = ending
            self.keepsUnsafeResults = keepsUnsafeResults
            self.idleSeconds = idleSeconds
            self.idleEnding = idleEnding
        }

        /// The folder below a pod's volume that keeps files which a stop would wipe elsewhere. Empty if a
        /// stop wipes nothing, and if nothing survives it.
        private var kept: String {
            guard self.platform == .runpod, (self.workspace + "/").hasPrefix("/workspace/") else { return "" }
            return "\(self.workspace)/.vp-kept"
        }

        package var text: String {
            let terms = PlatformOrders.Terms(self.platform, apiBase: self.apiBase)
            let look = terms.lookStart + self.instance + terms.lookEnd
            return ScriptFile.assignments([
                "id": self.instance, "variable": terms.variable, "look": look,
                "stop_method": terms.stopMethod, "stop_url": look + terms.stopPath,
                "stop_body": terms.stopBody, "kept": self.kept, "workspace": self.workspace,
                "seconds": String(self.seconds), "cap_seconds": String(self.capSeconds),
                "ending": self.ending.rawValue, "keeps_unsafe": self.keepsUnsafeResults ? "1" : "",
                "idle_seconds": String(self.idleSeconds), "idle_ending": self.idleEnding.rawValue,
            ])
        }
    }

    /// The prefix of lines that the scripts write to standard error for us alone.
    package static let mark = "vp-lease "

    /// Installs the watchdog with `settings`, renews the lease and reports its state.
    ///
    /// - Parameter endless: `true` for a lease without end; the watchdog then only watches the use.
    package static func arm(_ settings: Settings, endless: Bool = false) -> String {
        ScriptFile.leaseArm.text([
            "lease_settings": settings.text, "lease_watchdog": self.watchdog, "endless": endless ? "1" : "",
            "survives": settings.platform == .vast ? "1" : "",
        ])
    }

    /// Renews the lease, if there is one, and reports its state.
    package static let renew = ScriptFile.leaseRenew.text

    /// Reports the state and changes nothing.
    package static let look = ScriptFile.leaseLook.text

    /// Records that everything on the instance was stored elsewhere `secondsAgo`.
    package static func markSafe(secondsAgo: Int) -> String {
        ScriptFile.leaseSafe.text(["job_id": "", "seconds_ago": String(secondsAgo)])
    }

    /// Records that all files that existed when `job` ended are stored elsewhere.
    package static func markSafe(upToTheEndOf job: JobID) -> String {
        ScriptFile.leaseSafe.text(["job_id": job.pathComponent, "seconds_ago": ""])
    }

    /// The watchdog itself.
    package static let watchdog = ScriptFile.watchdog.text([
        "platform_call": ScriptFile.platformCall.text
    ])

    // MARK: Orders to end

    /// Tells the instance to destroy itself, with everything that is on it now, and to repeat that until it
    /// is gone.
    package static func order(discardsResults: Bool) -> String {
        ScriptFile.leaseOrder.text([
            "lease_watchdog": self.watchdog, "order": discardsResults ? "discard" : "destroy",
        ])
    }

    /// Tells the instance to destroy itself as soon as no job runs there and all files are known to be stored
    /// elsewhere.
    package static let orderAfterJobs = ScriptFile.leaseOrderAfterJobs.text

    /// Withdraws an order.
    package static let withdrawOrder = ScriptFile.leaseWithdraw.text
}
