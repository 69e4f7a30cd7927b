import VPEngine

/// Prices for states that an instance is not in, as far as known data tells them.
extension State {
    /// Returns the price of the instance's disk while it is stopped, in dollars per day.
    ///
    /// RunPod has one price. On vast.ai each host has its own, which only offers state: the median
    /// of the offers seen.
    func parkedDollarsPerDay(_ instance: Instance) -> Double? {
        if !instance.status.holdsGPU { return instance.price.dollarsPerDay }
        if let dollars = instance.stoppedDollarsPerDay { return dollars }
        guard let bytes = instance.diskBytes else { return nil }
        let prices = self.offers.rows.filter { $0.platform == instance.platform }
            .compactMap(\.storageDollarsPerGBMonth).sorted()
        guard !prices.isEmpty else { return nil }
        return prices[prices.count / 2] * Double(bytes) / 1e9 / 30
    }

    /// Returns the price while the newest job ran; for a stopped instance the platform reports only
    /// its stopped price.
    func runningPrice(_ instance: Instance) -> HourlyPrice? {
        if instance.status.holdsGPU { return instance.price }
        return self.jobs.rows.filter { $0.instance == instance.id }.max { $0.createdAt < $1.createdAt }?
            .record?.hardware.map { HourlyPrice(dollarsPerHour: $0.dollarsPerHour) }
    }
}
