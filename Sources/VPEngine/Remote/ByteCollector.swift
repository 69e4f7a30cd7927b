import Synchronization

/// Bytes gathered from callbacks on any thread.
package final class ByteCollector: Sendable {
    private let storage = Mutex<[UInt8]>([])

    package init() {}

    package func append(_ bytes: [UInt8]) {
        self.storage.withLock { $0.append(contentsOf: bytes) }
    }

    package var bytes: [UInt8] { self.storage.withLock { $0 } }
}
