import Foundation
import Glibc
import Yams

/// One YAML configuration file, read leniently: keys that nobody asks for are ignored, and a requested key
/// with the wrong kind of value is an error that names file and line.
struct ConfigurationFile {
    /// The largest size of a file, in bytes.
    private static let largest = 4 << 20

    let path: String
    private let root: Node?

    /// Reads the file; nil if there is none.
    init?(path: String) throws(EngineError) {
        guard let text = try Self.contents(of: path) else { return nil }
        try self.init(path: path, text: text)
    }

    init(path: String, text: String) throws(EngineError) {
        self.path = path
        do {
            self.root = try Yams.compose(yaml: text)
        } catch {
            throw Self.error("\(path)\(Self.place(of: error))")
        }
        if let root = self.root, root.mapping == nil, root.null == nil {
            throw Self.error("\(path):1: expected `key: value` lines")
        }
    }

    /// Returns the file's text. A missing file is nil; a file that exists and cannot be read is an error,
    /// never an empty one.
    static func contents(of path: String) throws(EngineError) -> String? {
        // A pipe or a device in its place must neither block us nor fill the memory.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Self.error("\(path): the file cannot be read")
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw Self.error("\(path): this is not a file")
        }
        guard information.st_size <= Self.largest else {
            throw Self.error("\(path): the file exceeds the limit of \(Self.largest >> 20) MB")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        guard let data = try? handle.read(upToCount: Self.largest) ?? Data() else {
            throw Self.error("\(path): the file cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Self.error("\(path): the file is not UTF-8 text")
        }
        return text
    }

    static func error(_ detail: String) -> EngineError {
        EngineError(.badConfiguration, .init("reading the configuration"), detail: detail)
    }

    // MARK: - Values

    /// Returns the text at the first of `keys` that is set. A key is a dotted path; `null` and empty text
    /// count as unset.
    ///
    /// There are several keys because the original tool's files and hand-written ones use different places.
    func text(_ keys: String...) throws(EngineError) -> String? { try self.text(keys) }

    func text(_ keys: [String]) throws(EngineError) -> String? {
        for key in keys {
            guard let node = self.node(key) else { continue }
            guard let scalar = node.scalar else { throw self.error(at: node, "\(key) must be one value") }
            let text = scalar.string.trimmingCharacters(in: .whitespacesAndNewlines)
            if !text.isEmpty { return text }
        }
        return nil
    }

    func flag(_ key: String) throws(EngineError) -> Bool? {
        guard let node = self.node(key) else { return nil }
        // Quotes are accepted as well, since `vp config-set` writes them.
        let words = ["true": true, "false": false]
        guard let flag = node.bool ?? node.scalar.flatMap({ words[$0.string] }) else {
            throw self.error(at: node, "\(key) must be true or false")
        }
        return flag
    }

    /// Returns an amount of dollars, with or without a dollar sign in front.
    func dollars(_ keys: [String]) throws(EngineError) -> Double? {
        for key in keys {
            guard let node = self.node(key), let text = node.scalar?.string else { continue }
            let digits = text.hasPrefix("$") ? String(text.dropFirst()) : text
            guard let value = Double(digits), value > 0, value.isFinite else {
                throw self.error(at: node, "\(key) must be an amount in dollars, such as 0.60")
            }
            return value
        }
        return nil
    }

    /// Returns a length of time such as `12h`; `none` is a time without end, and nil means unset.
    func duration(_ keys: [String]) throws(EngineError) -> (seconds: Double?, Void)? {
        for key in keys {
            guard let node = self.node(key), let text = node.scalar?.string else { continue }
            if text == "none" { return (nil, ()) }
            do {
                return (try TimeSpan.seconds(text), ())
            } catch {
                throw self.error(at: node, "\(key): \(error.sentence), or none")
            }
        }
        return nil
    }

    /// Returns a size; a bare number is in gigabytes, as the platforms count disk.
    func byteCount(_ keys: [String]) throws(EngineError) -> Int64? {
        for key in keys {
            guard let node = self.node(key), let text = node.scalar?.string else { continue }
            guard let bytes = ByteCount.parse(text) else {
                throw self.error(at: node, "\(key) must be a size, such as 40 or 40GB")
            }
            return bytes
        }
        return nil
    }

    /// Returns a list of texts; a single text counts as a list of one.
    func list(_ keys: String...) throws(EngineError) -> [String] {
        for key in keys {
            guard let node = self.node(key) else { continue }
            if let scalar = node.scalar { return [scalar.string] }
            guard let sequence = node.sequence else { throw self.error(at: node, "\(key) must be a list") }
            var values: [String] = []
            for element in sequence {
                guard let scalar = element.scalar else {
                    throw self.error(at: element, "every entry of \(key) must be one value")
                }
                values.append(scalar.string)
            }
            return values
        }
        return []
    }

    /// Reads `metrics: [{name: loss, regex: "L=([0-9.]+)"}]`, at most 32 entries.
    func figurePatterns() throws(EngineError) -> [FigurePattern] {
        guard let node = self.node("metrics") else { return [] }
        guard let sequence = node.sequence else { throw self.error(at: node, "metrics must be a list") }
        var patterns: [FigurePattern] = []
        for element in sequence.prefix(32) {
            guard let name = element["name"]?.scalar?.string, !name.isEmpty, name.utf8.count <= 64,
                let expression = element["regex"]?.scalar?.string
            else {
                throw self.error(at: element, "every entry of metrics must have a name and a regex")
            }
            guard let pattern = FigurePattern(name: name, expression: expression) else {
                throw self.error(at: element, "the regex of \(name) in metrics is not a regular expression")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    func table(_ key: String) throws(EngineError) -> [String: String] {
        guard let node = self.node(key) else { return [:] }
        guard let mapping = node.mapping else {
            throw self.error(at: node, "\(key) must contain `name: value` lines")
        }
        var values: [String: String] = [:]
        for (name, value) in mapping {
            guard let name = name.scalar?.string, let value = value.scalar?.string else {
                throw self.error(at: value, "every entry of \(key) must be `name: value`")
            }
            values[name] = value
        }
        return values
    }

    /// True if `key` is set to anything.
    func has(_ key: String) -> Bool { self.node(key) != nil }

    /// Returns the first of `keys` that is set, and `FILE:LINE` of its value.
    func place(of keys: [String]) -> (key: String, place: String)? {
        for key in keys {
            guard let node = self.node(key) else { continue }
            return (key, self.path + (node.mark.map { ":\($0.line)" } ?? ""))
        }
        return nil
    }

    /// Warnings about each setting that `vp` does not know, a sentence each.
    var warningsAboutUnknownSettings: [String] { KnownSettings.warnings(about: self.root, file: self.path) }

    /// Returns an error about the value of `key`, with its line.
    func error(_ key: String, _ problem: String) -> EngineError {
        guard let node = self.node(key) else { return Self.error("\(self.path): \(problem)") }
        return self.error(at: node, problem)
    }

    func error(at node: Node, _ problem: String) -> EngineError {
        let line = node.mark.map { ":\($0.line)" } ?? ""
        return Self.error("\(self.path)\(line): \(problem)")
    }

    private func node(_ key: String) -> Node? {
        var node = self.root
        for part in key.split(separator: ".") {
            node = node?.mapping?[Node(String(part))]
        }
        return node?.null == nil ? node : nil
    }

    /// Returns `:LINE: problem`, from whichever stage of the parser failed.
    ///
    /// The description of a parser's error quotes the offending line, which may contain a key: only the
    /// problem's own words are used.
    private static func place(of error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return ":\(mark.line): \(problem)"
        case .reader(let problem, _, _, _):
            return ": \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            return ":\(context.mark.line): \(duplicates.joined(separator: ", ")) occurs twice"
        default:
            return ": the file is not YAML"
        }
    }
}
