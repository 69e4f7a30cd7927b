import Foundation

/// The meaning of a name on a line; its spelling is `FigureNames.title`.
struct FigureName {
    enum Use: UInt8 {
        /// A figure that counts anywhere on a line of a training.
        case figure
        /// A figure that counts only after `:` or `=`, on a line with known figures.
        case extra
        /// Gives only the role of a figure: `val: 1.29`, `test: 0.65`.
        case roleOnly
        case step, epoch, timeLeft, rank
        /// `current_steps` and `total_steps`, each followed by its own number.
        case countDone, countTotal
        /// The rest of the line is settings.
        case settings
        case refused
    }

    /// The hash of `title`, so that `LR` and `learning_rate` share it.
    var key: UInt64 = 0
    var use = Use.refused
    var kind = FigureKind.other
    var role = FigureRole.none
    /// How well the name serves as the step count; higher is better.
    var rank: UInt8 = 0
    /// The best value so far, which is not a new value of the figure.
    var isBest = false
    /// A throughput that names its unit: `tokens_per_second`.
    var saysOfWhat = false
    /// The last word is the measure, so the name may precede its value without a sign.
    var endsInMeasure = false
    /// The name is only a role, without a measure: `learn: 0.65`.
    var isAlone = false
    /// The value of a trial.
    var isTrialValue = false

    static func key(_ title: String) -> UInt64 {
        Array(title.utf8).withUnsafeBufferPointer { FigureNames.hash($0.baseAddress!, $0.count) }
    }
}

/// The meanings of names, computed once for each name that recurs. The size is bounded: a name that no longer
/// occurs makes room for another.
final class FigureNames {
    private static let slots = 8192
    private let keys: UnsafeMutablePointer<UInt64>
    private let names: UnsafeMutablePointer<FigureName>
    @exclusivity(unchecked) private var titles = [String](repeating: "", count: slots)
    @exclusivity(unchecked) private var turn = 0

    init() {
        self.keys = .allocate(capacity: Self.slots)
        self.keys.initialize(repeating: 0, count: Self.slots)
        self.names = .allocate(capacity: Self.slots)
        self.names.initialize(repeating: FigureName(), count: Self.slots)
    }

    deinit {
        self.keys.deallocate()
        self.names.deallocate()
    }

    /// Returns the hash of the bytes in lower case.
    static func hash(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        // Multiplied, since a count in the lowest bits would make `P` and `ppr` equal.
        let length = UInt64(truncatingIfNeeded: count) &* 0x9e37_79b9_7f4a_7c15
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ length
        var index = 0
        while index + 8 <= count {
            let word =
                UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self) | 0x2020_2020_2020_2020
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            index += 8
        }
        let rest = count &- index
        if rest > 0 {
            hash = (hash ^ (Self.word(text + index, rest) | 0x2020_2020_2020_2020)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
        }
        return hash == 0 ? 1 : hash
    }

    /// Returns less than eight bytes as one number. No byte after them is read; some are in it twice.
    @inline(__always)
    private static func word(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        if count >= 4 {
            let (start, end) = (UnsafeRawPointer(text), UnsafeRawPointer(text + count - 4))
            return UInt64(start.loadUnaligned(as: UInt32.self)) &<< 32
                | UInt64(end.loadUnaligned(as: UInt32.self))
        }
        return UInt64(text[0]) &<< 16 | UInt64(text[count &>> 1]) &<< 8 | UInt64(text[count &- 1])
    }

    /// Returns the slot of a name, for `subscript`.
    @inline(__always)
    func find(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let hash = Self.hash(text, count)
        let first = Int(truncatingIfNeeded: hash >> 40) & (Self.slots - 1) & ~3
        for slot in first..<(first + 4) where self.keys[slot] == hash { return slot }
        return self.make(hash, first, text, count)
    }

