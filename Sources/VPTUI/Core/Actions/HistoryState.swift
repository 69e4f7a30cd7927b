import Foundation
import VPEngine

/// Calls to the platforms and actions of the engine, newest first, for `@`.
public struct HistoryState: Equatable, Sendable {
    public struct Entry: Equatable, Sendable {
        public enum Status: Equatable, Sendable {
            case running
            case good(String)
            case bad(String)
        }

        public var date: Date
        /// `vast GET /api/v1/instances/`, or the `vp` command line that does the same.
        public var text: String
        public var status: Status
        /// The duration, in seconds.
        public var duration: TimeInterval?
        /// The line to copy.
        public var line: String
        public var isCall: Bool
        var action: ActionID?
    }

    static let limit = 500
    public private(set) var entries: [Entry] = []

    public init() {}

    /// Returns the entries to show: the user's own actions by default; the dashboard's periodic calls
    /// are shown with a key.
    func shown(in list: ListOverlay) -> [Entry] {
        let words = list.field.text.lowercased().split(separator: " ")
        return self.entries.filter { entry in
            guard list.showsCalls || !entry.isCall else { return false }
            let text = entry.text.lowercased()
            return words.allSatisfy { text.contains($0) }
        }
    }

    mutating func add(_ call: APICallRecord) {
        let status: Entry.Status =
            if let code = call.status {
                (200..<300).contains(code) ? .good(String(code)) : .bad(String(code))
            } else {
                .bad(call.failure?.rawValue ?? "no answer")
            }
        self.insert(
            Entry(
                date: call.startedAt,
                text:
                    "\(call.platform.displayName) \(call.method) \(call.path.removingPercentEncoding ?? call.path)",
                status: status, duration: call.duration, line: Self.twin(of: call), isCall: true))
    }

    mutating func began(_ action: EngineAction, _ id: ActionID, at date: Date) {
        guard !self.entries.contains(where: { $0.action == id }) else { return }
        let line = CommandTwin.line(action)
        self.insert(
            Entry(date: date, text: line, status: .running, line: line, isCall: false, action: id))
    }

    mutating func ended(_ id: ActionID, _ outcome: ActionOutcome, at date: Date) {
        guard let index = self.entries.firstIndex(where: { $0.action == id }) else { return }
        switch outcome {
        case .succeeded: self.entries[index].status = .good("done")
        case .failed(let error): self.entries[index].status = .bad(ErrorWords(error).title)
        case .cancelled: self.entries[index].status = .bad("cancelled")
        }
        self.entries[index].duration = date.timeIntervalSince(self.entries[index].date)
    }

    /// Records a `vp` command line that was run from the palette.
    mutating func ran(_ line: String, status: Int32, at date: Date, duration: TimeInterval) {
        self.insert(
            Entry(
                date: date, text: line, status: status == 0 ? .good("done") : .bad("exit \(status)"),
                duration: duration, line: line, isCall: false))
    }

    /// Records what the dashboard did at once, and what does the same.
    mutating func did(_ line: String, at date: Date) {
        self.insert(Entry(date: date, text: line, status: .good("done"), line: line, isCall: false))
    }

    private mutating func insert(_ entry: Entry) {
        self.entries.insert(entry, at: 0)
        if self.entries.count > Self.limit { self.entries.removeLast() }
    }

    /// Returns the verb that makes this call. Both platforms name their collections similarly enough to tell.
    private static func twin(of call: APICallRecord) -> String {
        let platform = "--platform \(call.platform.rawValue)"
        let path = call.path.lowercased()
        if path.contains("bundles") || path.contains("offer") || path.contains("catalog")
            || path.contains("gpu")
        {
            return "vp offers \(platform)"
        }
        if path.contains("users") || path.contains("balance") || path.contains("graphql") { return "vp cost" }
        return "vp ls \(platform)"
    }
}
