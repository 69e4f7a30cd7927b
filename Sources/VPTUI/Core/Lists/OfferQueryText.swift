import Foundation
import VPEngine

/// An offer query in the form in which it is typed: `4090 x2 <0.6 >=24G rel>0.98 in:US,CA disk:80 spot`.
public enum OfferQueryText {
    public struct Problem: Error, Hashable, Sendable {
        public var sentence: String
    }

    /// Parses a query. Settings that `text` does not mention come from `base`, except the GPU, its
    /// count and the bounds.
    public static func parse(_ text: String, base: OfferQuery = OfferQuery()) throws(Problem) -> OfferQuery {
        var query = OfferQuery(diskBytes: base.diskBytes, order: base.order, limit: base.limit)
        var gpu: [Substring] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let lower = word.lowercased()
            if lower.first == "x" || lower.first == "×", lower.count > 1,
                lower.dropFirst().allSatisfy(\.isNumber), Self.count(lower) == nil
            {
                throw Problem(sentence: "“\(word)”: an instance has 1 to 64 GPUs. Example: 4090 x2")
            }
            if lower == "spot" {
                query.isInterruptible = true
            } else if let count = Self.count(lower) {
                query.gpuCount = count
            } else if lower.hasPrefix("<") || lower.hasPrefix("≤") {
                query.maximumPrice = HourlyPrice(dollarsPerHour: try Self.number(lower, after: "<=≤$", word))
            } else if lower.hasPrefix(">") || lower.hasPrefix("≥") {
                let gigabytes = try Self.number(lower, after: ">=≥", word)
                query.minimumGPUMemoryBytes = Int64(saturating: gigabytes * 1e9)
            } else if lower.hasPrefix("rel") {
                query.minimumReliability = try Self.number(lower, after: "rel>=", word)
            } else if lower.hasPrefix("cuda") {
                query.minimumCUDA = try Self.number(lower, after: "cuda>=", word)
            } else if lower.hasPrefix("disk:") {
                query.diskBytes = Int64(
                    saturating: try Self.number(lower, after: "disk:", word) * 1e9)
            } else if lower.hasPrefix("in:") {
                query.countries = lower.dropFirst(3).split(separator: ",").map { $0.uppercased() }
            } else {
                gpu.append(word)
            }
        }
        query.gpu = gpu.isEmpty ? nil : gpu.joined(separator: " ")
        return query
    }

    /// Returns the platform that a word names; nil for any other word.
    static func platform(_ word: some StringProtocol) -> Platform? {
        let lower = word.lowercased()
        return Platform.allCases.first {
            [$0.rawValue, $0.displayName.lowercased(), StatusWords.platform($0).text].contains(lower)
        }
    }

    /// Returns the text that parses to `query`.
    public static func text(_ query: OfferQuery) -> String {
        var words: [String] = []
        if let gpu = query.gpu { words.append(gpu) }
        if query.gpuCount != 1 { words.append("x\(query.gpuCount)") }
        if let price = query.maximumPrice { words.append("<" + Self.short(price.dollarsPerHour)) }
        if let bytes = query.minimumGPUMemoryBytes {
            words.append(">" + Self.short(Double(bytes) / 1e9) + "G")
        }
        if let reliability = query.minimumReliability { words.append("rel>" + Self.short(reliability)) }
        if let cuda = query.minimumCUDA { words.append("cuda>" + Self.short(cuda)) }
        if query.diskBytes != OfferQuery().diskBytes {
            words.append("disk:" + Self.short(Double(query.diskBytes) / 1e9))
        }
        if !query.countries.isEmpty { words.append("in:" + query.countries.joined(separator: ",")) }
        if query.isInterruptible { words.append("spot") }
        return words.joined(separator: " ")
    }

    private static func count(_ word: String) -> Int? {
        let digits: Substring
        if word.hasPrefix("x") || word.hasPrefix("×") {
            digits = word.dropFirst()
        } else if word.hasSuffix("x") {
            digits = word.dropLast()
        } else {
            return nil
        }
        return Int(digits).flatMap { (1...64).contains($0) ? $0 : nil }
    }

    private static func number(_ word: String, after prefix: String, _ typed: Substring) throws(Problem)
        -> Double
    {
        let rest = word.drop { prefix.contains($0) }.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(rest), value > 0, value < 1e6 else {
            throw Problem(sentence: "“\(typed)” needs a number above 0. Example: 4090 x2 <0.6 >24G")
        }
        return value
    }

    private static func short(_ value: Double) -> String { Format.trimmed(Format.fixed(value, 4)) }
}
