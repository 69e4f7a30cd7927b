import Foundation
import GRDB

/// Jobs, each stored as a document.
extension Store {
    /// Gives the next job of `workspaceName` its id, `name-N` with N counting all jobs of this user, and
    /// stores it.
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

    /// Changes a job in its current state, whichever program wrote it last, and returns it; nil if there is
    /// none.
    @discardableResult
    package func change(
        _ id: JobID, _ body: @Sendable (inout Job) -> Void
    ) throws(EngineError) -> Job? {
        try self.update(id, body)?.0
    }

    /// The same, together with the value that `body` returns.
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

    /// Returns jobs, newest first.
    package func jobs(limit: Int) throws(EngineError) -> [Job] {
        try self.jobs(where: "TRUE", [], limit: limit)
    }

    /// Returns every job of `instance`, however many came after it, newest first.
    package func jobs(on instance: InstanceID) throws(EngineError) -> [Job] {
        try self.jobs(where: Self.isOn, [instance.platform.rawValue, instance.rawValue])
    }

    /// Returns every job whose end is not known, however many came after it, newest first.
    package func openJobs(on instance: InstanceID? = nil) throws(EngineError) -> [Job] {
        let isOpen = "(json_extract(document, '$.state') IN (\(Self.openStates)) OR \(Self.hasNoEnd))"
        guard let instance else { return try self.jobs(where: isOpen, []) }
        return try self.jobs(
            where: "\(Self.isOn) AND \(isOpen)", [instance.platform.rawValue, instance.rawValue])
    }

    /// True if a job was ever sent to `instance` from here.
    package func hasJobs(on instance: InstanceID) throws(EngineError) -> Bool {
        try self.read("reading the history") { database in
            try Bool.fetchOne(
                database,
                sql: "SELECT EXISTS (SELECT 1 FROM job WHERE json_valid(document) AND \(Self.isOn))",
                arguments: [instance.platform.rawValue, instance.rawValue]) ?? false
        }
    }

    /// Returns the jobs whose ids begin with `prefix`, newest first, and no more than `limit` of them.
    package func jobs(beginningWith prefix: String, limit: Int) throws(EngineError) -> [Job] {
        try self.jobs(where: "substr(id, 1, length(?)) = ?", [prefix, prefix], limit: limit)
    }

    private static let isOn =
        "json_extract(document, '$.instance.platform') = ? AND json_extract(document, '$.instance.rawValue') = ?"
    private static let openStates = Job.State.allCases.filter { !$0.isOver }
        .map { "'\($0.rawValue)'" }.joined(separator: ", ")
    /// The job is over without a time: the instance may still report its end.
    private static let hasNoEnd = "json_extract(document, '$.endedAt') IS NULL"

    /// Returns the jobs that satisfy `condition`; an unreadable document, as in a damaged file, is left out.
    private func jobs(
        where condition: String, _ values: [String], limit: Int = .max
    ) throws(EngineError) -> [Job] {
        try self.read("reading the history") { database in
            try String.fetchAll(
                database,
                sql: "SELECT document FROM job WHERE json_valid(document) AND \(condition)"
                    + " ORDER BY number DESC LIMIT ?",
                arguments: StatementArguments(values) + [limit]
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

    static func decode(_ document: String) -> Job? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return (try? decoder.decode(Job.self, from: Data(document.utf8)))?.bounded()
    }

    // MARK: Access
}
