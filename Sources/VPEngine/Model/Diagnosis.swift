/// One thing that `vp doctor` has looked at.
public struct Diagnosis: Hashable, Sendable {
    /// How serious a finding is.
    public enum Verdict: String, Hashable, Sendable {
        /// As it should be.
        case fine
        /// Works, and may hurt later.
        case doubtful
        /// Something will fail because of it.
        case broken
    }

    /// What can be put right from here.
    public enum Remedy: Hashable, Sendable {
        /// Adds our public ssh key to the account on that platform.
        case addKey(Platform)
        /// Takes a file's or folder's rights from everybody else.
        case tighten(path: String, mode: UInt32)
        /// Makes an ssh key where there is none.
        case makeKey(path: String)
    }

    /// `vast.ai key`.
    public var subject: String
    /// How serious the finding is.
    public var verdict: Verdict
    /// What was found, in one line.
    public var words: String
    /// What the user can do about it.
    public var fix: String?
    /// What `vp doctor --fix` can do about it; nil where it can do nothing.
    public var remedy: Remedy?
    /// What commands will fail with, where something is broken.
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
