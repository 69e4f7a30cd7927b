import Foundation

/// A request in a project's file that takes effect only once the user has agreed to it.
public struct ConsentRequest: Hashable, Sendable {
    /// The setting's name, as `--allow` takes it.
    public var name: String
    /// The exact request. An answer applies to this content and no other; it is never a secret.
    public var content: String
    /// The file that contains the request, and its line.
    public var place: String
    /// The effect, as words that follow "the project wants to".
    public var words: String
    /// The project's folder.
    public var project: String

    /// Settings that need consent.
    public static let names: [String] =
        Platform.allCases.map { "platforms.\($0.rawValue).url" } + [
            "env", "env_file", "ports", "data", "setup",
        ]
}

/// The user's answers for each project and content, in a folder of this user's alone.
///
/// The content itself is stored rather than a hash of it, so that nothing else can pass for it.
public struct ConsentStore: Sendable {
    private struct Answers: Codable {
        var project: String
        var answers: [String: Answer]
    }

    private struct Answer: Codable {
        var content: String
        var isGranted: Bool
    }

    private let folder: String

    /// The answers kept in `consents` below `stateFolder`. Nothing is read or written yet.
    public init(stateFolder: String) {
        self.folder = "\(stateFolder)/consents"
    }

    /// Returns the answer to this content; nil if it was never asked about.
    public func answer(to request: ConsentRequest) -> Bool? {
        guard let answer = self.answers(for: request.project).answers[request.name],
            answer.content == request.content
        else { return nil }
        return answer.isGranted
    }

    /// Stores the answer, in place of an earlier one to the same request.
    ///
    /// Throws `.fileSystem` or `.localDiskFull` if the file cannot be written.
    public func remember(_ isGranted: Bool, for request: ConsentRequest) throws(EngineError) {
        var answers = self.answers(for: request.project)
        answers.answers[request.name] = Answer(content: request.content, isGranted: isGranted)
        try PrivateFolder.make(self.folder)
        guard let data = try? JSONEncoder().encode(answers) else { return }
        try PrivateFolder.write([UInt8](data), to: self.path(of: request.project))
    }

    private func path(of project: String) -> String { "\(self.folder)/\(StableDigest.hex(project)).json" }

    private func answers(for project: String) -> Answers {
        guard let data = FileManager.default.contents(atPath: self.path(of: project)),
            let answers = try? JSONDecoder().decode(Answers.self, from: data),
            // Two folders can have the same short file name.
            answers.project == project
        else { return Answers(project: project, answers: [:]) }
        return answers
    }
}

/// Answers requests while the configuration is read once, and collects those that still need an answer.
struct Consents {
    let store: ConsentStore
    /// Names that the command line allows, for this once.
    let allowed: Set<String>
    /// Requests that nobody has answered yet.
    private(set) var open: [ConsentRequest] = []
    private(set) var warnings: [String] = []

    init(store: ConsentStore, allowed: Set<String>) {
        self.store = store
        self.allowed = allowed
    }

    /// True if `request` may take effect. `otherwise` names another way for the user to get it.
    mutating func allows(_ request: ConsentRequest, otherwise: String) -> Bool {
        if self.allowed.contains(request.name) { return true }
        switch self.store.answer(to: request) {
        case true?: return true
        case false?: break
        case nil: self.open.append(request)
        }
        self.warnings.append(
            "\(request.name) in \(request.place) is ignored: the project wants to \(request.words), and you have not "
                + "agreed to that. If you trust it, use --allow \(request.name) or \(otherwise).")
        return false
    }
}
