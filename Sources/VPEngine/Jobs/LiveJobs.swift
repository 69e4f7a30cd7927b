import Foundation
import VPScripts

/// A job that runs or waits on an instance, even if it was not started from here.
package struct LiveJob: Hashable, Sendable {
    package var id: String
    /// The seconds for which it has run, by the instance's clock; nil while it waits for its turn.
    package var seconds: Double?

    /// A description such as `train-7, running for 12 min`.
    package var words: String {
        self.seconds.map { "\(self.id), running for \(TimeSpan.rough($0))" }
            ?? "\(self.id), waiting for its turn"
    }
}

extension Job {
    /// Returns a description while it is not over, for a question that names it: `train-7, running for 12
    /// min`.
    public func wordsWhileOpen(at now: Date) -> String {
        LiveJob(
            id: self.id.rawValue,
            seconds: self.state == .running
                ? max(0, self.startedAt.map { now.timeIntervalSince($0) } ?? 0) : nil
        ).words
    }
}

/// Asks an instance which jobs run there, including those of other machines and projects.
package struct LiveJobs: Sendable {
    let context: EngineContext

    package init(_ context: EngineContext) { self.context = context }

    private static let mark = "vp-live "
    /// The limit is more than anybody starts on one instance; a longer list would help nobody.
    private static let limit = 200

    /// Prints a line for each job: the mark, the seconds for which it has run or `-`, and its name.
    package static let script = ScriptFile.liveJobs.text(["limit": String(Self.limit)])

    package static func parse(_ output: [UInt8]) -> [LiveJob] {
        String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).prefix(Self.limit)
            .compactMap { line in
                guard line.hasPrefix(Self.mark) else { return nil }
                let words = line.dropFirst(Self.mark.count).split(separator: " ", maxSplits: 1)
                guard words.count == 2 else { return nil }
                let age = NumberRange.seconds.read(words[0])
                return LiveJob(id: String(words[1].prefix(100)), seconds: age)
            }
    }

    /// Returns the jobs that would end with `instance`: as the instance reports them or, if it cannot be
    /// asked, as they were last seen.
    package func running(on instance: Instance) async -> [LiveJob] {
        // Nothing runs on an instance that does not run.
        guard instance.status == .running else { return [] }
        if let jobs = await self.told(by: instance.id) { return jobs }
        let now = self.context.now()
        return ((try? self.context.store.openJobs(on: instance.id)) ?? []).compactMap { job in
            guard !job.state.isOver else { return nil }
            return LiveJob(
                id: job.id.rawValue,
                seconds: job.state == .running ? job.startedAt.map { now.timeIntervalSince($0) } ?? 0 : nil)
        }
    }

    /// Returns the jobs that `id` itself reports; nil if it cannot be asked.
    func told(by id: InstanceID) async -> [LiveJob]? {
        guard let shell = try? await self.context.shell(for: id),
            let result = try? await shell.run(Self.script),
            result.isSuccess
        else { return nil }
        return Self.parse(result.output)
    }

    /// Throws `.jobsRunning` if an end of `instance` would end jobs.
    func requireNone(on instance: Instance, _ activity: EngineError.Activity) async throws(EngineError) {
        let jobs = await self.running(on: instance)
        guard !jobs.isEmpty else { return }
        throw EngineError(.jobsRunning, activity, suggestions: jobs.map(\.words))
    }
}
