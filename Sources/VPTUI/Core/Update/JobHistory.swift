import VPEngine

/// Reads the job history as far back as the user scrolls: usually only the newest jobs are viewed, and the
/// history grows for years.
extension State {
    /// The number of jobs that are read at first.
    public static let jobsPage = 100
    /// The most jobs that are kept. A job takes a kilobyte or two.
    static let jobsLimit = 5000
    /// The distance from the last known row at which more are read.
    private static let jobsAhead = 20

    var loadJobs: Effect {
        .ask(self.jobsWanted > Self.jobsPage ? .loadJobHistory(limit: self.jobsWanted) : .loadJobs)
    }

    /// The last answer was complete, so there may be more jobs.
    var mayHaveMoreJobs: Bool { self.jobs.rows.count >= self.jobsWanted }

    /// Doubles the number of jobs once the selection is near the last one; with a filter that keeps few,
    /// reading continues until all have been seen.
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
