import Foundation
import VPEngine

/// A box above the panes; it gets the keys.
public enum Overlay: Equatable, Sendable {
    case dialog(Dialog)
    case prompt(Prompt)
    case form(LaunchForm)
    case palette(Palette)
    case list(ListOverlay)
    case text(TextOverlay)
    case help(HelpOverlay)
}

/// The keys of the pane that has the focus.
public struct HelpOverlay: Equatable, Sendable {
    public var scroll = 0
    /// What is looked for.
    public var field = TextField()

    public init(scroll: Int = 0) {
        self.scroll = scroll
    }
}

/// A list in a box: what was asked of platforms and engine, what is being done, or what is wrong.
public struct ListOverlay: Equatable, Sendable {
    public enum Kind: Equatable, Sendable { case history, actions, alarms }

    public var kind: Kind
    public var selected = 0
    public var top = 0
    /// The alarm that is selected.
    var anchor: String?
    /// Of the history: also what was asked again and again.
    public var showsCalls = false
    /// Of the history: what is looked for, and whether it is being typed.
    public var field = TextField()
    public var isTyping = false

    public init(_ kind: Kind) {
        self.kind = kind
    }
}

/// Text in a box: what a line of `vp` answered.
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

/// A question, or an error that wants to be read.
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
        /// The commands of these jobs, where they ran.
        case runAgain([Job])
        case cancelAction(ActionID)
        /// A lease of so many seconds from now on.
        case extendLease(InstanceID, seconds: Double)
        /// A sync that would meet files changed on both sides.
        case conflicts([InstanceID], [String])
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
        case .create, .stop, .start, .cancelJobs, .runAgain, .cancelAction, .conflicts, .extendLease, .quit:
            [.cancel, .confirm]
        }
    }

    public var focused: Button { self.buttons[max(0, min(self.buttons.count - 1, self.focusedButton))] }

    /// The instances that it is about; it closes when they are gone.
    public var instances: [InstanceID] {
        switch self.kind {
        case .destroy(let ids, _), .stop(let ids), .start(let ids), .conflicts(let ids, _): ids
        case .cancelJobs(let targets): targets.map(\.instance)
        case .runAgain(let jobs): jobs.map(\.instance)
        case .extendLease(let id, _): [id]
        case .create, .cancelAction, .quit, .error: []
        }
    }

    /// The same question about those that are left.
    mutating func keep(_ isAlive: (InstanceID) -> Bool) {
        switch self.kind {
        case .destroy(let ids, let reports): self.kind = .destroy(ids.filter(isAlive), reports)
        case .stop(let ids): self.kind = .stop(ids.filter(isAlive))
        case .start(let ids): self.kind = .start(ids.filter(isAlive))
        case .conflicts(let ids, let paths): self.kind = .conflicts(ids.filter(isAlive), paths)
        case .cancelJobs(let targets): self.kind = .cancelJobs(targets.filter { isAlive($0.instance) })
        case .runAgain(let jobs): self.kind = .runAgain(jobs.filter { isAlive($0.instance) })
        // About one, or none: it has gone with it.
        case .extendLease, .create, .cancelAction, .quit, .error: break
        }
    }
}

/// A line of text being asked for.
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
