extension VastWire {
    /// Combines the four fields that vast.ai has for the status into one.
    ///
    /// `actual_status` is the container's state, `intended_status` the user's last request, and `cur_state`
    /// tells whether the GPU is held. None of them alone is enough, and any may be null.
    ///
    /// - Parameter wasStarted: true if a start was sent a short while ago, so that `exited` may date from
    ///   before it.
    static func status(_ row: JSONValue, wasStarted: Bool) -> InstanceStatus {
        let actual = row["actual_status"].text?.lowercased()
        let intended = row["intended_status"].text?.lowercased()
        let current = row["cur_state"].text?.lowercased()
        let wantsStop = intended == "stopped"

        if actual == "running" { return wantsStop ? .stopping : .running }
        if current == "stopped" {
            // The instance waits for its GPU to become free. On a bid that nobody stopped, `stopped` means
            // outbid.
            return intended == "running" ? .pending : .stopped
        }
        switch actual {
        case "offline", "unknown":
            return .lost
        case "exited", "stopped":
            if wantsStop { return current == "running" ? .stopping : .stopped }
            if wasStarted { return .loading }
            // Nobody stopped the instance: the container ended by itself.
            return intended == "running" ? .failed : .stopped
        default:
            break
        }
        if let message = row["status_msg"].text,
            StartMessages.meaning(of: message, image: row["image_uuid"].text) != .nobody
        {
            return .failed
        }
        if wantsStop { return .stopping }
        switch actual {
        case nil, "created", "scheduling": return .pending
        case "loading", "rebooting", "recycling", "restarting": return .loading
        // The container is paused with its memory held, which is billed; or the word did not exist when this
        // was written.
        default: return .unknown
        }
    }
}
