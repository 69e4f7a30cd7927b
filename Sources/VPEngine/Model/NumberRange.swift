import Foundation

/// The permitted range of a number that comes from outside, by its meaning.
///
/// A platform, an instance or a file that an earlier version wrote can say anything: `1e300`, `nan`,
/// a negative size, more digits than fit. All such text and numbers become values here and nowhere else: a
/// value within the range, or nil, which means that the figure is not known. `scripts/numbers.py` looks for
/// conversions that go around it.
public struct NumberRange<Value: Comparable & Sendable>: Sendable {
    /// The range; both bounds are in it.
    public let bounds: ClosedRange<Value>

    /// The values from the lower to the upper bound, both included.
    public init(_ bounds: ClosedRange<Value>) { self.bounds = bounds }

    /// True if `value` is in the range; false for NaN.
    public func contains(_ value: Value) -> Bool { self.bounds.contains(value) }

    /// Returns `value` if it is within the range, else nil. NaN is in no range.
    public func check(_ value: Value?) -> Value? { value.flatMap { self.contains($0) ? $0 : nil } }

    /// Returns the nearest value of the range, for a figure that must have one.
    public func clamp(_ value: Value) -> Value {
        // Written so that NaN becomes the lower bound.
        value >= self.bounds.lowerBound ? min(value, self.bounds.upperBound) : self.bounds.lowerBound
    }
}

extension NumberRange where Value == Double {
    /// Reads text such as `12.5` and `1e3`.
    public func read(_ text: some StringProtocol) -> Double? { self.check(Double(text)) }

    /// Lengths of time, in seconds: up to a hundred years.
    public static var seconds: Self { .init(0...3_155_760_000) }
    /// The same, in hundredths of a second.
    public static var centiseconds: Self { .init(0...315_576_000_000) }
    /// Waits that a platform asks for, in seconds; the caller limits them.
    public static var wait: Self { .init(0...1e15) }
    /// Moments, in seconds since 1970: up to the year 5138.
    public static var epoch: Self { .init(0...1e11) }
    /// Prices, in dollars an hour.
    public static var dollarsPerHour: Self { .init(0...100_000) }
    /// Prices of a gigabyte of traffic or storage, in dollars.
    public static var dollarsPerGB: Self { .init(0...10_000) }
    /// Sums of money in dollars: a balance, a charge. Either can be a debt.
    public static var dollars: Self { .init(-1e9...1e9) }
    /// Amounts that have been, or may be, paid, in dollars.
    public static var cost: Self { .init(0...1e9) }
    /// Shares, from 0 to 1.
    public static var share: Self { .init(0...1) }
    /// Percentages, from 0 to 100.
    public static var percent: Self { .init(0...100) }
    /// Memory of a card, in MiB.
    public static var mebibytes: Self { .init(0...1e9) }
    /// Processor cores, also a part of one.
    public static var cores: Self { .init(0...100_000) }
    /// Megabits a second.
    public static var megabits: Self { .init(0...1e8) }
    /// Versions with one point, such as CUDA's.
    public static var version: Self { .init(0...1000) }
    /// The load of a system: processes that want to run.
    public static var load: Self { .init(0...1e6) }
    /// Degrees Celsius.
    public static var temperature: Self { .init(-100...500) }
    /// Watts.
    public static var watts: Self { .init(0...100_000) }
    /// Bytes a second.
    public static var rate: Self { .init(0...1e14) }
    /// Gigabytes of a disk.
    public static var gigabytes: Self { .init(0...1e6) }
    /// Hours that are left, up to a hundred years.
    public static var hours: Self { .init(0...876_600) }
}

extension NumberRange where Value: FixedWidthInteger {
    /// Reads decimal digits, with or without a sign.
    public func read(_ text: some StringProtocol) -> Value? { self.check(Value(text)) }

