/// The shell text that a rental carries with it: it ends the instance where nobody came to put the watchdog there.
///
/// Between the rental and the first login an instance knows nothing of its lease. Should whoever rented it die
/// then, this is what ends it. It counts the lease from the container's start, and leaves everything to the
/// watchdog as soon as that is there.
package enum BootGuard {
    /// Nil for a lease without end.
    package static func text(
        _ terms: LeaseTerms, on platform: Platform, apiBase: String, workspace: String
    ) -> String? {
        guard let seconds = terms.seconds else { return nil }
        let limit = Int(saturating: min(seconds, terms.maximumSeconds ?? .infinity).rounded(.up))
        let id = platform == .vast ? "$CONTAINER_ID" : "$RUNPOD_POD_ID"
        // Files of somebody who came by ssh and not by vp are results as well.
        let unsafe =
            terms.keepsUnsafeResults
            ? "find \(ShellQuoting.quoted(workspace)) ! -type d -newer \"$lease/boot\" 2>/dev/null | head -n 1"
            : ":"
        return """
            # Put here by vp: ends this instance if nobody comes. See `vp lease`.
            (
            trap '' HUP
            umask 077
            lease=${HOME:-/root}/.vp/lease agent=variousplug-boot-guard id=\(id)
            \(PlatformOrders.text(platform, apiBase: apiBase))
            \(PlatformOrders.functions)
            [ ! -s "$lease/settings" ] || exit
            mkdir -p "$lease" || exit
            [ -e "$lease/boot" ] || : > "$lease/boot"
            sleep \(limit)
            while [ ! -s "$lease/settings" ]; do
            how=\(terms.ending.rawValue)
            [ -z "$(\(unsafe))" ] || how=stop
            if [ "$how" = destroy ]; then call DELETE "$look" '{}'
            else call "$stop_method" "$stop_url" "$stop_body"; fi
            sleep 60
            done
            ) </dev/null >/dev/null 2>&1 &

            """
    }
}
