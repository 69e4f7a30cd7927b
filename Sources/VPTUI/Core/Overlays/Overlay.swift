import Foundation
import VPEngine

/// A box above the panes, which receives the keys.
public enum Overlay: Equatable, Sendable {
    case dialog(Dialog)
    case prompt(Prompt)
    case form(LaunchForm)
    case palette(Palette)
    case list(ListOverlay)
    case text(TextOverlay)
    case help(HelpOverlay)

    /// `true` if typed letters are not text here.
    var takesNoText: Bool {
        switch self {
        case .dialog, .text: true
        case .list(let list): !list.isTyping
        case .form(let form): form.focused.isChoice
        case .prompt, .palette, .help: false
        }
    }
}

/// The help: the keys of the focused pane.
public struct HelpOverlay: Equatable, Sendable {
    public var scroll = 0
    /// The search text.
    public var field = TextField()

    public init(scroll: Int = 0) {
        self.scroll = scroll
    }
}

/// A list in a box: the history of calls and commands, the actions, or the alarms.
public struct ListOverlay: Equatable, Sendable {
    public enum Kind: Equatable, Sendable { case history, actions, alarms }

    public var kind: Kind
    public var selected = 0
    public var top = 0
    /// The key of the selected alarm.
    var anchor: String?
    /// In the history: periodic calls are shown as well.
    public var showsCalls = false
    /// In the history: the search text, and whether it is being typed.
    public var field = TextField()
    public var isTyping = false

    public init(_ kind: Kind) {
        self.kind = kind
    }
}

/// Text in a box: the output of a `vp` command line.
public struct TextOverlay: Equatable, Sendable {
    public var title: String
    public var lines: [String]
    public var scroll = 0
    public var isBad = false

    public init(title: String, lines: [String], isBad: Bool = false) {
        self.title = title
        self.lines = lines
        self.isBad = isBad
    }
}

/// A question, or an error that the user must read.
public struct Dialog: Equatable, Sendable {
    public struct JobTarget: Hashable, Sendable {
        public var job: JobID
        public var instance: InstanceID

        public init(_ job: JobID, on instance: InstanceID) {
            self.job = job
            self.instance = instance
        }
    }

    public enum Kind: Equatable, Sendable {
        case create(Offer, CreateRequest)
        case destroy([InstanceID], [InstanceID: UnsafeReport])
        case stop([InstanceID])
        case start([InstanceID])
        case cancelJobs([JobTarget])
        /// Runs the commands of these jobs again, on their instances.
        case runAgain([Job])
        case cancelAction(ActionID)
        /// A lease of this many seconds from now.
        case extendLease(InstanceID, seconds: Double)
        /// A sync that would find files changed on both sides.
        case conflicts([InstanceID], [String])
        case quit
        case error(ErrorWords)
    }

    /// The results that exist only on the instance, as far as known.
    public enum UnsafeReport: Equatable, Sendable {
        case asking
        case known(UnsafeResults)
        case unknown(EngineError)
    }

    public enum Button: Hashable, Sendable {
        case cancel, confirm, discard

        /// `true` if the button ends or discards something irrecoverably.
        var losesSomething: Bool { self != .cancel }
    }

    public var kind: Kind
    public var focusedButton = 0
    /// The time of opening: keys within `settleTime` of it were meant for something else.
    public var openedAt: Date
    /// The text under the buttons, in place of the usual hint.
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
        case .create, .stop, .start, .cancelJobs, .runAgain, .cancelAction, .conflicts, .extendLease, .quit:
            [.cancel, .confirm]
        }
    }

    public var focused: Button { self.buttons[max(0, min(self.buttons.count - 1, self.focusedButton))] }

    /// The instances that the dialog is about; it closes when they are gone.
    public var instances: [InstanceID] {
        switch self.kind {
        case .destroy(let ids, _), .stop(let ids), .start(let ids), .conflicts(let ids, _): ids
        case .cancelJobs(let targets): targets.map(\.instance)
        case .runAgain(let jobs): jobs.map(\.instance)
        case .extendLease(let id, _): [id]
        case .create, .cancelAction, .quit, .error: []
        }
    }

    /// Restricts the question to instances that still exist.
    mutating func keep(_ isAlive: (InstanceID) -> Bool) {
        switch self.kind {
        case .destroy(let ids, let reports): self.kind = .destroy(ids.filter(isAlive), reports)
        case .stop(let ids): self.kind = .stop(ids.filter(isAlive))
        case .start(let ids): self.kind = .start(ids.filter(isAlive))
        case .conflicts(let ids, let paths): self.kind = .conflicts(ids.filter(isAlive), paths)
        case .cancelJobs(let targets): self.kind = .cancelJobs(targets.filter { isAlive($0.instance) })
        case .runAgain(let jobs): self.kind = .runAgain(jobs.filter { isAlive($0.instance) })
        // These are about one instance or none, so nothing remains to restrict.
        case .extendLease, .create, .cancelAction, .quit, .error: break
        }
    }
}

/// A prompt for a line of text.
public struct Prompt: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case run([InstanceID])
        case rename(InstanceID)
        case lease(InstanceID)
        case forward(InstanceID)
        case offerQuery
        case filter(Pane)
        case search
        case keepLines
        case writeLog(JobID)
        case goToTime
    }

    public var kind: Kind
    public var field: TextField
    /// Earlier lines, newest first.
    public var history: [String]
    /// The index of the history entry on screen; nil for the typed text.
    public var historyIndex: Int?
    public var draft = ""
    public var problem: String?

    public init(_ kind: Kind, text: String = "", history: [String] = []) {
        self.kind = kind
        self.field = TextField(text)
        self.history = history
    }

    /// `true` for filters and searches, which are typed in the bottom line, over the rows that they change.
    public var isInline: Bool {
        switch self.kind {
        case .filter, .search, .keepLines: true
        case .run, .rename, .lease, .forward, .offerQuery, .writeLog, .goToTime: false
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
