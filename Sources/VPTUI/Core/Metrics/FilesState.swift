import VPEngine

/// The Files pane: what a sync would do, and the files on the instance.
public struct FilesState: Equatable, Sendable {
    public enum Content: Equatable, Sendable {
        case nothing
        case asking
        case known(WorkspaceReport)
        case failed(EngineError)
    }

    public internal(set) var instance: InstanceID?
    public internal(set) var content = Content.nothing
    /// A new comparison is in progress; `content` is the result of the one before.
    public internal(set) var isAsking = false

    public init() {}

    mutating func ask(_ id: InstanceID) {
        if self.instance != id { self.content = .asking }
        self.instance = id
        self.isAsking = true
    }

    mutating func take(_ result: Result<WorkspaceReport, EngineError>, of id: InstanceID) {
        guard id == self.instance else { return }
        self.isAsking = false
        switch result {
        case .success(let report): self.content = .known(report)
        case .failure(let error): self.content = .failed(error)
        }
    }
}
