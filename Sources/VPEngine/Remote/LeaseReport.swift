/// What the instance said about its lease on standard error.
package enum LeaseReport: Hashable, Sendable {
    /// Times of the instance's own clock, in seconds since 1970.
    case state(now: Double, end: Double?, cap: Double?, use: InstanceUse)
    /// Nil where the instance can end itself, else why it cannot.
    case guarded(weakness: String?)
    case absent
    case failed(String)

    /// Reads one line, or nil where it is not one of ours.
    package init?(line: Substring) {
        guard line.hasPrefix(WatchdogScript.mark) else { return nil }
        let words = line.dropFirst(WatchdogScript.mark.count).split(separator: " ")
        switch words.first {
        case "state":
            guard words.count == 6, let now = Double(words[1]), let idle = Double(words[5]) else {
                return nil
            }
            let use: InstanceUse =
                switch words[4] {
                case "idle": .idle(idle)
                case "unknown": .unknown
                default: .active
                }
            self = .state(now: now, end: Double(words[2]), cap: Double(words[3]), use: use)
        case "guard":
            guard words.count > 1 else { return nil }
            self = .guarded(
                weakness: words[1] == "instance" ? nil : words.dropFirst(2).joined(separator: " "))
        case "absent": self = .absent
        case "failed": self = .failed(words.dropFirst().joined(separator: " "))
        default: return nil
        }
    }
}
