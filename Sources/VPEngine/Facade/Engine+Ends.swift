import Foundation
import Synchronization

/// Ends that were ordered earlier, and the reasons why they wait.
extension Engine {
    /// The instance with `name`, even if the platform does not answer at the moment: an instance that is to
    /// end costs money all the same.
    public func instanceToEnd(named name: String, platform: Platform?) async throws(EngineError) -> Instance {
        do throws(EngineError) {
            return try await self.instance(named: name, platform: platform)
        } catch {
            guard Pursuit.mayPass(error) else { throw error }
            let entry = try self.context.store.openLedgerEntries().last { entry in
                (entry.name == name || entry.instance?.rawValue == name)
                    && (platform == nil || entry.platform == platform)
            }
            guard let entry, let id = entry.instance else { throw error }
            return RentalRecord(context: self.context).lastSeen(id, entry)
        }
    }

    /// Carries out ordered ends that no process works on: those that an earlier program left, and those that
    /// waited for the last job of their instance. If one cannot be carried out, its row keeps the order.
    ///
    /// Asks only about instances with such an order. Only one call runs at a time: concurrent calls return at
    /// once.
    public func takeUpEnds(report: @escaping @Sendable (EngineEvent) -> Void = { _ in }) async {
        let isFirst = self.isTakingUpEnds.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFirst else { return }
        defer { self.isTakingUpEnds.withLock { $0 = false } }
        await self.findLeftRentals()
        for entry in (try? self.context.store.openLedgerEntries()) ?? [] {
            guard !Task.isCancelled else { return }
            await self.takeUp(entry, report: report)
        }
    }

    /// Carries out the order on one instance, if it waited for the job that has just ended there. A run or a
    /// start on an instance shows that it is wanted, so that a refused end is forgotten.
    func takeUpOrder(
        on id: InstanceID, after result: ActionResult, report: @escaping @Sendable (EngineEvent) -> Void
    ) async {
        guard let entry = try? self.context.store.ledgerEntry(for: id), let order = entry.order else {
            return
        }
        switch result {
        case .ran(let summary), .attached(let summary):
            if order.stage == .afterJobs, summary.job?.state.isOver == true {
                await self.takeUp(entry, report: report)
            }
            if order.stage == .waiting, case .ran = result {
                try? self.context.store.setOrder(nil, of: entry.name)
            }
        case .cancelled: if order.stage == .afterJobs { await self.takeUp(entry, report: report) }
        case .started: if order.stage == .waiting { try? self.context.store.setOrder(nil, of: entry.name) }
        default: break
        }
    }

    /// Looks for rentals that were left with an order to end them before the platform had answered the
    /// rental.
    private func findLeftRentals() async {
        let left = ((try? self.context.store.openLedgerEntries()) ?? []).filter {
            $0.isUnfinished && $0.state == .intended && $0.order != nil
        }
        for platform in Set(left.map(\.platform)) where self.context.clients[platform] != nil {
            _ = await self.instances(platform: platform)
        }
    }

    private func takeUp(_ entry: LedgerEntry, report: @escaping @Sendable (EngineEvent) -> Void) async {
        guard entry.state == .rented, let id = entry.instance, let order = entry.order,
            order.stage != .waiting, !order.isHeld, self.context.clients[id.platform] != nil
        else { return }
        if order.stage == .afterJobs {
            guard let instance = try? await self.context.freshInstance(id),
                await LiveJobs(self.context).running(on: instance).isEmpty
            else { return }
        }
        guard (try? self.context.store.hold(order, of: entry.name)) == true else { return }
        let request = DestroyRequest(
            discardsResults: order.discardsResults, waitsForJobs: true, staysOrdered: true)
        let destroy = DestroyInstance(
            context: self.context, id: id, request: request, progress: { _ in }, report: report,
            // The user who asked for something else must not wait long for this.
            patience: 20)
        _ = try? await destroy.run()
    }
}
