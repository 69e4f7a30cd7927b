import Foundation

/// A point of a curve: one figure, or several that follow each other.
public struct FigurePoint: Sendable {
    /// The mean of the figures; not finite if none of them was.
    public var value: Double
    /// The position: the step, the epoch, or the number of the figure if the log has neither.
    public var step: Double
    /// The smallest and largest of the figures; the value itself if it is one figure.
    public var low: Double
    public var high: Double
    /// The epoch; NaN if the log has not given one.
    public var epoch: Double
    /// The time of arrival, in seconds since 1970; NaN if unknown.
    public var time: Double
}

/// A figure over the course of a training, in bounded memory: beyond `limit` points, each kept point
/// stands for several.
public struct FigureSeries: Equatable, Sendable {
    public static let limit = 1024

    public internal(set) var name: String
    public let kind: FigureKind
    /// `true` if the series is about data other than the training's own.
    public internal(set) var isEvaluation: Bool
    /// A value that is not a number is worth an alarm.
    public let mustBeFinite: Bool
    /// The number of figures read, including those that are not numbers.
    public private(set) var count = 0
    /// The newest value; not finite if the log says so.
    public private(set) var last = 0.0
    public private(set) var lastStep = 0.0
    /// Points spread evenly over all figures read, each for the same number of figures.
    public private(set) var points: [FigurePoint] = []
    public private(set) var minimum = Double.infinity
    public private(set) var maximum = -Double.infinity
    public private(set) var minimumStep = 0.0
    public private(set) var maximumStep = 0.0
    /// The first position at which it was not a number, since it last was one.
    public private(set) var notNumberSince: Double?
    /// The number of newest values that are not numbers.
    public private(set) var notNumberCount = 0

    /// The values, positions, epochs and times of `points`, made anew at each call.
    public var values: [Double] { self.points.map(\.value) }
    public var steps: [Double] { self.points.map(\.step) }
    public var epochs: [Double] { self.points.map(\.epoch) }
    public var times: [Double] { self.points.map(\.time) }

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

    @inline(__always)
    mutating func add(_ value: Double, at step: Double, epoch: Double = .nan, time: Double = .nan) {
        self.last = value
        self.lastStep = step
        self.count &+= 1
        if value.isFinite {
            if value < self.minimum { (self.minimum, self.minimumStep) = (value, step) }
            if value > self.maximum { (self.maximum, self.maximumStep) = (value, step) }
            if self.notNumberCount > 0 { (self.notNumberSince, self.notNumberCount) = (nil, 0) }
            self.sum += value
            self.sumCount &+= 1
            if value < self.partLow { self.partLow = value }
            if value > self.partHigh { self.partHigh = value }
        } else {
            if self.notNumberCount == 0 { self.notNumberSince = step }
            self.notNumberCount &+= 1
        }
        self.partCount &+= 1
        if self.partCount == self.stride { self.addPoint(value, step, epoch, time) }
    }

    /// Makes a point of the figures since the last one.
    private mutating func addPoint(_ newest: Double, _ step: Double, _ epoch: Double, _ time: Double) {
        let isNumber = self.sumCount > 0
        self.points.append(
            FigurePoint(
                value: isNumber ? self.sum / Double(self.sumCount) : newest, step: step,
                low: isNumber ? self.partLow : newest, high: isNumber ? self.partHigh : newest,
                epoch: epoch, time: time))
        (self.sum, self.sumCount, self.partCount) = (0, 0, 0)
        (self.partLow, self.partHigh) = (.infinity, -.infinity)
        if self.points.count == Self.limit { self.halve() }
    }

    /// Combines two values, ignoring one that is not a number.
    private static func either(_ a: Double, _ b: Double, _ choose: (Double, Double) -> Double) -> Double {
        a.isFinite ? (b.isFinite ? choose(a, b) : a) : b
    }

    /// Halves the resolution over twice the time: memory stays the same however long the job runs.
    private mutating func halve() {
        self.points.withUnsafeMutableBufferPointer { points in
            for index in 0..<(Self.limit / 2) {
                let (a, b) = (points[2 * index], points[2 * index + 1])
                points[index] = FigurePoint(
                    value: Self.either(a.value, b.value) { ($0 + $1) / 2 }, step: b.step,
                    low: Self.either(a.low, b.low, min), high: Self.either(a.high, b.high, max),
                    epoch: b.epoch, time: b.time)
            }
        }
        self.points.removeLast(Self.limit / 2)
        self.stride *= 2
    }
}
