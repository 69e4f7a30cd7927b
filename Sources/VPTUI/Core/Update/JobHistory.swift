import VPEngine

/// The history of jobs is read as far back as somebody goes: most look at the newest of it alone,
/// and it grows for years.
extension State {
    /// What is read at first.
    public static let jobsPage = 100
    /// What is kept at most. A job is a kilobyte or two.
    static let jobsLimit = 5000
    /// So many rows before the last that is known the next are read.
    private static let jobsAhead = 20

    var loadJobs: Effect {
        .ask(self.jobsWanted > Self.jobsPage ? .loadJobHistory(limit: self.jobsWanted) : .loadJobs)
    }

    /// The last answer was as long as it could be.
    var mayHaveMoreJobs: Bool { self.jobs.rows.count >= self.jobsWanted }

    /// Twice as many once the selection comes near the last of them;
    /// a filter that keeps few of them reads on until it has seen all.
    mutating func readMoreJobs() -> [Effect] {
        let isLooking = self.focus == .jobs || (self.focus == .main && self.mainContent != .files)
        guard isLooking, self.mayHaveMoreJobs, self.jobsWanted < Self.jobsLimit, !self.polls.jobs.isAsking,
            (self.jobs.selectedIndex ?? 0) >= self.jobs.shownCount - Self.jobsAhead
        else { return [] }
        self.jobsWanted = min(Self.jobsLimit, self.jobsWanted * 2)
        self.polls.jobs.ask(at: self.now)
        return [self.loadJobs]
    }
}
