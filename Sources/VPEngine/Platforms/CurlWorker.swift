import CCurl
import Foundation
import Glibc
import Synchronization

/// The thread that drives libcurl for one transport, and the only one that touches its handles.
///
/// The thread sleeps in `curl_multi_poll` until a socket is ready, a deadline passes, or another thread wakes
/// it. With no transfers it sleeps until it is woken; connections are kept, and libcurl checks them before it
/// uses one again.
final class CurlWorker: Sendable {
    private struct Orders {
        var starts: [CurlTransfer] = []
        var cancels: [UInt64] = []
        var lastID: UInt64 = 0
        /// No handle may be touched any more, not even to wake the thread.
        var isOver = false
        var isStopping = false
    }

    /// libcurl's handle. Only this thread may use it, except to wake it, which `orders` guards.
    private struct Multi: @unchecked Sendable {
        let handle: UnsafeMutableRawPointer
    }

    private let orders: Mutex<Orders> = Mutex(Orders())
    private let multi: Multi

    init?() {
        guard let handle = vp_curl_multi_init() else { return nil }
        self.multi = Multi(handle: handle)
        let thread = Thread { self.run() }
        thread.name = "vp-http"
        thread.start()
    }

    func nextID() -> UInt64 {
        self.orders.withLock {
            $0.lastID += 1
            return $0.lastID
        }
    }

    func start(_ transfer: CurlTransfer) {
        let isOver = self.give { $0.starts.append(transfer) }
        if isOver { transfer.finish(.cancelled) }
    }

    /// Ends the transfer of that number; a transfer that is over is no error.
    func cancel(_ id: UInt64) {
        _ = self.give { $0.cancels.append(id) }
    }

    /// Ends the thread and all transfers.
    func stop() {
        _ = self.give { $0.isStopping = true }
    }

    /// Returns true if the thread has ended and can take no order.
    private func give(_ order: (inout Orders) -> Void) -> Bool {
        self.orders.withLock { orders in
            guard !orders.isOver else { return true }
            order(&orders)
            _ = vp_curl_multi_wakeup(self.multi.handle)
            return false
        }
    }

    // MARK: The thread

    private func run() {
        // libcurl reports a connection that is closed during a write as an error; signals are for other
        // threads.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)

        var transfers: [UnsafeMutableRawPointer: CurlTransfer] = [:]
        while true {
            let orders = self.orders.withLock { orders in
                let taken = orders
                orders.starts = []
                orders.cancels = []
                orders.isOver = orders.isStopping
                return taken
            }
            for transfer in orders.starts {
                guard let easy = transfer.open() else {
                    transfer.finish(.noMemory)
                    continue
                }
                transfers[easy] = transfer
                if vp_curl_multi_add(self.multi.handle, easy) != 0 {
                    self.end(easy, .noMemory, &transfers)
                }
            }
            for id in orders.cancels {
                let found = transfers.first { $0.value.id == id }
                if let found { self.end(found.key, .cancelled, &transfers) }
            }
            if orders.isStopping { break }
            self.advance(&transfers)
            let wait = self.endOverdue(&transfers)
            _ = vp_curl_multi_poll(self.multi.handle, wait)
        }
        for easy in Array(transfers.keys) { self.end(easy, .cancelled, &transfers) }
        vp_curl_multi_cleanup(self.multi.handle)
    }

    private func advance(_ transfers: inout [UnsafeMutableRawPointer: CurlTransfer]) {
        var running: Int32 = 0
        _ = vp_curl_multi_perform(self.multi.handle, &running)
        var easy: UnsafeMutableRawPointer?
        var result: Int32 = 0
        while vp_curl_multi_next_end(self.multi.handle, &easy, &result) != 0 {
            if let easy { self.end(easy, .result(result), &transfers) }
        }
    }

    /// Ends transfers that have taken too long, and returns for how many milliseconds no other can become
    /// overdue.
    private func endOverdue(_ transfers: inout [UnsafeMutableRawPointer: CurlTransfer]) -> Int32 {
        let now = ContinuousClock.now
        var next: ContinuousClock.Instant?
        for (easy, transfer) in transfers {
            if let reason = transfer.overdue(at: now) {
                self.end(easy, reason, &transfers)
            } else {
                next = min(next ?? transfer.nextLook, transfer.nextLook)
            }
        }
        // libcurl takes its own deadlines into account.
        guard let next else { return .max }
        return Int32(min(3_600_000, max(1, (now.duration(to: next).seconds * 1000).rounded(.up))))
    }

    private func end(
        _ easy: UnsafeMutableRawPointer, _ reason: CurlTransfer.End,
        _ transfers: inout [UnsafeMutableRawPointer: CurlTransfer]
    ) {
        guard let transfer = transfers.removeValue(forKey: easy) else { return }
        transfer.finish(reason)
        // This comes last: it may wait for an address that is still being looked up.
        _ = vp_curl_multi_remove(self.multi.handle, easy)
        transfer.close()
    }
}
