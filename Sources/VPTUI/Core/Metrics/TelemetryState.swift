import Foundation
import VPEngine

/// The load of instances: the newest sample of each, and a short history for the curves.
public struct TelemetryState: Equatable, Sendable {
    static let length = 120

    public struct Track: Equatable, Sendable {
        public internal(set) var latest: TelemetrySample?
        public internal(set) var date: Date?
        /// Shares from 0 to 1, oldest first.
        public internal(set) var gpu: [Double] = []
        public internal(set) var gpuMemory: [Double] = []
        public internal(set) var cpu: [Double] = []
        public internal(set) var memory: [Double] = []
        /// Bytes per second.
        public internal(set) var received: [Double] = []
        public internal(set) var sent: [Double] = []
        /// The GPU's load while this dashboard watched.
        var history = LoadHistory()
        public internal(set) var failure: EngineError?
        /// The samples drawn over time, oldest first.
        private(set) var moments: [Moment] = []

        mutating func add(_ moment: Moment) {
            self.moments.append(moment)
            guard self.moments.count > TelemetryState.momentLimit else { return }
            // The older half keeps every second sample: more than an hour fits into the memory of a quarter.
            let old = TelemetryState.momentLimit / 2
            let kept = (0..<old).filter { $0 % 2 == 0 }.map { self.moments[$0] }
            self.moments.replaceSubrange(..<old, with: kept)
        }
    }

    /// The part of a sample that is drawn over time. Shares are from 0 to 1.
    struct Moment: Equatable, Sendable {
        var date: Date
        var gpu: Double?
        var gpuMemory: Double?
        var cpu: Double?
        var memory: Double?
        /// Bytes per second, in both directions together.
        var network: Double?
    }

    static let momentLimit = 1024

    public private(set) var tracks: [InstanceID: Track] = [:]

    public init() {}

    public func track(_ id: InstanceID) -> Track? { self.tracks[id] }

    mutating func take(_ sample: TelemetrySample, of id: InstanceID, at date: Date) {
        var track = self.tracks[id] ?? Track()
        let before = track.latest
        let elapsed = track.date.map { date.timeIntervalSince($0) } ?? 0
        func add(_ value: Double?, to values: inout [Double]) {
            guard let value, value.isFinite else { return }
            values.append(value)
            if values.count > Self.length { values.removeFirst(values.count - Self.length) }
        }
        add(sample.gpuShare, to: &track.gpu)
        if let share = sample.gpuShare { track.history.add(share, at: date) }
        add(sample.gpuMemoryShare, to: &track.gpuMemory)
        add(sample.cpuShare(since: before), to: &track.cpu)
        add(sample.memoryShare, to: &track.memory)
        var network: Double?
        if let before, elapsed > 0.1 {
            let received = Double(sample.receivedBytes.subtractingSaturated(before.receivedBytes)) / elapsed
            let sent = Double(sample.sentBytes.subtractingSaturated(before.sentBytes)) / elapsed
            add(received, to: &track.received)
            add(sent, to: &track.sent)
            network = max(0, received) + max(0, sent)
        }
        track.add(
            Moment(
                date: date, gpu: sample.gpuShare, gpuMemory: sample.gpuMemoryShare,
                cpu: sample.cpuShare(since: before), memory: sample.memoryShare, network: network))
        track.latest = sample
        track.date = date
        track.failure = nil
        self.tracks[id] = track
    }

    mutating func failed(_ error: EngineError, of id: InstanceID) {
        self.tracks[id, default: Track()].failure = error
    }

    mutating func forget(_ id: InstanceID) {
        self.tracks[id] = nil
    }
}

extension State {
    /// The time after which an idle GPU with a silent job is reported, because it costs money for
    /// nothing, in seconds.
    static let idleAlarm: TimeInterval = 300
    /// The time for which an instance must be selected before a connection is opened, in seconds.
    private static let settleTime: TimeInterval = 0.8

    /// The most rows that show their load; each takes an ssh session.
    private static let fleetLimit = 8

    /// Returns the running instances whose rows or graphs are on screen.
    func fleet() -> [InstanceID] {
        let layout = Layout(self)
        guard let rows = layout.rows(of: .instances, self), !self.settings.platforms.isEmpty else {
            return []
        }
        let shown =
            layout.fleet == nil
            ? self.instances.shown(from: self.instances.top, count: rows.height) : self.instances.rows
        return Array(shown.lazy.map(\.id).filter { self.canBeWatched($0) }.prefix(Self.fleetLimit))
    }

    private func canBeWatched(_ id: InstanceID) -> Bool {
        self.instances.row(id)?.status == .running && self.pendingDestroy(of: id) == nil
    }

    /// The instances whose load is on screen: the selected one, and the one of the open log.
    func visibleInstances() -> Set<InstanceID> {
        guard Layout(self).main != nil, !self.settings.platforms.isEmpty else { return [] }
        var wanted: Set<InstanceID> = []
        switch self.mainContent {
        case .details:
            if self.lastList == .instances, let id = self.instances.selection,
                self.now.timeIntervalSince(self.selectedSince.date) >= Self.settleTime
            {
                wanted.insert(id)
            }
        case .log, .metrics:
            if let job = self.log.job, let row = self.jobs.row(job), !row.state.isOver {
                wanted.insert(row.instance)
            }
        case .files: break
        }
        return wanted.filter { self.canBeWatched($0) }
    }

    /// Starts a sampler for each instance on screen, and stops the others.
    mutating func watchVisible() -> [Effect] {
        if self.selectedSince.id != self.instances.selection {
            self.selectedSince = SelectedSince(id: self.instances.selection, date: self.now)
        }
        let inFull = self.visibleInstances().map { ($0, self.loadInterval) }
        let asRows = self.fleet().map { ($0, self.fleetLoadInterval) }
        let wanted = Dictionary(inFull + asRows, uniquingKeysWith: { inFull, _ in inFull })
        guard wanted != self.watched else { return [] }
        self.watched = wanted
        return [.order(.watch(wanted))]
    }
}
