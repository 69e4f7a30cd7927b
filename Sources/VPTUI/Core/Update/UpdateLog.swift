import Foundation
import VPEngine

/// The log pane: its keys, the reading of its file, and the figures found in it.
extension State {
    mutating func toggleFollow() {
        if self.log.isFollowing {
            self.log.pause(at: self.log.position(self.logSize))
        } else {
            self.log.follow()
        }
    }

    mutating func toggleWrap() {
        self.log.isWrapped.toggle()
        self.log.column = 0
    }

    mutating func scrollRight() {
        if self.log.isWrapped {
            self.toast("w cuts long lines; then h and l scroll them", .muted)
        } else {
            self.log.column = min(1 << 21, self.log.column + 8)
        }
    }

    mutating func askWhichLines() {
        self.mainContent = .log
        self.overlay = .prompt(Prompt(.keepLines, text: self.log.filter?.pattern.typed ?? ""))
    }

    mutating func toggleTimes() -> [Effect] {
        self.log.showsTimes.toggle()
        guard self.log.showsTimes, let job = self.log.job else { return [] }
        return [.log(.readTimes(job))]
    }

    mutating func timesArrived(_ job: JobID, _ arrivals: [LogState.Arrival]) {
        guard self.log.job == job else { return }
        self.log.take(arrivals)
        guard self.log.showsTimes, self.log.arrivals.isEmpty, self.log.size > 0 else { return }
        self.toast("The times of this log were not recorded", .muted)
    }

    mutating func askWhereToWrite() {
        guard let job = self.log.job else { return }
        self.overlay = .prompt(Prompt(.writeLog(job), text: "\(job).log"))
    }

    /// Shows the log of `job` without changing the focus.
    mutating func openLog(_ job: JobID) -> [Effect] {
        self.mainContent = .log
        var effects: [Effect] = []
        if self.log.job == job {
            self.log.follow()
        } else {
            self.log.open(job)
            self.metrics.open(job)
            effects += [.log(.readMetrics(job)), .log(.readTimes(job))]
        }
        // A job of an earlier session or of `vp` is followed from here on.
        return effects + self.follow(job)
    }

    /// Follows a running job that nothing follows yet.
    private mutating func follow(_ job: JobID) -> [Effect] {
        guard let row = self.jobs.row(job), row.state == .running, self.action(following: job) == nil,
            !self.settings.isReadOnly, self.instances.row(row.instance)?.status == .running
        else { return [] }
        let effect = self.start(.attach(job, on: row.instance))
        self.actions[self.actions.count - 1].job = job
        return [effect]
    }

    /// Follows an instance's jobs again. An action that would have ended the instance stopped following them
    /// first; it was refused, so they continue.
    mutating func followAgain(afterRefused action: EngineAction) -> [Effect] {
        guard action.endsOthers else { return [] }
        var effects: [Effect] = []
        for job in Set(self.actions.filter { $0.action.instance == action.instance }.compactMap(\.job)) {
            effects += self.follow(job)
        }
        return effects
    }

    /// Opens the job that is `step` rows further down in Jobs, which are newest first.
    mutating func openNeighbour(_ step: Int) -> [Effect] {
        let shown = self.jobs.shown
        guard !shown.isEmpty else { return [] }
        let current = self.log.job.flatMap { job in shown.firstIndex { $0.id == job } }
        let index = current.map { $0 + step } ?? 0
        guard shown.indices.contains(index) else {
            let isBeingRead = step > 0 && self.mayHaveMoreJobs
            self.toast(
                isBeingRead
                    ? "Earlier jobs are being read"
                    : step > 0 ? "That is the oldest job" : "That is the newest job",
                .muted)
            return []
        }
        self.jobs.select(index: index)
        let content = self.mainContent
        let effects = self.openLog(shown[index].id)
        if content == .metrics { self.mainContent = .metrics }
        return effects
    }

    mutating func cycleContext() {
        guard var filter = self.log.filter else {
            self.toast("& keeps matching lines; then C shows lines around them", .muted)
            return
        }
        filter.context = filter.context == 0 ? 2 : filter.context == 2 ? 5 : 0
        self.log.setFilter(filter)
    }

    mutating func keepLines(_ text: String) {
        let pattern = TextPattern(text)
        let context = self.log.filter?.context ?? 0
        self.log.setFilter(pattern.isEmpty ? nil : LogFilter(pattern, context: context))
    }

