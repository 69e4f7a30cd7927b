import Foundation

/// A figure over the course of a training, in bounded memory: beyond `limit` points, each kept point
/// stands for several.
public struct FigureSeries: Equatable, Sendable {
    public static let limit = 1024

    public internal(set) var name: String
    public let kind: FigureKind
    /// `true` if the series is about data other than the training's own.
    public let isEvaluation: Bool
    /// A value that is not a number is worth an alarm.
    public let mustBeFinite: Bool
    /// The number of figures read, including those that are not numbers.
    public private(set) var count = 0
    /// The newest value; not finite if the log says so.
    public private(set) var last = 0.0
    public private(set) var lastStep = 0.0
    /// Values spread evenly over all figures read, each the mean of the same number of figures. Not finite if
    /// none of those was.
    public private(set) var values: [Double] = []
    /// The position of each value: its step, its epoch, or its number if the log has neither.
    public private(set) var steps: [Double] = []
    /// The smallest and largest of the figures behind each value; the value itself if it
    /// stands for one figure.
    public private(set) var lows: [Double] = []
    public private(set) var highs: [Double] = []
    /// The epoch of each value; NaN if the log has not given one.
    public private(set) var epochs: [Double] = []
    /// The time at which each value arrived, in seconds since 1970; NaN if unknown.
    public private(set) var times: [Double] = []
    public private(set) var minimum = Double.infinity
    public private(set) var maximum = -Double.infinity
    public private(set) var minimumStep = 0.0
    public private(set) var maximumStep = 0.0
    /// The first position at which it was not a number, since it last was one.
    public private(set) var notNumberSince: Double?
    /// The number of newest values that are not numbers.
    public private(set) var notNumberCount = 0

    private var stride = 1
    private var sum = 0.0
    private var sumCount = 0
    private var partCount = 0
    private var partLow = Double.infinity
    private var partHigh = -Double.infinity

    init(_ name: String, _ kind: FigureKind, isEvaluation: Bool, mustBeFinite: Bool) {
        self.name = name
        self.kind = kind
        self.isEvaluation = isEvaluation
        self.mustBeFinite = mustBeFinite
    }

    /// Two series are equal if name, kind, number of figures, newest value and step, minimum and maximum are;
    /// earlier figures are not compared. A value that is not a number equals itself here.
    public static func == (a: Self, b: Self) -> Bool {
        a.name == b.name && a.kind == b.kind && a.count == b.count && a.last.bitPattern == b.last.bitPattern
            && a.lastStep.bitPattern == b.lastStep.bitPattern && a.minimum == b.minimum
            && a.maximum == b.maximum
    }

    /// The best value and its step; nil if neither direction is better, or no value is finite.
    public var best: (value: Double, step: Double)? {
        guard let isLow = self.kind.isBetterLow, self.minimum <= self.maximum else { return nil }
        return isLow ? (self.minimum, self.minimumStep) : (self.maximum, self.maximumStep)
    }

    mutating func add(_ value: Double, at step: Double, epoch: Double = .nan, time: Double = .nan) {
        self.last = value
        self.lastStep = step
        self.count += 1
        if value.isFinite {
            if value < self.minimum {
                self.minimum = value
                self.minimumStep = step
            }
            if value > self.maximum {
                self.maximum = value
                self.maximumStep = step
            }
            self.notNumberSince = nil
            self.notNumberCount = 0
            self.sum += value
            self.sumCount += 1
            self.partLow = min(self.partLow, value)
            self.partHigh = max(self.partHigh, value)
        } else {
            self.notNumberSince = self.notNumberSince ?? step
            self.notNumberCount += 1
        }
        self.partCount += 1
        guard self.partCount == self.stride else { return }
        self.values.append(self.sumCount > 0 ? self.sum / Double(self.sumCount) : value)
        self.steps.append(step)
        self.lows.append(self.sumCount > 0 ? self.partLow : value)
        self.highs.append(self.sumCount > 0 ? self.partHigh : value)
        self.epochs.append(epoch)
        self.times.append(time)
        (self.sum, self.sumCount, self.partCount) = (0, 0, 0)
        (self.partLow, self.partHigh) = (.infinity, -.infinity)
        if self.values.count == Self.limit { self.halve() }
    }

    /// Replaces the newest value by the value of another rank for the same step.
    mutating func replaceLast(with value: Double) {
        self.last = value
        guard self.stride == 1, !self.values.isEmpty else { return }
        self.values[self.values.count - 1] = value
    }

    /// Combines two values, ignoring one that is not a number.
    private static func either(_ a: Double, _ b: Double, _ choose: (Double, Double) -> Double) -> Double {
        a.isFinite ? (b.isFinite ? choose(a, b) : a) : b
    }

    /// Halves the resolution over twice the time: memory stays the same however long the job runs.
    private mutating func halve() {
        for index in 0..<(Self.limit / 2) {
            let (a, b) = (self.values[2 * index], self.values[2 * index + 1])
            self.values[index] = a.isFinite ? (b.isFinite ? (a + b) / 2 : a) : b
            self.lows[index] = Self.either(self.lows[2 * index], self.lows[2 * index + 1], min)
            self.highs[index] = Self.either(self.highs[2 * index], self.highs[2 * index + 1], max)
            self.steps[index] = self.steps[2 * index + 1]
            self.epochs[index] = self.epochs[2 * index + 1]
            self.times[index] = self.times[2 * index + 1]
        }
        self.values.removeLast(Self.limit / 2)
        self.steps.removeLast(Self.limit / 2)
        self.lows.removeLast(Self.limit / 2)
        self.highs.removeLast(Self.limit / 2)
        self.epochs.removeLast(Self.limit / 2)
        self.times.removeLast(Self.limit / 2)
        self.stride *= 2
    }
}
