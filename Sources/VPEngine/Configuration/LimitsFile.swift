import Foundation
import Glibc
import Yams

/// Reads limits files. A missing file sets no limits; a file that cannot be trusted stops everything that
/// costs money.
struct LimitsFile {
    let path: String

    /// Returns the files that count, whatever the environment says: the home folder is the one of the user's
    /// account.
    ///
    /// The folder from the environment is added to them: another file can only make things stricter.
    static func places(
        environment: [String: String], accountHome: String? = Self.accountHome(), system: String = "/etc"
    ) -> [String] {
        let folders = [
            accountHome.map { "\($0)/.config" },
            (EngineConfiguration.userConfigurationFile(environment) as NSString).deletingLastPathComponent
                .removingLastPathComponent,
            system,
        ]
        var places: [String] = []
        for folder in folders.compactMap(\.self) {
            let place = "\(folder)/variousplug/limits.yaml"
            if !places.contains(place) { places.append(place) }
        }
        return places
    }

    static func read(_ places: [String]) -> Limits {
        var limits = Limits()
        for place in places { limits.tighten(by: LimitsFile(path: place).read()) }
        return limits
    }

    private func read() -> Limits {
        var limits = Limits()
        do {
            guard let text = try self.text() else { return limits }
            limits = try self.parse(text)
            limits.files = [self.path]
        } catch {
            limits = Limits()
            limits.files = [self.path]
            limits.problem = "\(self.path)\(error.words)"
        }
        return limits
    }

    struct Fault: Error {
        /// The text after the path: `:3: …`, or `: …`.
        var words: String
    }

    // MARK: The file

    private func text() throws(Fault) -> String? {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Fault(words: ": the file cannot be read (\(String(cString: strerror(errno))))")
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw Fault(words: ": this is not a file")
        }
        try Self.check(information, isFolder: false)
        // Users who can write the folder can put another file there; for a link both folders count, the
        // link's and the file's.
        let target = URL(fileURLWithPath: self.path).resolvingSymlinksInPath().path
        for path in [self.path, target] {
            var parent = stat()
            guard stat((path as NSString).deletingLastPathComponent, &parent) == 0 else {
                throw Fault(words: ": its folder cannot be examined")
            }
            try Self.check(parent, isFolder: true)
        }
        guard information.st_size <= 65_536 else { throw Fault(words: ": the file is too large") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        guard let data = try? handle.readToEnd() ?? Data(), let text = String(data: data, encoding: .utf8)
        else {
            throw Fault(words: ": the file cannot be read as UTF-8 text")
        }
        return text
    }

    private static func check(_ information: stat, isFolder: Bool) throws(Fault) {
        let subject = isFolder ? ": its folder" : ": the file"
        guard information.st_uid == 0 || information.st_uid == geteuid() else {
            throw Fault(words: "\(subject) belongs to another user")
        }
        guard information.st_mode & 0o022 == 0 || (isFolder && information.st_mode & S_ISVTX != 0) else {
            throw Fault(words: "\(subject) can be written by others; run `chmod go-w` on it")
        }
    }

    // MARK: The settings

    private static let keys = [
        "max_price", "max_cost", "per_day", "max_instances", "gpus", "platforms", "verbs",
    ]

    private func parse(_ text: String) throws(Fault) -> Limits {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Fault(words: ": the file is not valid YAML")
        }
        var limits = Limits()
        guard let root, root.null == nil else { return limits }
        guard let mapping = root.mapping else { throw Fault(words: ":1: expected `key: value` lines") }
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            switch name {
            case "max_price": limits.maximumPrice = self.cap(try Self.dollars(value, name))
            case "max_cost": limits.maximumCost = self.cap(try Self.dollars(value, name))
            case "per_day": limits.dollarsPerDay = self.cap(try Self.dollars(value, name))
            case "max_instances": limits.maximumInstances = self.cap(try Self.count(value, name))
            case "gpus":
                if let count = value.int {
                    guard count >= 0 else { throw Self.fault(value, "gpus must not be negative") }
                    limits.maximumGPUs = self.cap(count)
                    break
                }
                let names = try Self.list(value, name)
                for name in names where GPUName.select(name) == nil {
                    let nearest = GPUName.suggestions(for: name).first.map { "; did you mean \($0)?" } ?? ""
                    throw Self.fault(value, "gpus: no GPU is called “\(name)”\(nearest)")
                }
                limits.gpus = [self.cap(names)]
            case "platforms":
                var platforms: [Platform] = []
                for name in try Self.list(value, name) {
                    guard let platform = Platform(rawValue: name.lowercased()) else {
                        throw Self.fault(
                            value, "platforms: no platform is called “\(name)”; try vast or runpod")
                    }
                    platforms.append(platform)
                }
                limits.platforms = [self.cap(platforms)]
            case "verbs": limits.verbs = [self.cap(try Self.list(value, name))]
            default:
                let nearest = KnownSettings.nearest(to: name, among: Self.keys).map { "did you mean \($0)?" }
                throw Self.fault(
                    key,
                    "there is no limit “\(name)”; \(nearest ?? "the limits are \(Self.keys.joined(separator: ", "))")"
                )
            }
        }
        return limits
    }

    private func cap<Value>(_ value: Value) -> Limits.Cap<Value> { .init(value: value, file: self.path) }

    private static func dollars(_ node: Node, _ name: String) throws(Fault) -> Double {
        let text = node.scalar?.string ?? ""
        guard let value = Double(text.hasPrefix("$") ? String(text.dropFirst()) : text), value >= 0,
            value < 1e9
        else { throw Self.fault(node, "\(name) must be an amount in dollars, such as 0.60") }
        return value
    }

    private static func count(_ node: Node, _ name: String) throws(Fault) -> Int {
        guard let count = node.int, count >= 0 else {
            throw Self.fault(node, "\(name) must be a whole number, such as 2")
        }
        return count
    }

    private static func list(_ node: Node, _ name: String) throws(Fault) -> [String] {
        let nodes = node.sequence.map(Array.init) ?? [node]
        var values: [String] = []
        for node in nodes {
            guard let text = node.scalar?.string, !text.isEmpty, node.null == nil else {
                throw Self.fault(node, "\(name) must be a list of names")
            }
            values.append(text)
        }
        return values
    }

    private static func fault(_ node: Node, _ words: String) -> Fault {
        Fault(words: "\(node.mark.map { ":\($0.line)" } ?? ""): \(words)")
    }

    /// Returns the home folder of the account that runs us, from the password database and not from `HOME`.
    static func accountHome() -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(getuid(), &entry, &buffer, buffer.count, &found) == 0, found != nil,
            let folder = entry.pw_dir
        else { return nil }
        let path = String(cString: folder)
        return path.hasPrefix("/") && path.count > 1 ? path : nil
    }
}

extension String {
    fileprivate var removingLastPathComponent: String { (self as NSString).deletingLastPathComponent }
}

/// Where caps come from.
public enum LimitsSource: Sendable {
    /// These caps, whatever any file says.
    case fixed(Limits)
    /// These files. They are read at each use: a dashboard is open for days, and a cap that is lowered
    /// meanwhile holds for it, too.
    case files([String])

    /// Returns the caps in force now.
    public func read() -> Limits {
        switch self {
        case .fixed(let limits): limits
        case .files(let places): LimitsFile.read(places)
        }
    }
}

extension Limits {
    /// Returns the limits in force for this user.
    public static func inForce(environment: [String: String]) -> Limits {
        LimitsFile.read(LimitsFile.places(environment: environment))
    }
}
