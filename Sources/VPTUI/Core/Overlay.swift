import Foundation
import VPEngine

/// A box above the panes; it gets the keys.
public enum Overlay: Equatable, Sendable {
    case dialog(Dialog)
    case prompt(Prompt)
    case help(scroll: Int)
}

/// A question, or an error that wants to be read.
public struct Dialog: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case create(Offer, CreateRequest)
        case destroy(InstanceID, UnsafeReport)
        case stop(InstanceID)
        case start(InstanceID)
        case cancelJob(JobID, InstanceID)
        case cancelAction(ActionID)
        case quit
        case error(ErrorWords)
    }

    /// What is known about results that are on the instance only.
    public enum UnsafeReport: Equatable, Sendable {
        case asking
        case known(UnsafeResults)
        case unknown(EngineError)
    }

    public enum Button: Hashable, Sendable {
        case cancel, confirm, discard

        /// It ends or drops something that cannot be had back.
        var losesSomething: Bool { self != .cancel }
    }

    public var kind: Kind
    public var focusedButton = 0
    /// Keys that come sooner than `settleTime` after this were meant for something else.
    public var openedAt: Date
    /// What to say under the buttons instead of the usual hint.
    public var note: String?

    public static let settleTime: TimeInterval = 0.3

    public init(_ kind: Kind, openedAt: Date) {
        self.kind = kind
        self.openedAt = openedAt
    }

    public var buttons: [Button] {
        switch self.kind {
        case .error: [.cancel]
        case .destroy: [.cancel, .confirm, .discard]
        default: [.cancel, .confirm]
        }
    }

    public var focused: Button { self.buttons[max(0, min(self.buttons.count - 1, self.focusedButton))] }

    /// The instance that it is about; it closes when that is gone.
    public var instance: InstanceID? {
        switch self.kind {
        case .destroy(let id, _), .stop(let id), .start(let id), .cancelJob(_, let id): id
        case .create, .cancelAction, .quit, .error: nil
        }
    }
}

/// A line of text being asked for.
public struct Prompt: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case run(InstanceID)
        case offerQuery
        case filter(Pane)
        case search
    }

    public var kind: Kind
    public var field: TextField
    /// Newest first.
    public var history: [String]
    /// Which entry of the history is shown; nil is what was typed.
    public var historyIndex: Int?
    public var draft = ""
    public var problem: String?

    public init(_ kind: Kind, text: String = "", history: [String] = []) {
        self.kind = kind
        self.field = TextField(text)
        self.history = history
    }

    /// Filters and searches are typed in the bottom line, over the rows that they change.
    public var isInline: Bool {
        switch self.kind {
        case .filter, .search: true
        case .run, .offerQuery: false
        }
    }

    mutating func moveInHistory(_ step: Int) {
        let index = (self.historyIndex ?? -1) + step
        guard index >= -1, index < self.history.count else { return }
        if self.historyIndex == nil { self.draft = self.field.text }
        self.historyIndex = index < 0 ? nil : index
        self.field.replace(with: index < 0 ? self.draft : self.history[index])
    }
}
