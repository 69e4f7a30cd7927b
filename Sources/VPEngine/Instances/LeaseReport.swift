/// A report about its lease that an instance writes to standard error.
package enum LeaseReport: Hashable, Sendable {
    /// Times of the instance's own clock, in seconds since 1970.
    case state(now: Double, end: Double?, cap: Double?, use: InstanceUse, gpuRest: Double? = nil)
    /// nil if the instance can end itself, else the reason why it cannot.
    case guarded(weakness: String?)
    case absent
    case failed(String)

    /// Parses one line; nil if it is not one of ours.
    package init?(line: Substring) {
        guard line.hasPrefix(WatchdogScript.mark) else { return nil }
        let words = line.dropFirst(WatchdogScript.mark.count).split(separator: " ")
        switch words.first {
        case "state":
            // An unreadable time is not "none", which would be a lease without end: such a line is ignored.
            guard words.count == 6 || words.count == 7, let now = NumberRange.epoch.read(words[1]),
                let idle = NumberRange.seconds.read(words[5]),
                let end = Self.moment(words[2]), let cap = Self.moment(words[3])
            else { return nil }
            let use: InstanceUse =
                switch words[4] {
                case "idle": .idle(idle)
                case "unknown": .unknown
                default: .active
                }
            // A watchdog of an earlier version does not report the GPU's rest.
            let rest = words.count == 7 && use != .unknown ? NumberRange.seconds.read(words[6]) : nil
            self = .state(now: now, end: end.seconds, cap: cap.seconds, use: use, gpuRest: rest)
        case "guard":
            guard words.count > 1 else { return nil }
            self = .guarded(
                weakness: words[1] == "instance" ? nil : Self.words(words.dropFirst(2)))
        case "absent": self = .absent
        case "failed": self = .failed(Self.words(words.dropFirst()))
        default: return nil
        }
    }

    /// Parses `none` or seconds since 1970; nil for anything else.
    private static func moment(_ word: Substring) -> (seconds: Double?, Void)? {
        if word == "none" { return (nil, ()) }
        return NumberRange.epoch.read(word).map { ($0, ()) }
    }

    /// The rest of the line as text, limited in length.
    private static func words(_ words: ArraySlice<Substring>) -> String {
        words.joined(separator: " ").singleLine(limit: 300) ?? ""
    }
}
