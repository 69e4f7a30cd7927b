import VPScripts

/// The shell text that a rental carries along: it ends the instance if nobody ever installs the watchdog
/// there.
///
/// Between the rental and the first login an instance knows nothing of its lease. If the program that rented
/// it dies in that time, this script ends the instance. It counts the lease from the container's start, and
/// leaves everything to the watchdog as soon as that is installed.
package enum BootGuard {
    /// Returns nil for a lease without end.
    package static func text(
        _ lease: LeaseTerms, on platform: Platform, apiBase: String, workspace: String
    ) -> String? {
        guard let seconds = lease.seconds else { return nil }
        let limit = Int(saturating: min(seconds, lease.maximumSeconds ?? .infinity).rounded(.up))
        let terms = PlatformOrders.Terms(platform, apiBase: apiBase)
        let script = ScriptFile.bootGuard.text([
            "platform_call": ScriptFile.platformCall.text, "variable": terms.variable,
            "id_variable": terms.idVariable, "look_start": terms.lookStart, "look_end": terms.lookEnd,
            "stop_method": terms.stopMethod, "stop_path": terms.stopPath, "stop_body": terms.stopBody,
            "seconds": String(limit), "ending": lease.ending.rawValue,
            "kept": lease.keepsUnsafeResults ? workspace : "",
        ])
        // The user's own start command runs beside it, in a shell without its variables.
        return "(\n\(script)) </dev/null >/dev/null 2>&1 &\n"
    }
}
