import Foundation

/// The hardware that was rented, for comparison with the hardware that the platform reports.
struct RentedHardware: Hashable, Sendable {
    var gpuName: String
    var gpuCount: Int
    var price: HourlyPrice

    init(_ offer: Offer) {
        self.gpuName = offer.gpuName
        self.gpuCount = offer.gpuCount
        self.price = offer.price
    }

    /// A tenth and a cent of tolerance: prices are rounded, and disks priced by the gigabyte.
    private var highestPrice: Double { self.price.dollarsPerHour * 1.1 + 0.01 }

    /// Describes how `instance` differs for the worse; nil if it does not, or if the platform does not say.
    func difference(from instance: Instance) -> String? {
        let isKnown = instance.gpuName != Instance.unknownGPU
        var differences: [String] = []
        if isKnown, !Self.isSame(self.gpuName, instance.gpuName) {
            differences.append("\(instance.gpuName) in place of \(self.gpuName)")
        } else if isKnown, instance.gpuCount > 0, instance.gpuCount < self.gpuCount {
            differences.append("\(instance.gpuCount) GPUs in place of \(self.gpuCount)")
        }
        if instance.price.dollarsPerHour > self.highestPrice {
            let prices = [instance.price, self.price].map { "$\(Figures.fixed($0.dollarsPerHour, 3))/h" }
            differences.append("\(prices[0]) in place of \(prices[1])")
        }
        guard !differences.isEmpty else { return nil }
        return "the platform gave " + differences.joined(separator: " and ")
    }

    /// One GPU has several names; names that the table does not know are compared by their letters.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        if GPUName.normalize(left) == GPUName.normalize(right) { return true }
        guard let left = GPUName.select(left), let right = GPUName.select(right) else { return false }
        return !Set(left.models).isDisjoint(with: right.models)
    }
}
