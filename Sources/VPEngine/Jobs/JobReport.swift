import Foundation

/// The instance's account of a job that is over.
package struct JobEnd: Hashable, Sendable {
    /// Nil for a job that was cancelled while it waited for its turn, and if the record itself was lost.
    package var outcome: Job.Outcome?
    /// True if the shell there cannot distinguish an exit with this code from the corresponding signal.
    package var isAmbiguous = false
    /// True if the job never ran.
    package var isUnstarted = false
    package var wasCancelled = false
    /// The start time by the instance's clock.
    package var startedAt: Date?
    /// The time for which the command ran; nil if that is not known.
    package var seconds: Double?
    /// Sizes of the logs when the command ended. Later output of a process that it left behind is not
    /// guaranteed.
    package var logBytes: Int64 = 0
    package var errorBytes: Int64?
    /// The cksum(1) of the requested log; nil if it is empty.
    package var checksum: UInt32?
    /// Memory of the largest process, in bytes.
    package var peakBytes: Int64?
    /// True if the kernel ended a process of the container meanwhile, because memory ran out.
    package var memoryRanOut = false
    package var diskIsFull = false
    /// True if the instance's watchdog ended the job, because the lease had run out.
    package var leaseHasEnded = false
    /// True if the supervisor ended the job, because its time was up.
    package var limitIsReached = false
    /// The reason why the instance ended it for `--stop-on nan`; nil if it did not.
    package var stop: TrainingAlarm?
    package var driver: String?
    /// Processes that outlived the command.
    package var background: [JobRecord.BackgroundProcess] = []
    /// True if the file that could not be executed is a script with the line ends of Windows.
    package var scriptHasCRLF = false
    /// The interpreter that a script names, and that the instance does not have.
    package var missingInterpreter: String?

    package init(outcome: Job.Outcome?) {
        self.outcome = outcome
    }

    /// Reads the supervisor's words; nil if they say neither how it ended nor that this is not known.
    init?(_ words: some Sequence<Substring>, wasCancelled: Bool) {
        var values: [Substring: Substring] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        if let word = values["code"] {
            self.init(outcome: NumberRange.exitCode.read(word).map { .exited($0) })
        } else if let word = values["signal"] {
            self.init(outcome: NumberRange.signal.read(word).map { .signalled($0) })
        } else if let word = values["either"] {
            self.init(outcome: NumberRange.exitCode.read(word).map { .exited($0) })
            self.isAmbiguous = self.outcome != nil
        } else if values["unstarted"] != nil || values["waiter"] != nil {
            self.init(outcome: nil)
            self.isUnstarted = values["unstarted"] != nil
        } else {
            return nil
        }
        self.wasCancelled = wasCancelled
        self.startedAt = values["start"].flatMap(NumberRange.epoch.read).map(
            Date.init(timeIntervalSince1970:))
        self.seconds = values["lasted"].flatMap(NumberRange.centiseconds.read).map { $0 / 100 }
        self.logBytes = values["bytes"].flatMap(NumberRange.bytes.read) ?? 0
        self.errorBytes = values["errors"].flatMap(NumberRange.bytes.read)
        self.checksum = values["sum"].flatMap(NumberRange.checksum.read)
        self.peakBytes = values["peak"].flatMap(NumberRange.bytes.read)
        self.memoryRanOut = values["oom"] != nil
        self.diskIsFull = values["full"] != nil
        self.leaseHasEnded = values["lease"] != nil
        self.limitIsReached = values["limit"] != nil
        self.stop = values["stop"].map(TrainingAlarm.init(stopWord:))
        self.driver = values["driver"].flatMap { String($0).singleLine(limit: 40) }
        self.scriptHasCRLF = values["script"] == "crlf"
        self.missingInterpreter = values["missing"].flatMap { String($0).singleLine(limit: 100) }
    }
}

extension TrainingAlarm {
    /// Reads `train_loss:300`: the loss, and the step if that is known.
    fileprivate init(stopWord: Substring) {
        let parts = stopWord.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first.flatMap { String($0).singleLine(limit: 40) } ?? ""
        self.init(
            .nan, series: name.isEmpty ? nil : name,
            step: parts.count > 1 ? NumberRange<Int>.count.read(parts[1]).map(Double.init) : nil)
    }
}

