import Foundation

/// The settings of the user and of the project, by rank: a project's file comes with anything that was cloned
/// or unpacked, so it may make the user's own limits stricter and never looser.
///
/// A project may decide what the user left open: a built-in default is no limit of the user's. Some settings
/// are for the user alone. Each setting that is not followed is reported once, with the reason and a remedy.
struct RankedSettings {
    private let user: ConfigurationFile?
    private let project: ConfigurationFile?
    private let userPath: String
    /// True for a file that was named on the command line and lies outside the project: it counts as the
    /// user's own.
    private let trustsProject: Bool
    private(set) var warnings: [String] = []

    init(_ sources: ConfigurationSources, userPath: String) {
        self.user = sources.user
        self.project = sources.project
        self.userPath = userPath
        self.trustsProject = sources.isTrusted
    }

    private var files: [ConfigurationFile] { [self.user, self.project].compactMap(\.self) }

    // MARK: Limits

    /// Returns the lowest amount that is set.
    mutating func lowestDollars(_ keys: String...) throws(EngineError) -> Double? {
        let own = try self.user?.dollars(keys)
        guard let theirs = try self.project?.dollars(keys) else { return own }
        guard let own, theirs > own else { return theirs }
        self.ignore(
            keys, "your own limit is \(Self.dollars(own)), and a project can only lower it", for: keys)
        return own
    }

    mutating func lowestByteCount(_ keys: String...) throws(EngineError) -> Int64? {
        let own = try self.user?.byteCount(keys)
        guard let theirs = try self.project?.byteCount(keys) else { return own }
        guard let own, theirs > own else { return theirs }
        self.ignore(keys, "your own limit is lower, and a project can only lower it", for: keys)
        return own
    }

    /// Returns the shortest time that is set, in seconds; nil if none is. Only the user can set a time
    /// without end.
    mutating func shortestTime(_ keys: String...) throws(EngineError) -> (seconds: Double?, Void)? {
        let own = try self.user?.duration(keys)
        guard let theirs = try self.project?.duration(keys) else { return own }
        guard theirs.seconds != nil || self.trustsProject else {
            self.ignore(keys, "only you can set `none`, and a project cannot", for: keys)
            return own
        }
        guard let own, (theirs.seconds ?? .infinity) > (own.seconds ?? .infinity) else { return theirs }
        self.ignore(keys, "your own setting is shorter, and a project can only shorten it", for: keys)
        return own
    }

    // MARK: Choices

    /// Returns the user's setting if there is one, else the project's, for a choice in which neither side is
    /// the stricter.
    mutating func usersElseProjects<Value: RawRepresentable & Equatable>(
        _ key: String, _ allowed: [Value]
    ) throws(EngineError) -> Value? where Value.RawValue == String {
        let own = try self.user.flatMap { file throws(EngineError) in try Self.choice(key, allowed, in: file)
        }
        guard let file = self.project, let theirs = try Self.choice(key, allowed, in: file) else {
            return own
        }
        guard let own, own != theirs else { return theirs }
        self.ignore([key], "your own setting is \(own.rawValue)", for: [key])
        return own
    }

    /// Returns a choice of which only the user may make `restricted`.
    mutating func choice<Value: RawRepresentable & Equatable>(
        _ key: String, _ allowed: [Value], restricted: Value
    ) throws(EngineError) -> Value? where Value.RawValue == String {
        let own = try self.user.flatMap { file throws(EngineError) in try Self.choice(key, allowed, in: file)
        }
        guard let file = self.project, let theirs = try Self.choice(key, allowed, in: file) else {
            return own
        }
        guard theirs == restricted, own != restricted, !self.trustsProject else { return theirs }
        self.ignore([key], "only you can set `\(theirs.rawValue)`, and a project cannot", for: [key])
        return own
    }

    private static func choice<Value: RawRepresentable>(
        _ key: String, _ allowed: [Value], in file: ConfigurationFile
    ) throws(EngineError) -> Value? where Value.RawValue == String {
        guard let word = try file.text(key) else { return nil }
        guard let value = Value(rawValue: word), allowed.contains(where: { $0.rawValue == word }) else {
            let words = allowed.map(\.rawValue).joined(separator: " or ")
            throw file.error(key, "\(key) must be \(words)")
        }
        return value
    }

    // MARK: For the user alone

    /// Returns the file that sets `key`, among those that may: the user's, and one that the user named on the
    /// command line.
    mutating func usersFile(_ key: String, reason: String) -> ConfigurationFile? {
        if let project = self.project, project.has(key) {
            if self.trustsProject { return project }
            self.ignore([key], reason, for: [key])
        }
        return self.user?.has(key) == true ? self.user : nil
    }

    mutating func ignore(_ keys: [String], _ reason: String, for settings: [String]) {
        guard let project = self.project, let (key, place) = project.place(of: keys) else { return }
        let words = "\(key) in \(place) is ignored: \(reason). To use it, set \(key) in \(self.userPath)."
        // Settings for all platforms are read once for each platform.
        if !self.warnings.contains(words) { self.warnings.append(words) }
    }

    private static func dollars(_ value: Double) -> String { Figures.dollars(value) }
}
