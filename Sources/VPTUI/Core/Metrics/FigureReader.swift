import Foundation

/// Finds figures with names in one line of output, from left to right.
struct FigureReader {
    enum Found: Equatable {
        case figure(String, Double)
        /// `640/1000`, with the word before it, if it is one of ours.
        case count(String?, Double, Double)
        case rate(perSecond: Double, timeLeft: String?)
    }

    private let text: UnsafeRawBufferPointer
    private var index = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    /// Names that are figures of a training; anything else with a number may be a port or a date.
    private static let names: Set<String> = [
        "loss", "lr", "acc", "accuracy", "ppl", "perplexity", "epoch", "step", "iter", "iteration", "reward",
        "grad_norm", "learning_rate", "mse", "mae", "rmse", "f1", "auc", "map", "iou", "miou", "dice", "bleu",
        "rouge", "fid", "psnr", "ssim", "wer", "cer", "kl", "elbo", "entropy", "top1", "top5", "throughput",
        "tokens/s", "samples/s",
    ]

    /// What a name is kept as; nil for one that is no figure. `train_loss`, `val/acc` and `eval_loss` count.
    private static func known(_ name: Substring) -> String? {
        let lower = name.lowercased()
        if Self.names.contains(lower) { return lower == "learning_rate" ? "lr" : lower }
        let parts = lower.split(whereSeparator: { $0 == "_" || $0 == "/" || $0 == "." || $0 == "-" })
        guard parts.count > 1, parts.count <= 4, parts.contains(where: { Self.names.contains(String($0)) })
        else { return nil }
        return lower.hasSuffix("learning_rate") ? "lr" : lower
    }

    mutating func next() -> Found? {
        while self.index < self.text.count {
            let byte = self.text[self.index]
            if Self.isLetter(byte) {
                if let found = self.word() { return found }
            } else if Self.isDigit(byte) {
                if let found = self.number() { return found }
            } else if byte == UInt8(ascii: "[") {
                if let found = self.bracket() { return found }
            } else {
                self.index += 1
            }
        }
        return nil
    }

    /// `name=0.4`, `name: 0.4`, `'name': 0.4`, `name 0.4`, `name 3/10`.
    private mutating func word() -> Found? {
        let start = self.index
        while self.index < self.text.count, Self.isNamePart(self.text[self.index]) { self.index += 1 }
        let name = Substring(decoding: self.text[start..<self.index], as: UTF8.self)
        var cursor = self.index
        while cursor < self.text.count, "'\" ]".utf8.contains(self.text[cursor]), cursor < start + 80 {
            cursor += 1
        }
        if cursor < self.text.count, "=:".utf8.contains(self.text[cursor]) { cursor += 1 }
        while cursor < self.text.count, " '\"[".utf8.contains(self.text[cursor]) { cursor += 1 }
        guard cursor > self.index, cursor < self.text.count,
            Self.isDigit(self.text[cursor]) || "-+.".utf8.contains(self.text[cursor]),
            let known = Self.known(name), let value = self.value(at: &cursor)
        else { return nil }
        self.index = cursor
        if cursor + 1 < self.text.count, self.text[cursor] == UInt8(ascii: "/"),
            Self.isDigit(self.text[cursor + 1])
        {
            cursor += 1
            if let total = self.value(at: &cursor) {
                self.index = cursor
                return .count(known, value, total)
            }
        }
        return .figure(known, value)
    }

    /// `640/1000 [`, as tqdm writes it.
    private mutating func number() -> Found? {
        var cursor = self.index
        let start = self.index
        guard let done = self.value(at: &cursor) else {
            self.index += 1
            return nil
        }
        self.index = cursor
        guard cursor + 1 < self.text.count, self.text[cursor] == UInt8(ascii: "/"),
            Self.isDigit(self.text[cursor + 1]), start == 0 || !"/.-:".utf8.contains(self.text[start - 1])
        else { return nil }
        cursor += 1
        guard let total = self.value(at: &cursor), cursor + 1 < self.text.count,
            self.text[cursor] == 0x20, self.text[cursor + 1] == UInt8(ascii: "[")
        else { return nil }
        self.index = cursor
        return .count(nil, done, total)
    }

    /// `[00:41<00:23, 15.5it/s`: the time left, and the rate either way round.
    private mutating func bracket() -> Found? {
        self.index += 1
        var cursor = self.index
        while cursor < self.text.count, Self.isClock(self.text[cursor]) { cursor += 1 }
        guard cursor > self.index, cursor < self.text.count, self.text[cursor] == UInt8(ascii: "<") else {
            return nil
        }
        let leftStart = cursor + 1
        cursor = leftStart
        while cursor < self.text.count,
            Self.isClock(self.text[cursor]) || self.text[cursor] == UInt8(ascii: "?")
        {
            cursor += 1
        }
        let left = String(decoding: self.text[leftStart..<cursor], as: UTF8.self)
        while cursor < self.text.count, ", ".utf8.contains(self.text[cursor]) { cursor += 1 }
        guard let rate = self.value(at: &cursor) else { return nil }
        let unit = String(decoding: self.text[cursor...].prefix(8), as: UTF8.self)
        self.index = cursor
        let timeLeft = left.contains("?") || left.isEmpty ? nil : left
        if unit.hasPrefix("s/") { return .rate(perSecond: rate > 0 ? 1 / rate : 0, timeLeft: timeLeft) }
        return unit.contains("/s") ? .rate(perSecond: rate, timeLeft: timeLeft) : nil
    }

    private func value(at cursor: inout Int) -> Double? {
        let start = cursor
        var end = cursor
        while end < self.text.count, end - start < 32,
            Self.isDigit(self.text[end]) || ".eE+-".utf8.contains(self.text[end])
        {
            // A sign belongs to the front or to an exponent.
            if "+-".utf8.contains(self.text[end]), end > start, self.text[end - 1] | 0x20 != UInt8(ascii: "e")
            {
                break
            }
            end += 1
        }
        // A sentence may end with a number: its point is no part of it.
        while end > start, !Self.isDigit(self.text[end - 1]) { end -= 1 }
        guard end > start, let value = Double(String(decoding: self.text[start..<end], as: UTF8.self)) else {
            return nil
        }
        cursor = end
        return value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }
    private static func isClock(_ byte: UInt8) -> Bool { Self.isDigit(byte) || byte == UInt8(ascii: ":") }
    private static func isNamePart(_ byte: UInt8) -> Bool {
        Self.isLetter(byte) || Self.isDigit(byte) || "_/.-".utf8.contains(byte)
    }
}
