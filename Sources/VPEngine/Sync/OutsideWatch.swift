import Foundation

/// Notices while a job runs that more lies behind a link out of the workspace than an end would bring: said in time, it
/// costs a line in the settings, and not a refused end.
struct OutsideWatch {
    let context: EngineContext
    let instance: InstanceID

    /// Seconds between two looks.
    static let interval = 300.0

    /// Looks again and again until its task is cancelled. A look that fails is no harm: the next one follows.
    func run() async {
        while !Task.isCancelled {
            guard (try? await self.context.pause(Self.interval, "looking behind links")) != nil else {
                return
            }
            await self.look()
        }
    }

    /// Looks where the last look is older than an interval.
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
        let large = sizes.filter { $0.value > limit && !settings.keepsThere($0.key) }
        let named = Dictionary(large.map { ($0.key.description, $0.value) }) { first, _ in first }
        ManifestStore(self.context).saveBehindLinks(
            BehindLinks(bytes: named, at: self.context.now()), instance: self.instance)
        await MoneyWatch(context: self.context).note()
    }
}

/// What lies behind links there and is too much to be brought.
struct BehindLinks: Codable, Hashable, Sendable {
    /// By the link's name.
    var bytes: [String: Int64]
    var at: Date
}

extension MoneyWatch {
    /// What an end of `instances` would not bring, as far as a look while a job ran has shown it.
    func behindLinkAlarms(_ instances: [Instance]) -> [Alarm] {
        instances.filter(\.status.holdsGPU).flatMap { instance in
            (ManifestStore(self.context).loadBehindLinks(instance: instance.id)?.bytes ?? [:])
                .sorted { $0.key < $1.key }.prefix(5).map { name, bytes in
                    Alarm(
                        .behindLink, instance.id,
                        "\(name) on \(instance.id) leads to \(Figures.fixed(Double(bytes) / 1e9, 1)) GB outside the "
                            + "workspace, which is more than sync.limit brings; `sync.keep_there: [\(name)]` leaves them there"
                    )
                }
        }
    }
}
