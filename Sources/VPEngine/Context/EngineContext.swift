import Foundation
import Synchronization

/// The tools that every action uses: configuration, store, connections, clients, clock and pause. It does not
/// know any action.
package struct EngineContext: Sendable {
    package let configuration: EngineConfiguration
    package let clients: [Platform: any PlatformClient]
    package let runner: any ProcessRunner
    package let store: Store
    package let connections: InstanceConnections
    package let cache: PlatformCache
    /// The current time; a test of a whole day's costs has a clock of its own.
    package let now: @Sendable () -> Date
    /// Writes the files below a folder to the disk; see `Durability`.
    package let flush: @Sendable (String) throws(EngineError) -> Void
    package let untrusted = UntrustedPlatforms()
    /// Held while the money report is made and saved.
    package let reports = ReportTurn()

    /// Opens the store, writes nothing else, and contacts no platform.
    package init(
        configuration: EngineConfiguration, clients: [any PlatformClient], runner: any ProcessRunner,
        now: @escaping @Sendable () -> Date,
        flush: @escaping @Sendable (String) throws(EngineError) -> Void,
        patience: Patience = Patience(), history: HistoryNeed = .kept
    ) throws(EngineError) {
        self.configuration = configuration
        self.clients = Dictionary(clients.map { ($0.platform, $0) }) { first, _ in first }
        self.runner = runner
        self.now = now
        self.flush = flush
        self.store = try Store(stateFolder: configuration.paths.stateFolder, need: history)
        self.connections = InstanceConnections(
            configuration: configuration, runner: runner, patience: patience)
        self.cache = PlatformCache(folder: configuration.paths.cacheFolder)
    }

    // MARK: Platforms

    package func client(_ platform: Platform, _ words: String) throws(EngineError) -> any PlatformClient {
        guard let client = self.clients[platform] else {
            throw EngineError(.missingKey, .init(words, platform: platform))
        }
        return client
    }

    package func askedPlatforms(_ platform: Platform?) -> [Platform] {
        platform.map { [$0] } ?? Platform.allCases.filter { self.clients[$0] != nil }
    }

    /// Asks `platform`, or every platform with a key, side by side.
    package func ask<Value: Sendable>(
        _ platform: Platform?, _ words: String,
        _ question: @escaping @Sendable (any PlatformClient) async throws(EngineError) -> [Value]
    ) async -> PlatformAnswers<Value> {
        let asked = self.askedPlatforms(platform)
        var answers = PlatformAnswers<Value>(values: [], failures: [], fetchedAt: self.now())
        if asked.isEmpty {
            answers.failures = [.init(platform: .vast, error: EngineError(.missingKey, .init(words)))]
            return answers
        }
        let results = await withTaskGroup(of: (Platform, Result<[Value], EngineError>).self) { group in
            for platform in asked {
                group.addTask {
                    do throws(EngineError) {
                        return (platform, .success(try await question(try self.client(platform, words))))
                    } catch {
                        return (platform, .failure(error))
                    }
                }
            }
            var results: [Platform: Result<[Value], EngineError>] = [:]
            for await (platform, result) in group { results[platform] = result }
            return results
        }
        for platform in asked {
            switch results[platform] {
            case .success(let values): answers.values += values
            case .failure(let error): answers.failures.append(.init(platform: platform, error: error))
            case nil: break
            }
        }
        return answers
    }

    /// Pauses between requests to a platform.
    package func pause(_ seconds: Double, _ words: String) async throws(EngineError) {
        do {
            try await Task.sleep(for: .seconds(seconds * self.configuration.timeScale))
        } catch {
            throw EngineError(.cancelled, .init(words))
        }
    }

    // MARK: Last answers, from disk

    /// Returns the instances last seen by `vp` or `vp-tui`; nil if there is no usable cache.
    package func cachedInstances() -> PlatformAnswers<Instance>? {
        let answers = self.cache.load(.instances, of: Instance.self)
        if let answers { self.connections.note(answers.values) }
        return answers
    }

    /// Returns the cached offers; nil also if they exceed `bytes` on disk.
    package func cachedOffers(upTo bytes: Int = .max) -> PlatformAnswers<Offer>? {
        self.cache.load(.offers, of: Offer.self, upTo: bytes)
    }

    package func cachedBalances() -> PlatformAnswers<Balance>? {
        self.cache.load(.balances, of: Balance.self)
    }

    // MARK: One instance

    /// Returns the instance as it was last seen, or as the platform shows it now.
    package func instance(_ id: InstanceID) async throws(EngineError) -> Instance {
        if let known = self.connections.known(id), known.status == .running, !known.addresses.isEmpty {
            return known
        }
        return try await self.freshInstance(id)
    }

    package func freshInstance(_ id: InstanceID) async throws(EngineError) -> Instance {
        let client = try self.client(id.platform, "looking at instance \(id)")
        guard let instance = try await client.instance(id) else {
            throw EngineError(
                .instanceGone, .init("looking at instance \(id)", platform: id.platform, subject: id.rawValue)
            )
        }
        self.connections.note([instance])
        let project = try self.store.ledgerEntry(for: id)?.projectName
        try self.store.meter([instance], projects: project.map { [id: $0] } ?? [:], at: self.now())
        return instance
    }

    package func shell(for id: InstanceID) async throws(EngineError) -> RemoteShell {
        let instance = try await self.instance(id)
        // A stopped instance keeps its last address, and waiting for an answer would tell nothing.
        guard instance.status == .running else {
            throw EngineError(
                .instanceNotRunning,
                .init("connecting to instance \(id)", platform: id.platform, subject: id.rawValue),
                detail: [instance.status.rawValue, instance.statusMessage].compactMap(\.self).joined(
                    separator: ": "))
        }
        return try await self.connections.shell(for: instance)
    }

    /// Returns the workspace that was synced with `id`: the one that it was rented for, else this project's.
    package func workspace(of id: InstanceID) throws(EngineError) -> Workspace {
        guard let entry = try self.store.ledgerEntry(for: id),
            entry.workspaceRoot != self.configuration.workspace.localRoot
        else { return self.configuration.workspace }
        return Workspace(
            name: (entry.workspaceRoot as NSString).lastPathComponent, localRoot: entry.workspaceRoot,
            remoteRoot: entry.remoteRoot)
    }
}

/// Platforms whose last list was not trustworthy, with the reasons.
package final class UntrustedPlatforms: Sendable {
    private let reasons = Mutex<[Platform: String]>([:])

    package var all: [Platform: String] { self.reasons.withLock(\.self) }

    /// Records the result of asking `platforms`.
    package func note<Value>(
        _ failures: [PlatformAnswers<Value>.Failure], of platforms: [Platform]
    ) {
        self.reasons.withLock { reasons in
            for platform in platforms { reasons[platform] = nil }
            for failure in failures {
                reasons[failure.platform] = failure.error.detail ?? failure.error.code.rawValue
            }
        }
    }
}

/// The turn to make a money report, one at a time.
package final class ReportTurn: Sendable {
    private let turn = Mutex(())

    package func withLock<Result>(_ body: () -> Result) -> Result { self.turn.withLock { _ in body() } }
}
