extension VastWire {
    /// One status out of the four fields that vast.ai has for it.
    ///
    /// `actual_status` is what the container does, `intended_status` what the user last asked for,
    /// `cur_state` whether the GPU is held. None of them alone is enough, and any may be null.
    ///
    /// - Parameter wasStarted: a start was sent a short while ago, so `exited` may be left from before it.
    static func status(_ row: JSONValue, wasStarted: Bool) -> InstanceStatus {
        let actual = row["actual_status"].text?.lowercased()
        let intended = row["intended_status"].text?.lowercased()
        let current = row["cur_state"].text?.lowercased()
        let wantsStop = intended == "stopped"

        if actual == "running" { return wantsStop ? .stopping : .running }
        if current == "stopped" {
            // Waiting for its GPU to fall free. On a bid that nobody stopped, `stopped` means outbid.
            return intended == "running" ? .pending : .stopped
        }
        switch actual {
        case "offline", "unknown":
            return .lost
        case "exited", "stopped":
            if wantsStop { return current == "running" ? .stopping : .stopped }
            if wasStarted { return .loading }
            // Nobody asked it to stop: the container ended by itself.
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
        // Paused with its memory held, which is billed; or a word that did not exist when this was written.
        default: return .unknown
        }
    }
}
