import Foundation
import VPEngine

/// One figure over the time of a job.
public struct MetricSeries: Equatable, Sendable {
    static let limit = 1024

    public let name: String
    /// Evenly spaced over all that was seen; each is the mean of `stride` figures.
    public private(set) var values: [Double] = []
    private var stride = 1
    private var sum = 0.0
    private var sumCount = 0
    public private(set) var count = 0
    public private(set) var last = 0.0
    public private(set) var minimum = Double.infinity
    public private(set) var maximum = -Double.infinity

    init(_ name: String) {
        self.name = name
    }

    mutating func add(_ value: Double) {
        self.last = value
        self.count += 1
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.sum += value
        self.sumCount += 1
        guard self.sumCount == self.stride else { return }
        self.values.append(self.sum / Double(self.stride))
        (self.sum, self.sumCount) = (0, 0)
        guard self.values.count == Self.limit else { return }
        // Half as fine, over twice the time: memory stays the same however long the job runs.
        self.values = Swift.stride(from: 0, to: Self.limit, by: 2).map {
            (self.values[$0] + self.values[$0 + 1]) / 2
        }
        self.stride *= 2
    }
}

/// How far a job says it is.
public struct JobProgress: Equatable, Sendable {
    public var done: Double
    public var total: Double?
    /// `640/1000`, as the job wrote it.
    public var text: String
    public var perSecond: Double?
    /// As the job wrote it: `00:23`.
    public var timeLeft: String?

    public var fraction: Double? {
        self.total.flatMap { $0 > 0 ? max(0, min(1, self.done / $0)) : nil }
    }
}

/// Figures that a job's output shows without being asked to: of tqdm, Hugging Face's Trainer, Lightning,
/// `key=value`, `key: value`, and plain words such as `loss 0.412`.
public struct Metrics: Equatable, Sendable {
    static let segmentLimit = 4096

    public private(set) var series: [MetricSeries] = []
    public private(set) var progress: JobProgress?
    /// The end of what was fed that is no whole line yet.
    private var partial: [UInt8] = []

    public init() {}

    public var isEmpty: Bool { self.series.isEmpty && self.progress == nil }

    public func series(_ name: String) -> MetricSeries? { self.series.first { $0.name == name } }

    /// Takes output in pieces of any size. Each state of a bar that `\r` redraws counts.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        for index in bytes.indices where bytes[index] == 0x0A || bytes[index] == 0x0D {
            let segment = UnsafeRawBufferPointer(rebasing: bytes[start..<index])
            if self.partial.isEmpty {
                self.read(segment)
            } else {
                if self.partial.count + segment.count <= Self.segmentLimit { self.partial += segment }
                let whole = self.partial
                self.partial.removeAll(keepingCapacity: true)
                whole.withUnsafeBytes { self.read($0) }
            }
            start = index + 1
        }
        let rest = bytes[start...]
        if self.partial.count + rest.count <= Self.segmentLimit { self.partial += rest }
    }

    public mutating func feed(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.feed($0) }
    }

    private mutating func read(_ segment: UnsafeRawBufferPointer) {
        guard segment.count >= 3, segment.count <= Self.segmentLimit else { return }
        if VisibleText.needsStripping(segment) {
            var text: [UInt8] = []
            VisibleText.strip(segment, into: &text)
            text.withUnsafeBytes { self.readVisible($0) }
        } else {
            self.readVisible(segment)
        }
    }

    private mutating func readVisible(_ text: UnsafeRawBufferPointer) {
        var reader = FigureReader(text)
        while let found = reader.next() {
            switch found {
            case .figure(let name, let value): self.add(name, value)
            case .count(let name, let done, let total):
                let words = Format.short(done) + "/" + Format.short(total)
                // An epoch is a coarser count than the steps that a bar shows.
                if name == nil || self.progress == nil || self.progress?.perSecond == nil {
                    self.progress = JobProgress(done: done, total: total, text: words)
                }
                if let name { self.add(name, done) }
            case .rate(let perSecond, let timeLeft):
                self.add("it/s", perSecond)
                self.progress?.perSecond = perSecond
                if let timeLeft { self.progress?.timeLeft = timeLeft }
            }
        }
    }

    private mutating func add(_ name: String, _ value: Double) {
        guard value.isFinite, abs(value) < 1e15 else { return }
        if let index = self.series.firstIndex(where: { $0.name == name }) {
            self.series[index].add(value)
        } else if self.series.count < 24 {
            self.series.append(MetricSeries(name))
            self.series[self.series.count - 1].add(value)
        }
    }
}

/// The metrics of the job whose log is open.
public struct MetricsState: Equatable, Sendable {
    public var job: JobID?
    public internal(set) var metrics = Metrics()
    /// Up to which byte the log was read; nil while it is being read.
    var end: Int64?
    /// Older output than this was not read.
    public internal(set) var start: Int64 = 0
    /// Which series is drawn large.
    public var selected = 0
    /// Somebody has gone to it.
    var isChosen = false

    public init() {}
}
