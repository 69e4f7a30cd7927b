import VPEngine

/// Prices of what an instance does not do now, as far as something known tells them.
extension State {
    /// What its disk costs while it is stopped, in dollars a day.
    ///
    /// RunPod has one price; on vast.ai each host has its own, which is known of offers alone:
    /// the middle one of those that were seen.
    func parkedDollarsPerDay(_ instance: Instance) -> Double? {
        if !instance.status.holdsGPU { return instance.price.dollarsPerDay }
        if let dollars = instance.stoppedDollarsPerDay { return dollars }
        guard let bytes = instance.diskBytes else { return nil }
        let prices = self.offers.rows.filter { $0.platform == instance.platform }
            .compactMap(\.storageDollarsPerGBMonth).sorted()
        guard !prices.isEmpty else { return nil }
        return prices[prices.count / 2] * Double(bytes) / 1e9 / 30
    }

    /// What it cost while its newest job ran; the platform tells a stopped one's price alone.
    func runningPrice(_ instance: Instance) -> HourlyPrice? {
        if instance.status.holdsGPU { return instance.price }
        return self.jobs.rows.filter { $0.instance == instance.id }.max { $0.createdAt < $1.createdAt }?
            .record?.hardware.map { HourlyPrice(dollarsPerHour: $0.dollarsPerHour) }
    }
}