    private func make(_ hash: UInt64, _ first: Int, _ text: UnsafePointer<UInt8>, _ count: Int) -> Int {
        // Four names with the same slot have room; a fifth replaces one of them.
        var slot = first
        while slot < first + 3, self.keys[slot] != 0 { slot += 1 }
        if self.keys[slot] != 0 {
            self.turn = (self.turn + 1) & 3
            slot = first + self.turn
        }
        let name = String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
        (self.names[slot], self.titles[slot]) = NameReading.read(name)
        self.keys[slot] = hash
        return slot
    }

    func find(_ text: String) -> Int {
        Array(text.utf8).withUnsafeBufferPointer { bytes in self.find(bytes.baseAddress!, bytes.count) }
    }

    func title(_ slot: Int) -> String { self.titles[slot] }

    @inline(__always)
    subscript(_ slot: Int) -> FigureName { self.names[slot] }
}

/// Reads a name with the tables of `FigureGrammar`.
enum NameReading {
    static func read(_ raw: String) -> (FigureName, title: String) {
        var title = raw.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
        while let last = title.last, last == "." || last == "-" || last == "/" { title.removeLast() }
        var name = FigureName()
        let lower = title.lowercased()
        guard !lower.isEmpty, lower.utf8.count <= 96 else { return (name, title) }
        var words = lower.split(separator: " ").map(String.init)
        var unit: String?
        if lower.hasSuffix(")"), let open = lower.lastIndex(of: "(") {
            unit = String(lower[lower.index(after: open)...].dropLast())
            words = lower[..<open].split(separator: " ").map(String.init)
        }
        let parts = words.flatMap { Self.parts($0, of: title) }
        // In `Evaluating test` and `Evaluating train` the last word is the role.
        name.role =
            words.last.flatMap { FigureGrammar.roles[$0] }
            ?? parts.lazy.compactMap { FigureGrammar.roles[$0] }.first ?? .none
        if let last = words.last {
            let lastParts = Self.parts(last, of: title)
            name.endsInMeasure =
                words.count <= 4
                && (Self.kind(lastParts) != nil || FigureGrammar.learningRateNames.contains(lower)
                    || Self.speed(last, lastParts, nil) != nil || FigureGrammar.roles[last] != nil)
        }
        Self.decide(&name, &title, lower, words, parts, unit)
        Self.shorten(name, &title)
        name.key = FigureName.key(title)
        return (name, title)
    }

    /// Returns the parts between `_`, `/`, `.`, `-`, `@` and humps, in lower case and without
    /// a trailing number.
    private static func parts(_ word: String, of title: String) -> [String] {
        // Only a name with a small letter before a capital has humps.
        var previous: UInt8 = 0
        var hasHumps = false
        for byte in title.utf8 {
            if 0x41...0x5A ~= byte, 0x61...0x7A ~= previous { hasHumps = true }
            previous = byte
        }
        return word.utf8.split(whereSeparator: { Self.isJoint($0) }).map { Substring($0) }.flatMap {
            piece -> [String] in
            let trimmed = Self.withoutNumber(String(piece))
            if FigureGrammar.meanings[String(piece)] != nil { return [String(piece)] }
            guard FigureGrammar.meanings[trimmed] == nil, FigureGrammar.roles[trimmed] == nil, hasHumps,
                let range = title.range(of: piece, options: .caseInsensitive)
            else { return [trimmed] }
            return Self.humps(title[range]).map { Self.withoutNumber($0) }
        }
    }

