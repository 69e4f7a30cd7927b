import Yams

/// The settings that a configuration file can contain, so that a misspelt one is reported instead of ignored.
enum KnownSettings {
    /// The settings as dotted paths. A path that ends in `*` allows any key below it.
    private static let paths = [
        "project.name", "project.working_dir", "project.data_dir", "project.base_image", "name",
        "working_dir",
        "data_dir", "base_image", "image",
        "docker.build_context", "docker.context", "docker.dockerfile", "docker.build_args.*", "docker.image",
        "docker.enabled",
        "platforms.default", "default_platform", "platforms.vast.*", "platforms.runpod.*", "vast.api_key",
        "runpod.api_key", "vast_api_key", "runpod_api_key",
        "defaults.gpu", "defaults.gpu_type", "defaults.image", "defaults.disk", "defaults.disk_gb",
        "defaults.max_price", "defaults.price", "defaults.lease",
        "sync.exclude_patterns", "sync.include_patterns", "sync.exclude", "sync.excludes", "sync.ignore",
        "sync.limit", "sync.bandwidth", "sync.accept", "sync.keep_there", "exclude_patterns", "exclude",
        "lease.duration", "lease.max", "lease.end", "lease.unsafe", "lease.parked", "lease.parked_end",
        "budget.per_day", "budget.per_run", "notify.command", "notify.url", "ssh.identity",
        "ca_file", "setup", "setup_inputs.*", "env.*", "env_file", "ports.*", "data.*", "registry.*",
        "jobs.grace", "jobs.linger", "metrics.*",
    ]

    private static let platformKeys = ["api_key", "key", "enabled", "url", "ca_file"]

    /// Returns a sentence for each setting of `root` that `vp` does not know, at most five.
    static func warnings(about root: Node?, file: String) -> [String] {
        var found: [(path: String, line: Int?)] = []
        Self.look(at: root, below: "", into: &found)
        var warnings = found.prefix(5).map { path, line in
            let place = file + (line.map { ":\($0)" } ?? "")
            let nearest = Self.nearest(to: path, among: Self.names).map { " Did you mean `\($0)`?" } ?? ""
            return "\(place): `\(path)` is not a setting; the line is ignored.\(nearest)"
        }
        if found.count > 5 { warnings.append("\(file): \(found.count - 5) more settings are unknown.") }
        return warnings
    }

    /// Returns the name that is nearest to `word`; nil if none is near.
    static func nearest(to word: String, among names: [String]) -> String? {
        let last = { (name: String) in name.split(separator: ".").last.map(String.init) ?? name }
        let scored = names.map { name -> (name: String, distance: Int) in
            // The right word in the wrong place is a mistake as well.
            (name, min(Self.distance(word, name), Self.distance(last(word), last(name)) + 1))
        }
        guard let best = scored.min(by: { $0.distance < $1.distance }),
            best.distance <= max(2, last(word).count / 3)
        else { return nil }
        return best.name
    }

    private static let names: [String] =
        Self.paths.map { $0.hasSuffix(".*") ? String($0.dropLast(2)) : $0 }
        // A section can be misspelt as well: `defalts: {gpu: …}`.
        + Set(Self.paths.compactMap { $0.split(separator: ".").dropLast().first.map(String.init) }).sorted()
        + Platform.allCases.flatMap { platform in
            Self.platformKeys.map { "platforms.\(platform.rawValue).\($0)" }
        }

    private static func look(
        at node: Node?, below path: String, into found: inout [(path: String, line: Int?)]
    ) {
        guard let mapping = node?.mapping, found.count < 50 else { return }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else { continue }
            let own = path.isEmpty ? name : "\(path).\(name)"
            if path == "platforms.vast" || path == "platforms.runpod" {
                if !Self.platformKeys.contains(name) { found.append((own, key.mark?.line)) }
            } else if Self.paths.contains(own) || Self.paths.contains(own + ".*") {
                if own == "platforms.vast" || own == "platforms.runpod" {
                    Self.look(at: value, below: own, into: &found)
                }
            } else if Self.paths.contains(where: { $0.hasPrefix(own + ".") }),
                value.mapping != nil || value.null != nil
            {
                Self.look(at: value, below: own, into: &found)
            } else {
                found.append((own, key.mark?.line))
            }
        }
    }

    /// Compares short words; a longer one is like none of them.
    private static func distance(_ lhs: String, _ rhs: String) -> Int {
        EditDistance.between(lhs.utf8.prefix(64), rhs.utf8.prefix(64))
    }
}
