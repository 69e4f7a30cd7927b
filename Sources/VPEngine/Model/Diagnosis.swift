/// One thing that `vp doctor` has looked at.
public struct Diagnosis: Hashable, Sendable {
    public enum Verdict: String, Hashable, Sendable {
        case fine
        /// Works, and may hurt later.
        case doubtful
        /// Something will fail because of it.
        case broken
    }

    /// What can be put right from here.
    public enum Remedy: Hashable, Sendable {
        case addKey(Platform)
        /// Takes a file's or folder's rights from everybody else.
        case tighten(path: String, mode: UInt32)
        /// Makes an ssh key where there is none.
        case makeKey(path: String)
    }

    /// `vast.ai key`.
    public var subject: String
    public var verdict: Verdict
    public var words: String
    /// What the user can do about it.
    public var fix: String?
    public var remedy: Remedy?
    /// What commands will fail with, where something is broken.
    public var code: EngineError.Code?

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
