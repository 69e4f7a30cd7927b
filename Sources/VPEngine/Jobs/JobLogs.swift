import Foundation

/// The local copies of jobs' logs.
package struct JobLogs: Sendable {
    let stateFolder: String

    package init(_ context: EngineContext) { self.stateFolder = context.configuration.paths.stateFolder }

    package func path(_ job: JobID, _ stream: JobStream = .log) -> String {
        let log = "\(self.stateFolder)/logs/\(job.pathComponent).log"
        return stream == .log ? log : Self.errorsPath(besideLog: log)
    }

    /// Returns the path of the separate standard error that belongs to the log at `path`.
    static func errorsPath(besideLog path: String) -> String {
        ((path as NSString).deletingPathExtension) + ".errors.log"
    }

    /// Returns at most `limit` bytes from `offset`; empty at the end.
    package func read(_ job: JobID, _ stream: JobStream, from offset: Int64, limit: Int) throws(EngineError)
        -> [UInt8]
    {
        let path = self.path(job, stream)
        guard let handle = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? handle.close() }
        do {
            try handle.seek(toOffset: UInt64(max(0, offset)))
            return [UInt8](try handle.read(upToCount: limit) ?? Data())
        } catch {
            throw PrivateFolder.failure(.init("reading the local copy of the log", subject: path))
        }
    }

    /// Returns the size in bytes; 0 if there is no log yet.
    package func size(_ job: JobID, _ stream: JobStream) throws(EngineError) -> Int64 {
        var information = stat()
        return stat(self.path(job, stream), &information) == 0 ? Int64(information.st_size) : 0
    }

    /// Returns the offset of the first byte that arrived at `date` or later.
    package func offset(_ job: JobID, _ stream: JobStream, since date: Date) -> Int64 {
        LogSpool.offset(in: self.path(job, stream), at: date)
    }

    /// Returns the last output of a job, in which `JobCause` may recognize a cause.
    package func tail(_ job: JobID) throws(EngineError) -> [UInt8] {
        var tail: [UInt8] = []
        for stream in JobStream.allCases {
            let start = try self.size(job, stream) - Int64(JobCause.tailBytes / 2)
            tail += try self.read(job, stream, from: start, limit: JobCause.tailBytes / 2)
        }
        return tail
    }
}
