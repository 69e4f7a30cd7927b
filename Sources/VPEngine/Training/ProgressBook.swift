/// Decides which count of a log is the run's progress.
///
/// The run's bar is the one whose line has figures of the training, or is followed by them. A bar that never
/// appears beside figures belongs to data, a download or an evaluation.
struct ProgressBook {
    private(set) var current: TrainingProgress?
    private(set) var writtenSecondsLeft: Double?
    private var strength = TrainingLine.Count.Strength.bare
    private var pending: TrainingLine.Count?
    private var pendingAge = 0
    /// The totals of bars that turned out to be the run's.
    private var totals: [Double] = []
    private var epoch: Double?
    private var firstEpoch: Double?
    private var epochTotal: Double?
    private var countsAnew: Bool?
    private var lastDone = 0.0
    private var lastCount: (done: Double, total: Double)?
    private var rises = 0
    /// Blocks of lines that end in one with the time left alone.
    private var blocks = 0
    private var hasFiguresSinceTime = false
    private var arePairs = false
    /// The training's bar has figures beside it.
    private var hasFigureBar = false
    private var hasNewEpoch = false
    /// The newest step count, unless steps start over in each epoch.
    private(set) var stepsDone: Double?

    /// Bars that are alone on their lines: the newest state of each, and the number of states seen.
    private var loneBars: [(count: TrainingLine.Count, states: Int)] = []
    private static let loneLimit = 16

    /// The bar with the most states, which is the training's: a bar of data, of a download or of an
    /// evaluation ends sooner.
    var lone: TrainingProgress? {
        guard let bar = self.loneBars.max(by: { $0.states < $1.states }), bar.states >= 3 else { return nil }
        var progress = TrainingProgress(done: bar.count.done, total: bar.count.total)
        progress.perSecond = bar.count.rate
        progress.writtenSecondsLeft = bar.count.timeLeft
        progress.isOfOneEpoch = self.epoch != nil
        return progress
    }

    private mutating func see(lone count: TrainingLine.Count) {
        if let index = self.loneBars.firstIndex(where: { $0.count.total == count.total }) {
            self.loneBars[index].count = count
            self.loneBars[index].states += 1
        } else {
            if self.loneBars.count == Self.loneLimit { self.loneBars.removeFirst() }
            self.loneBars.append((count, 1))
        }
    }

    var hasPending: Bool { self.pending != nil && self.pendingAge < 4 }

    mutating func see(epoch: Double) {
        if self.firstEpoch == nil { self.firstEpoch = epoch }
        if epoch != self.epoch { self.hasNewEpoch = true }
        self.epoch = epoch
    }

    mutating func add(_ line: inout TrainingLine, hasFigures: Bool, isTraining: Bool) {
        if let count = line.epochCount, !line.role.isEvaluation { self.take(epochs: count) }
        if let count = line.rowCount { self.accept(count) }
        if var count = line.count, self.strength != .row {
            if count.isTraining == false || count.isExamples || line.role.isEvaluation {
                count.isTraining = false
            } else if count.strength == .bare {
                if hasFigures { self.accept(count) }
            } else if hasFigures
                || (count.isBar && (count.isTraining == true || self.totals.contains(count.total)))
            {
                if hasFigures, count.isBar { self.hasFigureBar = true }
                self.accept(count)
            } else {
                self.pending = count
                self.pendingAge = 0
                if count.isBar { self.see(lone: count) }
            }
        } else if hasFigures, let count = self.pending {
            // No figure of the training follows a bar of data or an evaluation.
            if isTraining, self.pendingAge < 4, count.isBar || line.step == nil, !self.isOther(count) {
                self.accept(count)
                self.pending = nil
            } else if !isTraining {
                self.pending = nil
            }
        } else {
            self.pendingAge += 1
        }
        if let left = line.timeLeft, !line.role.isEvaluation {
            if hasFigures || line.hasPlace || line.count != nil {
                self.writtenSecondsLeft = left
            } else if line.isTimeLeftAlone {
                // A download says it once and again; a training has figures before each.
                if self.hasFiguresSinceTime { self.blocks += 1 }
                self.hasFiguresSinceTime = false
                if self.blocks > 1 { self.writtenSecondsLeft = left }
            }
        }
        if hasFigures { self.hasFiguresSinceTime = true }
    }

    /// `true` for a bar without figures where the training's have some: that of an evaluation.
    private func isOther(_ count: TrainingLine.Count) -> Bool {
        count.isBar && count.isTraining != true && self.hasFigureBar && !self.totals.contains(count.total)
    }

    private mutating func take(epochs count: TrainingLine.Count) {
        self.epochTotal = count.total
        self.accept(count)
    }

    /// `true` for `epoch/batch` as in `TRAIN Batch 4/204200`: what looks like the total counts up.
    private mutating func isPair(_ count: TrainingLine.Count) -> Bool {
        guard count.isOfBatches, !count.isBar else { return false }
        let isRise = self.lastCount.map { $0.done == count.done && $0.total < count.total } ?? false
        self.rises = isRise ? self.rises + 1 : 0
        self.lastCount = (count.done, count.total)
        if self.rises == 2, !self.arePairs {
            self.arePairs = true
            self.current = nil
            self.stepsDone = nil
            self.strength = .bare
        }
        return self.arePairs
    }

    private mutating func accept(_ count: TrainingLine.Count) {
        guard !self.isPair(count) else { return }
        guard count.strength >= self.strength || self.current == nil else { return }
        self.strength = count.strength
        if count.isBar, !self.totals.contains(count.total) {
            self.totals.append(count.total)
            if self.totals.count > 8 { self.totals.removeFirst() }
        }
        var progress = TrainingProgress(done: count.done, total: count.total)
        progress.perSecond = count.rate
        if count.strength == .step { self.placeInRun(count, &progress) }
        if let left = count.timeLeft {
            self.writtenSecondsLeft = left
        } else if count.isBar || count.done >= count.total {
            self.writtenSecondsLeft = nil
        }
        progress.writtenSecondsLeft = self.writtenSecondsLeft
        self.current = progress
    }

    /// Computes the progress of the whole run if the steps start over in each epoch.
    private mutating func placeInRun(_ count: TrainingLine.Count, _ progress: inout TrainingProgress) {
        if self.hasNewEpoch {
            self.hasNewEpoch = false
            if self.lastDone > 0, let epoch = self.epoch, epoch != self.firstEpoch {
                self.countsAnew = count.done < self.lastDone || count.done == 0
            }
        }
        self.lastDone = count.done
        let isAnew = self.countsAnew ?? count.isOfEpoch
        guard isAnew, let epoch = self.epoch, epoch == epoch.rounded() else {
            self.stepsDone = isAnew ? nil : count.done
            progress.isOfOneEpoch = isAnew
            return
        }
        let base = self.firstEpoch == 0 ? 0.0 : 1.0
        let done = max(0, epoch - base) * count.total + count.done
        self.stepsDone = done
        progress.isOfOneEpoch = true
        if let epochs = self.epochTotal, epochs + (base == 0 ? 1 : 0) > epoch - base {
            // `Epoch 0/9` is the first of ten epochs, and so is `Epoch 1/10`.
            let total = (base == 0 ? epochs + 1 : epochs) * count.total
            progress.overall = (min(done, total), total)
            progress.isOfOneEpoch = false
        }
    }
}
