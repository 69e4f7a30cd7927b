/// An event that a fault may apply to.
struct FaultEvent {
    var platform: Market
    /// The machine, for events that have one.
    var machine: Machine?
    /// Method and path, for requests.
    var request: String?

    init(_ platform: Market, at machine: Machine? = nil, request: String? = nil) {
        self.platform = platform
        self.machine = machine
        self.request = request
    }
}

/// The faults that wait for their event, in the order in which they were requested.
struct FaultQueue {
    private var waiting: [Fault] = []

    mutating func add(_ fault: Fault) { self.waiting.append(fault) }

    /// Uses the first fault of `kind` that fits `event`; a fault that lets this event pass does not hide
    /// later ones.
    mutating func take(_ kind: Fault.Kind, _ event: FaultEvent) -> Fault? {
        for index in self.waiting.indices
        where self.waiting[index].kind == kind && self.waiting[index].fits(event) {
            guard self.waiting[index].skip == 0 else {
                self.waiting[index].skip -= 1
                continue
            }
            let fault = self.waiting[index]
            if fault.times == 1 {
                self.waiting.remove(at: index)
            } else if fault.times != .max {
                self.waiting[index].times -= 1
            }
            return fault
        }
        return nil
    }
}

extension Fault {
    fileprivate func fits(_ event: FaultEvent) -> Bool {
        guard self.platform == nil || self.platform == event.platform else { return false }
        if let number = self.machine, number != event.machine?.id { return false }
        if let request = self.request, event.request?.contains(request) != true { return false }
        guard let gpu = self.gpu.map(Self.letters) else { return true }
        guard let model = event.machine?.gpu else { return false }
        return [model.name, model.productName].contains { Self.letters($0).contains(gpu) }
    }

    /// Letters and digits only, so that `RTX_4090`, `rtx 4090` and `RTX4090` are equal.
    private static func letters(_ name: String) -> String {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }
}
