import Foundation

extension MoneyWatch {
    /// What an end of `instances` would not bring, as far as a look while a job ran has shown it.
    func behindLinkAlarms(_ instances: [Instance]) -> [Alarm] {
        instances.filter(\.status.holdsGPU).flatMap { instance in
            (ManifestStore(self.context).loadBehindLinks(instance: instance.id)?.bytes ?? [:])
                .sorted { $0.key < $1.key }.prefix(5).map { name, bytes in
                    let size = ByteCount.text(bytes)
                    return Alarm(
                        .behindLink, instance.id,
                        "\(name) on \(instance.id) leads to \(size) outside the workspace, which is more than "
                            + "sync.limit brings; `sync.keep_there: [\(name)]` leaves them there")
                }
        }
    }
}
