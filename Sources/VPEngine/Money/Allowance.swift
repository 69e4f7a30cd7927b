import Foundation

/// Checks actions against the caps of `limits.yaml`, for `vp` and the dashboard alike: an action that is
/// refused here cannot be requested by another verb or key.
struct Allowance {
    let context: EngineContext
    /// Lists the instances that the platforms have now.
    let listing: @Sendable () async -> PlatformAnswers<Instance>

    private var limits: Limits { self.context.configuration.limits }

    /// Returns `action` with every value cut to the caps. Throws `.limitRefused`, with the limit and its
    /// file, if it may not be carried out at all. Ends are never refused for money: an end stops costs, which
    /// is the aim of every limit.
    func admit(_ action: EngineAction) async throws(EngineError) -> EngineAction {
        let limits = self.limits
        guard !limits.isEmpty else { return action }
        switch action {
        case .create(let request):
            try limits.requireUsable()
            try limits.require(anyOf: "create-instance")
            try await self.requireRoom()
            return .create(limits.tightened(request, self.context.configuration.defaults))
        case .start(let id):
            try limits.requireUsable()
            try limits.require(anyOf: "start")
            try await self.requireRoom(beside: id)
            let instance = try await self.context.freshInstance(id)
            // The row of a stopped instance has the price of its disk; the price while it runs is in the
            // ledger.
            let agreed = try self.context.store.ledgerEntry(for: id).map {
                HourlyPrice(dollarsPerHour: $0.dollarsPerHour)
            }
            let objection = limits.objection(
                to: id.platform, gpu: instance.gpuName, memoryBytes: instance.gpuMemoryBytes,
                count: instance.gpuCount, price: agreed ?? instance.price)
            if let objection { throw Limits.refusal(objection) }
            return action
        case .run(let id, let request):
            try limits.requireUsable()
            try limits.require(anyOf: "run", "rerun")
            return .run(id, limits.tightened(request, self.context.configuration.money))
        case .stop:
            try limits.require(anyOf: "stop", "run", "create-instance")
            return action
        case .destroy:
            // A user who may rent may end the rental, on Ctrl-C for example.
            try limits.require(anyOf: "destroy-instance", "reap", "run", "rerun", "create-instance")
            return action
        case .cancel:
            try limits.require(anyOf: "cancel", "run", "rerun")
            return action
        case .sync:
            try limits.require(anyOf: "sync", "run", "rerun")
            return action
        case .download, .attach:
            return action
        }
    }

    /// Throws `.limitRefused` if one more instance would be too many; `name` and `id` are not counted.
    ///
    /// It counts the platforms' own lists, so that another history or machine makes no difference, and the
    /// rentals that have begun and are not listed yet.
    func requireRoom(named name: String? = nil, beside id: InstanceID? = nil) async throws(EngineError) {
        guard let cap = self.limits.maximumInstances else { return }
        let answers = await self.listing()
        // A platform that does not list its instances could have any number.
        if let failure = answers.failures.first { throw failure.error }
        let listed = answers.values.filter {
            $0.status.holdsGPU && $0.id != id && (name == nil || $0.name != name)
        }
        let ids = Set(answers.values.map(\.id))
        let begun = try self.context.store.openLedgerEntries().filter { entry in
            guard entry.name != name, entry.state == .intended || entry.state == .rented else { return false }
            guard let instance = entry.instance else {
                return !answers.values.contains { $0.name == entry.name }
            }
            return instance != id && !ids.contains(instance)
        }
        let count = listed.count + begun.count
        guard count >= cap.value else { return }
        throw Limits.refusal(
            count == 1
                ? "1 instance is rented, and max_instances in \(cap.file) is \(cap.value)"
                : "\(count) instances are rented, and max_instances in \(cap.file) is \(cap.value)")
    }
}

/// The part of the caps that is left today.
public struct LimitsReport: Sendable {
    /// The caps themselves.
    public var limits: Limits
    /// Dollars spent since midnight, UTC.
    public var spentToday: Double
    /// The most that may be spent in a day, settings included, and the origin of that limit.
    public var dayLimit: (dollars: Double, origin: String)?
    /// The number of instances that hold a GPU, as last seen.
    public var instances: Int
    /// The path of the user's own limits file, whether or not it exists.
    public var ownFile: String

    /// Dollars that may still be spent before midnight, UTC, at least 0; nil without a limit.
    public var leftToday: Double? { self.dayLimit.map { max(0, $0.dollars - self.spentToday) } }
    /// Instances that may be rented in addition to the existing ones, at least 0; nil without a cap.
    public var instancesLeft: Int? { self.limits.maximumInstances.map { max(0, $0.value - self.instances) } }
}