/// A report of the instance about a job, on standard error.
package enum JobReport: Hashable, Sendable {
    /// The job waits for another job.
    case queued
    /// The job runs, since the given time by the instance's clock.
    case following(Date?)
    case ended(JobEnd)
    /// A process of a cancelled job that could not be ended.
    case survivor(Int32, name: String)
    /// So many processes still run after the command has ended.
    case background(Int)
    /// A process that outlived the command.
    case child(JobRecord.BackgroundProcess)
    /// The instance cannot list the whole tree of the job's processes: a process that has emptied its
    /// environment in a session of its own may be missing.
    case unadopted
    /// The supervisor is gone and left no status.
    case lost
    /// There is no such job on the instance.
    case absent
    case failed(String)
    /// The reports that follow are about this job.
    case about(JobID)

    /// Reads one line; nil if it is not one of ours.
    package init?(line: Substring) {
        guard line.hasPrefix(JobScript.mark) else { return nil }
        let words = line.dropFirst(JobScript.mark.count).split(separator: " ")
        switch words.first {
        case "queued": self = .queued
        case "following":
            let start = words.dropFirst().first.flatMap(NumberRange.epoch.read) ?? 0
            self = .following(start > 0 ? Date(timeIntervalSince1970: start) : nil)
        case "background":
            guard words.count == 2, let count = NumberRange<Int>.count.read(words[1]) else { return nil }
            self = .background(count)
        case "child":
            guard let child = JobRecord.BackgroundProcess(words: words.dropFirst()) else { return nil }
            self = .child(child)
        case "unadopted": self = .unadopted
        case "lost": self = .lost
        case "absent": self = .absent
        case "failed": self = .failed(Self.words(words.dropFirst()))
        case "about":
            guard words.count == 2 else { return nil }
            self = .about(JobID(String(words[1])))
        case "survivor":
            guard words.count > 1, let process = NumberRange.process.read(words[1]) else { return nil }
            self = .survivor(process, name: Self.words(words.dropFirst(2)))
        case "ended", "cancelled":
            guard let end = JobEnd(words.dropFirst(), wasCancelled: words[0] == "cancelled") else {
                return nil
            }
            self = .ended(end)
        default: return nil
        }
    }

    /// Returns the instance's words, up to the length of a line.
    private static func words(_ words: ArraySlice<Substring>) -> String {
        words.joined(separator: " ").singleLine(limit: 300) ?? ""
    }

    /// Returns the processes in `reports` that outlived the command.
    static func background(in reports: [JobReport]) -> [JobRecord.BackgroundProcess] {
        reports.compactMap { report in if case .child(let child) = report { child } else { nil } }
    }

    /// Returns the reports among lines of standard error.
    package static func all(in errorOutput: [UInt8]) -> [JobReport] {
        String(decoding: errorOutput, as: UTF8.self)
            .split(separator: "\n").compactMap { JobReport(line: $0) }
    }
}

extension JobRecord.BackgroundProcess {
    /// Reads the words of a line `child`; nil if they are not valid.
    fileprivate init?(words: ArraySlice<Substring>) {
        let words = Array(words)
        guard words.count > 3, let process = NumberRange.process.read(words[1]),
            let seconds = NumberRange<Int>.count.read(words[2])
        else { return nil }
        let command = words[3...].joined(separator: " ").singleLine(limit: 200) ?? "?"
        let parts = words[0].split(separator: "=", maxSplits: 1)
        let number = parts.count == 2 ? NumberRange.exitCode.read(parts[1]) : nil
        let state: State? =
            switch (parts.first, number) {
            case ("running", nil): .running
            case ("left", nil): .leftBehind
            case ("gone", nil): .gone
            case ("unknown", nil): .ended(nil)
            case ("code", let code?): .ended(code)
            case ("signal", let signal?): .ended(128 + signal)
            default: nil
            }
        guard let state else { return nil }
        self.init(process: process, command: command, state: state, secondsAtWork: seconds)
    }
}
