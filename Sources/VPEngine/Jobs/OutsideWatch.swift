import Foundation

/// Notices while a job runs that a link out of the workspace leads to more data than an end would download: a
/// timely warning costs a line in the settings instead of a refused end.
struct OutsideWatch {
    let context: EngineContext
    let instance: InstanceID

    /// Seconds between two looks.
    static let interval = 300.0

    /// Looks repeatedly until its task is cancelled. A look that fails does no harm: the next one follows.
    func run() async {
        while !Task.isCancelled {
            guard (try? await self.context.pause(Self.interval, "looking behind links")) != nil else {
                return
            }
            await self.look()
        }
    }

    /// Looks if the last look is older than an interval.
    func lookIfDue() async {
        let last = ManifestStore(self.context).loadBehindLinks(instance: self.instance)?.at ?? .distantPast
        guard !(0..<Self.interval).contains(self.context.now().timeIntervalSince(last)) else { return }
        await self.look()
    }

    func look() async {
        guard let workspace = try? self.context.workspace(of: self.instance),
            let shell = try? await self.context.shell(for: self.instance),
            let result = try? await shell.run(
                LastLook.sizes(root: workspace.remoteRoot), outputLimit: .words),
            result.isSuccess, let sizes = LastLook.parseSizes(result.output)
        else { return }
        let settings = self.context.configuration.sync
        let limit = settings.uploadLimit?.bytes ?? .max
        let keepsThere = settings.keepsThere
        let large = sizes.filter { $0.value > limit && !keepsThere($0.key) }
        let named = Dictionary(large.map { ($0.key.description, $0.value) }) { first, _ in first }
        ManifestStore(self.context).saveBehindLinks(
            BehindLinks(bytes: named, at: self.context.now()), instance: self.instance)
        await MoneyWatch(context: self.context).note()
    }
}
