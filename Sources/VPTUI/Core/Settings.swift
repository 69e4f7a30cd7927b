import Foundation
import VPEngine

/// What was chosen at the start; only the theme changes while the dashboard runs.
public struct Settings: Equatable, Sendable {
    /// What shape plots may have.
    public enum Plotting: String, Hashable, Sendable { case braille, blocks, ascii }

    public var isReadOnly = false
    /// Nothing outside ASCII is drawn.
    public var isASCII = false
    public var plotting = Plotting.braille
    /// Of local time, in seconds.
    public var secondsFromGMT = 0
    public var workspaceName = ""
    /// The platforms that have a key. None: nothing can be rented, and the first screen says how to begin.
    public var platforms: [Platform] = []
    public var defaults = EngineConfiguration.Defaults()
    /// What an instance gets where nothing else is said.
    public var leaseTerms = LeaseTerms()

    public init() {}
}

/// What a dashboard leaves for the next one: how lists are ordered and filtered, and sizes.
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
    /// What should be kept now.
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

    /// Takes up what a session before this one left.
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
