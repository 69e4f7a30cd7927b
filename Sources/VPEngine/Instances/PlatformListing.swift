import Foundation

/// Lower floors need the platforms' own list of instances and do not know how it is had.
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
