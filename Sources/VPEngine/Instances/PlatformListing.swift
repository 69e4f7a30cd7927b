import Foundation

/// Lower layers need the platforms' list of instances but do not know how to get it.
extension Allowance {
    init(_ context: EngineContext) {
        self.init(context: context, listing: { await PlatformQuestions(context: context).instances() })
    }
}

extension LookAtJobs {
    init(_ context: EngineContext, report: @escaping @Sendable (EngineEvent) -> Void) {
        self.init(
            context: context, listing: { await PlatformQuestions(context: context).instances() },
            report: report)
    }
}