    private static func isJoint(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x5F, 0x2F, 0x2E, 0x2D, 0x40, 0x27, 0x28, 0x29, 0x23, 0x3A: true
        default: false
        }
    }

    private static func withoutNumber(_ part: String) -> String {
        guard let last = part.utf8.last, last &- 0x30 < 10 else { return part }
        var part = part.utf8[...]
        while let last = part.last, last &- 0x30 < 10 { part.removeLast() }
        return String(part) ?? ""
    }

    /// `CurrSamplesPerSec`: curr, samples, per, sec.
    private static func humps(_ text: Substring) -> [String] {
        var parts: [String] = []
        var part = ""
        var wasLower = false
        for character in text {
            if character.isUppercase, wasLower {
                parts.append(part)
                part = ""
            }
            wasLower = character.isLowercase || character.isNumber
            part += character.lowercased()
        }
        parts.append(part)
        return parts
    }

    private static func decide(
        _ name: inout FigureName, _ title: inout String, _ lower: String, _ words: [String],
        _ parts: [String],
        _ unit: String?
    ) {
        let spaced = lower.replacingOccurrences(of: "_", with: " ")
        if FigureGrammar.timeLeftWords.contains(spaced) || spaced.hasSuffix(" remaining time")
            || spaced.hasSuffix("time to finish") || spaced.hasSuffix(" time left")
            || spaced.hasSuffix(" eta")
        {
            name.use = .timeLeft
            return
        }
        if lower == "current_steps" || lower == "current_step" || lower == "total_steps"
            || lower == "max_steps"
        {
            name.use = lower.hasPrefix("current") ? .countDone : .countTotal
            return
        }
        if FigureGrammar.settingHeads.contains(words.last ?? "") {
            name.use = .settings
            return
        }
        if ["rank", "local_rank", "global_rank"].contains(lower) {
            name.use = .rank
            return
        }
        if unit == nil, let step = Self.step(words) {
            name.use = step == 0 ? .epoch : .step
            name.kind = step == 0 ? .epoch : .step
            name.rank = UInt8(step)
            return
        }
        if FigureGrammar.learningRateNames.contains(lower) {
            name.use = .figure
            name.kind = .lr
            title = "lr"
            name.role = .none
            return
        }
        name.isBest = parts.contains { FigureGrammar.bestWords.contains($0) }
        if words.count == 1, parts.count == 1, FigureGrammar.roles[lower] != nil {
            name.use = .roleOnly
            return
        }
        if let speed = Self.speed(lower, parts, unit) {
            name.use = .figure
            name.kind = .speed
            name.saysOfWhat = speed
            return
        }
        guard words.count <= 7 else { return }
        if lower.hasSuffix("with value") || lower == "value" || lower == "objective value" {
            // The value of a trial: its study decides whether high or low is better.
            name.use = .figure
            name.isTrialValue = true
            title = "value"
            return
        }
        let kind = FigureGrammar.lossNames.contains(lower) ? .loss : Self.kind(parts)
        if let kind, unit.map({ !["ms", "s", "sec", "seconds", "min"].contains($0) }) ?? true {
            name.use = .figure
            name.kind = kind
        } else if words.count <= 4, !parts.contains(where: { FigureGrammar.meanings[$0] == .refused }) {
            name.use = .extra
        }
    }

    /// Returns 0 for an epoch, or the rank of the name as a step count.
    private static func step(_ words: [String]) -> Int? {
        var words = words[...]
        while words.count > 1, let first = words.first, FigureGrammar.stepPrefixes.contains(first) {
            words = words.dropFirst()
        }
        while words.count > 1, words.last == "number" || words.last == "no" || words.last == "#" {
            words.removeLast()
        }
        var key = words.joined(separator: "_")
        // `n/ep` is a number of episodes.
        if let slash = key.lastIndex(of: "/"), !key.contains("/s"), !key.hasPrefix("n/"),
            !key.hasPrefix("num/")
        {
            key = String(key[key.index(after: slash)...])
        }
        for role in ["train_", "valid_", "val_", "eval_", "test_", "trainer_"] where key.hasPrefix(role) {
            key = String(key.dropFirst(role.count))
        }
        if FigureGrammar.epochWords.contains(key) { return 0 }
        return FigureGrammar.steps[key]
    }

    /// Returns nil if the name is not a speed, and `true` if it names its unit.
    private static func speed(_ lower: String, _ parts: [String], _ unit: String?) -> Bool? {
        let seconds: Set<String> = ["s", "sec", "secs", "second"]
        var isPer = false
        for index in parts.indices.dropFirst() where index + 1 < parts.count && parts[index] == "per" {
            if seconds.contains(parts[index + 1]) { isPer = true }
        }
        let pieces = (unit ?? lower).split(separator: "/").map(String.init)
        let hasSlash = pieces.dropFirst().contains { seconds.contains($0) }
        if isPer || hasSlash {
            let nouns = isPer ? parts : pieces
            let bytes: Set<String> = ["byte", "bytes", "mb", "gb", "kb", "b", "mib", "gib", "kib"]
            guard bytes.isDisjoint(with: nouns) else { return nil }
            return nouns.contains { FigureGrammar.speedNouns.contains($0) }
        }
        guard let last = parts.last(where: { FigureGrammar.meanings[$0] != .statistic }) else {
            return nil
        }
        return FigureGrammar.meanings[last] == .figure(.speed)
            ? ["wps", "sps"].contains(last) : nil
    }

    private static func kind(_ parts: [String]) -> FigureKind? {
        // A network loses packets.
        let others = ["nan", "number", "skipped", "packet"]
        if others.contains(where: parts.contains) { return nil }
        for index in parts.indices.dropFirst() {
            switch (parts[index - 1], parts[index]) {
            case ("cross", "entropy"), ("log", "loss"): return .loss
            case ("learning", "rate"), ("learn", "rate"): return .lr
            case ("f", "score"): return .score
            default: break
            }
        }
        var found: FigureKind?
        var isFirst = true
        for part in parts.reversed() where !part.isEmpty {
            if part == "lr" { return .lr }
            // `LossV`, and `sec_per_tick`
            if part == "v" || (part == "per" && !isFirst), parts.count > 1 { continue }
            switch FigureGrammar.meanings[part] ?? Self.compound(part) {
            case .figure(let kind)?:
                if kind == .loss || isFirst { return found ?? kind }
                found = found ?? kind
            case .statistic?:
                // A standard deviation is not a figure of the same kind.
                if part == "std" || part == "stddev" { return nil }
                continue
            case .setting?:
                if isFirst { return nil }
            case .refused?:
                if isFirst { return nil }
            case nil: break
            }
            isFirst = false
        }
        return found
    }

    private static func compound(_ part: String) -> FigureGrammar.Meaning? {
        if part.hasSuffix("loss") { return .figure(.loss) }
        if part.hasSuffix("accuracy") { return .figure(.score) }
        return nil
    }

    /// Shortens a name from a sentence to its subject, and gives names that all programs share one spelling.
    private static func shorten(_ name: FigureName, _ title: inout String) {
        guard name.use != .refused else { return }
        var words = title.split(separator: " ")
        if words.count > 1, words.last?.lowercased() == "value" { words.removeLast() }
        // A sentence: `the episode has 151 steps and return 6.6`.
        if let and = words.lastIndex(where: { $0.lowercased() == "and" }),
            Self.kind(words[(and + 1)...].flatMap { Self.parts($0.lowercased(), of: title) }) != nil
        {
            words = Array(words[(and + 1)...])
        }
        if words.count >= 4, name.use == .figure, !title.hasSuffix(")"), name.kind != .speed {
            let last = words.lastIndex { Self.kind(Self.parts($0.lowercased(), of: String($0))) != nil }
            if var last {
                if last > 0, words[last - 1].lowercased() == "cross" { last -= 1 }
                let hasRole = last > 0 && FigureGrammar.roles[words[last - 1].lowercased()] != nil
                words = Array(words[(hasRole ? last - 1 : last)...])
            }
        }
        // `completed step`, `Train Epoch`, `current epoch`.
        if name.use == .step || name.use == .epoch, words.count > 1 { words = [words[words.count - 1]] }
        title = words.joined(separator: " ")
        let lower = title.lowercased()
        if name.use == .step || name.use == .epoch || lower == "loss" { title = lower }
    }
}
