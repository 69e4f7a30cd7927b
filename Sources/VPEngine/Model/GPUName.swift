/// A kind of GPU, and the platforms' names for it.
public struct GPUModel: Hashable, Sendable {
    /// The name that people use and that we show, such as `RTX 4090`.
    public let name: String
    /// Nominal sizes in GB; several if one name was sold with different memory.
    public let memoryGB: [Int]
    package let vastNames: [String]
    package let runpodIDs: [String]
    package let aliases: [String]

    init(_ name: String, _ memoryGB: [Int], vast: [String], runpod: [String], aliases: [String]) {
        self.name = name
        self.memoryGB = memoryGB
        self.vastNames = vast
        self.runpodIDs = runpod
        self.aliases = aliases
    }
}

/// The GPUs that a name typed by a user stands for. `A100 80GB` is two models and one size.
public struct GPUSelection: Hashable, Sendable {
    /// The models that share the name, at least one.
    public let models: [GPUModel]
    /// The size that the user named, in GB.
    public let memoryGB: Int?

    /// True for a GPU that a platform lists as `platformName`, with `memoryBytes` each.
    package func includes(platformName: String, memoryBytes: Int64?) -> Bool {
        let name = GPUName.normalize(platformName)
        return self.includes(memoryBytes: memoryBytes)
            && self.models.contains { GPUName.keys(of: $0).contains(name) }
    }

    /// True if the size is within 10 % of the wanted one. Platforms state usable memory, a few per cent off
    /// the nominal figure, and count in GB or GiB.
    package func includes(memoryBytes: Int64?) -> Bool {
        guard let wanted = self.memoryGB, let memoryBytes else { return true }
        let ratio = Double(memoryBytes) / (Double(wanted) * 1e9)
        return ratio > 0.9 && ratio < 1.1
    }
}

/// One vocabulary for GPU names.
///
/// `RTX3090`, `rtx_3090`, `3090` and `NVIDIA GeForce RTX 3090` are the same GPU on every platform.
/// A name that is not in the table may still exist: clients look it up in their platform's own catalogue
/// before they say that it is unknown.
public enum GPUName {
    /// The models that `text` can mean, or nil if the table has none.
    public static func select(_ text: String) -> GPUSelection? {
        let (words, memoryGB) = GPUName.splitMemory(text)
        // A platform's own name may contain the size, so the whole text is tried as well; a form of the board
        // that the table does not distinguish is ignored.
        let names = [GPUName.normalize(text), GPUName.normalize(words)]
        for candidate in names + names.map(GPUName.withoutForm)
        where !candidate.isEmpty && !GPUName.isAmbiguous(text, candidate) {
            for prefix in ["", "rtx", "gtx"] {
                guard let indices = GPUName.index[prefix + candidate] else { continue }
                return GPUSelection(models: indices.map { GPUName.table[$0] }, memoryGB: memoryGB)
            }
        }
        return nil
    }

    /// Returns the reason why `text` cannot name a GPU, as the words that follow the name of the setting;
    /// nil if it may name one.
    public static func problem(_ text: String) -> String? {
        guard text.contains(where: { $0.isLetter || $0.isNumber }) else {
            return "is empty. Leave it out for the cheapest GPU that fits"
        }
        guard !["cpu", "none", "nogpu"].contains(text.lowercased().filter(\.isLetter)) else {
            return "\(text): vp rents only instances with a GPU"
        }
        return nil
    }

