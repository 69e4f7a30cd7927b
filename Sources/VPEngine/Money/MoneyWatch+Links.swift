import Foundation

extension MoneyWatch {
    /// Alarms for data behind links that the end of an instance would not download, as found by a look while
    /// a job ran.
    func behindLinkAlarms(_ instances: [Instance]) -> [Alarm] {
        instances.filter(\.status.holdsGPU).flatMap { instance in
            (ManifestStore(self.context).loadBehindLinks(instance: instance.id)?.bytes ?? [:])
                .sorted { $0.key < $1.key }.prefix(5).map { name, bytes in
                    let size = ByteCount.text(bytes)
                    return Alarm(
                        .behindLink, instance.id,
                        "\(name) on \(instance.id) leads to \(size) outside the workspace, which is more than "
                            + "sync.limit allows; `sync.keep_there: [\(name)]` leaves them on the instance")
                }
        }
    }
}
