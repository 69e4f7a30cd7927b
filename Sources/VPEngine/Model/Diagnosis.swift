/// One check that `vp doctor` has made.
public struct Diagnosis: Hashable, Sendable {
    /// How serious a finding is.
    public enum Verdict: String, Hashable, Sendable {
        /// The subject is as it should be.
        case fine
        /// The subject works now but may cause trouble later.
        case doubtful
        /// Something will fail because of it.
        case broken
    }

    /// A repair that `vp doctor --fix` can make.
    public enum Remedy: Hashable, Sendable {
        /// Adds our public ssh key to the account on that platform.
        case addKey(Platform)
        /// Removes everybody else's permissions from a file or folder.
        case tighten(path: String, mode: UInt32)
        /// Makes an ssh key if there is none.
        case makeKey(path: String)
    }

    /// The subject of the check, such as `vast.ai key`.
    public var subject: String
    /// How serious the finding is.
    public var verdict: Verdict
    /// The finding, in one line.
    public var words: String
    /// Advice on what the user can do about it.
    public var fix: String?
    /// The repair that `vp doctor --fix` can make; nil if there is none.
    public var remedy: Remedy?
    /// The error that commands will fail with, if something is broken.
    public var code: EngineError.Code?

    /// A finding about `subject`.
    public init(
        _ subject: String, _ verdict: Verdict, _ words: String, fix: String? = nil, remedy: Remedy? = nil,
        code: EngineError.Code? = nil
    ) {
        self.subject = subject
        self.verdict = verdict
        self.words = words
        self.fix = fix
        self.remedy = remedy
        self.code = code
    }
}