    /// Goes to `12:30` or `12:30:15`, today or on the last day that has it.
    mutating func goToTime(_ text: String) -> String? {
        let parts = text.split(separator: ":").map { Int($0) }
        guard (2...3).contains(parts.count), let hour = parts[0], let minute = parts[1],
            (0..<24).contains(hour), (0..<60).contains(minute)
        else { return "Type a time of day: 12:30 or 12:30:15" }
        let second = parts.count == 3 ? parts[2] ?? 0 : 0
        let wanted = hour * 3600 + minute * 60 + second
        let offset = self.settings.secondsFromGMT
        let found = self.log.arrivals.first { arrival in
            let local = Int(saturating: arrival.date.timeIntervalSince1970) + offset
            return ((local % 86_400) + 86_400) % 86_400 >= wanted
        }
        guard let found else { return "No output arrived at \(text) or later" }
        self.log.show(found.offset)
        return nil
    }

    // MARK: Search

    mutating func search(_ text: String) -> [Effect] {
        let pattern = TextPattern(text)
        guard !pattern.isEmpty else {
            self.log.search = nil
            return []
        }
        let old = self.log.search
        self.log.search = LogState.Search(pattern: pattern, generation: (old?.generation ?? 0) + 1)
        return self.findNext(isForward: false)
    }

    mutating func findNext(isForward: Bool) -> [Effect] {
        guard let job = self.log.job, var search = self.log.search, !search.pattern.isEmpty else {
            self.toast("Press / to search first")
            return []
        }
        if let problem = search.pattern.problem {
            self.toast(problem, .warning)
            return []
        }
        search.generation += 1
        search.isLooking = true
        let start = self.log.searchStart(self.logSize)
        self.log.search = search
        return [
            .log(
                .searchLog(
                    LogSearchRequest(
                        job: job, pattern: search.pattern, filter: self.log.filter?.pattern, from: start,
                        isForward: isForward, generation: search.generation)))
        ]
    }

    mutating func logFound(_ generation: Int, _ hit: Int64?, hasWrapped: Bool) {
        guard var search = self.log.search, search.generation == generation else { return }
        search.isLooking = false
        search.hasWrapped = hasWrapped
        search.hit = hit
        search.position = nil
        self.log.search = search
        guard let hit else {
            self.toast("“\(search.pattern.typed)” is not in the log", .warning)
            return
        }
        self.log.search?.isComing = true
        self.log.show(hit, self.logSize)
    }

    mutating func logCounted(_ generation: Int, total: Int, position: Int?, fraction: Double) {
        guard self.log.search?.generation == generation else { return }
        self.log.search?.total = total
        self.log.search?.position = position
        self.log.search?.counted = fraction
    }

    // MARK: Reading

    /// Requests the part of the file that the log pane needs now.
    mutating func readLogAsNeeded() -> [Effect] {
        guard self.log.job != nil, self.mainContent == .log else { return [] }
        return self.log.nextRead(self.logSize).map { [.log(.readLog($0))] } ?? []
    }

    /// Checks for new output: a job that another process follows writes to its log without an event here.
    mutating func pollLog() -> [Effect] {
        guard let job = self.log.job, let row = self.jobs.row(job) else { return [] }
        var effects: [Effect] = []
        let isFollowed = self.action(following: job) != nil
        if !isFollowed, !row.state.isOver, let request = self.log.poll() {
            effects.append(.log(.readLog(request)))
            if self.log.showsTimes { effects.append(.log(.readTimes(job))) }
        }
        let isDue =
            !isFollowed && !row.state.isOver && Int(saturating: self.now.timeIntervalSince1970) % 5 == 0
        if self.metrics.end != nil, self.metrics.job == job, self.metrics.isBehind || isDue {
            self.metrics.end = nil
            self.metrics.isBehind = false
            effects.append(.log(.readMetrics(job)))
        }
        return effects
    }

    mutating func outputArrived(_ job: JobID, _ offset: Int64, _ bytes: [UInt8], _ date: Date) -> [Effect] {
        guard self.log.job == job else { return [] }
        self.log.arrived(bytes, at: offset, date)
        guard self.metrics.job == job else { return [] }
        guard let end = self.metrics.end else {
            self.metrics.isBehind = true
            return []
        }
        guard offset + Int64(bytes.count) > end else { return [] }
        self.metrics.end = nil
        return [.log(.readMetrics(job))]
    }

    mutating func metricsArrived(_ job: JobID, _ reading: TrainingReading, end: Int64) {
        self.otherMetricsArrived(job, reading)
        guard self.metrics.job == job else { return }
        self.metrics.reading = reading
        self.metrics.end = end
        if !self.metrics.isChosen { self.metrics.selectLoss() }
        // Output that has arrived meanwhile is read with the next tick, however fast it arrives.
    }
}