    /// Known names that resemble `text`, nearest first.
    ///
    /// - Parameter catalogue: names that a platform lists, beside those of the table.
    public static func suggestions(
        for text: String, among catalogue: [String] = [], limit: Int = 3
    ) -> [String] {
        let wanted = GPUName.joined(text)
        guard !wanted.isEmpty else { return [] }
        if GPUName.isAmbiguous(text, wanted) {
            return ["RTX 6000 Ada", "RTX PRO 6000", "Quadro RTX 6000"]
        }
        // Leaving out the series is not a mistake in the number.
        let spellings = ["", "rtx", "gtx"].map { Array(($0 + wanted).utf8) }
        var nearest: [(distance: Int, name: String)] = []
        func consider(_ name: String, keys: Set<String>) {
            var best = Int.max
            for key in keys.map({ Array($0.utf8) }) {
                for spelling in spellings {
                    let distance = GPUName.distance(spelling, key)
                    if distance <= max(2, key.count / 3) { best = min(best, distance) }
                }
            }
            if best != .max { nearest.append((best, name)) }
        }
        for model in GPUName.table {
            consider(model.name, keys: GPUName.keys(of: model).union([GPUName.joined(model.name)]))
        }
        let known = Set(GPUName.table.flatMap { $0.vastNames + $0.runpodIDs })
        for name in catalogue where !known.contains(name) { consider(name, keys: [GPUName.joined(name)]) }
        // The order is stable, so that the table's order, which puts common GPUs first, decides among equals.
        let sorted = nearest.enumerated().sorted {
            ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
        }
        return sorted.prefix(limit).map(\.element.name)
    }

    /// The name we show for a GPU that a platform lists as `platformName`.
    public static func display(_ platformName: String) -> String {
        guard let indices = GPUName.index[GPUName.normalize(platformName)], indices.count == 1 else {
            return platformName
        }
        return GPUName.table[indices[0]].name
    }

    /// Letters and digits only, in lower case, without vendor and series: the form in which names compare.
    package static func normalize(_ text: String) -> String {
        // One platform writes `SUPER`, the other `S`.
        GPUName.joined(text).replacing("super", with: "s")
    }

    private static func joined(_ text: String) -> String {
        var joined = ""
        for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
            if !GPUName.silentWords.contains(String(word)) { joined += word }
        }
        var rest = joined[...]
        while let vendor = GPUName.vendors.first(where: { rest.hasPrefix($0) && rest.count > $0.count }) {
            rest = rest.dropFirst(vendor.count)
        }
        return String(rest)
    }

    /// True for "RTX 6000" alone: three generations have that name, from 24 to 96 GB, and only the oldest has
    /// it without an addition.
    private static func isAmbiguous(_ text: String, _ candidate: String) -> Bool {
        guard candidate == "rtx6000" || candidate == "6000" else { return false }
        let text = text.lowercased()
        return !text.contains("quadro") && !text.contains("24")
    }

    /// Removes the form of the board: `l40spcie` becomes `l40s`.
    private static func withoutForm(_ name: String) -> String {
        for form in ["pcie", "sxm2", "sxm3", "sxm4", "sxm5", "sxm6", "sxm"] where name.hasSuffix(form) {
            return String(name.dropLast(form.count))
        }
        return name
    }

    /// Takes a size such as `80GB`, `80 gb` or `80g` out of `text`.
    private static func splitMemory(_ text: String) -> (words: String, memoryGB: Int?) {
        let words = text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
        var kept: [String] = []
        var memoryGB: Int?
        for word in words {
            let digits = word.prefix { $0.isASCII && $0.isNumber }
            let unit = word.dropFirst(digits.count)
            if let size = Int(digits), ["g", "gb", "gib"].contains(String(unit)) {
                memoryGB = size
            } else if ["gb", "gib"].contains(word), let size = kept.last.flatMap({ Int($0) }) {
                memoryGB = size
                kept.removeLast()
            } else {
                kept.append(word)
            }
        }
        return (kept.joined(separator: " "), memoryGB)
    }

    fileprivate static func keys(of model: GPUModel) -> Set<String> {
        Set(([model.name] + model.vastNames + model.runpodIDs + model.aliases).map(GPUName.normalize))
    }

    private static let vendors = ["nvidia", "geforce", "tesla", "quadro", "amd", "instinct", "radeon"]
    private static let silentWords = Set(
        GPUName.vendors + ["generation", "gpu", "graphics", "blackwell", "edition", "oam"])

    private static let index: [String: [Int]] = {
        var index: [String: [Int]] = [:]
        for (position, model) in GPUName.table.enumerated() {
            for key in GPUName.keys(of: model) { index[key, default: []].append(position) }
        }
        return index
    }()

    /// Returns the number of insertions, deletions, replacements and swaps of neighbours between two texts.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                var best = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + cost)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1]
                {
                    best = min(best, beforePrevious[column - 2] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}
