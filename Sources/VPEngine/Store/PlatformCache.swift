import Foundation

/// Keeps the platforms' last answers on disk, for a first display before any network.
package struct PlatformCache: Sendable {
    private struct Document<Value: Codable>: Codable {
        var fetchedAt: Date
        var values: [Value]
        /// For each platform that did not answer, the time at which its kept rows were fetched.
        var seenAt: [String: Date]?
        /// `PlatformAnswers.dearer`, for offers.
        var dearer: [String: Int]?
        /// The query, for offers.
        var query: OfferQuery?
        /// The one platform that was asked; nil for all.
        var platform: Platform?
    }

    package enum Subject: String, Sendable {
        case instances, offers, balances
    }

    package let folder: String

    package init(folder: String) {
        self.folder = folder
    }

    /// Returns the last answers; nil if there are no usable ones: a cache is never an error. With `query`,
    /// returns only answers to that very query. Files larger than `bytes` are not read.
    package func load<Value: Codable & Sendable & BoundedValue>(
        _ subject: Subject, of type: Value.Type, answering query: OfferQuery? = nil,
        of platform: Platform? = nil, upTo bytes: Int = .max
    ) -> PlatformAnswers<Value>? {
        guard bytes == .max || self.size(of: subject) <= bytes,
            let data = FileManager.default.contents(atPath: self.path(subject)),
            let document = try? JSONDecoder().decode(Document<Value>.self, from: data)
        else { return nil }
        if let query, document.query != query || document.platform != platform { return nil }
        var seenAt: [Platform: Date] = [:]
        for (name, date) in document.seenAt ?? [:] {
            Platform(rawValue: name).map { seenAt[$0] = date.withinBounds }
        }
        var answers = PlatformAnswers(
            values: document.values.compactMap { $0.bounded() }, failures: [],
            fetchedAt: document.fetchedAt.withinBounds ?? Date(timeIntervalSince1970: 0), seenAt: seenAt)
        for (name, count) in document.dearer ?? [:] where (1...100_000).contains(count) {
            Platform(rawValue: name).map { answers.dearer[$0] = count }
        }
        return answers
    }

    /// Saves `answers`. A platform that failed keeps its earlier rows.
    package func save<Value: Codable & Sendable & BoundedValue>(
        _ answers: PlatformAnswers<Value>, as subject: Subject, answering query: OfferQuery? = nil,
        of platform: Platform? = nil, platformOf: (Value) -> Platform
    ) {
        var document = Document(
            fetchedAt: answers.fetchedAt, values: answers.values.compactMap { $0.bounded() }, query: query,
            platform: platform)
        if !answers.dearer.isEmpty {
            document.dearer = Dictionary(
                uniqueKeysWithValues: answers.dearer.map { ($0.key.rawValue, $0.value) })
        }
        // A platform that answered in part has newer rows.
        let failed = Set(answers.failures.map(\.platform)).subtracting(answers.values.map(platformOf))
        if !failed.isEmpty, let old = self.load(subject, of: Value.self) {
            document.values += old.values.filter { failed.contains(platformOf($0)) }
            // The kept rows make the whole as old as they are, so that nobody takes it for a fresh answer.
            document.fetchedAt = old.fetchedAt
            document.seenAt = [:]
            for platform in failed {
                document.seenAt?[platform.rawValue] = old.seenAt[platform] ?? old.fetchedAt
            }
        }
        guard let data = try? JSONEncoder().encode(document)
        else {
            return
        }
        // Losing a cache costs a moment at the next start; it must not fail a command that succeeded.
        try? PrivateFolder.make(self.folder)
        try? PrivateFolder.write([UInt8](data), to: self.path(subject))
    }

    /// Returns the turn to ask for `subject`, which one program has at a time; nil if another has had it for
    /// so long that it may be suspended.
    package func turn(_ subject: Subject) async -> FileLock? {
        try? PrivateFolder.make(self.folder)
        return try? await FileLock(
            path: "\(self.folder)/\(subject.rawValue).lock", .init("waiting for another program's request"),
            patience: .seconds(10))
    }

    /// Saves figures for `vp status`, which has no time to compute them.
    package func save(_ report: MoneyReport) {
        guard let data = try? JSONEncoder().encode(report.bounded()) else { return }
        try? PrivateFolder.make(self.folder)
        try? PrivateFolder.write([UInt8](data), to: Self.reportPath(self.folder))
    }

    package static func reportPath(_ folder: String) -> String { "\(folder)/status.json" }

    private func size(of subject: Subject) -> Int {
        var information = stat()
        return stat(self.path(subject), &information) == 0 ? Int(information.st_size) : 0
    }

    private func path(_ subject: Subject) -> String { "\(self.folder)/\(subject.rawValue).json" }
}

extension MoneyReport {
    /// Returns the last saved figures; nil if there are no usable ones. Reads one file and no configuration.
    public static func cached(environment: [String: String]) -> MoneyReport? {
        let path = PlatformCache.reportPath(EngineConfiguration.cacheFolder(environment))
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return (try? JSONDecoder().decode(MoneyReport.self, from: data))?.bounded()
    }
}
