import Foundation

/// Something that a project's file asks for and that counts only once the user has agreed to it.
public struct ConsentRequest: Hashable, Sendable {
    /// As `--allow` takes it: the setting's own name.
    public var name: String
    /// Exactly what is asked for. An answer holds for this content and no other; it is never a secret.
    public var content: String
    /// The file that asks, and its line.
    public var place: String
    /// What it would do, as words that follow "the project wants to".
    public var words: String
    /// The project's folder.
    public var project: String

    /// Settings that need consent.
    public static let names: [String] =
        Platform.allCases.map { "platforms.\($0.rawValue).url" } + [
            "env", "env_file", "ports", "data", "setup",
        ]
}

/// What the user has agreed to and what not, for each project and content, in a folder of this user's alone.
///
/// The content itself is kept rather than a hash of it, so that nothing else can pass for it.
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

    /// nil where this content was never asked about.
    public func answer(to request: ConsentRequest) -> Bool? {
        guard let answer = self.answers(for: request.project).answers[request.name],
            answer.content == request.content
        else { return nil }
        return answer.isGranted
    }

    /// Keeps the answer, in place of an earlier one to the same request.
    ///
    /// Throws `.fileSystem` or `.localDiskFull` where the file cannot be written.
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
            // Two folders can have one short name for the file.
            answers.project == project
        else { return Answers(project: project, answers: [:]) }
        return answers
    }
}

/// Answers for one reading of the configuration, and collects what is still to be asked.
struct Consents {
    let store: ConsentStore
    /// Names that the command line allows, for this once.
    let allowed: Set<String>
    /// What nobody has answered yet.
    private(set) var open: [ConsentRequest] = []
    private(set) var warnings: [String] = []

    init(store: ConsentStore, allowed: Set<String>) {
        self.store = store
        self.allowed = allowed
    }

    /// Whether `request` may take effect. `otherwise` is what else the user can do to have it.
    mutating func allows(_ request: ConsentRequest, otherwise: String) -> Bool {
        if self.allowed.contains(request.name) { return true }
        switch self.store.answer(to: request) {
        case true?: return true
        case false?: break
        case nil: self.open.append(request)
        }
        self.warnings.append(
            "\(request.name) in \(request.place) is ignored: the project wants to \(request.words), and you have not "
                + "agreed to that. If you trust it: --allow \(request.name), or \(otherwise).")
        return false
    }
}
