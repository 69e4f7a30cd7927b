import Foundation
import VPEngine

/// Prices for states that an instance is not in, as far as known data tells them.
extension State {
    /// Returns the price of the instance's disk while it is stopped, in dollars per day.
    ///
    /// RunPod has one price. On vast.ai each host has its own, which the instance states;
    /// for one that does not, the median of the offers seen.
    func parkedDollarsPerDay(_ instance: Instance) -> Double? {
        if !instance.status.holdsGPU { return instance.price.dollarsPerDay }
        if let dollars = instance.stoppedDollarsPerDay { return dollars }
        guard let bytes = instance.diskBytes else { return nil }
        let prices = self.offers.rows.filter { $0.platform == instance.platform }
            .compactMap(\.storageDollarsPerGBMonth).sorted()
        guard !prices.isEmpty else { return nil }
        return prices[prices.count / 2] * Double(bytes) / 1e9 / 30
    }

    /// Returns the cost since it was rented; nil for an instance that is not at work,
    /// because the time that it spent at each of its prices is unknown. Minutes count whole: a figure that
    /// changes each second would be redrawn each second.
    func dollarsSoFar(_ instance: Instance) -> Double? {
        guard instance.status.holdsGPU, let created = instance.createdAt else { return nil }
        let age = max(0, self.now.timeIntervalSince(created))
        return instance.price.cost(of: (age / 60).rounded(.down) * 60)
    }

    /// Returns the price while the newest job ran; for a stopped instance the platform reports only
    /// its stopped price.
    func runningPrice(_ instance: Instance) -> HourlyPrice? {
        if instance.status.holdsGPU { return instance.price }
        return self.jobs.rows.filter { $0.instance == instance.id }.max { $0.createdAt < $1.createdAt }?
            .record?.hardware.map { HourlyPrice(dollarsPerHour: $0.dollarsPerHour) }
    }
}
