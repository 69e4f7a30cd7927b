/// A failure of `vp` itself, as opposed to one of the engine.
struct CommandFailure: Error, Hashable {
    var code: String
    var message: String
    var advice: String
    var status: Int32
}

/// An exit status that `vp` passes on without a message, such as a job's.
struct ExitStatus: Error, Hashable {
    var status: Int32
}

/// The exit statuses of `vp` itself.
enum Status {
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    static let configuration: Int32 = 200
    static let noInstance: Int32 = 201
    static let platform: Int32 = 202
    static let unreachable: Int32 = 203
    static let uploadFailed: Int32 = 204
    static let resultsNotWhole: Int32 = 205
    static let hostKeyChanged: Int32 = 206
    static let instanceLost: Int32 = 207
    static let limitRefused: Int32 = 208
    static let stillExists: Int32 = 209
    static let interrupted: Int32 = 130
}
