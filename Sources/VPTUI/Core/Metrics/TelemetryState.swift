import Foundation
import VPEngine

/// What is known of the load of instances: the newest sample of each, and a short past for the curves.
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
        /// Bytes a second.
        public internal(set) var received: [Double] = []
        public internal(set) var sent: [Double] = []
        /// Of the GPU, for as long as this dashboard looked.
        var history = LoadHistory()
        public internal(set) var failure: EngineError?
    }

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
        if let before, elapsed > 0.1 {
            add(
                Double(sample.receivedBytes.subtractingSaturated(before.receivedBytes)) / elapsed,
                to: &track.received)
            add(Double(sample.sentBytes.subtractingSaturated(before.sentBytes)) / elapsed, to: &track.sent)
        }
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
    /// A GPU that does nothing for this long while its job is silent is money for nothing.
    static let idleAlarm: TimeInterval = 300
    /// Passing over an instance opens no connection to it.
    private static let settleTime: TimeInterval = 0.8

    /// The instances whose load is on screen: the selected one, and that of the log.
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
        return wanted.filter {
            self.instances.row($0)?.status == .running && self.pendingDestroy(of: $0) == nil
        }
    }

    /// One sampler for each instance on screen, and none for the others.
    mutating func watchVisible() -> [Effect] {
        if self.selectedSince.id != self.instances.selection {
            self.selectedSince = SelectedSince(id: self.instances.selection, date: self.now)
        }
        let wanted = self.visibleInstances()
        guard wanted != self.watched else { return [] }
        self.watched = wanted
        return [.order(.watch(wanted.sorted { $0.rawValue < $1.rawValue }))]
    }
}
