import Foundation
import GRDB

/// Jobs, each a document.
extension Store {
    /// Gives the next job of `workspaceName` its id, `name-N` with N counting all jobs of this user, and keeps it.
    package func insertJob(
        workspaceName: String, make: @Sendable (JobID) -> Job
    ) throws(EngineError) -> Job {
        try self.write("recording a job") { database in
            try database.execute(
                sql: "INSERT INTO job (id, document) VALUES (?, '')", arguments: [UUID().uuidString])
            let number = database.lastInsertedRowID
            let job = make(JobID("\(workspaceName)-\(number)"))
            try database.execute(
                sql: "UPDATE job SET id = ?, document = ? WHERE number = ?",
                arguments: [job.id.rawValue, try Self.encode(job), number])
            return job
        }
    }

    /// Changes a job as it stands now, whoever wrote it last, and returns it; nil where there is none.
    @discardableResult
    package func change(
        _ id: JobID, _ body: @Sendable (inout Job) -> Void
    ) throws(EngineError) -> Job? {
        try self.update(id, body)?.0
    }

    /// The same, with what `body` returns.
    package func update<Value: Sendable>(
        _ id: JobID, _ body: @Sendable (inout Job) -> Value
    ) throws(EngineError) -> (Job, Value)? {
        try self.write("recording a job") { database in
            guard
                var job = try String.fetchOne(
                    database, sql: "SELECT document FROM job WHERE id = ?", arguments: [id.rawValue]
                ).flatMap(Self.decode)
            else { return nil }
            let before = job
            let value = body(&job)
            if job != before {
                try database.execute(
                    sql: "UPDATE job SET document = ? WHERE id = ?",
                    arguments: [try Self.encode(job), id.rawValue])
            }
            return (job, value)
        }
    }

    /// Newest first.
    package func jobs(limit: Int) throws(EngineError) -> [Job] {
        try self.read("reading the history") { database in
            try String.fetchAll(
                database, sql: "SELECT document FROM job ORDER BY number DESC LIMIT ?", arguments: [limit]
            ).compactMap(Self.decode)
        }
    }

    package func job(_ id: JobID) throws(EngineError) -> Job? {
        try self.read("reading the history") { database in
            try String.fetchOne(
                database, sql: "SELECT document FROM job WHERE id = ?", arguments: [id.rawValue]
            ).flatMap(Self.decode)
        }
    }

    private static func encode(_ job: Job) throws -> String {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        return String(decoding: try encoder.encode(job.bounded()), as: UTF8.self)
    }

    private static func decode(_ document: String) -> Job? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return (try? decoder.decode(Job.self, from: Data(document.utf8)))?.bounded()
    }

    // MARK: Access
}