    /// Converts `number` and cuts its fraction, since nothing that is counted has one.
    public func read(_ number: Double?) -> Value? {
        guard let number, number.isFinite else { return nil }
        return Value(exactly: number.rounded(.towardZero)).flatMap(self.check)
    }
}

extension NumberRange where Value == Int64 {
    /// Sizes, in bytes: two of the largest can be added in a `UInt64`, and no disk comes near.
    public static var bytes: Self { .init(0...1 << 62) }
    /// Ticks of a processor's clock since its start.
    public static var ticks: Self { .init(0...1 << 56) }
    /// Milliseconds since 1970.
    public static var milliseconds: Self { .init(0...100_000_000_000_000) }
    /// Whole seconds of a file's time, before and after 1970: the range of nanoseconds in 64 bits.
    public static var fileTime: Self { .init(-9_200_000_000...9_200_000_000) }
    /// Permission bits and kind of a file.
    public static var fileMode: Self { .init(0...0o177_777) }
}

extension NumberRange where Value == Int {
    /// Counts of files, rows or cores.
    public static var count: Self { .init(0...2_000_000_000) }
    /// GPUs of one machine.
    public static var gpus: Self { .init(0...1024) }
    /// TCP ports without the very last one, since one platform needs its successor.
    public static var port: Self { .init(1...65_534) }
    /// Parts of an address such as `100.64.0.1`.
    public static var octet: Self { .init(0...255) }
}

extension NumberRange where Value == Int32 {
    /// Exit statuses of a process.
    public static var exitCode: Self { .init(0...255) }
    /// Numbers of signals.
    public static var signal: Self { .init(1...127) }
    /// Numbers of processes.
    public static var process: Self { .init(1...Int32.max) }
}

extension NumberRange where Value == UInt32 {
    /// Checksums as cksum(1) prints them.
    public static var checksum: Self { .init(0...UInt32.max) }
}

extension Date {
    /// Converts a moment that came from outside; nil if it is outside of `NumberRange.epoch`.
    public init?(fromOutside secondsSince1970: Double?) {
        guard let seconds = NumberRange.epoch.check(secondsSince1970) else { return nil }
        self.init(timeIntervalSince1970: seconds)
    }

    /// This moment; nil if it is outside of `NumberRange.epoch`.
    public var withinBounds: Date? { Date(fromOutside: self.timeIntervalSince1970) }
}

extension FixedWidthInteger {
    /// Converts to the nearest number that fits, and NaN to 0, for figures that are about to be shown or
    /// drawn.
    public init(saturating value: Double) {
        if value.isNaN {
            self = 0
        } else if let exact = Self(exactly: value.rounded(.towardZero)) {
            self = exact
        } else {
            self = value < 0 ? .min : .max
        }
    }

    /// Returns the sum, or the nearest number that fits.
    public func addingSaturated(_ other: Self) -> Self {
        let (sum, overflows) = self.addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }

    /// Returns the difference, or the nearest number that fits.
    public func subtractingSaturated(_ other: Self) -> Self {
        let (difference, overflows) = self.subtractingReportingOverflow(other)
        return overflows ? (other < 0 ? .max : .min) : difference
    }

    /// Returns the product, or the nearest number that fits.
    public func multipliedSaturated(by other: Self) -> Self {
        let (product, overflows) = self.multipliedReportingOverflow(by: other)
        return overflows ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

extension Sequence {
    /// Returns the sum of `value` over all elements, or the nearest number that fits.
    public func saturatedSum<Number: FixedWidthInteger>(of value: (Element) -> Number) -> Number {
        self.reduce(0) { $0.addingSaturated(value($1)) }
    }

    /// Returns the sum of amounts of money: always a number, and never more than `NumberRange.dollars`
    /// allows.
    public func sumOfDollars(of value: (Element) -> Double) -> Double {
        NumberRange.dollars.clamp(
            self.reduce(0) { sum, element in
                let dollars = value(element)
                return sum + (dollars.isFinite ? NumberRange.dollars.clamp(dollars) : 0)
            })
    }
}
