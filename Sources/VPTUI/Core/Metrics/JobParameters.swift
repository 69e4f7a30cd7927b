/// The parameters in a command line, as far as its form shows: `--lr 0.1`, `--lr=0.1`, `lr=0.1`, `-b 8`.
struct JobParameters: Equatable {
    private(set) var values: [(name: String, value: String)] = []

    init(_ command: String) {
        var words = command.split(separator: " ").map(String.init)[...]
        var place = 0
        while let word = words.popFirst() {
            let bare = word.drop { $0 == "-" }
            let isOption = word.hasPrefix("-") && !bare.isEmpty && Double(word) == nil
            if let sign = bare.firstIndex(of: "="), sign > bare.startIndex {
                self.values.append((String(bare[..<sign]), Self.unquoted(bare[bare.index(after: sign)...])))
            } else if isOption, let next = words.first, !next.hasPrefix("-") || Double(next) != nil {
                self.values.append((String(bare), Self.unquoted(next[...])))
                words.removeFirst()
            } else if isOption {
                self.values.append((String(bare), "yes"))
            } else {
                place += 1
                self.values.append(("argument \(place)", Self.unquoted(word[...])))
            }
        }
    }

    private static func unquoted(_ text: Substring) -> String {
        text.filter { $0 != "'" && $0 != "\"" }
    }

    func value(_ name: String) -> String? { self.values.last { $0.name == name }?.value }

    /// Returns the names whose values differ between `jobs`, in order of appearance.
    static func differing(_ jobs: [JobParameters]) -> [String] {
        var names: [String] = []
        for name in jobs.flatMap(\.values).map(\.name) where !names.contains(name) { names.append(name) }
        return names.filter { name in Set(jobs.map { $0.value(name) }).count > 1 }
    }

    static func == (a: Self, b: Self) -> Bool {
        a.values.map(\.name) == b.values.map(\.name) && a.values.map(\.value) == b.values.map(\.value)
    }
}
