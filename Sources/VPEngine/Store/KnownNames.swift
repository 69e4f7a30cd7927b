import Foundation
import GRDB

/// Names for a shell's completions, from what this machine keeps: the cache, and the history.
///
/// No platform is asked, no configuration is read and nothing is written. A file that cannot be read gives no
/// names: a completion has nowhere to report an error.
package struct KnownNames: Sendable {
    /// A value, and a few words that a shell may show beside it.
    package struct Name: Hashable, Sendable {
        package var value: String
        package var words: String
    }

    /// Reading stops at files larger than this: a completion must answer while a key is being pressed.
    private static let fileLimit = 4 << 20

    private let paths: EngineConfiguration.Paths
    private let cache: PlatformCache

    package init(environment: [String: String]) {
        self.paths = UserFolders(environment: environment).engine
        self.cache = PlatformCache(folder: self.paths.cacheFolder)
    }

    /// The instances of the last list, and those of the ledger that the list lacks.
    package func instances() -> [Name] {
        let cached =
            self.cache.load(.instances, of: Instance.self, upTo: Self.fileLimit)?.values ?? []
        var names = cached.map { instance in
            Name(
                value: instance.id.rawValue,
                words: [instance.name, instance.gpuName, instance.status.rawValue].compactMap(\.self)
                    .joined(separator: " "))
        }
        let rented: [Name] = self.rows(
            """
            SELECT instance AS value, name || ' ' || gpu AS words FROM ledger
            WHERE state != 'gone' AND instance IS NOT NULL ORDER BY createdAt DESC LIMIT 50
            """)
        let known = Set(names.map(\.value))
        names += rented.filter { !known.contains($0.value) }
        return names.filter(Self.isPlain)
    }

    /// Jobs, newest first.
    ///
    /// - Parameter isOpen: `true` leaves out jobs that are over.
    package func jobs(isOpen: Bool = false, limit: Int = 50) -> [Name] {
        let documents: [String] = self.read { database in
            try String.fetchAll(
                database,
                sql: "SELECT document FROM job WHERE json_valid(document) ORDER BY number DESC LIMIT ?",
                arguments: [limit])
        }
        return documents.compactMap(Store.decode).filter { !isOpen || !$0.state.isOver }.map { job in
            Name(value: job.id.rawValue, words: "\(job.state.rawValue) \(job.command.shellText)")
        }.filter(Self.isPlain)
    }

    /// The offers of the last list, as it was ordered.
    package func offers() -> [Name] {
        self.cachedOffers.map { offer in
            Name(
                value: offer.id.rawValue,
                words: "\(offer.gpuName) \(Figures.dollars(offer.price.dollarsPerHour, 3))/h")
        }.filter(Self.isPlain)
    }

    /// GPUs of the last list of offers with their lowest price, then all others that have a name.
    package func gpus() -> [Name] {
        var lowest: [String: Double] = [:]
        for offer in self.cachedOffers {
            lowest[offer.gpuName] = min(lowest[offer.gpuName] ?? .infinity, offer.price.dollarsPerHour)
        }
        let offered = lowest.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { gpu, dollars in
            Name(value: Self.word(gpu), words: "from \(Figures.dollars(dollars, 3))/h")
        }
        let known = Set(offered.map(\.value))
        let others = GPUName.table.map { Name(value: Self.word($0.name), words: "") }
        return (offered + others.filter { !known.contains($0.value) }).filter(Self.isPlain)
    }

    private var cachedOffers: [Offer] {
        self.cache.load(.offers, of: Offer.self, upTo: Self.fileLimit)?.values ?? []
    }

    /// `RTX_4090`: a form that needs no quotes.
    private static func word(_ gpu: String) -> String { gpu.replacing(" ", with: "_") }

    /// Shells expand what a completion offers, and some of these names come from servers:
    /// a name with any other character is left out.
    private static func isPlain(_ name: Name) -> Bool {
        !name.value.isEmpty && !name.value.hasPrefix("-")
            && name.value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    // MARK: History

    private func rows(_ query: String) -> [Name] {
        self.read { database in
            try Row.fetchAll(database, sql: query).compactMap { row in
                row.text("value").map { Name(value: $0, words: row.text("words") ?? "") }
            }
        }
    }

    /// Reads the history as it is: another version's schema is not changed, and a missing file is not made.
    private func read<Value: Sendable>(_ body: @Sendable (Database) throws -> [Value]) -> [Value] {
        let path = "\(self.paths.stateFolder)/history.sqlite"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(0.05)
        let database = try? DatabaseQueue(path: path, configuration: configuration)
        return (try? database?.read(body)) ?? []
    }
}
