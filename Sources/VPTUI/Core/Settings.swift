import Foundation
import VPEngine

/// Settings from the start of the dashboard; only the theme changes while it runs.
public struct Settings: Equatable, Sendable {
    /// The characters that plots are drawn with.
    public enum Plotting: String, Hashable, Sendable { case braille, blocks, ascii }

    public var isReadOnly = false
    /// Only ASCII characters are drawn.
    public var isASCII = false
    public var plotting = Plotting.braille
    /// The cloud and the project are the demo's, and end with the dashboard.
    public var isDemo = false
    /// Lines are typed instead of keys.
    public var isPlain = false
    /// The offset of local time from GMT, in seconds.
    public var secondsFromGMT = 0
    public var workspaceName = ""
    /// The platforms that have a key. If empty, nothing can be rented, and the first screen
    /// explains how to begin.
    public var platforms: [Platform] = []
    public var defaults = EngineConfiguration.Defaults()
    /// The lease of an instance for which no other is specified.
    public var leaseTerms = LeaseTerms()

    public init() {}
}

/// The state that a dashboard saves for the next one: orders, filters and sizes.
public struct Remembered: Codable, Equatable, Sendable {
    public struct List: Codable, Equatable, Sendable {
        public var order: String
        public var isReversed: Bool
        public var filter: String
    }

    public var lists: [String: List] = [:]
    public var zoom = State.Zoom.both
    public var isWrapped = true
    public var paletteHistory: [String] = []

    public init() {}
}

extension State {
    /// The state to save now.
    public var toRemember: Remembered {
        var remembered = Remembered()
        func list<Row>(_ list: ListState<Row>) -> Remembered.List {
            Remembered.List(order: list.order.name, isReversed: list.isReversed, filter: list.filter)
        }
        remembered.lists = [
            "instances": list(self.instances), "offers": list(self.offers), "jobs": list(self.jobs),
        ]
        remembered.zoom = self.zoom
        remembered.isWrapped = self.log.isWrapped
        remembered.paletteHistory = self.paletteHistory
        return remembered
    }

    /// Restores the state that an earlier session saved.
    public mutating func recall(_ remembered: Remembered) {
        func apply<Row>(_ name: String, to list: inout ListState<Row>) {
            guard let saved = remembered.lists[name] else { return }
            list.setOrder(named: saved.order, isReversed: saved.isReversed)
            list.apply(.filter(saved.filter))
        }
        apply("instances", to: &self.instances)
        apply("offers", to: &self.offers)
        apply("jobs", to: &self.jobs)
        self.zoom = remembered.zoom
        self.log.isWrapped = remembered.isWrapped
        self.paletteHistory = Array(remembered.paletteHistory.prefix(50))
        self.remembered = self.toRemember
    }
}
