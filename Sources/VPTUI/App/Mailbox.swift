import Glibc
import Synchronization
import VPEngine
import VPTUICore

/// Carries messages from any thread to the loop, with a pipe that wakes it.
///
/// Output that continues a waiting message is appended to it, so that a job that writes
/// much costs one message per frame. Output beyond `outputLimit` is dropped: the dashboard
/// notices the gap and reads the file.
final class Mailbox: Sendable {
    static let outputLimit = 4 << 20

    private struct Contents {
        var messages: [Message] = []
        var outputBytes = 0
        var isWoken = false
    }

    private let contents = Mutex(Contents())
    /// The descriptor that the loop polls.
    let wakeDescriptor: Int32
    private let writeDescriptor: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "the process has no file descriptor left")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        self.wakeDescriptor = ends[0]
        self.writeDescriptor = ends[1]
    }

    deinit {
        close(self.wakeDescriptor)
        close(self.writeDescriptor)
    }

    func post(_ message: Message) {
        self.change { Self.add(message, to: &$0) }
    }

    /// Wakes the loop without a message.
    func wake() { self.change { _ in } }

    private func change(_ body: (inout Contents) -> Void) {
        let wakes = self.contents.withLock { contents in
            body(&contents)
            defer { contents.isWoken = true }
            return !contents.isWoken
        }
        // One byte stands for any number of messages: a full pipe must never block an engine.
        if wakes {
            var byte: UInt8 = 1
            _ = write(self.writeDescriptor, &byte, 1)
        }
    }

    func drain() -> [Message] {
        self.contents.withLock { contents in
            if contents.isWoken {
                var bytes = [UInt8](repeating: 0, count: 16)
                _ = read(self.wakeDescriptor, &bytes, bytes.count)
            }
            let messages = contents.messages
            contents = Contents()
            return messages
        }
    }

    private static func add(_ message: Message, to contents: inout Contents) {
        guard case .engine(.jobOutput(let job, let offset, let bytes), let date) = message else {
            contents.messages.append(message)
            return
        }
        contents.outputBytes += bytes.count
        guard contents.outputBytes <= Self.outputLimit else { return }
        if case .engine(.jobOutput(job, let earlier, var joined), _) = contents.messages.last,
            earlier + Int64(joined.count) == offset
        {
            // The message is removed first, so that the array has one owner and is not copied.
            contents.messages.removeLast()
            joined.append(contentsOf: bytes)
            contents.messages.append(.engine(.jobOutput(job, offset: earlier, bytes: joined), at: date))
        } else {
            contents.messages.append(message)
        }
    }
}
